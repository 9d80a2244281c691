"""Fails: 4. The derivative of the sigmoid alone."""

import torch
from torch.autograd import Function


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


class Swish(Function):
    @staticmethod
    def forward(ctx, x, beta):
        ctx.save_for_backward(x)
        ctx.beta = beta
        return x * torch.sigmoid(beta * x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(ctx.beta * x)
        return grad_y * (ctx.beta * s * (1 - s)), None


class Distances(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return (a[:, None] - b).norm(dim=2)

    @staticmethod
    def backward(ctx, grad_D):
        a, b = ctx.saved_tensors
        apart = a[:, None] - b
        length = apart.norm(dim=2, keepdim=True)
        pull = grad_D[:, :, None] * apart / torch.where(length > 0, length, 1.0)
        return pull.sum(dim=1), -pull.sum(dim=0)
