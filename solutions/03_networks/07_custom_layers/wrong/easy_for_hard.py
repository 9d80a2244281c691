"""Fails: 3. p^gamma: the easy ones count."""

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        rms = torch.sqrt(x.pow(2).mean(dim=-1, keepdim=True) + self.eps)
        return x / rms * self.weight


class MaskedLinear(nn.Module):
    def __init__(self, mask):
        super().__init__()
        n_out, n_in = mask.shape
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / n_in**0.5)
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.register_buffer("mask", mask)

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


def focal_loss(logits, targets, gamma=2.0):
    log_p = F.log_softmax(logits, dim=1)[torch.arange(len(targets)), targets]
    p = log_p.exp()
    return (p**gamma * -log_p).mean()


def smoothed_cross_entropy(logits, targets, smoothing=0.1):
    C = logits.shape[1]
    log_p = F.log_softmax(logits, dim=1)
    hot = F.one_hot(targets, C)
    soft = (1 - smoothing) * hot + smoothing / C
    return -(soft * log_p).sum(dim=1).mean()


def contrastive_loss(a, b, same, margin=1.0):
    d = (a - b).norm(dim=1)
    near = d**2
    far = F.relu(margin - d) ** 2
    return torch.where(same, near, far).mean()
