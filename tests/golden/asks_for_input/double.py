import torch


def double(x):
    return float(input("How much? ")) * x


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
