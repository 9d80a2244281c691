# %% [markdown]
# # 3.6 Transformer · Transformer 模型
#
# Read the lesson first: `learn read 3.6`. Fill in what is between the `# ---` lines, then run `learn check 3.6`.
#
# The tests put weights of their own into your modules, by name: call the layers what the tasks call them.
#
# 先读课文：`learn read 3.6`。补全 `# ---` 之间的代码，然后运行 `learn check 3.6`。
#
# 测试会按名字给你的模块填上权重，所以各层的名字要与题目一致。

# %%
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head self-attention, as in 3.5; all three projections in one layer. Here is nothing to do."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: (B, T, dim), mask: (T, T) or (B, 1, T, T), True = may look -> (B, T, dim)"""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # each (B, heads, T, d)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.permute(0, 2, 1, 3).flatten(2))


# %% [markdown]
# ## Task 1 · Positions
#
# A table of sines and cosines: column 2i of row p is sin(p / 10000^(2i / dim)), column 2i + 1 is the cosine of the same
# angle. Rows count from 0, and `dim` is even.
#
# 正弦和余弦的表：第 p 行的第 2i 列是 sin(p / 10000^(2i / dim))，第 2i + 1 列是同一个角的余弦。行从 0 数起，
# `dim` 是偶数。


# %%
# --- task 1 ---
def positions(n: int, dim: int) -> Tensor:
    """-> (n, dim), float32"""
    frequency = 10000 ** (-torch.arange(0, dim, 2) / dim)  # (dim / 2,)
    angle = torch.arange(n)[:, None] * frequency  # (n, dim / 2)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)  # (n, dim / 2, 2) -> (n, dim)


# --- end ---

# %% [markdown]
# ## Task 2 · From numbers to vectors
#
# Each token's row of an `nn.Embedding` called `token`, times √dim, plus the row of `positions` for its place in the
# sequence. The positions are not trained, and they go along when the module is moved to another device. No sequence is
# longer than `longest`.
#
# 取 `nn.Embedding`（名叫 `token`）中每个 token 的那一行，乘以 √dim，再加上 `positions` 中它所在位置的那一行。位置表
# 不参与训练，模块搬到别的设备时它要跟着走。序列长度不超过 `longest`。


# %%
# --- task 2 ---
class Embed(nn.Module):
    """√dim · embedding + position.   (B, T), int64 -> (B, T, dim)"""

    def __init__(self, vocab: int, dim: int, longest: int):
        super().__init__()
        self.token = nn.Embedding(vocab, dim)
        self.register_buffer("positions", positions(longest, dim))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token(tokens)  # (B, T, dim)
        return x * x.shape[2] ** 0.5 + self.positions[: x.shape[1]]


# --- end ---

# %% [markdown]
# ## Task 3 · A block, normalised before
#
# Two steps, each of which adds something to x:
#
#     x ← x + dropout(attention(norm1(x)))
#     x ← x + dropout(down(gelu(up(norm2(x)))))
#
# `norm1` and `norm2` are `nn.LayerNorm`, `attention` is the `Attention` above, `up` is a linear layer from `dim` to
# `hidden` and `down` one back to `dim`. There is dropout in these two places and nowhere else.
#
# 分两步，每一步都往 x 上加一点东西（公式见上）。`norm1`、`norm2` 是 `nn.LayerNorm`，`attention` 是上面的 `Attention`，
# `up` 是从 `dim` 到 `hidden` 的线性层，`down` 再回到 `dim`。只有这两处有 dropout。


# %%
# --- task 3 ---
class Block(nn.Module):
    """Attention, then two linear layers; both normalised before and added to what came in."""

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float = 0.1):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: (B, T, dim), mask: as Attention takes it -> (B, T, dim)"""
        x = x + self.dropout(self.attention(self.norm1(x), mask))
        return x + self.dropout(self.down(F.gelu(self.up(self.norm2(x)))))


# --- end ---

# %% [markdown]
# ## Task 4 · A decoder
#
# Predicts the next token at every position: `embed` (task 2), `depth` blocks in an `nn.ModuleList` called `blocks`, a
# last `nn.LayerNorm` called `norm`, and a linear layer `output` from `dim` to `vocab`. No position sees a later one.
#
# 在每个位置预测下一个 token：`embed`（任务 2），`nn.ModuleList` 里的 `depth` 个块（名叫 `blocks`），最后一个
# `nn.LayerNorm`（名叫 `norm`），以及从 `dim` 到 `vocab` 的线性层 `output`。任何位置都看不到它后面的位置。


# %%
# --- task 4 ---
class Decoder(nn.Module):
    """Logits of the next token.   (B, T), int64 -> (B, T, vocab)"""

    def __init__(self, vocab: int, dim: int, heads: int, hidden: int, depth: int, longest: int, dropout: float = 0.1):
        super().__init__()
        self.embed = Embed(vocab, dim, longest)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.output = nn.Linear(dim, vocab)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        n = tokens.shape[1]
        mask = torch.ones(n, n, dtype=torch.bool, device=x.device).tril()  # row i: what position i may look at
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))


# --- end ---

# %% [markdown]
# ## Task 5 · The loss of the next token
#
# The logits at position t are a guess at token t + 1. Return the mean cross-entropy over all guesses of the batch whose
# target is not padding (`pad`). The last position has no target, the first token is nobody's target.
#
# 位置 t 的 logits 是对第 t + 1 个 token 的猜测。对整个批次中目标不是填充（`pad`）的所有猜测，返回交叉熵的平均。最后一个
# 位置没有目标，第一个 token 不是任何位置的目标。


# %%
# --- task 5 ---
def next_token_loss(logits: Tensor, tokens: Tensor, pad: int = 0) -> Tensor:
    """logits: (B, T, vocab), tokens: (B, T) -> ()"""
    guesses, targets = logits[:, :-1], tokens[:, 1:]  # (B, T - 1, vocab), (B, T - 1)
    return F.cross_entropy(guesses.flatten(0, 1), targets.flatten(), ignore_index=pad)


# --- end ---
