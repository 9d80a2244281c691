"""torch.func for the derivatives; Functions with setup_context, one of which saves its output.

导数用 torch.func；Function 用 setup_context 写成，其中一个保存的是输出。
"""

import torch
from torch.autograd import Function


def derivative(f, x, order):
    g = f
    for _ in range(order):
        g = torch.func.grad(lambda t, g=g: g(t).sum())
    return g(x)


def jacobian(f, x):
    return torch.func.jacrev(f)(x)


def hvp(f, x, v):
    return torch.func.jvp(torch.func.grad(f), (x,), (v,))[1]  # forwards over backwards


class Swish(Function):
    @staticmethod
    def forward(x, beta):
        return x / (1 + torch.exp(-beta * x))

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.beta = inputs
        ctx.save_for_backward(x, output)  # what comes out may be saved, too: autograd knows its history

    @staticmethod
    def backward(ctx, grad_y):
        x, y = ctx.saved_tensors
        s = torch.special.expit(ctx.beta * x)
        return grad_y * (s + ctx.beta * y * (1 - s)), None


class Distances(Function):
    @staticmethod
    def forward(a, b):
        return torch.linalg.vector_norm(a.unsqueeze(1) - b.unsqueeze(0), dim=-1)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx, grad_D):
        a, b, D = ctx.saved_tensors
        same = D == 0
        weight = torch.where(same, 0.0, grad_D / D.masked_fill(same, 1.0))  # (n, m)
        grad_a = weight.sum(1, keepdim=True) * a - weight @ b
        grad_b = weight.sum(0)[:, None] * b - weight.T @ a
        return grad_a, grad_b
