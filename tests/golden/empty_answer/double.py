import torch


def double(x):
    return torch.empty(0)


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
