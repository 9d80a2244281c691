"""einsum to reorder, a one-hot matrix to pick and to add up, `nn.functional.unfold` for the patches.

用 einsum 重排，用 one-hot 矩阵取数和求和，用 `nn.functional.unfold` 切块。
"""

import torch
from torch.nn import functional as F


def channels_first(images):
    return torch.einsum("nhwc->nchw", images)


def split_heads(x, heads):
    return torch.stack(x.chunk(heads, dim=-1), dim=1)


def join_heads(x):
    return torch.cat(x.unbind(1), dim=-1)


def hold_out(x, k, i):
    index = torch.arange(len(x))
    part = index.tensor_split(k)[i]
    inside = torch.isin(index, part)
    return x[~inside], x[inside]


def pick(scores, labels):
    mine = labels[:, None] == torch.arange(scores.shape[1])
    return scores[mine]


def sum_by_group(x, groups, k):
    members = torch.arange(k)[:, None] == groups
    return members.to(x.dtype) @ x


def patchify(images, p):
    if len(images) == 0:
        _, C, H, W = images.shape
        return images.new_empty(0, H * W // p**2, C * p * p)
    return F.unfold(images, kernel_size=p, stride=p).mT.contiguous()
