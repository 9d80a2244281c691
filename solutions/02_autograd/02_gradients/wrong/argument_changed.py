"""Fails: 3. Moves the caller's own w."""

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
    for _ in range(steps):
        own = w.detach().clone().requires_grad_()
        w -= lr * torch.autograd.grad(loss(own), own)[0]
    return w.detach()


def vjp(f, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(x), x, v)[0]
