"""Fails: 1. The weights are computed where nothing is recorded."""

import torch
from torch import nn
from torch.nn import functional as F


def attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    weights = F.softmax(scores, dim=-1).detach()
    return weights.data @ v.data


def allowed(lengths, n, causal=False):
    j = torch.arange(n)
    mask = (j < lengths[:, None]).unsqueeze(1).repeat(1, n, 1)
    if causal:
        mask = mask & (j <= j[:, None])
    return mask


def masked_attention(q, k, v, mask):
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    weights = F.softmax(scores.masked_fill(~mask, -1e9), dim=-1)
    return weights.masked_fill(~mask, 0.0) @ v


def split_heads(x, heads):
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads).transpose(1, 2)


def join_heads(x):
    B, h, T, d = x.shape
    return x.transpose(1, 2).reshape(B, T, h * d)


class MultiHeadAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x, memory=None, mask=None):
        if memory is None:
            memory = x
        q = split_heads(self.q_proj(x), self.heads)
        k = split_heads(self.k_proj(memory), self.heads)
        v = split_heads(self.v_proj(memory), self.heads)
        if mask is None:
            out = attention(q, k, v)
        else:
            out = masked_attention(q, k, v, mask.unsqueeze(1))
        return self.out_proj(join_heads(out))


def from_torch(theirs):
    ours = MultiHeadAttention(theirs.embed_dim, theirs.num_heads)
    wq, wk, wv = theirs.in_proj_weight.chunk(3)
    bq, bk, bv = theirs.in_proj_bias.chunk(3)
    with torch.no_grad():
        ours.q_proj.weight.copy_(wq)
        ours.q_proj.bias.copy_(bq)
        ours.k_proj.weight.copy_(wk)
        ours.k_proj.bias.copy_(bk)
        ours.v_proj.weight.copy_(wv)
        ours.v_proj.bias.copy_(bv)
        ours.out_proj.weight.copy_(theirs.out_proj.weight)
        ours.out_proj.bias.copy_(theirs.out_proj.bias)
    return ours
