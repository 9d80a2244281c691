"""An optimiser for the steps, torch.func for the rest."""

import torch


def slope(x):
    return torch.func.grad(lambda t: (t**2 + 3 * t + 1).sum())(x)


def mean_gradient(x):
    return torch.func.grad(lambda t: (t**2 + 2 * t + 1).mean())(x)


def descend(w, x, y, lr, steps):
    w = torch.nn.Parameter(w.clone())
    sgd = torch.optim.SGD([w], lr=lr)
    for _ in range(steps):
        sgd.zero_grad(set_to_none=True)
        ((w * x - y) ** 2).sum().backward()
        sgd.step()
    return w.detach()


def vjp(A, x, v):
    _, pull_back = torch.func.vjp(lambda t: (A @ t).exp(), x)
    return pull_back(v)[0]
