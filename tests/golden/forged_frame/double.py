import torch


import os


def double(x):
    os.write(3, b'\0\0\0\x0a\0\0\0\0\0\0\0\0\x93\x02\xa5value\xc0')
    return 2 * x


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
