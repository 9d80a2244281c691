import torch


def double(x):
    return torch.nn.Linear(1, 1)


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
