"""torch's own where there is one, layers that hold other layers' parameters, distances by a function.

torch 里有的就用现成的，层里装着别的层的参数，距离由函数求得。
"""

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.RMSNorm):
    def __init__(self, dim, eps=1e-6):
        super().__init__(dim, eps=eps)


class MaskedLinear(nn.Module):
    def __init__(self, mask):
        super().__init__()
        linear = nn.Linear(mask.shape[1], mask.shape[0])
        self.weight, self.bias = linear.weight, linear.bias
        self.mask = nn.Buffer(mask.float())

    def forward(self, x):
        return x @ (self.mask * self.weight).T + self.bias


def focal_loss(logits, targets, gamma=2.0):
    logs = F.log_softmax(logits, dim=-1)
    loss = F.nll_loss(logs, targets, reduction="none")
    return torch.mean(torch.pow(-torch.expm1(-loss), gamma) * loss)


def smoothed_cross_entropy(logits, targets, smoothing=0.1):
    return nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, targets)


def contrastive_loss(a, b, same, margin=1.0):
    d = F.pairwise_distance(a, b)
    same = same.to(d.dtype)
    return (same * d**2 + (1 - same) * F.relu(margin - d) ** 2).mean()
