"""Fails: 3. The step goes into a tensor that is thrown away."""

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
        (g,) = torch.autograd.grad(loss(w), w)
        moved = w - lr * g
    return w.detach()


def vjp(f, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(x), x, v)[0]
