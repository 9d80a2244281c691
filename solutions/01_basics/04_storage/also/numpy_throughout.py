"""NumPy where it can: strides of an array, clip, sliding windows, complex numbers by `np.exp`.

能用 NumPy 就用 NumPy：数组的步幅、clip、滑动窗口、用 `np.exp` 得到复数。
"""

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view


def locate(t, index):
    return t[index].storage_offset()


def window(a):
    return torch.from_dlpack(a)


def snapshot(a):
    return torch.from_numpy(np.array(a, dtype=np.float32, order="C"))


def sharpen(image, blurred, amount=1.0):
    i, b = image.numpy().astype(np.float64), blurred.numpy().astype(np.float64)
    return torch.from_numpy(np.asarray(np.clip(np.rint(i + amount * (i - b)), 0, 255).astype(np.uint8)))


def rotate(points, angle):
    x, y = points.unbind(1)
    turned = torch.complex(x, y) * np.exp(1j * angle)
    return torch.stack([turned.real, turned.imag], dim=-1)


def windows(x, size, step=1):
    return torch.from_numpy(sliding_window_view(x.numpy(), size, writeable=True)[::step])


def flat(t):
    line = t.flatten()
    a, b = line.detach().numpy(), t.detach().numpy()
    return line, np.shares_memory(a, b)
