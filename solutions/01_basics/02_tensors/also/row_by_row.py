"""Where no test forbids it: loops over rows, and the linalg functions.

只要测试不禁止，就按行循环；其余用 linalg 里的函数。
"""

import torch
from torch import linalg


def create(n: int, value: float):
    halves = [i * 0.5 for i in range(n)]
    return {
        "zeros": torch.tensor([[0.0] * n, [0.0] * n]),
        "ones": torch.ones((n,), dtype=torch.double),
        "filled": (torch.ones(n, 3) * value).float(),
        "evens": torch.arange(start=0, end=2 * n - 1, step=2),
        "halves": torch.as_tensor(halves),
        "eye": (torch.arange(n)[:, None] == torch.arange(n)).float(),
    }


def uniform(rows, cols, low, high, generator):
    drawn = torch.rand((cols, rows), generator=generator).T
    return torch.lerp(torch.tensor(low), torch.tensor(high), drawn)


def scores(x, A, y):
    return torch.diagonal(x @ A @ y.T)


def standardise(x):
    x = x if x.dtype in (torch.float32, torch.float64) else x.to(torch.get_default_dtype())
    variance, mean = torch.var_mean(x, dim=0, unbiased=False)
    return (x - mean) * variance.rsqrt()


def distances(a, b):
    n, m = len(a), len(b)
    return linalg.vector_norm(a.unsqueeze(1).expand(n, m, -1) - b.unsqueeze(0), dim=2)


def mean_in_range(x, low, high):
    out = x.new_zeros(len(x))
    for i, row in enumerate(x):
        kept = row[(row >= low) & (row < high)]
        if kept.numel():
            out[i] = kept.mean()
    return out
