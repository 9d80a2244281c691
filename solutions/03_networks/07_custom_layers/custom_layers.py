# %% [markdown]
# # 3.7 Your own layers and losses · 自定义层与损失
#
# Read the lesson first: `learn read 3.7`. Fill in what is between the `# ---` lines, then run `learn check 3.7`.
#
# Results are checked, and so are gradients: those of the inputs and those of the parameters.
#
# 先读课文：`learn read 3.7`。补全 `# ---` 之间的代码，然后运行 `learn check 3.7`。
#
# 检查的不只是结果，还有梯度：既有输入的，也有参数的。

# %%
import torch
import torch.nn.functional as F
from torch import Tensor, nn


# %% [markdown]
# ## Task 1 · RMSNorm
#
# Divides each vector by the root of the mean of its squares, then multiplies by a learned `weight`:
# x / √(mean(x²) + eps) · weight, where the mean goes over the last dimension. Unlike LayerNorm it subtracts nothing.
# `weight` has size `dim` and begins with ones.
#
# 把每个向量除以“平方的均值的平方根”，再乘以学到的 `weight`：x / √(mean(x²) + eps) · weight，均值沿最后一维求。与
# LayerNorm 不同，它不减去任何东西。`weight` 的大小是 `dim`，初值全为 1。


# %%
# --- task 1 ---
class RMSNorm(nn.Module):
    """x / √(mean(x²) + eps) · weight.   (..., dim) -> (..., dim)"""

    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        mean = x.square().mean(dim=-1, keepdim=True)  # (..., 1)
        return x * torch.rsqrt(mean + self.eps) * self.weight


# --- end ---

# %% [markdown]
# ## Task 2 · A masked layer
#
# A linear layer in which some connections do not exist: output i depends on input j only where `mask[i, j]` is True.
# Wherever it is False, the weight has no effect and gets no gradient (exactly 0), however long the layer is trained and
# whatever is written into `weight`. Parameters `weight` and `bias` as in `nn.Linear`, random to begin with; the mask
# is a buffer called `mask`.
#
# 有些连接不存在的线性层：只有 `mask[i, j]` 为 True 时，第 i 个输出才依赖第 j 个输入。为 False 的地方，无论训练多久、
# 无论 `weight` 里写了什么，那个权重都不起作用，梯度也恰好是 0。参数 `weight`、`bias` 与 `nn.Linear` 相同，初值随机；
# 掩码是名叫 `mask` 的缓冲区。


# %%
# --- task 2 ---
class MaskedLinear(nn.Linear):
    """x (weight · mask)ᵀ + bias; mask: (n_out, n_in), bool.   (..., n_in) -> (..., n_out)"""

    def __init__(self, mask: Tensor):
        n_out, n_in = mask.shape
        super().__init__(n_in, n_out)
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.mask, self.bias)


# --- end ---

# %% [markdown]
# ## Task 3 · Focal loss
#
# Cross-entropy in which easy examples count for little. With p the probability of the right class, one example's loss
# is (1 - p)^gamma · (-log p); return the mean over the batch. gamma = 0 is the cross-entropy itself. It comes from
# logits, and it must stay finite for logits in the thousands.
#
# 让容易的样本少占分量的交叉熵。记 p 为正确类别的概率，一个样本的损失是 (1 - p)^gamma ·（-log p），返回整个批次的平均。
# gamma = 0 时就是交叉熵本身。输入是 logits；即使 logits 上千，结果也必须是有限的。


# %%
# --- task 3 ---
def focal_loss(logits: Tensor, targets: Tensor, gamma: float = 2.0) -> Tensor:
    """logits: (N, C), targets: (N,) class numbers -> ()"""
    losses = F.cross_entropy(logits, targets, reduction="none")  # -log p: (N,)
    p = torch.exp(-losses)
    return ((1 - p) ** gamma * losses).mean()


# --- end ---

# %% [markdown]
# ## Task 4 · Label smoothing
#
# Cross-entropy against softened targets: of the target's probability 1, the share `smoothing` is taken away and divided
# equally among *all* C classes, the right one included. Return the mean over the batch.
#
# 对软化之后的目标求交叉熵：从目标的概率 1 中拿出 `smoothing` 这么多，平均分给**全部** C 个类别，正确的类别也有一份。
# 返回整个批次的平均。


# %%
# --- task 4 ---
def smoothed_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.1) -> Tensor:
    """logits: (N, C), targets: (N,) class numbers -> ()"""
    own = F.cross_entropy(logits, targets)  # against the right classes alone
    even = -logits.log_softmax(dim=1).mean()  # against all classes alike, 1 / C each
    return (1 - smoothing) * own + smoothing * even


# --- end ---

# %% [markdown]
# ## Task 5 · Contrastive loss
#
# Row i of `a` and row i of `b` are a pair, and d is their distance √(Σ(a - b)²). A pair that is the `same` costs d²;
# one that is not costs max(0, margin - d)², so it is pushed apart until it is `margin` away. Return the mean over all
# pairs. The gradients must be finite even where both are equal.
#
# `a` 的第 i 行与 `b` 的第 i 行是一对，d 是它们的距离 √(Σ(a - b)²)。`same` 为 True 的一对，损失是 d²；否则是
# max(0, margin - d)²，也就是推开到相距 `margin` 为止。返回所有对的平均。即使两者相等，梯度也必须是有限的。


# %%
# --- task 5 ---
def contrastive_loss(a: Tensor, b: Tensor, same: Tensor, margin: float = 1.0) -> Tensor:
    """a, b: (N, d), same: (N,), bool -> ()"""
    distance = (a - b).norm(dim=1)  # (N,); unlike sqrt, its gradient at 0 is 0
    apart = (margin - distance).clamp(min=0)
    return torch.where(same, distance, apart).square().mean()


# --- end ---
