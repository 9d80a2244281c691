"""An optimiser for the steps, torch.func for the rest.

更新用优化器，其余用 torch.func。
"""

import torch


def slope(f, x):
    return torch.func.grad(lambda t: f(t).sum())(x)


def mean_gradient(f, x):
    return torch.func.grad(lambda t: f(t).mean())(x)


def descend(loss, w, lr, steps):
    w = torch.nn.Parameter(w.clone())
    sgd = torch.optim.SGD([w], lr=lr)
    for _ in range(steps):
        sgd.zero_grad(set_to_none=True)
        loss(w).backward()
        sgd.step()
    return w.detach()


def vjp(f, x, v):
    _, pull_back = torch.func.vjp(f, x)
    return pull_back(v)[0]
