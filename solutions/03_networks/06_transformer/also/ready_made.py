"""Sequential, an attention that takes is_causal, angles as complex numbers, logits transposed for the loss.

用 Sequential，注意力用 is_causal，角度写成复数，算损失前转置 logits。
"""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention


def positions(n, dim):
    frequency = torch.pow(torch.tensor(10000.0), -torch.linspace(0, dim - 2, dim // 2) / dim)
    turned = torch.polar(torch.ones(n, dim // 2), torch.outer(torch.arange(n).float(), frequency))
    return torch.view_as_real(turned).flip(-1).reshape(n, dim)


class Embed(nn.Module):
    def __init__(self, vocab, dim, longest):
        super().__init__()
        self.token = nn.Embedding(vocab, dim)
        self.table = nn.Buffer(positions(longest, dim).unsqueeze(0), persistent=False)
        self.scale = dim**0.5

    def forward(self, tokens):
        return self.token(tokens).mul(self.scale).add(self.table[:, : tokens.size(1)])


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.heads = heads

    def forward(self, x, mask=None):
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        causal = isinstance(mask, str)
        y = scaled_dot_product_attention(q, k, v, attn_mask=None if causal else mask, is_causal=causal)
        return self.out(y.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, dropout=0.1):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        self.drops = nn.ModuleList([nn.Dropout(dropout), nn.Dropout(dropout)])

    def forward(self, x, mask=None):
        attended = self.attention(self.norm1(x), mask)
        x = torch.add(self.drops[0](attended), x)
        fed = nn.Sequential(self.norm2, self.up, nn.GELU(), self.down, self.drops[1])
        return fed(x) + x


class Decoder(nn.Module):
    def __init__(self, vocab, dim, heads, hidden, depth, longest, dropout=0.1):
        super().__init__()
        self.embed = Embed(vocab, dim, longest)
        self.blocks = nn.ModuleList([Block(dim, heads, hidden, dropout) for _ in range(depth)])
        self.norm, self.output = nn.LayerNorm(dim), nn.Linear(dim, vocab)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, "causal")
        return self.output(self.norm(x))


def next_token_loss(logits, tokens, pad=0):
    criterion = nn.CrossEntropyLoss(ignore_index=pad)
    return criterion(logits[:, :-1].transpose(1, 2), tokens[:, 1:])
