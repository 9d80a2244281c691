import torch


def double(x):
    y = 2 * x
    x.numpy()[:] = 0
    return y


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
