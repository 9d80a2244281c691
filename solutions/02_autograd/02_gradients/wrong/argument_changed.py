"""Fails: 3. Moves the caller's own w."""

import torch


def slope(x):
    x = x.detach().clone().requires_grad_()
    (x**2 + 3 * x + 1).sum().backward()
    return x.grad


def mean_gradient(x):
    x = x.detach().clone().requires_grad_()
    (x**2 + 2 * x + 1).mean().backward()
    return x.grad


def descend(w, x, y, lr, steps):
    for _ in range(steps):
        w -= lr * 2 * x * (w * x - y)
    return w.detach()


def vjp(A, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad((A @ x).exp(), x, v)[0]
