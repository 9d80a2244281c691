"""Fails: 3. exp(1000) is infinite."""

import torch


def linear_backward(x, W, grad_y):
    return grad_y @ W, grad_y.T @ x, grad_y.sum(0)


def relu_backward(x, grad_y):
    return grad_y * (x > 0)


def cross_entropy(logits, target):
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    rows = torch.arange(len(target))
    loss = -p[rows, target].log().mean()
    p[rows, target] -= 1
    return loss, p / len(target)


def mlp_gradients(x, target, W1, b1, W2, b2):
    z = x @ W1.T + b1
    h = z.clamp(min=0)
    _, grad_logits = cross_entropy(h @ W2.T + b2, target)
    grad_h, grad_W2, grad_b2 = linear_backward(h, W2, grad_logits)
    _, grad_W1, grad_b1 = linear_backward(x, W1, relu_backward(z, grad_h))
    return grad_W1, grad_b1, grad_W2, grad_b2
