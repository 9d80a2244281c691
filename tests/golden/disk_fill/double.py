import torch


def double(x):
    with open('big', 'wb') as f:
        for _ in range(1000):
            f.write(bytes(1 << 20))
    return 2 * x


def outer(a, b):
    return a[:, None] * b


def quadruple(x):
    return double(double(x))
