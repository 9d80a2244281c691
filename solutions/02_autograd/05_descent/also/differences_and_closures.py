"""Averages that move by a part of the difference, a generator that keeps each tensor's state, gradients one by one.

均值按差的一部分移动，每个张量的状态由一个生成器保管，梯度逐个求。
"""

import torch


def sgd(w, g, lr, weight_decay=0.0):
    return (1 - lr * weight_decay) * w - lr * g


def momentum(w, g, v, lr, beta=0.9, nesterov=False):
    v = torch.stack([beta * v, g]).sum(0)
    w = w - lr * v
    return (w + lr * v - lr * (g + beta * v) if nesterov else w), v


def average(before, new, beta):
    return before + (1 - beta) * (new - before)


def adam(w, g, m, s, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, s = average(m, g, betas[0]), average(s, g.square(), betas[1])
    first, second = (x / (1 - beta**t) for x, beta in zip((m, s), betas))
    return w - lr * first / (second**0.5 + eps), m, s


def adamw(w, g, m, s, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    new, *state = adam(torch.zeros_like(w), g, m, s, t, lr, betas, eps)
    return w - lr * weight_decay * w + new, *state


def walker(w, lr, weight_decay):
    """Sent a gradient, it yields the next weights."""
    m = s = torch.zeros_like(w)
    t = 0
    while True:
        g = yield w
        if g is None:
            continue
        t += 1
        w, m, s = adamw(w, g, m, s, t, lr=lr, weight_decay=weight_decay)


def minimise(loss, params, steps, lr, weight_decay):
    walkers = [walker(p.detach().clone(), lr, weight_decay) for p in params]
    points = [next(one) for one in walkers]
    for _ in range(steps):
        leaves = [p.clone().requires_grad_() for p in points]
        total = loss(*leaves)
        slopes = [torch.autograd.grad(total, leaf, retain_graph=True, allow_unused=True)[0] for leaf in leaves]
        points = [one.send(slope) for one, slope in zip(walkers, slopes)]
    return tuple(points)
