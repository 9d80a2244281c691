import torch


def double(x):
    for _ in range(20000):
        print('x' * 1000)
    return 2 * x


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
