"""Distances as the norm of the differences, a dtype looked up by its name (the variables `vars` and `compile` hide
Python's functions of these names: allowed, but better avoided).

距离写成差的范数；按名字查找数据类型（变量取名 `vars` 和 `compile`，会遮住 Python 的同名函数：允许，但最好避免）。
"""

import torch


def create(n, value):
    table = {"zeros": ((2, n), "float32", 0), "ones": ((n,), "float64", 1), "filled": ((n, 3), "float32", value)}
    made = {key: torch.full(shape, v, dtype=getattr(torch, dtype)) for key, (shape, dtype, v) in table.items()}
    return made | {"evens": torch.arange(0, 2 * n, 2), "halves": torch.arange(n) / 2, "eye": torch.eye(n)}


def uniform(rows, cols, low, high, generator):
    return torch.rand(rows, cols, generator=generator) * (high - low) + low


def scores(x, A, y):
    return (x @ A).mul(y).sum(-1)


def standardise(x):
    if not x.is_floating_point():
        x = x.float()
    means, vars = x.mean(0), x.var(0, correction=0)
    return (x - means) / vars.sqrt()


def distances(a, b):
    compile = torch.Tensor.unsqueeze
    return (compile(a, 1) - b).norm(dim=2)


def mean_in_range(x, low, high):
    inside = (x >= low) & (x < high)
    return x.masked_fill(~inside, 0).sum(1) / inside.sum(1).clamp(min=1)
