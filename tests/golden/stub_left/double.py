import torch


def double(x):
    raise NotImplementedError


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
