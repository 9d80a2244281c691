"""Fails: 3. Computes in float32 whatever it is given, and makes the result float64 again."""

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
    return low + (high - low) * torch.rand(rows, cols, generator=generator)


def scores(x, A, y):
    return ((x.float() @ A.float()) * y.float()).sum(1).to(x.dtype)


def standardise(x):
    if not x.is_floating_point():
        x = x.float()
    return (x - x.mean(0)) / x.std(0, correction=0)


def distances(a, b):
    return ((a[:, None] - b) ** 2).sum(-1).sqrt()


def mean_in_range(x, low, high):
    inside = (x >= low) & (x < high)
    return torch.where(inside, x, 0.0).sum(1) / inside.sum(1).clamp(min=1)
