# %% [markdown]
# # 3.1 Neurons and activations · 神经网络基础
#
# Read the lesson first: `learn read 3.1`. Fill in what is between the `# ---` lines, then run `learn check 3.1`.
# The rule of this section: nothing ready-made. `F.linear`, `torch.sigmoid`, `nn.GELU`, `x.softmax`, `torch.logsumexp`
# and their kin are for comparing with, below `if __name__ == "__main__":`. Build yours from `exp`, `log`, `erf`,
# `clamp`, `maximum`, `where`, sums and products. Gradients flow through all of them: autograd differentiates what you
# write.
#
# 先读课文：`learn read 3.1`。补全 `# ---` 之间的代码，然后运行 `learn check 3.1`。
# 本节的规矩：不用现成的函数。`F.linear`、`torch.sigmoid`、`nn.GELU`、`x.softmax`、`torch.logsumexp` 之类只用来对照，
# 写在 `if __name__ == "__main__":` 之下。请用 `exp`、`log`、`erf`、`clamp`、`maximum`、`where`、求和与乘法自己搭。
# 每个函数都要能让梯度流过：autograd 会对你写的东西求导。

# %%
import math

import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · A layer of neurons
#
# Each row of `W` holds the weights of one neuron. Return x Wᵀ + b for every input: `x` may be one vector, a batch of
# them, or have more dimensions in front. Without `b` there is nothing to add.
#
# `W` 的每一行是一个神经元的权重。对每个输入返回 x Wᵀ + b：`x` 可以是一个向量、一批向量，前面还可以有更多维度。
# 没有 `b` 时就不加。


# %%
# --- task 1 ---
def linear(x: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
    """x Wᵀ + b.   x: (..., in), W: (out, in), b: (out,) -> (..., out)"""
    y = x @ W.T
    return y if b is None else y + b


# --- end ---

# %% [markdown]
# ## Task 2 · ReLU, with or without a leak
#
# x where x > 0, and `slope` · x elsewhere. With the default slope of 0 that is ReLU, with a small one leaky ReLU. The
# slope may be any number, above 1 too.
#
# x > 0 处取 x，其余处取 `slope` · x。默认斜率为 0，就是 ReLU；取一个小的数，就是 leaky ReLU。斜率可以是任何数，
# 也可以大于 1。


# %%
# --- task 2 ---
def relu(x: Tensor, slope: float = 0.0) -> Tensor:
    """x where positive, slope · x elsewhere.   any shape -> the same shape"""
    return torch.where(x > 0, x, slope * x)


# --- end ---

# %% [markdown]
# ## Task 3 · Two that saturate
#
# σ(x) = 1 / (1 + e⁻ˣ), and tanh(x) = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ) = 2 σ(2x) - 1. Both values and gradients must be right
# everywhere: near 0, at 0 exactly, at 1000 and at -1000. Look at the gradients with autograd before you are content.
#
# σ(x) = 1 / (1 + e⁻ˣ)，tanh(x) = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ) = 2 σ(2x) - 1。函数值和梯度处处都要对：在 0 附近、恰好是 0、
# 在 1000 和 -1000。满意之前，先用 autograd 看看梯度。


# %%
# --- task 3 ---
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ).   any shape -> the same shape"""
    m = x.clamp(min=0)  # the larger of x and 0: no exponent below is positive
    return torch.exp(x - m) / (torch.exp(x - m) + torch.exp(-m))  # eˣ / (eˣ + 1), both parts divided by eᵐ


def tanh(x: Tensor) -> Tensor:
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ).   any shape -> the same shape"""
    return 2 * sigmoid(2 * x) - 1


# --- end ---

# %% [markdown]
# ## Task 4 · GELU
#
# x · Φ(x), where Φ(x) = ½ (1 + erf(x / √2)) is the probability that a standard normal number lies below x. With
# `approximate="tanh"` return the formula that was used when erf was slow, ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
#
# x · Φ(x)，其中 Φ(x) = ½ (1 + erf(x / √2)) 是标准正态随机数小于 x 的概率。`approximate="tanh"` 时，返回当年嫌 erf 太慢
# 而用的近似式 ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))。


# %%
# --- task 4 ---
def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), or with approximate="tanh" nearly that.   any shape -> the same shape"""
    if approximate == "tanh":
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


# --- end ---

# %% [markdown]
# ## Task 5 · Softmax
#
# exp(x) divided by its sum along `dim`. Logits may be as large as 1000, one row may lie far above another, and -inf
# (a choice that is ruled out; never all of them) gets probability 0.
#
# exp(x) 除以它沿 `dim` 的和。logits 可能大到 1000，一行可能远高于另一行；-inf 表示被排除的选项（不会全部都是），
# 它的概率是 0。


# %%
# --- task 5 ---
def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Probabilities along `dim`.   any shape -> the same shape, sums to 1 along dim"""
    e = torch.exp(x - x.amax(dim=dim, keepdim=True))  # the largest exponent is 0: the sum is at least 1
    return e / e.sum(dim=dim, keepdim=True)


# --- end ---

# %% [markdown]
# ## Task 6 · Log-softmax
#
# The logarithm of the softmax along `dim`. Where the probability is e⁻¹⁰⁰⁰, and so rounds to 0, its logarithm is still
# -1000, with a gradient.
#
# 沿 `dim` 的 softmax 的对数。即使概率小到 e⁻¹⁰⁰⁰、已经舍入成 0，它的对数仍然是 -1000，而且有梯度。


# %%
# --- task 6 ---
def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """log softmax along `dim`, exact far out.   any shape -> the same shape"""
    shifted = x - x.amax(dim=dim, keepdim=True)
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()


# --- end ---
