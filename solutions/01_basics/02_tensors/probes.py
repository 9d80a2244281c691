"""Beside the learner's file: makes the generator, which does not cross, and watches what is called and drawn."""

import learner
import torch
from torch.overrides import TorchFunctionMode

_READY_MADE = {"cdist", "_cdist_forward", "_euclidean_dist", "pdist", "_pdist_forward"}


class _Watch(TorchFunctionMode):
    """Notices a call of a function that has the distances ready."""

    ready_made = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        # of torch.ops.aten, the name may have an overload behind a dot
        self.ready_made |= getattr(func, "__name__", "").partition(".")[0] in _READY_MADE
        return func(*args, **(kwargs or {}))


def distances(a, b):
    """What the learner's `distances` returns, and whether torch had made it."""
    with _Watch() as watch:
        value = learner.distances(a, b)
    return {"value": value, "ready_made": watch.ready_made}


def uniform(rows, cols, low, high, seed, calls):
    """What `calls` calls return, one after the other, from one generator that is seeded once."""
    generator = torch.Generator().manual_seed(seed)
    return [learner.uniform(rows, cols, low, high, generator) for _ in range(calls)]


def global_generator_untouched(rows, cols, low, high, seed):
    """Whether a call leaves the state of torch's global generator as it was."""
    before = torch.get_rng_state()
    learner.uniform(rows, cols, low, high, torch.Generator().manual_seed(seed))
    return torch.equal(before, torch.get_rng_state())
