"""einsum, a softmax by hand, one head after the other, Parameters put in anew.

用 einsum，手写 softmax，一个头接一个头地算，重新放入 Parameter。
"""

import copy
import math

import torch
from torch import nn


def weigh(scores, v):
    scores = scores - scores.detach().amax(dim=-1, keepdim=True)
    weights = torch.exp(scores)
    return torch.einsum("...ts,...se->...te", weights / weights.sum(-1, keepdim=True), v)


def attention(q, k, v):
    return weigh(torch.einsum("...td,...sd->...ts", q / math.sqrt(q.size(-1)), k), v)


def allowed(lengths, n, causal=False):
    i, j = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    mask = j[None] < lengths[:, None, None]
    if causal:
        mask = torch.logical_and(mask, j <= i)
    return mask.repeat(1, n // mask.shape[1], 1)


def masked_attention(q, k, v, mask):
    somewhere = mask.any(dim=-1, keepdim=True)
    scores = torch.matmul(q, k.transpose(-2, -1)) * k.size(-1) ** -0.5
    scores = torch.where(mask | ~somewhere, scores, float("-inf"))  # a row without any key keeps its scores ...
    return torch.where(somewhere, weigh(scores, v), 0)  # ... and is replaced


def split_heads(x, heads):
    b, t, d = x.size()
    return x.reshape(b, t, heads, d // heads).permute(0, 2, 1, 3).contiguous()


def join_heads(x):
    b, h, t, d = x.shape
    return x.permute(0, 2, 1, 3).contiguous().view(b, t, h * d)


class Projection(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, size) / size**0.5)
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x):
        return torch.einsum("...i,oi->...o", x, self.weight) + self.bias


class MultiHeadAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.out_proj, self.v_proj, self.k_proj, self.q_proj = (Projection(dim) for _ in range(4))
        self.size = dim // heads

    def forward(self, x, memory=None, mask=None):
        memory = memory if memory is not None else x
        if mask is None:
            mask = torch.ones(1, 1, memory.shape[1], dtype=torch.bool)
        tensors = self.q_proj(x), self.k_proj(memory), self.v_proj(memory)
        heads = [masked_attention(*parts, mask) for parts in zip(*(t.split(self.size, dim=2) for t in tensors))]
        return self.out_proj(torch.cat(heads, dim=2))


def from_torch(theirs):
    ours = MultiHeadAttention(theirs.embed_dim, theirs.num_heads)
    theirs = copy.deepcopy(theirs)
    parts = zip(theirs.in_proj_weight.detach().split(theirs.embed_dim), theirs.in_proj_bias.detach().chunk(3))
    for layer, (weight, bias) in zip((ours.q_proj, ours.k_proj, ours.v_proj), parts):
        layer.weight, layer.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
    ours.out_proj = theirs.out_proj
    return ours
