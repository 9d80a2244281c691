"""Fails: 2. Whole millionths of the range, or nearly: 20 of the 24 bits of a float32."""

import torch


def create(n, value):
    return {
        "zeros": torch.zeros(2, n),
        "ones": torch.ones(n, dtype=torch.float64),
        "filled": torch.full((n, 3), float(value)),
        "evens": torch.arange(n) * 2,
        "halves": torch.arange(n) / 2,
        "eye": torch.eye(n),
    }


def uniform(rows, cols, low, high, generator):
    steps = torch.randint(0, 2**20, (rows, cols), generator=generator)
    return low + (high - low) * steps / 2**20


def scores(x, A, y):
    return ((x @ A) * y).sum(1)


def standardise(x):
    if not x.is_floating_point():
        x = x.float()
    return (x - x.mean(0)) / x.std(0, correction=0)


def distances(a, b):
    return ((a[:, None] - b) ** 2).sum(-1).sqrt()


def mean_in_range(x, low, high):
    inside = (x >= low) & (x < high)
    return torch.where(inside, x, 0.0).sum(1) / inside.sum(1).clamp(min=1)
