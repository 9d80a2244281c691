"""Beside the learner's file: makes the generator, which does not cross, and looks after the global one."""

import learner
import torch


def uniform(rows, cols, low, high, seed, calls):
    """What `calls` calls return, one after the other, from one generator that is seeded once."""
    generator = torch.Generator().manual_seed(seed)
    return [learner.uniform(rows, cols, low, high, generator) for _ in range(calls)]


def global_generator_untouched(rows, cols, low, high, seed):
    """Whether a call leaves the state of torch's global generator as it was."""
    before = torch.get_rng_state()
    learner.uniform(rows, cols, low, high, torch.Generator().manual_seed(seed))
    return torch.equal(before, torch.get_rng_state())
