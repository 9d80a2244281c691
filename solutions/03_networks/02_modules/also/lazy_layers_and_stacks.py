"""Lazy layers and views, the parameters of all blocks stacked, blocks registered last to first, losses in an array.

用惰性层和 view，所有块的参数叠成一个张量，块从后往前注册，损失存进数组。
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.output = nn.LazyLinear(10)
        self.hidden = nn.ModuleList([nn.LazyLinear(128), nn.LazyLinear(64)])

    def forward(self, x):
        x = x.view(-1, 28 * 28)
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.output(x)


class Block(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.weights = nn.ParameterList([torch.randn(hidden, width) / 4, torch.randn(width, hidden) / 4])
        self.biases = nn.ParameterDict({"up": torch.zeros(hidden), "down": torch.zeros(width)})

    def forward(self, x):
        h = F.linear(x, self.weights[0], self.biases["up"])
        return F.linear(h.clamp_min(0), self.weights[1], self.biases["down"]) + x


class Tower(nn.Module):
    def __init__(self, n_in, width, hidden, depth, n_out):
        super().__init__()
        self.leave, self.enter = nn.Linear(width, n_out), nn.Linear(n_in, width)
        self.b2 = nn.Parameter(torch.zeros(depth, width))
        self.b1 = nn.Parameter(torch.zeros(depth, hidden))
        self.W2 = nn.Parameter(torch.randn(depth, width, hidden) / hidden**0.5)
        self.W1 = nn.Parameter(torch.randn(depth, width, hidden) / width**0.5)

    def forward(self, x):
        x = self.enter(x)
        for W1, b1, W2, b2 in zip(self.W1, self.b1, self.W2, self.b2):
            x = x + F.linear(torch.relu(x @ W1 + b1), W2, b2)
        return self.leave(x)


class Centre(nn.Module):
    def __init__(self, size, momentum=0.1):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))
        self.momentum = momentum

    def forward(self, x):
        if self.training:
            self.mean = ((1 - self.momentum) * self.mean + self.momentum * x.mean(0)).detach()
            self.batches += 1
        return x - self.mean


def count_parameters(model):
    return sum(int(np.prod(p.shape)) for _, p in model.named_parameters() if p.requires_grad)


@torch.inference_mode()
def predict(model, x):
    was = model.training
    try:
        return F.softmax(model.eval()(x), -1)
    finally:
        model.train(was)


def fit(model, x, y, lr, steps):
    model.train()
    # lazy layers get their shapes before the optimiser asks for them
    model(x[:1])
    optimizer = torch.optim.SGD([{"params": [p]} for p in model.parameters()], lr=lr)
    losses = np.zeros(steps)
    for i in range(steps):
        model.zero_grad()
        loss = F.nll_loss(model(x).log_softmax(1), y)
        loss.backward()
        losses[i] = loss.item()
        optimizer.step()
    return losses
