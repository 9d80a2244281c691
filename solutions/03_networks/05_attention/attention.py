# %% [markdown]
# # 3.5 Attention · 注意力机制
#
# Read the lesson first: `learn read 3.5`. Fill in what is between the `# ---` lines, then run `learn check 3.5`.
#
# In this section a mask says what is *allowed*: True = may look, as in `scaled_dot_product_attention`.
#
# 先读课文：`learn read 3.5`。补全 `# ---` 之间的代码，然后运行 `learn check 3.5`。
#
# 本节的掩码表示**允许**：True 就是可以看，与 `scaled_dot_product_attention` 一致。

# %%
import torch
from torch import Tensor, nn


# %% [markdown]
# ## Task 1 · Scaled dot-product attention
#
# Every query is compared with every key: score = q·k / √d. A softmax turns the scores of one query into weights that
# sum to 1, and the result for that query is the mean of the values with these weights. The dots in the shapes stand
# for any number of batch dimensions, also none.
#
# 每个查询都与每个键比较：得分 = q·k / √d。对同一个查询的得分做 softmax，得到和为 1 的权重；用这些权重对值求加权平均，
# 就是这个查询的结果。形状里的 `...` 表示任意多个批次维，也可以没有。


# %%
# --- task 1 ---
def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q kᵀ / √d) v.   q: (..., T, d), k: (..., S, d), v: (..., S, e) -> (..., T, e)"""
    scores = q @ k.mT / q.shape[-1] ** 0.5  # (..., T, S)
    return scores.softmax(dim=-1) @ v


# --- end ---

# %% [markdown]
# ## Task 2 · Who may look where
#
# A batch of sequences, all padded to length `n`; the real length of sequence b is `lengths[b]`, from 0 to n. Entry
# [b, i, j] says whether position i of sequence b may look at position j: j must not be padding and, if `causal`, not
# lie after i. (Positions i that are padding themselves get a row like all others.)
#
# 一批序列都填充到了长度 `n`，第 b 个序列的真实长度是 `lengths[b]`，取值从 0 到 n。元素 [b, i, j] 表示第 b 个序列的位置
# i 可不可以看位置 j：j 不能是填充；如果 `causal` 为 True，j 还不能在 i 之后。（i 本身是填充也照样有它的一行。）


# %%
# --- task 2 ---
def allowed(lengths: Tensor, n: int, causal: bool = False) -> Tensor:
    """True where i may look at j.   lengths: (B,), int64 -> (B, n, n), bool"""
    at = torch.arange(n)
    real = at < lengths[:, None]  # (B, n): which keys are no padding
    mask = real[:, None, :].expand(-1, n, -1)  # the same for each query
    return mask & (at <= at[:, None]) if causal else mask


# --- end ---

# %% [markdown]
# ## Task 3 · Attention with a mask
#
# As task 1, but a query gives weight only to the keys that it may look at, and these weights sum to 1. A query that
# may look nowhere (a sequence of length 0) gets zeros, not NaN, and its gradients are zeros, too.
#
# 与任务 1 相同，但每个查询只给它可以看的键分配权重，这些权重的和为 1。哪里都不能看的查询（长度为 0 的序列）得到 0，
# 不是 NaN；它的梯度也是 0。


# %%
# --- task 3 ---
def masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Shapes as in task 1; mask: bool, broadcasts to (..., T, S), True = may look."""
    scores = q @ k.mT / q.shape[-1] ** 0.5
    lowest = torch.finfo(scores.dtype).min  # finite: a row of nothing but -inf would be NaN after the softmax
    weights = scores.masked_fill(~mask, lowest).softmax(dim=-1)
    return weights.masked_fill(~mask, 0.0) @ v


# --- end ---

# %% [markdown]
# ## Task 4 · Heads
#
# `split_heads` gives each head its own columns: the first D / heads columns to head 0, the next to head 1, and so on.
# `join_heads` undoes it. `x` may have any memory layout.
#
# `split_heads` 把列分给各个头：最前面的 D / heads 列给第 0 个头，接着的给第 1 个头，依此类推。`join_heads` 是它的逆。
# `x` 在内存中的布局不限。


# %%
# --- task 4 ---
def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, heads, T, D / heads)"""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """(B, heads, T, d) -> (B, T, heads * d)"""
    return x.transpose(1, 2).flatten(2)


# --- end ---

# %% [markdown]
# ## Task 5 · Multi-head attention
#
# Four linear layers from `dim` to `dim`, with biases, called `q_proj`, `k_proj`, `v_proj` and `out_proj`. Queries are
# made from `x`; keys and values from `memory`, or from `x` if there is no `memory` (self-attention). Each head attends
# by itself; the heads are put together, and `out_proj` mixes them.
#
# 四个从 `dim` 到 `dim`、带偏置的线性层，名字是 `q_proj`、`k_proj`、`v_proj`、`out_proj`。查询由 `x` 得到；键和值由
# `memory` 得到，没有 `memory` 时也由 `x` 得到（自注意力）。每个头各自做注意力，然后合并，再由 `out_proj` 混合。


# %%
# --- task 5 ---
class MultiHeadAttention(nn.Module):
    """Attention in `heads` heads of size dim / heads."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """x: (B, T, dim), memory: (B, S, dim), mask: (B, T, S), True = may look -> (B, T, dim)"""
        memory = x if memory is None else memory
        q = split_heads(self.q_proj(x), self.heads)  # (B, heads, T, d)
        k = split_heads(self.k_proj(memory), self.heads)  # (B, heads, S, d)
        v = split_heads(self.v_proj(memory), self.heads)
        out = attention(q, k, v) if mask is None else masked_attention(q, k, v, mask[:, None])  # for all heads
        return self.out_proj(join_heads(out))


# --- end ---

# %% [markdown]
# ## Task 6 · The weights of PyTorch's own
#
# Return a `MultiHeadAttention` that computes what `theirs` computes. The new module has parameters of its own: what
# happens to it later must not change `theirs`. (`theirs` was made with `nn.MultiheadAttention(dim, heads)` and the
# defaults; look at its `named_parameters()`.)
#
# 返回一个 `MultiHeadAttention`，它算出的结果与 `theirs` 相同。新模块有自己的参数：以后无论对它做什么，都不能影响
# `theirs`。（`theirs` 由 `nn.MultiheadAttention(dim, heads)` 创建，其余取默认值；看看它的 `named_parameters()`。）


# %%
# --- task 6 ---
def from_torch(theirs: nn.MultiheadAttention) -> MultiHeadAttention:
    """A MultiHeadAttention with copies of these weights."""
    ours = MultiHeadAttention(theirs.embed_dim, theirs.num_heads)
    weights, biases = theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3)  # (3 dim, dim), (3 dim,)
    with torch.no_grad():
        for layer, weight, bias in zip((ours.q_proj, ours.k_proj, ours.v_proj), weights, biases):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        ours.out_proj.weight.copy_(theirs.out_proj.weight)
        ours.out_proj.bias.copy_(theirs.out_proj.bias)
    return ours


# --- end ---
