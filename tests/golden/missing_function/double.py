import torch


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return 4 * x
