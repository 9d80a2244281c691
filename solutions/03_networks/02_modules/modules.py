# %% [markdown]
# # 3.2 Models with torch.nn · 用 torch.nn 搭建模型
#
# Read the lesson first: `learn read 3.2`. Fill in what is between the `# ---` lines, then run `learn check 3.2`.
#
# 先读课文：`learn read 3.2`。补全 `# ---` 之间的代码，然后运行 `learn check 3.2`。

# %%
import torch
from torch import Tensor, nn


# %% [markdown]
# ## Task 1 · The network 784–128–64–10
#
# Three fully connected layers with biases: 784 → 128 → 64 → 10, ReLU after the first and after the second, nothing
# after the last: what comes out are logits. Images come as (B, 1, 28, 28) or already flat, as (B, 784).
#
# 三个带偏置的全连接层：784 → 128 → 64 → 10，前两层之后是 ReLU，最后一层之后什么都不加，输出就是 logits。
# 图像的形状是 (B, 1, 28, 28)，也可能已经展平成 (B, 784)。


# %%
# --- task 1 ---
class Digits(nn.Module):
    """Logits of ten classes.   (B, 1, 28, 28) or (B, 784) -> (B, 10)"""

    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Linear(784, 128)
        self.hidden2 = nn.Linear(128, 64)
        self.output = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(start_dim=1)
        x = self.hidden1(x).relu()
        x = self.hidden2(x).relu()
        return self.output(x)  # no activation: logits may be negative


# --- end ---

# %% [markdown]
# ## Task 2 · Modules in modules
#
# A `Block` computes x + W₂ relu(W₁ x + b₁) + b₂, with W₁ from `width` to `hidden` and W₂ back again. A `Tower` is a
# linear layer from `n_in` to `width`, then `depth` blocks one after the other, each with weights of its own, then a
# linear layer from `width` to `n_out`. `depth` may be 0.
#
# `Block` 计算 x + W₂ relu(W₁ x + b₁) + b₂，W₁ 从 `width` 到 `hidden`，W₂ 再回到 `width`。`Tower` 先是一个从 `n_in` 到
# `width` 的线性层，接着依次经过 `depth` 个 `Block`（各有各的权重），最后是从 `width` 到 `n_out` 的线性层。
# `depth` 可以是 0。


# %%
# --- task 2 ---
class Block(nn.Module):
    """x + W₂ relu(W₁ x + b₁) + b₂.   (B, width) -> (B, width)"""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.up(x).relu())


class Tower(nn.Module):
    """Linear, `depth` blocks, linear.   (B, n_in) -> (B, n_out)"""

    def __init__(self, n_in: int, width: int, hidden: int, depth: int, n_out: int):
        super().__init__()
        self.enter = nn.Linear(n_in, width)
        self.blocks = nn.ModuleList(Block(width, hidden) for _ in range(depth))
        self.leave = nn.Linear(width, n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        for block in self.blocks:
            x = block(x)
        return self.leave(x)


# --- end ---

# %% [markdown]
# ## Task 3 · A buffer
#
# `Centre` keeps a running mean of what passes through it and subtracts it. In training mode each batch first moves
# the mean, mean ← (1 - momentum) · mean + momentum · (mean of the batch); in evaluation mode the mean stays as it is.
# Then, in both modes, the result is x - mean, where the mean counts as a constant: no gradient flows through it. It
# starts at zero and is registered as a buffer called `mean`, so that it is saved and moves along with `.to(...)`, but
# is not a parameter.
#
# `Centre` 记录流经它的数据的滑动均值，并从输入中减去。训练模式下，每个批次先更新均值：mean ← (1 - momentum) · mean +
# momentum ·（这个批次的均值）；评估模式下均值不变。之后两种模式都返回 x - mean，其中均值当作常数，梯度不流经它。均值
# 从 0 开始，注册为名叫 `mean` 的缓冲区：它会被保存，会随 `.to(...)` 移动，但不是参数。


# %%
# --- task 3 ---
class Centre(nn.Module):
    """x minus its running mean; buffer `mean`: (size,).   (B, size) -> (B, size)"""

    def __init__(self, size: int, momentum: float = 0.1):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(x.mean(dim=0), self.momentum)
        return x - self.mean


# --- end ---

# %% [markdown]
# ## Task 4 · How many parameters?
#
# The number of trainable numbers in any model: elements of its parameters, not of its buffers; what is frozen does
# not count, and a parameter that two layers share counts once.
#
# 任意模型中可训练的数一共有多少个：数的是参数的元素，不包括缓冲区；冻结的参数不算，两个层共享的参数只算一次。


# %%
# --- task 4 ---
def count_parameters(model: nn.Module) -> int:
    """Elements of all trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


# --- end ---

# %% [markdown]
# ## Task 5 · Predict
#
# The probabilities of the classes for every row of `x`, with a model that returns logits and may contain dropout:
# dropout is off, no graph is built, and afterwards the model is in the mode in which it came, training or evaluation;
# what was frozen is frozen still, and nothing else.
#
# `model` 返回 logits，可能含有 dropout。求 `x` 每一行属于各类的概率：此时 dropout 要关闭，不构建计算图；
# 结束之后，模型要回到进来时的模式（训练或评估）；原来冻结的参数仍然冻结，其余的不冻结。


# %%
# --- task 5 ---
def predict(model: nn.Module, x: Tensor) -> Tensor:
    """Class probabilities.   x: (B, ...) -> (B, C), rows sum to 1"""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        probabilities = model(x).softmax(dim=1)
    model.train(was_training)
    return probabilities


# --- end ---

# %% [markdown]
# ## Task 6 · A first fit
#
# `steps` steps of plain gradient descent (`torch.optim.SGD`) on all of `x` at once, in training mode. The loss is the
# mean cross-entropy of the logits; gradients that the model brings along do not count, and what is frozen stays as it
# is, and frozen. Return the losses, each as it was before its step.
#
# 在整个 `x` 上做 `steps` 步普通的梯度下降（`torch.optim.SGD`），模型处于训练模式。损失是 logits 的平均交叉熵；
# 模型带来的旧梯度不起作用；被冻结的参数保持原样，也仍然冻结。返回每一步更新之前的损失。


# %%
# --- task 6 ---
def fit(model: nn.Module, x: Tensor, y: Tensor, lr: float, steps: int) -> list[float]:
    """Trains the model in place.   x: (N, ...), y: (N,) class numbers -> `steps` losses"""
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# --- end ---
