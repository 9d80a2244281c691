"""Fails: 3. sqrt(s + eps)."""

import torch


def sgd(w, g, lr, weight_decay=0.0):
    return w - lr * (g + weight_decay * w)


def momentum(w, g, v, lr, beta=0.9, nesterov=False):
    v = beta * v + g
    return w - lr * (g + beta * v if nesterov else v), v


def adam(w, g, m, s, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m = betas[0] * m + (1 - betas[0]) * g
    s = betas[1] * s + (1 - betas[1]) * g**2
    m_hat = m / (1 - betas[0] ** t)
    s_hat = s / (1 - betas[1] ** t)
    return w - lr * m_hat / (s_hat + eps).sqrt(), m, s


def adamw(w, g, m, s, t, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    return adam(w * (1 - lr * weight_decay), g, m, s, t, lr, betas, eps)


def minimise(loss, params, steps, lr, weight_decay):
    params = [p.detach() for p in params]
    states = [(torch.zeros_like(p), torch.zeros_like(p)) for p in params]
    for t in range(1, steps + 1):
        leaves = [p.detach().requires_grad_() for p in params]
        gradients = torch.autograd.grad(loss(*leaves), leaves, allow_unused=True)
        for i, g in enumerate(gradients):
            if g is not None:
                params[i], *states[i] = adamw(params[i], g, *states[i], t, lr, weight_decay=weight_decay)
    return params
