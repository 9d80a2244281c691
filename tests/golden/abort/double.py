import torch


import os


def double(x):
    os.abort()


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
