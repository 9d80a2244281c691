"""Fails: 5, 6. max with a dim gives a pair: the values and where they stand."""

import math

import torch


def linear(x, W, b=None):
    y = x @ W.T
    if b is not None:
        y = y + b
    return y


def relu(x, slope=0.0):
    return torch.where(x > 0, x, slope * x)


def sigmoid(x):
    return 1 / (1 + torch.exp(-x.clamp(min=-80)))


def tanh(x):
    return 2 * sigmoid(2 * x) - 1


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return x / 2 * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + torch.erf(x / math.sqrt(2)))


def softmax(x, dim=-1):
    e = torch.exp(x - x.max(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


def log_softmax(x, dim=-1):
    x = x - x.max(dim, keepdim=True)
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))
