"""Fails: 4, 5. What was computed in forward counts as a constant later."""

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
        s = torch.sigmoid(beta * x)
        ctx.save_for_backward(x, s)
        ctx.beta = beta
        return x * s

    @staticmethod
    def backward(ctx, grad_y):
        x, s = ctx.saved_tensors
        return grad_y * (s + ctx.beta * x * s * (1 - s)), None


class Distances(Function):
    @staticmethod
    def forward(ctx, a, b):
        apart = a[:, None] - b
        length = apart.norm(dim=2, keepdim=True)
        ctx.save_for_backward(apart / torch.where(length > 0, length, 1.0))
        return length.squeeze(2)

    @staticmethod
    def backward(ctx, grad_D):
        (direction,) = ctx.saved_tensors
        pull = grad_D[:, :, None] * direction
        return pull.sum(dim=1), -pull.sum(dim=0)
