"""Fails: 3. The step goes into a tensor that is thrown away."""

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
        (g,) = torch.autograd.grad(((w * x - y) ** 2).sum(), w)
        moved = w - lr * g
    return w.detach()


def vjp(A, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad((A @ x).exp(), x, v)[0]
