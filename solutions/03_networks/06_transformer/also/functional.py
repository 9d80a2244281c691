"""Plain functions and Parameters, an attention of its own, positions made anew each time, a loss by gather.

用普通函数和 Parameter，自己写注意力，每次重新生成位置编码，用 gather 算损失。
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


def positions(n, dim):
    table = torch.zeros(n, dim)
    place = torch.arange(n, dtype=torch.float32).unsqueeze(1)
    factor = torch.exp(torch.arange(0, dim, 2).float() * (-math.log(10000.0) / dim))
    table[:, 0::2] = torch.sin(place * factor)
    table[:, 1::2] = torch.cos(place * factor)
    return table


class Embed(nn.Module):
    def __init__(self, vocab, dim, longest):
        super().__init__()
        self.token = nn.Embedding(vocab, dim)
        nn.init.normal_(self.token.weight, std=dim**-0.5)

    def forward(self, tokens):
        weight = self.token.weight
        _, t = tokens.shape
        return F.embedding(tokens, weight) * math.sqrt(weight.shape[1]) + positions(t, weight.shape[1]).to(weight)


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.out = nn.Linear(dim, dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.size = dim // heads

    def forward(self, x, mask):
        heads = zip(*(part.split(self.size, -1) for part in self.qkv(x).chunk(3, -1)))
        found = []
        for q, k, v in heads:
            scores = torch.einsum("btd,bsd->bts", q, k) / self.size**0.5
            if mask is not None:
                scores = scores.masked_fill(~(mask[:, 0] if mask.ndim == 4 else mask), -1e9)
            found.append(scores.softmax(-1) @ v)
        return self.out(torch.cat(found, -1))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, dropout=0.1):
        super().__init__()
        self.p = dropout
        self.attention = SelfAttention(dim, heads)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.up, self.down = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        nn.init.zeros_(self.down.weight)

    def forward(self, x, mask=None):
        for step in (lambda h: self.attention(self.norm1(h), mask), self.feed):
            x = F.dropout(step(x), self.p, training=self.training).add(x)
        return x

    def feed(self, x):
        h = self.up(self.norm2(x))
        return self.down(h * 0.5 * (1 + torch.erf(h / math.sqrt(2))))


class Decoder(nn.Module):
    def __init__(self, vocab, dim, heads, hidden, depth, longest, dropout=0.1):
        super().__init__()
        self.output = nn.Linear(dim, vocab)
        nn.init.zeros_(self.output.weight)
        self.norm = nn.LayerNorm(dim)
        self.blocks = nn.ModuleList()
        for _ in range(depth):
            self.blocks.append(Block(dim, heads, hidden, dropout=dropout))
        self.embed = Embed(vocab, dim, longest)

    def forward(self, tokens):
        at = torch.arange(tokens.size(1))
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, at[None, None, :, None] >= at)
        return self.output(self.norm(x))


def next_token_loss(logits, tokens, pad=0):
    targets = tokens[:, 1:]
    real = targets != pad
    logs = logits[:, :-1].log_softmax(-1).gather(2, targets[..., None])[..., 0]
    return -logs[real].mean()
