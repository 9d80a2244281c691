import torch


def double(x):
    quit()


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
