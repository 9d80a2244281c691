import torch


def double(x):
    return x * float('nan')


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
