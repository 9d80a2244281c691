"""Variables called vars and compile, getattr for the dtypes, norm for the distances.

变量取名 vars 和 compile，用 getattr 取数据类型，用 norm 求距离。
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
