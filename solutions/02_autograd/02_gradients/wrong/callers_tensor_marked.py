"""Fails: 1, 2, 4. Asks the caller's own tensor for gradients: the next call adds to its .grad."""

import torch


def slope(f, x):
    x.requires_grad_()
    f(x).sum().backward()
    return x.grad


def mean_gradient(f, x):
    x.requires_grad_()
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
    x.requires_grad_()
    f(x).backward(v)
    return x.grad
