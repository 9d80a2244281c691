"""Fails: 3. The one is taken from whole columns, not from one place in each row."""

import torch


def linear_backward(x, W, grad_y):
    return grad_y @ W, grad_y.T @ x, grad_y.sum(0)


def relu_backward(x, grad_y):
    return grad_y * (x > 0)


def cross_entropy(logits, target):
    rows = torch.arange(len(target))
    log_p = logits - logits.logsumexp(1, keepdim=True)
    grad = log_p.exp()
    grad[:, target] -= 1
    return -log_p[rows, target].mean(), grad / len(target)


def mlp_gradients(x, target, W1, b1, W2, b2):
    z = x @ W1.T + b1
    h = z.clamp(min=0)
    _, grad_logits = cross_entropy(h @ W2.T + b2, target)
    grad_h, grad_W2, grad_b2 = linear_backward(h, W2, grad_logits)
    _, grad_W1, grad_b1 = linear_backward(x, W1, relu_backward(z, grad_h))
    return grad_W1, grad_b1, grad_W2, grad_b2
