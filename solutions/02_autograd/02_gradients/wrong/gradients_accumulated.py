"""Fails: 3. No zeroing between steps."""

import torch


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def mean_gradient(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).mean().backward()
    return x.grad


def descend(loss, w, lr, steps):
    w = w.detach().clone().requires_grad_()
    for _ in range(steps):
        loss(w).backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


def vjp(f, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(x), x, v)[0]
