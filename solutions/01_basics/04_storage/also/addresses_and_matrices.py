"""Addresses divided by the size of an element, a rotation matrix, int16 for uint8, `unfold`, the rule of strides.

用地址除以元素大小，用旋转矩阵，用 int16 代替 uint8，用 `unfold`，按步幅的规则判断。
"""

import math
from itertools import pairwise

import numpy as np
import torch


def locate(t, index):
    return (t[index].data_ptr() - t.untyped_storage().data_ptr()) // t.element_size()


def window(a):
    return torch.as_tensor(a)


def snapshot(a):
    return torch.from_numpy(np.ascontiguousarray(a)).to(torch.float32, copy=True)


def sharpen(image, blurred, amount=1.0):
    detail = image.to(torch.int16) - blurred.to(torch.int16)
    return torch.clip(torch.round(image + amount * detail), 0, 255).byte()


def rotate(points, angle):
    c, s = math.cos(angle), math.sin(angle)
    return points @ torch.tensor([[c, s], [-s, c]], dtype=points.dtype)


def windows(x, size, step=1):
    return x.unfold(0, size, step)


def flat(t):
    dims = [(n, s) for n, s in zip(t.shape, t.stride()) if n != 1]
    free = all(s == n2 * s2 for (_, s), (n2, s2) in pairwise(dims))
    if free:
        step = dims[-1][1] if dims else 1
        return t.as_strided((t.numel(),), (step,)), True
    return torch.cat([piece.reshape(-1) for piece in t]), False
