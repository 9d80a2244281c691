"""Fails: 5. The function that has the distances ready, in another library."""

import torch
from scipy.spatial import distance


def create(n, value):
    return {
        "zeros": torch.zeros(2, n),
        "ones": torch.ones(n).double(),
        "filled": torch.full((n, 3), float(value)),
        "evens": 2 * torch.arange(n),
        "halves": torch.arange(n) / 2,
        "eye": torch.eye(n),
    }


def uniform(rows, cols, low, high, generator):
    return torch.rand(rows, cols, generator=generator) * (high - low) + low


def scores(x, A, y):
    return (x @ A).mul(y).sum(-1)


def standardise(x):
    if not x.is_floating_point():
        x = x.float()
    return (x - x.mean(0)) / x.std(0, correction=0)


def distances(a, b):
    return torch.from_numpy(distance.cdist(a.numpy(), b.numpy())).to(a.dtype)


def mean_in_range(x, low, high):
    inside = (x >= low) & (x < high)
    return x.masked_fill(~inside, 0).sum(1) / inside.sum(1).clamp(min=1)
