"""In place, on copies of its own, in the order of torch's own loops; backward() and .grad; a check of its own.

在自己的副本上原地更新，顺序与 torch 内部的循环相同；梯度由 backward() 和 .grad 得到；另带一段自检。
"""

import torch


def sgd(w, g, lr, weight_decay=0.0):
    new = w.clone()
    new.add_(g.add(w, alpha=weight_decay), alpha=-lr)
    return new


def momentum(w, g, v, lr, beta=0.9, nesterov=False):
    v = v.mul(beta).add_(g)
    return w.add(g.add(v, alpha=beta) if nesterov else v, alpha=-lr), v


def adam(w, g, m, s, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = m.lerp(g, 1 - betas[0])
    s = s.mul(betas[1]).addcmul_(g, g, value=1 - betas[1])
    size = lr / (1 - betas[0] ** t)
    bottom = (s.sqrt() / (1 - betas[1] ** t) ** 0.5).add_(eps)
    return [w.addcdiv(m, bottom, value=-size), m, s]


def adamw(w, g, m, s, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    moved, m, s = adam(w, g, m, s, t, lr=lr, betas=betas, eps=eps)
    return moved - lr * weight_decay * w, m, s


def minimise(loss, params, steps, lr, weight_decay):
    leaves = [torch.nn.Parameter(p.clone()) for p in params]
    state = {leaf: (torch.zeros_like(leaf), torch.zeros_like(leaf), 0) for leaf in leaves}
    for _ in range(steps):
        for leaf in leaves:
            leaf.grad = None
        loss(*leaves).backward()
        with torch.no_grad():
            for leaf in leaves:
                if leaf.grad is None:
                    continue
                m, s, t = state[leaf]
                new, m, s = adamw(leaf, leaf.grad, m, s, t + 1, lr, weight_decay=weight_decay)
                leaf.copy_(new)
                state[leaf] = (m, s, t + 1)
    return [leaf.data for leaf in leaves]


def agrees(w, g, lr):
    """Asked by hand, at a prompt: no task comes here."""
    theirs = w.clone()
    theirs.grad = g
    torch.optim.SGD([theirs], lr=lr).step()
    return torch.allclose(theirs, sgd(w, g, lr))
