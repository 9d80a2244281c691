# %% [markdown]
# # 1.2 Tensors: creation and arithmetic · 张量：创建与运算
#
# Read the lesson first: `learn read 1.2`. Fill in what is between the `# ---` lines, then run `learn check 1.2`.
#
# 先读课文：`learn read 1.2`。补全 `# ---` 之间的代码，然后运行 `learn check 1.2`。

# %%
import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · Create
#
# Return a dictionary of six tensors (n is at least 1). Mind the dtypes: `value` may be an int, and `filled` is float32
# all the same.
#
# 返回一个字典，里面有六个张量（n 至少为 1）。注意 dtype：`value` 可能是整数，但 `filled` 仍然是 float32。
#
# | key · 键 | shape · 形状 | dtype | values · 值 |
# |---|---|---|---|
# | `zeros` | (2, n) | float32 | 0 |
# | `ones` | (n,) | float64 | 1 |
# | `filled` | (n, 3) | float32 | `value` |
# | `evens` | (n,) | int64 | 0, 2, 4, … |
# | `halves` | (n,) | float32 | 0, 0.5, 1, … |
# | `eye` | (n, n) | float32 | 1 on the diagonal, else 0 · 对角线为 1，其余为 0 |


# %%
# --- task 1 ---
def create(n: int, value: float) -> dict[str, Tensor]:
    """The six tensors of the table."""
    return {
        "zeros": torch.zeros(2, n),
        "ones": torch.ones(n, dtype=torch.float64),
        # an int alone would make it int64
        "filled": torch.full((n, 3), value, dtype=torch.float32),
        "evens": torch.arange(0, 2 * n, 2),
        "halves": torch.arange(n) / 2,
        "eye": torch.eye(n),
    }


# --- end ---

# %% [markdown]
# ## Task 2 · Random numbers in a range
#
# Uniformly distributed numbers in [`low`, `high`), float32, each independent of the others, drawn from the given
# generator and from nothing else: the same seed gives the same numbers, and a second call with the same generator gives
# new ones.
#
# 在 [`low`, `high`) 上均匀分布、彼此独立的 float32 随机数，只能从传入的生成器里抽取：种子相同的生成器给出相同的数；
# 用同一个生成器再调用一次，得到的是新的数。


# %%
# --- task 2 ---
def uniform(rows: int, cols: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Uniform random numbers in [low, high).   -> (rows, cols), float32"""
    return low + (high - low) * torch.rand(rows, cols, generator=generator)


# --- end ---

# %% [markdown]
# ## Task 3 · A product for each row
#
# For each row i the one number xᵢᵀ A yᵢ, where xᵢ and yᵢ are the i-th rows of `x` and `y`. You need both products of
# this lesson: `@` and `*`.
#
# 对每一行 i 求一个数 xᵢᵀ A yᵢ，其中 xᵢ、yᵢ 是 `x`、`y` 的第 i 行。课文里的两种乘法 `@` 和 `*` 都用得上。


# %%
# --- task 3 ---
def scores(x: Tensor, A: Tensor, y: Tensor) -> Tensor:
    """xᵢᵀ A yᵢ for each i.   x: (n, d), A: (d, k), y: (n, k) -> (n,)"""
    return ((x @ A) * y).sum(dim=1)


# --- end ---

# %% [markdown]
# ## Task 4 · Standardise the columns
#
# From every column subtract its mean, then divide it by its standard deviation, the one that divides by n (not n - 1).
# float64 stays float64; whole numbers of any kind become float32. No column is constant, so nothing has to be added to
# the divisor. The caller's `x` stays as it was.
#
# 每一列减去该列的均值，再除以该列的标准差（除以 n，而不是 n - 1）。float64 的输入仍得到 float64，
# 各种整数输入都变成 float32。不会有取值恒定的列，所以除数上什么也不用加。不要改动传进来的 `x`。


# %%
# --- task 4 ---
def standardise(x: Tensor) -> Tensor:
    """Columns of mean 0 and standard deviation 1.   x: (n, d) -> (n, d)"""
    if not x.is_floating_point():
        x = x.to(torch.float32)
    return (x - x.mean(dim=0)) / x.std(dim=0, correction=0)


# --- end ---

# %% [markdown]
# ## Task 5 · All distances at once
#
# The Euclidean distance between every row of `a` and every row of `b`, by broadcasting: no Python loop over the pairs
# (there may be a million of them), and no `cdist` or `pdist`, torch's or SciPy's.
#
# 用广播求 `a` 的每一行到 `b` 的每一行的欧氏距离：不要用 Python 循环逐对计算（可能有上百万对），
# 也不要用 `cdist`、`pdist`，无论是 torch 的还是 SciPy 的。


# %%
# --- task 5 ---
def distances(a: Tensor, b: Tensor) -> Tensor:
    """D[i, j] = |a[i] - b[j]|.   a: (n, d), b: (m, d) -> (n, m)"""
    # (n, 1, d) - (1, m, d) -> (n, m, d)
    apart = a[:, None, :] - b[None, :, :]
    return (apart**2).sum(dim=2).sqrt()


# --- end ---

# %% [markdown]
# ## Task 6 · Count only what is in range
#
# For each row the mean of those elements with `low <= element < high`, and 0 for a row that has none. Failed
# measurements stand in `x` as NaN: they are never in range, and must not spoil the rest of their row.
#
# 对每一行求满足 `low <= 元素 < high` 的元素的均值；一个都没有的行记为 0。`x` 中的 NaN 是失败的测量：
# 它们不在任何范围之内，也不能影响同一行的其他元素。


# %%
# --- task 6 ---
def mean_in_range(x: Tensor, low: float, high: float) -> Tensor:
    """Mean of each row's elements in [low, high).   x: (n, d), may hold NaN -> (n,)"""
    inside = (x >= low) & (x < high)
    # x * inside would not do: NaN * 0 is NaN
    total = torch.where(inside, x, 0.0).sum(dim=1)
    return total / inside.sum(dim=1).clamp(min=1)


# --- end ---
