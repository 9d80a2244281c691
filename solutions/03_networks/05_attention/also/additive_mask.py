"""The mask is added, as large negative numbers; rows that may look nowhere are multiplied away.

掩码以很大的负数加上去；哪里都不能看的行再乘成零。
"""

import torch
from torch import nn
from torch.nn.functional import softmax


def attention(q, k, v, bias=0.0):
    d = q.shape[-1]
    return softmax(q.matmul(k.swapaxes(-1, -2)).div(d**0.5) + bias, dim=-1).matmul(v)


def allowed(lengths, n, causal=False):
    at = torch.arange(n).expand(len(lengths), n, n)
    mask = at.lt(lengths.view(-1, 1, 1))
    return mask & at.le(at.mT) if causal else mask


def masked_attention(q, k, v, mask):
    bias = torch.zeros(mask.shape, dtype=q.dtype).masked_fill_(mask.logical_not(), -1e9)
    return attention(q, k, v, bias) * mask.any(-1, keepdim=True)


def split_heads(x, heads):
    return x.view(x.shape[0], x.shape[1], heads, -1).movedim(2, 1)


def join_heads(x):
    return x.movedim(1, 2).reshape(x.shape[0], x.shape[2], -1)


class MultiHeadAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)
        self.h = heads

    def forward(self, x, memory=None, mask=None):
        source = x if memory is None else memory
        if mask is None:
            mask = torch.ones(len(x), x.size(1), source.size(1), dtype=torch.bool)
        heads = [
            split_heads(layer(t), self.h)
            for layer, t in ((self.q_proj, x), (self.k_proj, source), (self.v_proj, source))
        ]
        return self.out_proj(join_heads(masked_attention(*heads, mask.unsqueeze(1))))


@torch.no_grad()
def from_torch(theirs):
    ours = MultiHeadAttention(theirs.embed_dim, theirs.num_heads)
    for i, layer in enumerate([ours.q_proj, ours.k_proj, ours.v_proj]):
        rows = slice(i * theirs.embed_dim, (i + 1) * theirs.embed_dim)
        layer.weight[:] = theirs.in_proj_weight[rows]
        layer.bias[:] = theirs.in_proj_bias[rows]
    ours.out_proj.load_state_dict(theirs.out_proj.state_dict())
    return ours
