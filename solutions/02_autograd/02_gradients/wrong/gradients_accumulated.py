"""Fails: 3. No zeroing between steps."""

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
    w = w.detach().clone().requires_grad_()
    for _ in range(steps):
        ((w * x - y) ** 2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


def vjp(A, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad((A @ x).exp(), x, v)[0]
