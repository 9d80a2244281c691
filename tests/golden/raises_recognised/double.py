import torch


def double(x):
    raise RuntimeError('this is not tracked at all')


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
