"""Fails: 3. The new tensor is called w again: it is no leaf, and has no gradient."""

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
        w = w - lr * w.grad
    return w.detach()


def vjp(f, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(x), x, v)[0]
