# %% [markdown]
# # 3.3 Convolution and pooling · 卷积与池化
#
# Read the lesson first: `learn read 3.3`. Fill in what is between the `# ---` lines, then run `learn check 3.3`.
# The rule of tasks 2 and 3: no convolution and no pooling of torch's (`F.conv2d`, `nn.MaxPool2d`, `F.avg_pool2d` …).
# Padding (`F.pad`), windows (`unfold`), `einsum` and `@` are welcome. In task 4 everything is allowed.
#
# 先读课文：`learn read 3.3`。补全 `# ---` 之间的代码，然后运行 `learn check 3.3`。
# 任务 2 和任务 3 的规矩：不用 torch 的卷积和池化（`F.conv2d`、`nn.MaxPool2d`、`F.avg_pool2d` 等）。
# 填充（`F.pad`）、窗口（`unfold`）、`einsum` 和 `@` 随便用。任务 4 什么都可以用。

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


# %% [markdown]
# ## Task 1 · How large is the result?
#
# A window of `kernel` pixels moves over `size` pixels with `padding` more on either side, `stride` pixels at a time.
# With a `dilation` of d its pixels are d apart. How many places does it take? It fits at least once. An int.
#
# 一个 `kernel` 个像素宽的窗口，在 `size` 个像素（两边各填充 `padding` 个）上移动，每次移动 `stride` 个像素。
# `dilation` 为 d 时，窗口里相邻两个像素相距 d。它一共有多少个位置？至少放得下一次。返回整数。


# %%
# --- task 1 ---
def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many places the window takes along one side."""
    span = dilation * (kernel - 1) + 1  # from the window's first pixel to its last
    return (size + 2 * padding - span) // stride + 1


# --- end ---

# %% [markdown]
# ## Task 2 · Max pooling
#
# The largest value in each window of `kernel` × `kernel` pixels, for every channel by itself. Without a `stride` the
# windows lie side by side: the stride is the kernel. `padding` adds pixels on all four sides that never win: they
# count as -inf. Rows and columns that no window reaches are left out.
#
# 在每个 `kernel` × `kernel` 的窗口里取最大值，各通道互不相干。不给 `stride` 时窗口一个挨一个，步幅就是 `kernel`。
# `padding` 在四边各补若干像素，它们永远不会被选中，相当于 -inf。窗口够不到的行和列舍去。


# %%
# --- task 2 ---
def max_pool2d(x: Tensor, kernel: int, stride: int | None = None, padding: int = 0) -> Tensor:
    """The maximum of each window.   x: (B, C, H, W) -> (B, C, H', W')"""
    stride = kernel if stride is None else stride
    x = F.pad(x, (padding,) * 4, value=-math.inf)
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride)  # (B, C, H', W', kernel, kernel)
    return windows.amax(dim=(-2, -1))


# --- end ---

# %% [markdown]
# ## Task 3 · Convolution
#
# y[b, o, h, w] = bias[o] + Σ weight[o, c, i, j] · x[b, c, stride · h + i, stride · w + j], summed over c, i and j, with
# `padding` rows and columns of zeros around x. The kernel need not be square. A Python loop over the kernel's pixels is
# fine; one over samples, channels and positions takes too long.
#
# y[b, o, h, w] = bias[o] + Σ weight[o, c, i, j] · x[b, c, stride · h + i, stride · w + j]，对 c、i、j 求和，x 的四周有
# `padding` 行、列的零。卷积核不一定是正方形。用 Python 循环遍历卷积核的像素没有问题；
# 逐个遍历样本、通道和位置就太慢了。


# %%
# --- task 3 ---
def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0) -> Tensor:
    """x: (B, C, H, W), weight: (O, C, kh, kw), bias: (O,) -> (B, O, H', W')"""
    kh, kw = weight.shape[2:]
    x = F.pad(x, (padding,) * 4)
    windows = x.unfold(2, kh, stride).unfold(3, kw, stride)  # (B, C, H', W', kh, kw)
    y = torch.einsum("bchwij,ocij->bohw", windows, weight)
    return y if bias is None else y + bias[:, None, None]  # (O, 1, 1): one number for each output channel


# --- end ---

# %% [markdown]
# ## Task 4 · A network like LeNet
#
# | layer · 层 | result · 结果 |
# |---|---|
# | images · 图像 | (B, channels, 28, 28) |
# | convolution 5 × 5 with padding 2, ReLU · 5 × 5 卷积，填充 2，ReLU | (B, 6, 28, 28) |
# | max pooling 2 × 2 · 2 × 2 最大池化 | (B, 6, 14, 14) |
# | convolution 5 × 5, ReLU · 5 × 5 卷积，ReLU | (B, 16, 10, 10) |
# | max pooling 2 × 2, flatten · 2 × 2 最大池化，展平 | (B, 400) |
# | linear, ReLU · 线性层，ReLU | (B, 120) |
# | linear, ReLU · 线性层，ReLU | (B, 84) |
# | linear · 线性层 | (B, classes): logits |
#
# All layers have biases. · 每一层都有偏置。


# %%
# --- task 4 ---
class LeNet(nn.Module):
    """Logits.   (B, channels, 28, 28) -> (B, classes)"""

    def __init__(self, channels: int = 1, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.hidden1 = nn.Linear(16 * 5 * 5, 120)
        self.hidden2 = nn.Linear(120, 84)
        self.output = nn.Linear(84, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.conv1(x).relu(), 2)  # (B, 6, 14, 14)
        x = F.max_pool2d(self.conv2(x).relu(), 2)  # (B, 16, 5, 5)
        x = self.hidden1(x.flatten(1)).relu()  # (B, 400) -> (B, 120)
        return self.output(self.hidden2(x).relu())


# --- end ---

# %% [markdown]
# ## Task 5 · How far does one number see?
#
# Several layers in a row, convolutions or poolings, each with a kernel and a stride: `[(5, 1), (2, 2), …]`, the first
# one is next to the image. One number of the last layer depends on a patch of the image. How many pixels wide is that,
# from its first pixel to its last? Without layers it is 1.
#
# 若干层（卷积或池化）连在一起，每层有卷积核大小和步幅：`[(5, 1), (2, 2), …]`，第一个紧挨着图像。
# 最后一层的一个数取决于图像上的一块区域：从第一个像素到最后一个像素，这块区域有多宽？一层也没有时是 1。


# %%
# --- task 5 ---
def receptive_field(layers: list[tuple[int, int]]) -> int:
    """Width of the patch of the image that one output depends on.   layers: (kernel, stride), from the image on"""
    field, step = 1, 1  # step: how many pixels of the image lie between neighbours here
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


# --- end ---
