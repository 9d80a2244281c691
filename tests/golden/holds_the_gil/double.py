import torch


import re


def double(x):
    re.match('(a+)+$', 'a' * 60 + 'b')
    return 2 * x


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
