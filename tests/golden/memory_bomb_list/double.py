import torch


def double(x):
    y = [0]
    while True:
        y = y * 2


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
