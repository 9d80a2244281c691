"""Fails: 4, 5. A class with a method called apply."""

import torch


def derivative(f, x, order):
    x = x.detach().clone().requires_grad_()
    y = f(x)
    for _ in range(order):
        if not y.requires_grad:
            return torch.zeros_like(x)
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    return y.detach()


def jacobian(f, x):
    x = x.detach().clone().requires_grad_()
    y = f(x)
    return torch.stack([torch.autograd.grad(value, x, retain_graph=True)[0] for value in y])


def hvp(f, x, v):
    x = x.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    if not g.requires_grad:
        return torch.zeros_like(x)
    return torch.autograd.grad(g, x, v)[0]


class Swish:
    @staticmethod
    def apply(x, beta):
        return x * torch.sigmoid(beta * x)


class Distances:
    @staticmethod
    def apply(a, b):
        return (a[:, None] - b).norm(dim=2)
