# %% [markdown]
# # 1.1 First contact · 初识 PyTorch
#
# Read the lesson first: `learn read 1.1`. Fill in what is between the `# ---` lines (the line with `raise` goes), then
# run `learn check 1.1`. You may check after every task.
#
# 先读课文：`learn read 1.1`。补全 `# ---` 之间的代码（换掉写着 `raise` 的那一行），然后运行 `learn check 1.1`。
# 每做完一个任务都可以检查一次。

# %%
from collections.abc import Callable

import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · Describe a tensor
#
# Return a dictionary that says what `t` is. The example column is for two rows of three float32 numbers.
#
# 返回一个描述 `t` 的字典。“例子”一列对应的是两行三列的 float32 张量。
#
# | key · 键 | value · 值 | example · 例子 |
# |---|---|---|
# | `shape` | the sizes · 各维大小 | `(2, 3)` |
# | `ndim` | how many dimensions · 有几维 | `2` |
# | `numel` | how many numbers · 共有多少个数 | `6` |
# | `dtype` | its name, as text · 名字，字符串 | `"torch.float32"` |
# | `device` | its name, as text · 名字，字符串 | `"cpu"` |
# | `contiguous` | row after row, without gaps? · 是否一行接一行、没有空隙？ | `True` |
# | `bytes` | bytes that `t`'s numbers take · `t` 的这些数占多少字节 | `24` |


# %%
# --- task 1 ---
def describe(t: Tensor) -> dict[str, object]:
    """The seven facts of the table."""
    return {
        "shape": tuple(t.shape),
        "ndim": t.ndim,
        "numel": t.numel(),
        "dtype": str(t.dtype),
        "device": str(t.device),
        "contiguous": t.is_contiguous(),
        "bytes": t.numel() * t.element_size(),
    }


# --- end ---

# %% [markdown]
# ## Task 2 · Pick a device
#
# The best device of this computer: `cuda` if it is available, else `mps` if that is available, else `cpu`. The checks
# pretend to be other computers, so ask torch inside the function, at every call, and do not try the device out.
#
# 这台电脑上最好的设备：`cuda` 可用就选 `cuda`，否则 `mps` 可用就选 `mps`，再不然就是 `cpu`。检查时会假装是别的电脑，
# 所以请在函数里面问 torch，每次调用都问；不要靠试着用一下设备来判断。


# %%
# --- task 2 ---
def pick_device() -> torch.device:
    """The device to compute on."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


# --- end ---

# %% [markdown]
# ## Task 3 · Prepare a batch
#
# A batch comes as a dictionary of tensors: images, class numbers, a mask, whatever. Return a new dictionary with the
# same keys in which every tensor is on `device`. Floating point tensors become float32 on the way; those of whole
# numbers and bools keep their dtype, for a class number is no measurement. The batch that came in stays as it was.
#
# 一个批次是一个装着张量的字典：图像、类别号、掩码，什么都可能有。返回一个键相同的新字典，其中每个张量都在 `device` 上。
# 浮点张量顺便变成 float32；整数和布尔张量的 dtype 不变，因为类别号不是测量值。传进来的批次要保持原样。


# %%
# --- task 3 ---
def prepare(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The batch, on that device, its floating point tensors in float32."""
    ready = {}
    for name, t in batch.items():
        dtype = torch.float32 if t.is_floating_point() else t.dtype
        ready[name] = t.to(device, dtype)  # a new tensor: `to` alone changes nothing
    return ready


# --- end ---

# %% [markdown]
# ## Task 4 · Random, and yet the same
#
# Normally distributed numbers with mean 0 and standard deviation `std`, float32, each independent of the others, as
# networks start from. The same seed always gives the same numbers, whatever was drawn before, and another seed others.
# Nobody else notices: torch's global generator is neither used nor seeded (or is, in the end, just as it was).
#
# 均值为 0、标准差为 `std`、彼此独立的正态分布 float32 随机数，网络的初始权重就是这样来的。种子相同，数就总是相同，
# 与之前抽过什么无关；种子不同，数也不同。别人察觉不到这次调用：既不用全局生成器，也不给它设种子（用过就恢复原样也行）。


# %%
# --- task 4 ---
def weights(rows: int, cols: int, seed: int, std: float = 0.1) -> Tensor:
    """Reproducible normal numbers.   -> (rows, cols), float32"""
    generator = torch.Generator().manual_seed(seed)
    return std * torch.randn(rows, cols, generator=generator)


# --- end ---

# %% [markdown]
# ## Task 5 · Repeat an experiment
#
# `experiment()` draws its random numbers from torch's global generator. Seed that generator, run the experiment once
# and return what it returns. Afterwards the generator stands where it stood before, as if nothing had happened: the
# numbers that come next are those that would have come next.
#
# `experiment()` 从 torch 的全局生成器里抽随机数。给这个生成器设好种子，把实验运行一次，返回它的返回值。之后，
# 生成器要回到调用之前的位置，就像什么都没发生过：接下来抽到的数，正是本来该抽到的那些。


# %%
# --- task 5 ---
def repeatable(experiment: Callable[[], Tensor], seed: int) -> Tensor:
    """What the experiment returns with that seed; the global generator is left as it was."""
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    result = experiment()
    torch.set_rng_state(state)
    return result


# --- end ---
