"""Loops over the kernel's pixels, strided slices, a padded canvas, pooling before ReLU, the field from the far end.

按卷积核的像素循环，用带步长的切片，先备好填充后的画布，池化放在 ReLU 之前，感受野从末端往回算。
"""

import torch
from torch import nn


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    first, last = -padding, size - 1 + padding
    return len(range(first, last - dilation * (kernel - 1) + 1, stride))


def padded(x, p, value):
    canvas = torch.full((*x.shape[:2], x.shape[2] + 2 * p, x.shape[3] + 2 * p), value, dtype=x.dtype)
    canvas[:, :, p : p + x.shape[2], p : p + x.shape[3]] = x
    return canvas


def shifted(x, kh, kw, stride):
    rows, cols = output_size(x.shape[2], kh, stride), output_size(x.shape[3], kw, stride)
    for i in range(kh):
        for j in range(kw):
            yield i, j, x[:, :, i : i + stride * rows : stride, j : j + stride * cols : stride][:, :, :rows, :cols]


def max_pool2d(x, kernel, stride=None, padding=0):
    best = None
    for _, _, pixels in shifted(padded(x, padding, float("-inf")), kernel, kernel, stride or kernel):
        best = pixels if best is None else torch.maximum(best, pixels)
    return best


def conv2d(x, weight, bias=None, stride=1, padding=0):
    y = 0
    for i, j, pixels in shifted(padded(x, padding, 0.0), *weight.shape[2:], stride):
        y = y + torch.tensordot(pixels, weight[:, :, i, j], dims=([1], [1])).movedim(-1, 1)
    if bias is not None:
        y = y + bias.reshape(1, -1, 1, 1)
    print("convolved:", tuple(y.shape))
    return y


class LeNet(nn.Sequential):
    def __init__(self, channels=1, classes=10):
        super().__init__(
            nn.Conv2d(channels, 6, kernel_size=5, padding="same"),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),  # the larger of two stays the larger one
            nn.Conv2d(6, 16, kernel_size=5),
            nn.AdaptiveMaxPool2d(5),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )


def receptive_field(layers):
    field = 1
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field
