"""torch's own attention, NaN replaced after the softmax, stacks and chunks, a state dict.

用 torch 自带的注意力，softmax 之后替换 NaN，用 stack 和 chunk，用状态字典。
"""

import torch
import torch.nn.functional as F
from torch import nn


def attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


def allowed(lengths, n, causal=False):
    mask = torch.zeros(len(lengths), n, n, dtype=torch.bool)
    for b, length in enumerate(lengths.tolist()):
        mask[b, :, :length] = True
    return mask.tril() if causal else mask


def masked_attention(q, k, v, mask):
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1).nan_to_num(0.0) @ v  # masked_fill stops the NaN on the way back


def split_heads(x, heads):
    return torch.stack(x.chunk(heads, dim=-1), dim=1)


def join_heads(x):
    return torch.cat(x.unbind(1), dim=-1)


class MultiHeadAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        for name in ("q", "k", "v", "out"):
            self.add_module(f"{name}_proj", nn.Linear(dim, dim))

    def forward(self, x, memory=None, mask=None):
        if memory is None:
            memory = x
        q, k, v = self.q_proj(x), self.k_proj(memory), self.v_proj(memory)
        q, k, v = (split_heads(t, self.heads) for t in (q, k, v))
        if mask is not None:
            mask = mask.unsqueeze(1).expand(-1, self.heads, -1, -1)
        return self.out_proj(join_heads(F.scaled_dot_product_attention(q, k, v, mask)))


def from_torch(theirs):
    ours = MultiHeadAttention(theirs.embed_dim, theirs.num_heads)
    d = theirs.embed_dim
    state = {"out_proj.weight": theirs.out_proj.weight, "out_proj.bias": theirs.out_proj.bias}
    for i, name in enumerate(("q_proj", "k_proj", "v_proj")):
        state[f"{name}.weight"] = theirs.in_proj_weight[i * d : (i + 1) * d]
        state[f"{name}.bias"] = theirs.in_proj_bias[i * d : (i + 1) * d]
    ours.load_state_dict(state)
    return ours
