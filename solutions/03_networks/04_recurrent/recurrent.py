# %% [markdown]
# # 3.4 Recurrent networks · 循环神经网络
#
# Read the lesson first: `learn read 3.4`. Fill in what is between the `# ---` lines, then run `learn check 3.4`.
# The rule of tasks 1 to 3: no recurrent layer or cell of torch's (`nn.RNN`, `nn.LSTMCell`, `torch.lstm_cell` …).
# Sequences are (B, T, …) throughout: the batch first, then time.
#
# 先读课文：`learn read 3.4`。补全 `# ---` 之间的代码，然后运行 `learn check 3.4`。
# 任务 1 到任务 3 的规矩：不用 torch 的循环层和循环单元（`nn.RNN`、`nn.LSTMCell`、`torch.lstm_cell` 等）。
# 序列的形状一律是 (B, T, …)：先是批次，然后是时间。

# %%
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence


# %% [markdown]
# ## Task 1 · One step
#
# The new state is tanh(x W_ihᵀ + h W_hhᵀ + b), from this step's input x and the state h before it. (PyTorch's own
# layers have two biases, which here would only be added up.)
#
# 新的状态是 tanh(x W_ihᵀ + h W_hhᵀ + b)，x 是这一步的输入，h 是之前的状态。（PyTorch 的层有两个偏置，在这里反正要加在
# 一起。）


# %%
# --- task 1 ---
def rnn_cell(x: Tensor, h: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor) -> Tensor:
    """One step.   x: (B, I), h: (B, H), W_ih: (H, I), W_hh: (H, H), b: (H,) -> (B, H)"""
    return torch.tanh(x @ W_ih.T + h @ W_hh.T + b)


# --- end ---

# %% [markdown]
# ## Task 2 · Many steps
#
# Walk through the sequence from its first step to its last. Return the states after every step, and once more the last
# one. Without an `h` to begin with, the state before the first step is zero.
#
# 从第一步走到最后一步。返回每一步之后的状态，以及最后一个状态。没有给出初始的 `h` 时，第一步之前的状态是零。


# %%
# --- task 2 ---
def rnn(x: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """All steps.   x: (B, T, I), T at least 1, h: (B, H) -> states (B, T, H), last state (B, H)"""
    if h is None:
        h = x.new_zeros(len(x), len(W_hh))
    states = []
    for x_t in x.unbind(dim=1):  # (B, I), step by step
        h = rnn_cell(x_t, h, W_ih, W_hh, b)
        states.append(h)
    return torch.stack(states, dim=1), h


# --- end ---

# %% [markdown]
# ## Task 3 · An LSTM cell
#
# z = x W_ihᵀ + h W_hhᵀ + b has 4H columns: i, f, g and o in this order, H columns each. Then
#
#     c' = σ(f) · c + σ(i) · tanh(g)        keep some of the memory, write something new
#     h' = σ(o) · tanh(c')                  show some of it
#
# z = x W_ihᵀ + h W_hhᵀ + b 有 4H 列：依次是 i、f、g、o，各占 H 列。第一式保留一部分旧记忆，写进一些新内容；
# 第二式把记忆的一部分展示出来。


# %%
# --- task 3 ---
def lstm_cell(x: Tensor, h: Tensor, c: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """One step.   x: (B, I), h, c: (B, H), W_ih: (4H, I), W_hh: (4H, H), b: (4H,) -> h', c', (B, H) each"""
    i, f, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


# --- end ---

# %% [markdown]
# ## Task 4 · Where a sequence really ends
#
# Sequences of different lengths lie in one tensor, padded at the end. For each, return the output at its own last
# step. Lengths are at least 1; what stands in the padding means nothing.
#
# 长短不一的序列放在同一个张量里，末尾有填充。对每个序列，返回它自己最后一步的输出。长度至少为 1；
# 填充部分的内容毫无意义。


# %%
# --- task 4 ---
def last_outputs(outputs: Tensor, lengths: Tensor) -> Tensor:
    """Output of each sequence's own last step.   outputs: (B, T, H), lengths: (B,) of int64 -> (B, H)"""
    return outputs[torch.arange(len(outputs)), lengths - 1]  # pairs: row 0 with its step, row 1 with its step, …


# --- end ---

# %% [markdown]
# ## Task 5 · A long sequence, in pieces
#
# `model(x, h)` returns outputs and a new state, as `nn.RNN(..., batch_first=True)` does; a state of None is zero. Train
# it on one long sequence, `chunk` steps at a time, from front to back. Each piece begins with the state in which the
# last one ended, but no gradient flows back into an earlier piece. The loss of a piece is the mean squared error
# between outputs and `y`; after each piece comes one step of plain gradient descent (`torch.optim.SGD`). The last piece
# may be shorter. Return the losses, each as it was before its step.
#
# `model(x, h)` 返回输出和新的状态，与 `nn.RNN(..., batch_first=True)` 一样；状态为 None 就是零。
# 在一个很长的序列上训练它，从前往后，每次 `chunk` 步。每一段从上一段结束时的状态开始，但梯度不流回更早的段。
# 每段的损失是输出与 `y` 的均方误差；每段之后做一步普通的梯度下降（`torch.optim.SGD`）。最后一段可能短一些。
# 返回每一步更新之前的损失。


# %%
# --- task 5 ---
def fit_in_chunks(model: nn.Module, x: Tensor, y: Tensor, lr: float, chunk: int) -> list[float]:
    """Trains the model in place.   x: (B, T, I), y: (B, T, H) -> one loss for each piece"""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses, h = [], None
    for start in range(0, x.shape[1], chunk):
        outputs, h = model(x[:, start : start + chunk], h)
        loss = F.mse_loss(outputs, y[:, start : start + chunk])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        h = h.detach()  # its value goes on, its history does not
    return losses


# --- end ---

# %% [markdown]
# ## Task 6 · A classifier that reads both ways
#
# An `nn.Embedding` (`tokens` × `width`), a bidirectional `nn.GRU` of one layer with `hidden` numbers each way, and an
# `nn.Linear` to `classes` logits. The linear layer gets the state in which the forward direction ends and then the one
# in which the backward direction ends. Sequences are padded at the end, in any order of their lengths: each is read
# only up to its own end, and backwards from its own end. Other padding must not change anything.
#
# 一个 `nn.Embedding`（`tokens` × `width`），一个单层双向的 `nn.GRU`（每个方向 `hidden` 个数），
# 再加一个输出 `classes` 个 logits 的 `nn.Linear`。线性层的输入先是正向结束时的状态，然后是反向结束时的状态。
# 序列末尾有填充，长度不按任何顺序排列：每个序列正向只读到自己的末尾，反向也从自己的末尾读起。
# 填充换成别的内容，结果不能变。


# %%
# --- task 6 ---
class Classifier(nn.Module):
    """Logits.   x: (B, T) token numbers, lengths: (B,) of int64 -> (B, classes)"""

    def __init__(self, tokens: int, width: int, hidden: int, classes: int):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.gru = nn.GRU(width, hidden, bidirectional=True)
        self.output = nn.Linear(2 * hidden, classes)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        embedded = self.embedding(x)  # (B, T, width)
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        _, h = self.gru(packed)  # (2, B, hidden): the ends of both directions
        return self.output(torch.cat([h[0], h[1]], dim=1))


# --- end ---
