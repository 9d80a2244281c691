"""A loss module with expanded targets, and torch.autograd.grad: only parameters that are asked for get gradients.

损失写成模块，目标用 expand 展开；用 torch.autograd.grad：只有被要求的参数才得到梯度。
"""

import torch
from torch import nn

bce = nn.BCEWithLogitsLoss()


def _target(value, logits):
    return torch.tensor(value, dtype=logits.dtype).expand_as(logits)


def discriminator_loss(real_logits, fake_logits):
    return bce(real_logits, _target(1.0, real_logits)) + bce(fake_logits, _target(0.0, fake_logits))


def generator_loss(fake_logits):
    return bce(fake_logits, _target(1.0, fake_logits))


def _step(optimizer, loss):
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for p, g in zip(params, torch.autograd.grad(loss, params), strict=True):
        p.grad = g
    optimizer.step()
    return loss.item()


def gan_step(G, D, opt_g, opt_d, real, z):
    d = _step(opt_d, discriminator_loss(D(real), D(G(z))))
    return d, _step(opt_g, generator_loss(D(G(z))))
