"""Beside the learner's file: makes the losses, which do not cross, from tuples of a kind and its numbers."""

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
