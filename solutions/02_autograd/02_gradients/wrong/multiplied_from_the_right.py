"""Fails: 4. The whole Jacobian, and J v instead of vᵀJ."""

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
    w = w.detach().clone()
    for _ in range(steps):
        w.requires_grad_()
        (g,) = torch.autograd.grad(loss(w), w)
        w = (w - lr * g).detach()
    return w


def vjp(f, x, v):
    return torch.func.jacrev(f)(x) @ v
