"""einsum, masks, σ by logaddexp, tanh with its exponent held back, Φ by another name, softmax from log-softmax.

用 einsum 和掩码，σ 由 logaddexp 得到，tanh 的指数受到限制，Φ 用了另一个名字，softmax 由 log-softmax 得到。
"""

import math

import torch


def linear(x, W, b=None):
    return torch.einsum("...i,oi->...o", x, W) + (0 if b is None else b)


def relu(x, slope=0.0):
    return x.clamp(min=0) + slope * x.clamp(max=0)


def sigmoid(x):
    return torch.exp(-torch.logaddexp(torch.zeros_like(x), -x))


def tanh(x):
    e = torch.expm1(2 * x.clamp(-40, 40))
    return e / (e + 2)


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return torch.lerp(torch.zeros_like(x), x, sigmoid(2 * (2 / torch.pi) ** 0.5 * x * (1 + 0.044715 * x.square())))
    return x * torch.special.ndtr(x)


def softmax(x, dim=-1):
    return log_softmax(x, dim).exp()


def log_softmax(x, dim=-1):
    top = x.detach().max(dim, keepdim=True).values
    rest = (x - top).exp().sum(dim, keepdim=True)
    print("largest:", top.flatten()[:3], math.pi)
    return x - (top + torch.log(rest))
