"""Fails: 4. One row of the Jacobian after the other."""

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
    x = x.detach().clone().requires_grad_()
    y, product = f(x), torch.zeros_like(x)
    for i in range(len(y)):
        (row,) = torch.autograd.grad(y[i], x, retain_graph=True)
        product += v[i] * row
    return product
