import torch


def double(x):
    while True:
        pass


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
