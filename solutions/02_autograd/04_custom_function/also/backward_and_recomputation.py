"""backward(create_graph=True), the product differentiated instead of the gradient, and autograd inside of backward.

用 backward(create_graph=True)，对乘积而不是对梯度求导，在 backward 里再用 autograd。
"""

import torch


def derivative(f, x, order):
    x = x.detach().clone().requires_grad_()
    y = f(x) + 0 * x  # never without x
    for _ in range(order):
        x.grad = None
        y.backward(torch.ones_like(y), create_graph=True)
        y = x.grad + 0 * x
    x.grad = None
    return y.detach()


def jacobian(f, x):
    x = x.detach().clone().requires_grad_()
    y = f(x)
    J = x.new_zeros(len(y), len(x))
    for i, one in enumerate(torch.eye(len(y), dtype=y.dtype)):
        x.grad = None
        y.backward(one, retain_graph=True)
        J[i] = x.grad
    return J


def hvp(f, x, v):
    x = x.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    along = (g * v).sum() + 0 * x.sum()  # one number: the slope along v
    return torch.autograd.grad(along, x)[0]


class Recomputed(torch.autograd.Function):
    """The formula runs again in the backward pass, with autograd."""

    @classmethod
    def again(cls, ctx, gradient):
        with torch.enable_grad():
            inputs = [t if t.requires_grad else t.detach().requires_grad_() for t in ctx.saved_tensors]
            value = cls.formula(*inputs, *ctx.numbers)
            found = torch.autograd.grad(value, inputs, gradient, create_graph=True)
        return (*found, *(None for _ in ctx.numbers))


class Swish(Recomputed):
    @staticmethod
    def formula(x, beta):
        return torch.nn.functional.silu(beta * x) / beta

    @staticmethod
    def forward(ctx, x, beta):
        ctx.save_for_backward(x)
        ctx.numbers = (beta,)
        return Swish.formula(x, beta)

    @staticmethod
    def backward(ctx, gradient):
        return Swish.again(ctx, gradient)


class Distances(Recomputed):
    @staticmethod
    def formula(a, b):
        return (a[:, None] - b).norm(dim=2)  # norm has 0 for a slope at 0

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        ctx.numbers = ()
        return Distances.formula(a, b)

    @staticmethod
    def backward(ctx, gradient):
        return Distances.again(ctx, gradient)
