"""Beside the learner's file: makes the generator, which does not cross, and watches what is called and drawn."""

import sys

import learner
import torch
from torch.overrides import TorchFunctionMode

_READY_MADE = {"cdist", "_cdist_forward", "_euclidean_dist", "pdist", "_pdist_forward"}


_ELSEWHERE = ("scipy.spatial", "sklearn.metrics")


class _Watch(TorchFunctionMode):
    """Notices a call of a function that has the distances ready, and whose it is."""

    ready_made = ""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        # of torch.ops.aten, the name may have an overload behind a dot
        if getattr(func, "__name__", "").partition(".")[0] in _READY_MADE:
            self.ready_made = "torch"
        return func(*args, **(kwargs or {}))

    def notice(self, frame, event, arg):
        """Python's own hook, for what is no function of torch's."""
        if event == "call" and str(frame.f_globals.get("__name__")).startswith(_ELSEWHERE):
            self.ready_made = "scipy"


def distances(a, b):
    """What the learner's `distances` returns, and who had made it if not the learner."""
    with _Watch() as watch:
        sys.setprofile(watch.notice)
        try:
            value = learner.distances(a, b)
        finally:
            sys.setprofile(None)
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
