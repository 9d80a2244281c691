"""One matrix product for input and state, a buffer that is filled, gates by slices, gather, one sequence at a time.

输入与状态合在一次矩阵乘法里，结果填进预先备好的张量，用切片取出各个门，用 gather，逐个序列处理。
"""

import torch
from torch import nn


def rnn_cell(x, h, W_ih, W_hh, b):
    return torch.cat([x, h], 1).matmul(torch.cat([W_ih, W_hh], 1).t()).add(b).tanh()


def rnn(x, W_ih, W_hh, b, h=None):
    B, T, _ = x.shape
    H = W_hh.size(0)
    h = torch.zeros(B, H).to(x) if h is None else h
    states = torch.empty(B, T, H, dtype=x.dtype)
    from_input = torch.einsum("bti,hi->bth", x, W_ih) + b  # all steps at once
    for t in range(T):
        h = (from_input[:, t] + h @ W_hh.T).tanh()
        states[:, t] = h
    print(states.shape)
    return [states, h]


def lstm_cell(x, h, c, W_ih, W_hh, b):
    H = h.shape[1]
    z = torch.addmm(b, x, W_ih.T) + torch.mm(h, W_hh.T)
    keep, write, show = z[:, H : 2 * H].sigmoid(), z[:, :H].sigmoid(), z[:, 3 * H :].sigmoid()
    c = torch.lerp(torch.zeros_like(c), c, keep).addcmul(write, z[:, 2 * H : 3 * H].tanh())
    return show.mul(c.tanh()), c


def last_outputs(outputs, lengths):
    B, _, H = outputs.shape
    index = lengths.sub(1).view(B, 1, 1).expand(B, 1, H)
    return outputs.gather(1, index).squeeze(1)


def fit_in_chunks(model, x, y, lr, chunk):
    losses, state = [], None
    for part, target in zip(x.split(chunk, dim=1), y.split(chunk, dim=1)):
        model.zero_grad(set_to_none=True)
        out, state = model(part) if state is None else model(part, state.data)
        loss = (out - target).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= lr * p.grad
        losses.append(float(loss))
    return losses


class Classifier(nn.Module):
    def __init__(self, tokens, width, hidden, classes):
        super().__init__()
        self.out = nn.Linear(hidden * 2, classes)
        self.words = nn.Embedding(tokens, width, padding_idx=0)
        self.reader = nn.GRU(width, hidden, num_layers=1, bidirectional=True)

    def forward(self, x, lengths):
        ends = []
        for tokens, n in zip(x, lengths.tolist()):
            states, _ = self.reader(self.words(tokens[:n]))  # (n, 2 · hidden): without a batch
            half = states.shape[1] // 2
            ends.append(torch.cat([states[-1, :half], states[0, half:]]))
        return self.out(torch.stack(ends))
