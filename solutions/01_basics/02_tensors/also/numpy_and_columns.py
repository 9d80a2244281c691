"""NumPy where it is at home, one random column after the other, a loop over coordinates, lists of rows.

适合的地方用 NumPy；随机数一列一列地抽；按坐标循环；用行组成的列表。
"""

import numpy as np
import torch


def create(n, value):
    rows = range(n)
    made = {
        "zeros": torch.from_numpy(np.zeros((2, n), dtype=np.float32)),
        "ones": torch.ones(n).to(torch.float64),
        "filled": torch.tensor(float(value)).expand(n, 3),
        "evens": torch.tensor([i + i for i in rows]),
        "halves": torch.arange(0, n / 2, 0.5),
        "eye": torch.tensor([[1.0 if i == j else 0.0 for j in rows] for i in rows]),
    }
    return dict(sorted(made.items()))


def uniform(rows, cols, low, high, generator):
    columns = [torch.rand(rows, generator=generator, dtype=torch.float64) for _ in range(cols)]
    return torch.stack(columns, 1).mul_(high - low).add_(low).float()


def scores(x, A, y):
    return torch.bmm((x @ A).unsqueeze(1), y.unsqueeze(2)).flatten()


def standardise(x):
    a = x.numpy()
    a = a.astype(np.float32) if a.dtype.kind in "iu" else a
    return torch.from_numpy((a - a.mean(0)) / a.std(0))


def distances(a, b):
    squares = torch.zeros(len(a), len(b), dtype=a.dtype)
    for p, q in zip(a.T, b.T):
        squares += (p[:, None] - q) ** 2
    return squares.sqrt()


def mean_in_range(x, low, high):
    inside = torch.logical_and(x.ge(low), x.lt(high))
    means = [row[ok].mean() if ok.any() else x.new_zeros(()) for row, ok in zip(x, inside)]
    return torch.stack(means) if means else x.new_zeros(0)
