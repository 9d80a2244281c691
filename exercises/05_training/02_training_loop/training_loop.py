# %% [markdown]
# # 5.2 The training loop · 训练过程
#
# Read the lesson first: `learn read 5.2`. Fill in what is between the `# ---` lines, then run `learn check 5.2`.
#
# 先读课文：`learn read 5.2`。补全 `# ---` 之间的代码，然后运行 `learn check 5.2`。

# %%
import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


# %% [markdown]
# ## Task 1 · One step
#
# One step of `optimizer` on one batch: clear the gradients, compute the mean cross-entropy of the model's logits, go
# backwards, step. Return the loss (the one before the step) as a number that keeps no graph alive. Parameters that are
# frozen stay as they are, and frozen.
#
# 用 `optimizer` 在一个批次上走一步：清空梯度，求模型 logits 的平均交叉熵，反向传播，更新参数。
# 返回这一步之前算出的损失，要一个不再牵着计算图的数。被冻结的参数保持原样，也仍然冻结。


# %%
# --- task 1 ---
def train_step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> float:
    """One optimisation step.   x: a batch, y: (N,) of int64 -> the batch's mean loss"""
    raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 2 · One epoch
#
# One pass over the loader in training mode, one step per batch. Return the mean loss per *sample*: the last batch may
# be smaller than the others, and must then count for less.
#
# 在训练模式下把 loader 走一遍，每个批次走一步。返回每个**样本**的平均损失：
# 最后一个批次可能比较小，分量也应当相应地小。


# %%
# --- task 2 ---
def train_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, loader: DataLoader) -> float:
    """One epoch.   loader: batches of (x, y) -> the mean of the samples' losses, each taken before its step"""
    raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 3 · Evaluation
#
# The mean loss per sample and the accuracy (between 0 and 1) over a loader, in evaluation mode and without recording a
# graph. Weights, buffers, gradients and what is frozen stay as they are, and afterwards the model is in the mode,
# training or evaluation, in which you found it.
#
# 在评估模式下、不记录计算图，求整个 loader 上每个样本的平均损失和准确率（0 到 1 之间）。
# 权重、缓冲区、梯度、哪些参数被冻结，都保持原样；模型来的时候是训练模式还是评估模式，走的时候就还是什么模式。


# %%
# --- task 3 ---
def evaluate(model: nn.Module, loader: DataLoader) -> tuple[float, float]:
    """loader: batches of (x, y) -> mean loss per sample, accuracy"""
    raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 4 · Early stopping
#
# `update` is called after each epoch with the validation loss. If it is lower than every one before, the model's state
# is remembered, parameters and buffers. It returns True once `patience` updates in a row have brought nothing lower,
# and goes on returning it while nothing lower comes; NaN is not lower. `restore` puts the remembered state back into
# the model that it is given, however long it has been trained since, and as often as it is called.
#
# 每个 epoch 之后用验证集损失调用 `update`。如果它比以前的都低，就记住模型此刻的状态（参数和缓冲区）。
# 连续 `patience` 次都没有更低，就返回 True；此后仍没有更低，就一直返回 True；NaN 不算更低。
# `restore` 把记住的状态放回传给它的模型，不论此后又训练了多久，也不论调用几次。


# %%
# --- task 4 ---
class EarlyStopping:
    """Remembers the best state of a model and says when to stop."""

    def __init__(self, patience: int = 3) -> None:
        raise NotImplementedError

    def update(self, loss: float, model: nn.Module) -> bool:
        """True if it is time to stop."""
        raise NotImplementedError

    def restore(self, model: nn.Module) -> None:
        """Gives the model its best state back."""
        raise NotImplementedError


# --- end ---

# %% [markdown]
# ## Task 5 · Put it together
#
# Train a classifier of handwritten digits and return it with its best weights: those with the lowest loss on the
# validation data, which choose but are not trained on. The images come as rows of 64 numbers between 0 and 1 (8 × 8
# pixels). Model, optimiser, batch size and number of epochs are yours; a few seconds are enough. Your model is then
# judged on images that `fit` has never seen.
#
# 训练一个手写数字分类器，返回带着最佳权重的模型：最佳是指验证集损失最低，验证集只用来挑选，不参与训练。
# 每张图像是一行 64 个 0 到 1 之间的数（8 × 8 像素）。模型、优化器、批大小、epoch 数都由你决定，几秒钟足够。
# 之后会用 `fit` 从未见过的图像来检验你的模型。


# %%
# --- task 5 ---
def fit(x: Tensor, y: Tensor, x_val: Tensor, y_val: Tensor) -> nn.Module:
    """x: (n, 64), y: (n,) to train on, x_val and y_val to know when to stop -> a model: (m, 64) -> logits (m, 10)"""
    raise NotImplementedError


# --- end ---
