"""Loops where nothing forbids them: over channels, heads, groups and patches.

没有禁止的地方都用循环：按通道、按头、按组、按图块。
"""

import torch


def channels_first(images):
    N, H, W, C = images.shape
    out = images.new_empty(N, C, H, W)
    for c in range(C):
        out[:, c] = images[..., c]
    return out


def split_heads(x, heads):
    B, T, D = x.shape
    out = torch.empty(B, heads, T, D // heads, dtype=x.dtype)
    for h, piece in enumerate(x.split(D // heads, dim=2)):
        out[:, h] = piece
    return out


def join_heads(x):
    return x.movedim(1, 2).contiguous().view(x.shape[0], x.shape[2], -1 if x.numel() else x.shape[1] * x.shape[3])


def hold_out(x, k, i):
    sizes = [len(x) // k + (j < len(x) % k) for j in range(k)]
    begin = sum(sizes[:i])
    end = begin + sizes[i]
    return [torch.cat((x[:begin], x[end:])), x[begin:end].clone()]


def pick(scores, labels):
    picked = [row[int(c)] for row, c in zip(scores, labels)]
    return torch.stack(picked) if picked else scores.new_empty(0)


def sum_by_group(x, groups, k):
    return torch.stack([x[groups == g].sum(0) for g in range(k)])


def patchify(images, p):
    H, W = images.shape[2:]
    rows = []
    for y in range(0, H, p):
        for x in range(0, W, p):
            rows.append(images[:, :, y : y + p, x : x + p].flatten(1))
    return torch.stack(rows, dim=1)
