"""Beside the learner's file: makes the functions, which do not cross, from tuples of a kind and its numbers."""

import learner
import torch

_KINDS = {
    "polynomial": lambda *c: lambda x: sum(a * x**k for k, a in enumerate(c)),
    # with a corner at 0, and a ripple finer than any step with which one could measure a slope
    "rippled": lambda a, b, height, speed: lambda x: a * x.abs() + b * x**2 + height * torch.sin(speed * x),
    "rippled_sum": lambda *c: lambda w: _function("rippled", *c)(w).sum(),
    "neighbours": lambda a: lambda x: a * x[1:] * x[:-1],
    "exp": lambda A: lambda x: (A @ x).exp(),
    "squared_errors": lambda x, y: lambda w: ((w * x - y) ** 2).sum(),
    "cosh": lambda c: lambda w: torch.cosh(w - c).sum(),
}


def _function(kind, *numbers):
    return _KINDS[kind](*numbers)


def slope(f, x):
    """The learner's `slope` of that function."""
    return learner.slope(_function(*f), x)


def mean_gradient(f, x):
    """The learner's `mean_gradient` of that function."""
    return learner.mean_gradient(_function(*f), x)


def descend(loss, w, lr, steps):
    """The learner's `descend` on that loss."""
    return learner.descend(_function(*loss), w, lr, steps)


def vjp(f, x, v):
    """The learner's `vjp` of that function."""
    return learner.vjp(_function(*f), x, v)


def again(name, f, *args):
    """What a second call on the same tensors returns, and whether one of them now asks for gradients or holds one."""
    function = _function(*f)
    getattr(learner, name)(function, *args)
    value = getattr(learner, name)(function, *args)
    given = [a for a in args if isinstance(a, torch.Tensor)]
    return {"value": value, "marked": any(t.requires_grad or t.grad is not None for t in given)}


def of_a_weight(name, f, x, *args):
    """What is returned for an `x` that asks for gradients and holds one, and whether `x` then still does both."""
    held = torch.full_like(x, 7.0)
    x = x.detach().clone().requires_grad_()
    x.grad = held.clone()
    value = getattr(learner, name)(_function(*f), x, *args)
    return {"value": value, "asks": x.requires_grad, "kept": x.grad is not None and torch.equal(x.grad, held)}
