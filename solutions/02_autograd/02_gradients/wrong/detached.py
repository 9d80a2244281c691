"""Fails: 2. The mean is rebuilt from numbers, so autograd knows nothing of it."""

import torch


def slope(x):
    x = x.detach().clone().requires_grad_()
    (x**2 + 3 * x + 1).sum().backward()
    return x.grad


def mean_gradient(x):
    x = x.detach().clone().requires_grad_()
    y = x**2 + 2 * x + 1
    torch.tensor(y.mean().item()).backward()
    return x.grad


def descend(w, x, y, lr, steps):
    w = w.detach().clone()
    for _ in range(steps):
        w.requires_grad_()
        (g,) = torch.autograd.grad(((w * x - y) ** 2).sum(), w)
        w = (w - lr * g).detach()
    return w


def vjp(A, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad((A @ x).exp(), x, v)[0]
