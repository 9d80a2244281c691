"""Fails: 1, 2. Measures the slope between two points close by, in float64."""

import torch


def slope(f, x):
    near, wide = 1e-6, x.double()
    return ((f(wide + near) - f(wide - near)) / (2 * near)).to(x.dtype)


def mean_gradient(f, x):
    near, wide = 1e-6, x.double()
    steps = near * torch.eye(len(x), dtype=torch.float64)
    found = [(f(wide + s).mean() - f(wide - s).mean()) / (2 * near) for s in steps]
    return torch.stack(found).to(x.dtype)


def descend(loss, w, lr, steps):
    w = w.detach().clone()
    for _ in range(steps):
        w.requires_grad_()
        (g,) = torch.autograd.grad(loss(w), w)
        w = (w - lr * g).detach()
    return w


def vjp(f, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(x), x, v)[0]
