import torch


def double(x):
    return [0] * 1_000_000


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
