import torch


import ctypes


def double(x):
    ctypes.string_at(0)


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
