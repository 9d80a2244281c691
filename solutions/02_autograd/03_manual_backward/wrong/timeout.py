"""Fails: 4. Tries every weight by itself, up and down (finite differences)."""

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
    weights = [w.double().clone() for w in (W1, b1, W2, b2)]

    def loss():
        h = F.relu(F.linear(x.double(), weights[0], weights[1]))
        return F.cross_entropy(F.linear(h, weights[2], weights[3]), target)

    eps, found = 1e-6, []
    for w in weights:
        grad, flat = torch.zeros_like(w), w.view(-1)
        for i in range(w.numel()):
            flat[i] += eps
            ahead = loss()
            flat[i] -= 2 * eps
            grad.view(-1)[i] = (ahead - loss()) / (2 * eps)
            flat[i] += eps
        found.append(grad.to(x.dtype))
    return tuple(found)
