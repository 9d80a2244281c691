"""im2col and a matrix product; positions one by one; a network of the learner's own functions and bare parameters.

im2col 加一次矩阵乘法；逐个位置计算；网络由前面自己写的函数和裸的 Parameter 组成。
"""

import torch
import torch.nn.functional as F
from torch import nn


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    places, at = 0, -padding
    while at + dilation * (kernel - 1) < size + padding:
        places, at = places + 1, at + stride
    return places


def max_pool2d(x, kernel, stride=None, padding=0):
    stride = stride if stride is not None else kernel
    x = nn.ConstantPad2d(padding, float("-inf"))(x)
    rows = []
    for top in range(0, x.shape[2] - kernel + 1, stride):
        lefts = range(0, x.shape[3] - kernel + 1, stride)
        tiles = [x[:, :, top : top + kernel, left : left + kernel].flatten(2) for left in lefts]
        rows.append(torch.stack([tile.max(dim=2).values for tile in tiles], dim=2))
    return torch.stack(rows, dim=2)


def conv2d(x, weight, bias=None, stride=1, padding=0):
    (H, W), (kh, kw) = x.shape[2:], weight.shape[2:]
    columns = F.unfold(x, (kh, kw), padding=padding, stride=stride)  # (B, C · kh · kw, places)
    y = weight.flatten(1) @ columns
    if bias is not None:
        y += bias[:, None]
    return y.unflatten(2, (output_size(H, kh, stride, padding), output_size(W, kw, stride, padding)))


class LeNet(nn.Module):
    def __init__(self, channels=1, classes=10):
        super().__init__()
        shapes = [(6, channels, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (classes, 84)]
        self.weights = nn.ParameterList(torch.randn(s) / torch.tensor(s[1:]).prod() ** 0.5 for s in shapes)
        self.biases = nn.ParameterList(torch.zeros(s[0]) for s in shapes)

    def forward(self, x):
        layers = list(zip(self.weights, self.biases))
        for (w, b), padding in zip(layers[:2], (2, 0)):
            x = max_pool2d(conv2d(x, w, b, padding=padding).clamp(min=0), 2)
        x = x.reshape(len(x), -1)
        for w, b in layers[2:-1]:
            x = torch.relu(F.linear(x, w, b))
        return F.linear(x, *layers[-1])


def receptive_field(layers):
    image = torch.zeros(1, 1, 1, 400, dtype=torch.float64, requires_grad=True)
    x = image
    for kernel, stride in layers:
        x = conv2d(x, torch.ones(1, 1, 1, kernel, dtype=torch.float64), stride=stride) if kernel > 0 else x
    x[0, 0, 0, 0].backward()
    used = image.grad.nonzero()[:, 3]
    return int(used.max() - used.min()) + 1
