"""Fails: 1, 2, 3, 4. Copies with clone() alone: of a tensor that asks for gradients, the copy is no leaf."""

import torch


def slope(f, x):
    x = x.clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def mean_gradient(f, x):
    x = x.clone().requires_grad_()
    f(x).mean().backward()
    return x.grad


def descend(loss, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        w.grad = None
        loss(w).backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


def vjp(f, x, v):
    x = x.clone().requires_grad_()
    f(x).backward(v)
    return x.grad
