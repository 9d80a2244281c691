# %% [markdown]
# # 1.3 Shapes · 形状操作
#
# Read the lesson first: `learn read 1.3`. Fill in what is between the `# ---` lines, then run `learn check 1.3`.
#
# 先读课文：`learn read 1.3`。补全 `# ---` 之间的代码，然后运行 `learn check 1.3`。

# %%
import torch
from torch import Tensor


# %% [markdown]
# ## Task 1 · Channels first
#
# A batch of images as files give them, (N, height, width, channel), becomes what `torch.nn` wants: (N, channel,
# height, width). Every number stays the same colour of the same pixel.
#
# 图像文件给出的一批图像是（N，高，宽，通道），把它变成 `torch.nn` 要的（N，通道，高，宽）。
# 每个数仍是同一个像素的同一种颜色。


# %%
# --- task 1 ---
def channels_first(images: Tensor) -> Tensor:
    """(N, H, W, C) -> (N, C, H, W)"""
    return images.permute(0, 3, 1, 2)


# --- end ---

# %% [markdown]
# ## Task 2 · Split heads, and join them again
#
# B sentences of T words, each word described by D numbers. Cut every description into `heads` pieces of d = D / heads
# consecutive numbers, and put all words' first pieces together, all second pieces, and so on: out[b, h, t, j] =
# x[b, t, h · d + j]. `join_heads` undoes it. (You will meet both again in attention, 3.5.)
#
# 有 B 个句子，每句 T 个词，每个词用 D 个数描述。把每个词的描述切成 `heads` 段，每段是连续的 d = D / heads 个数；
# 再把所有词的第一段放在一起，第二段放在一起，依此类推：out[b, h, t, j] = x[b, t, h · d + j]。`join_heads` 则把它还原。
# （在 3.5 节的注意力机制里还会遇到它们。）


# %%
# --- task 2 ---
def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, heads · d) -> (B, heads, T, d)"""
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """(B, heads, T, d) -> (B, T, heads · d)"""
    B, H, T, d = x.shape
    return x.transpose(1, 2).reshape(B, T, H * d)  # view would refuse: the numbers are not in line


# --- end ---

# %% [markdown]
# ## Task 3 · Hold out a part
#
# Cut the rows of `x`, in order, into `k` parts as equal as can be; where they do not come out even, the first ones
# have one row more (9 rows in 4 parts: 3, 2, 2, 2). Return all the other parts joined, in order, and the part number
# `i` (from 0). `k` is at least 2; `x` may have any further dimensions.
#
# 把 `x` 的行按顺序切成尽量均等的 `k` 份；不能整除时，前面几份各多一行（9 行切 4 份：3、2、2、2）。返回两个张量：
# 其余各份按顺序拼在一起，以及第 `i` 份（从 0 数起）。`k` 至少为 2；`x` 后面可以还有任意多维。


# %%
# --- task 3 ---
def hold_out(x: Tensor, k: int, i: int) -> tuple[Tensor, Tensor]:
    """(n, ...) -> the rest (n - m, ...) and part i (m, ...)"""
    parts = x.tensor_split(k)  # chunk(k) may give fewer than k
    rest = [part for j, part in enumerate(parts) if j != i]
    return torch.cat(rest), parts[i]


# --- end ---

# %% [markdown]
# ## Task 4 · One of each row
#
# Row i of `scores` has one number for each of C classes; `labels[i]` is the right class. Return the right class's
# number for every row.
#
# `scores` 的第 i 行对 C 个类别各有一个数，`labels[i]` 是正确的类别。返回每一行中正确类别的那个数。


# %%
# --- task 4 ---
def pick(scores: Tensor, labels: Tensor) -> Tensor:
    """out[i] = scores[i, labels[i]].   scores: (n, C), labels: (n,) int64 -> (n,)"""
    return scores.gather(1, labels[:, None])[:, 0]


# --- end ---

# %% [markdown]
# ## Task 5 · Sum by group
#
# Row i of `x` belongs to the group `groups[i]`, one of 0 … k - 1. Add up the rows of every group. Rows of a group come
# in any order, and a group may have none: its sum is 0. The dtype stays that of `x`.
#
# `x` 的第 i 行属于第 `groups[i]` 组，组号为 0 … k - 1。把每一组的行加起来。同一组的行不一定相邻；有的组可能一行也没有，
# 和就是 0。dtype 与 `x` 相同。


# %%
# --- task 5 ---
def sum_by_group(x: Tensor, groups: Tensor, k: int) -> Tensor:
    """out[g] = sum of the rows x[i] with groups[i] = g.   x: (n, d), groups: (n,) int64 -> (k, d)"""
    out = torch.zeros(k, x.shape[1], dtype=x.dtype)
    return out.index_add_(0, groups, x)  # out[groups] += x would count each group once


# --- end ---

# %% [markdown]
# ## Task 6 · Patches
#
# Cut every image into square patches of p × p pixels, which do not overlap, and make each patch one row of numbers.
# Patches are counted as you read: from left to right, then down. Within a patch the first channel comes first, row by
# row, then the second, and so on. `height` and `width` are multiples of `p`. No Python loop is needed.
#
# 把每幅图像切成互不重叠的 p × p 方块，每个方块变成一行数。方块按阅读的顺序数：从左到右，再从上到下。方块之内，
# 先是第一个通道（逐行），再是第二个，依此类推。高和宽都是 `p` 的倍数。不需要 Python 循环。
#
# ```
#   H = 4, W = 6, p = 2               0 0 1 1 2 2
#                                     0 0 1 1 2 2
#                                     3 3 4 4 5 5
#                                     3 3 4 4 5 5
# ```


# %%
# --- task 6 ---
def patchify(images: Tensor, p: int) -> Tensor:
    """(N, C, H, W) -> (N, H/p · W/p, C · p · p)"""
    N, C, H, W = images.shape
    split = images.reshape(N, C, H // p, p, W // p, p)  # (N, C, row of patches, y, column of patches, x)
    ordered = split.permute(0, 2, 4, 1, 3, 5)  # (N, row of patches, column of patches, C, y, x)
    return ordered.reshape(N, (H // p) * (W // p), C * p * p)


# --- end ---
