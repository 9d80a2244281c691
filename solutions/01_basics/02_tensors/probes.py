"""Beside the learner's file: makes the generator, which does not cross."""

import learner
import torch


def uniform(rows, cols, low, high, seed, calls):
    """What `calls` calls return, one after the other, from one generator that is seeded once."""
    generator = torch.Generator().manual_seed(seed)
    return [learner.uniform(rows, cols, low, high, generator) for _ in range(calls)]
