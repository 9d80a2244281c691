"""Fails: 2, 4. max with a dim gives a pair: the values and where they stand."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def max_pool2d(x, kernel, stride=None, padding=0):
    if stride is None:
        stride = kernel
    x = F.pad(x, (padding, padding, padding, padding), value=-math.inf)
    windows = x.unfold(2, kernel, stride).unfold(3, kernel, stride)
    return windows.max(-1).max(-1)


def conv2d(x, weight, bias=None, stride=1, padding=0):
    kh, kw = weight.shape[2:]
    x = F.pad(x, (padding, padding, padding, padding))
    windows = x.unfold(2, kh, stride).unfold(3, kw, stride)
    y = torch.einsum("bchwij,ocij->bohw", windows, weight)
    if bias is not None:
        y = y + bias.view(-1, 1, 1)
    return y


class LeNet(nn.Module):
    def __init__(self, channels=1, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.conv1(x)), 2)
        x = F.avg_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field
