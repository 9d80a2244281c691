"""Beside the learner's file: makes the losses, which do not cross, from tuples of a kind and its numbers."""

import contextlib

import learner
import torch


def many(name, w, gradients, **how):
    """Step after step, each from what the last one returned; the states start at zero."""
    rule, zero = getattr(learner, name), torch.zeros_like(w)
    if name == "sgd":
        for g in gradients:
            w = rule(w, g, **how)
        return w
    state = [zero] if name == "momentum" else [zero, zero.clone()]
    for t, g in enumerate(gradients, 1):
        number = () if name == "momentum" else (t,)
        w, *state = rule(w, g, *state, *number, **how)
    return [w, *state]


def _way(name, w, steps, **how):
    rule, at, way = getattr(learner, name), w, [w.clone()]  # a rule that changes its arguments must spoil no other
    state = [torch.zeros_like(w) for _ in range(("sgd", "momentum", "adam").index(name))]
    for t in range(1, steps + 1):
        number = (t,) if name == "adam" else ()
        new = rule(at.clone(), at * torch.tensor([1.0, 20.0]), *state, *number, **how)
        at, *state = new if state else [new]
        way.append(at)
    return torch.stack(way)


def valley(w, steps):
    """The way of each rule down ½x² + 10y² from w; without sgd and momentum, where they do not work yet.

    -> name -> (steps + 1, 2)
    """
    ways = {}
    for name, how in (("sgd", {"lr": 0.09}), ("momentum", {"lr": 0.02, "beta": 0.8})):
        with contextlib.suppress(Exception):
            ways[name] = _way(name, w, steps, **how)
    return ways | {"adam": _way("adam", w, steps, lr=0.4)}


def _line(x, y):
    """Squared errors of x @ a + b."""
    return lambda a, b: ((x @ a + b - y) ** 2).mean()


def _product(c):
    """What each does depends on where the other one is."""
    return lambda a, b: ((a * b - c) ** 2).sum() + (a - b).pow(4).sum()


def _bowl(c):
    """The middle one of three tensors is not used."""
    return lambda a, unused, b: torch.cosh(a - c).sum() + (b**2).sum()


_KINDS = {"line": _line, "product": _product, "bowl": _bowl}


def minimise(loss, params, steps, lr, weight_decay):
    """The learner's `minimise` on that loss."""
    kind, *numbers = loss
    return learner.minimise(_KINDS[kind](*numbers), params, steps, lr, weight_decay)


def minimise_twice(loss, params, steps, lr, weight_decay):
    """What a second call gives, and whether one of the tensors now asks for gradients or holds one."""
    minimise(loss, params, steps, lr, weight_decay)
    found = minimise(loss, params, steps, lr, weight_decay)
    return {"found": found, "marked": any(p.requires_grad or p.grad is not None for p in params)}
