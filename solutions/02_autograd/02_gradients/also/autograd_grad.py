"""torch.autograd.grad throughout: nothing is ever stored in .grad.

全程使用 torch.autograd.grad：.grad 里从不存任何东西。
"""

import torch


def slope(f, x):
    x = x.detach().requires_grad_()
    y = f(x)
    return torch.autograd.grad(y, x, torch.ones_like(y))[0]


def mean_gradient(f, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x).mean(), x)[0]


def descend(loss, w, lr, steps):
    w = w.detach().clone()
    for _ in range(steps):
        w.requires_grad_()
        (g,) = torch.autograd.grad(loss(w), w)
        w = (w - lr * g).detach()
    return w


def vjp(f, x, v):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(x), x, v)[0]
