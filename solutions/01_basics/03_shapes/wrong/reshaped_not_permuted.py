"""Fails: 1, 2, 6. The right shape, by reshape alone."""

import torch


def channels_first(images):
    N, H, W, C = images.shape
    return images.reshape(N, C, H, W)


def split_heads(x, heads):
    B, T, D = x.shape
    return x.reshape(B, heads, T, D // heads)


def join_heads(x):
    B, H, T, d = x.shape
    return x.reshape(B, T, H * d)


def hold_out(x, k, i):
    parts = list(x.tensor_split(k))
    part = parts.pop(i)
    return torch.cat(parts), part


def pick(scores, labels):
    return scores[torch.arange(len(labels)), labels]


def sum_by_group(x, groups, k):
    return x.new_zeros(k, x.shape[1]).index_add_(0, groups, x)


def patchify(images, p):
    N, C, H, W = images.shape
    return images.reshape(N, (H // p) * (W // p), C * p * p)
