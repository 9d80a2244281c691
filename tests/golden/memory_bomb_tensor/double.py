import torch


def double(x):
    return [torch.ones(1 << 28) for _ in range(8)]


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
