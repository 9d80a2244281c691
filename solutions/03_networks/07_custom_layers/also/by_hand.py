"""Powers and einsum, weights chosen with where, one-hot targets, roots kept away from zero, losses as Modules.

用幂和 einsum，用 where 选出权重，one-hot 目标，让根号避开零，损失写成模块。
"""

import math

import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.register_parameter("weight", nn.Parameter(torch.ones(dim)))
        self.eps = eps

    def forward(self, x):
        ms = torch.einsum("...d,...d->...", x, x).div(x.size(-1)).unsqueeze(-1)
        return self.weight * (x / torch.sqrt(ms + self.eps))


class MaskedLinear(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(mask.shape) / math.sqrt(mask.size(1)))
        self.bias = nn.Parameter(torch.zeros(mask.size(0)))
        self.register_buffer("mask", mask.clone())

    def forward(self, x):
        weight = torch.where(self.mask, self.weight, 0.0)
        return torch.einsum("...i,oi->...o", x, weight) + self.bias


class FocalLoss(nn.Module):
    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma

    def forward(self, logits, targets):
        logs = logits - logits.logsumexp(1, keepdim=True)
        own = torch.stack([row[t] for row, t in zip(logs, targets)])
        return -(torch.exp(own).neg().add(1).pow(self.gamma) * own).sum() / len(own)


def focal_loss(logits, targets, gamma=2.0):
    return FocalLoss(gamma)(logits, targets)


def smoothed_cross_entropy(logits, targets, smoothing=0.1):
    classes = logits.shape[1]
    soft = torch.full_like(logits, smoothing / classes)
    soft.scatter_(1, targets[:, None], 1 - smoothing + smoothing / classes)
    return -(soft * logits.log_softmax(1)).sum() / len(targets)


def contrastive_loss(a, b, same, margin=1.0):
    total = 0
    for x, y, alike in zip(a, b, same):
        squared = ((x - y) ** 2).sum()
        if alike:
            total = total + squared
        elif squared < margin**2 and squared > 0:
            total = total + (margin - squared.sqrt()) ** 2
        elif squared == 0:
            total = total + margin**2
    return total / len(a) if isinstance(total, torch.Tensor) else (a.sum() + b.sum()) * 0 + total / len(a)
