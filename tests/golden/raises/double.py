import torch


def double(x):
    y = x + 1
    return y / {}['k']


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
