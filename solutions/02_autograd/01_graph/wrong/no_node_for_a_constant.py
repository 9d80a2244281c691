"""Fails: 6. Goes on from None."""

import torch


def role(t):
    if not t.requires_grad:
        return "constant"
    return "leaf" if t.is_leaf else "result"


def own_leaf(x):
    own = x.detach().clone()
    if not own.is_floating_point():
        own = own.float()
    return own.requires_grad_()


def nudge(w, amount):
    with torch.no_grad():
        w += amount


def shrink(x, bound):
    while x.abs().max() > bound:
        x = x / 2
    return x


def quantise(x, step):
    rounded = (x / step).round() * step
    return x + (rounded - x).detach()


def leaves(y):
    if y.grad_fn is None:
        return [y] if y.requires_grad else []
    found, seen, todo = [], set(), [y.grad_fn]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        for before, _ in node.next_functions:
            todo.append(before)
    return found
