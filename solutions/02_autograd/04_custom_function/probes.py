"""Beside the learner's file: makes the functions, which do not cross, and differentiates the learner's Functions."""

import learner
import torch

_KINDS = {
    "polynomial": lambda *c: lambda x: sum(a * x**k for k, a in enumerate(c)),
    "straight": lambda a, b: lambda x: a * x + b,
    "sine": lambda a, b: lambda x: a * torch.sin(b * x),
    "exp": lambda A: lambda x: (A @ x).exp(),
    "with_constants": lambda a, c: lambda x: torch.cat([c[:1], a * x[: len(a)] ** 2, c[1:]]),
    "total_exp": lambda A: lambda x: (A @ x).exp().sum(),
    "chain": lambda w: lambda x: (w * x[:-1] ** 2 * x[1:]).sum(),
    "linear": lambda a: lambda x: a @ x,
    # with a ripple finer than any step with which one could measure a slope
    "rippled": lambda a, height, speed: lambda x: (a * x**2 + height * torch.sin(speed * x)).sum(),
}


def _function(kind, *numbers):
    return _KINDS[kind](*numbers)


def derivative(f, x, order):
    """The learner's `derivative` of that function."""
    return learner.derivative(_function(*f), x, order)


def jacobian(f, x):
    """The learner's `jacobian` of that function."""
    return learner.jacobian(_function(*f), x)


def hvp(f, x, v):
    """The learner's `hvp` of that function."""
    return learner.hvp(_function(*f), x, v)


def again(name, f, *args):
    """What a second call on the same tensors returns, and whether one of them now asks for gradients or holds one."""
    function = _function(*f)
    getattr(learner, name)(function, *args)
    value = getattr(learner, name)(function, *args)
    given = [a for a in args if isinstance(a, torch.Tensor)]
    return {"value": value, "marked": any(t.requires_grad or t.grad is not None for t in given)}


def _leaves(tensors):
    return [t.clone().requires_grad_() for t in tensors]


def forward(name, tensors, *numbers):
    """The value of the learner's Function, and whether it is one."""
    kind = getattr(learner, name)
    is_function = isinstance(kind, type) and issubclass(kind, torch.autograd.Function)
    return {"value": kind.apply(*tensors, *numbers), "function": is_function}


def backward(name, tensors, v, *numbers):
    """The gradients of sum(v · value)."""
    leaves = _leaves(tensors)
    return list(torch.autograd.grad(getattr(learner, name).apply(*leaves, *numbers), leaves, v))


def backward_of_one(name, tensors, which, v):
    """The gradient for one of the inputs, while the others are constants."""
    given = list(tensors)
    given[which] = given[which].clone().requires_grad_()
    return torch.autograd.grad(getattr(learner, name).apply(*given), given[which], v)[0]


def twice(name, tensors, v, u, *numbers):
    """The gradients of sum(u · gradients), with respect to the inputs and to the upstream gradient v."""
    leaves = _leaves([*tensors, v])
    y = getattr(learner, name).apply(*leaves[:-1], *numbers)
    first = torch.autograd.grad(y, leaves[:-1], leaves[-1], create_graph=True)
    total = sum((g * w).sum() for g, w in zip(first, u))
    second = torch.autograd.grad(total, leaves, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for g, t in zip(second, leaves)]


def changed_in_between(x, v, factor, beta):
    """The gradient of Swish if its input is changed in place after the forward pass, or "noticed" if that raises."""
    leaf = x.clone().requires_grad_()
    given = leaf * 1
    y = learner.Swish.apply(given, beta)
    with torch.no_grad():
        given.mul_(factor)
    try:
        return torch.autograd.grad(y, leaf, v)[0]
    except RuntimeError as e:
        if "modified by an inplace operation" in str(e):
            return "noticed"
        raise
