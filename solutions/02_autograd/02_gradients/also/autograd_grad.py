"""torch.autograd.grad throughout: nothing is ever stored in .grad."""

import torch


def slope(x):
    x = x.detach().requires_grad_()
    y = x**2 + 3 * x + 1
    return torch.autograd.grad(y, x, torch.ones_like(y))[0]


def mean_gradient(x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad((x**2 + 2 * x + 1).mean(), x)[0]


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
