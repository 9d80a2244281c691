"""Recursion, cat, unflatten, a boolean mask, autograd.grad, sorted lengths put back in order.

递归、cat、unflatten、布尔掩码、autograd.grad，按长度排序之后再还原次序。
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import rnn as sequences


def rnn_cell(x, h, W_ih, W_hh, b):
    pre = F.linear(x, W_ih, b) + F.linear(h, W_hh)
    return 2 * torch.sigmoid(2 * pre) - 1


def rnn(x, W_ih, W_hh, b, h=None):
    if h is None:
        h = W_hh.new_zeros((x.shape[0], W_hh.shape[1]))
    h = rnn_cell(x[:, 0], h, W_ih, W_hh, b)
    if x.shape[1] == 1:
        return h[:, None], h
    later, end = rnn(x[:, 1:], W_ih, W_hh, b, h)
    return torch.cat([h[:, None], later], 1), end


def lstm_cell(x, h, c, W_ih, W_hh, b):
    z = (F.linear(x, W_ih) + F.linear(h, W_hh, b)).reshape(len(x), 4, W_hh.shape[1])
    i, f, o = torch.sigmoid(z[:, [0, 1, 3]]).unbind(1)
    memory = i * torch.tanh(z[:, 2]) + c * f
    return torch.tanh(memory) * o, memory


def last_outputs(outputs, lengths):
    steps = torch.arange(outputs.shape[1])
    return outputs[steps == (lengths - 1).unsqueeze(1)]


def fit_in_chunks(model, x, y, lr, chunk):
    history, h = [], torch.zeros(1, len(x), y.shape[2], dtype=x.dtype)
    weights = list(model.parameters())
    start = 0
    while start < x.shape[1]:
        stop = min(start + chunk, x.shape[1])
        outputs, h = model(x[:, start:stop], h)
        loss = nn.MSELoss()(outputs, y[:, start:stop])
        for w, g in zip(weights, torch.autograd.grad(loss, weights)):
            w.data.sub_(g, alpha=lr)
        history.append(loss.detach().item())
        h, start = h.clone().detach(), stop
    return history


class Classifier(nn.Module):
    def __init__(self, tokens, width, hidden, classes):
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.gru = nn.GRU(input_size=width, hidden_size=hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, x, lengths):
        order = lengths.argsort(descending=True)
        rows = [self.embed(x[i, : lengths[i]]) for i in order]
        outputs, _ = self.gru(sequences.pack_sequence(rows))
        padded, sizes = sequences.pad_packed_sequence(outputs, batch_first=True)
        there, back = padded.chunk(2, dim=2)
        ends = torch.cat([last_outputs(there, sizes), back[:, 0]], dim=1)
        return self.head(ends[order.argsort()])
