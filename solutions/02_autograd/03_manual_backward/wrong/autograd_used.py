"""Fails: 4. Leaves the work to autograd."""

import torch
import torch.nn.functional as F


def linear_backward(x, W, grad_y):
    return grad_y @ W, grad_y.T @ x, grad_y.sum(0)


def relu_backward(x, grad_y):
    return grad_y * (x > 0)


def cross_entropy(logits, target):
    rows = torch.arange(len(target))
    log_p = logits - logits.logsumexp(1, keepdim=True)
    grad = log_p.exp()
    grad[rows, target] -= 1
    return -log_p[rows, target].mean(), grad / len(target)


def mlp_gradients(x, target, W1, b1, W2, b2):
    weights = [w.detach().clone().requires_grad_() for w in (W1, b1, W2, b2)]
    h = F.relu(F.linear(x, weights[0], weights[1]))
    F.cross_entropy(F.linear(h, weights[2], weights[3]), target).backward()
    return tuple(w.grad for w in weights)
