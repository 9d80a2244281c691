"""Parameters, .data, a Function of one's own, a queue.

用 Parameter、.data、自定义 Function 和队列。
"""

from collections import deque

import torch


def role(t):
    if t.grad_fn is not None:
        return "result"
    return "leaf" if t.requires_grad else "constant"


def own_leaf(x):
    dtype = x.dtype if x.dtype.is_floating_point else torch.float32
    return torch.nn.Parameter(x.data.to(dtype, copy=True))


def nudge(w, amount):
    w.data += amount


def shrink(x, bound):
    return shrink(x * 0.5, bound) if (x.abs() > bound).any() else x


class Rounding(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, step):
        return torch.round(x / step) * step

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def quantise(x, step):
    return Rounding.apply(x, step)


def leaves(y):
    if y.is_leaf:
        return {y} if y.requires_grad else set()
    found, known, queue = set(), {y.grad_fn}, deque([y.grad_fn])
    while queue:
        node = queue.popleft()
        if type(node).__name__ == "AccumulateGrad":
            found.add(node.variable)
        for before, _ in node.next_functions:
            if before is not None and before not in known:
                known.add(before)
                queue.append(before)
    return found
