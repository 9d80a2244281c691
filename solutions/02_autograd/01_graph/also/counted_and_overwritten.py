"""Decorated with no_grad; the halvings counted first; a copy whose values are overwritten; level by level.

用 no_grad 装饰函数；先数好要减半几次；复制后覆盖数值；逐层遍历。
"""

import torch


def role(t):
    return ("constant", "leaf", "result")[t.requires_grad + (t.grad_fn is not None)]


def own_leaf(x):
    kind = torch.result_type(x, 1.0)  # whole numbers and a float: float32
    return x.detach().to(kind, copy=True).requires_grad_(True)


@torch.no_grad()
def nudge(w, amount):
    w.add_(amount)


def shrink(x, bound):
    largest, halvings = x.detach().abs().max().item(), 0
    while largest / 2**halvings > bound:
        halvings += 1
    return x / 2**halvings


def quantise(x, step):
    scaled = x / step
    through = scaled.clone()
    with torch.no_grad():
        through.copy_(scaled.round())  # other values, the same way back
    return through * step


def leaves(y):
    if not y.requires_grad:
        return []
    level = {torch.autograd.graph.get_gradient_edge(y).node}
    seen = set()
    while level:
        seen |= level
        level = {before for node in level for before, _ in node.next_functions if before} - seen
    return [node.variable for node in seen if hasattr(node, "variable")]
