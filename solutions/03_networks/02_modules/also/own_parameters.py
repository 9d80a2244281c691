"""Matrices as Parameters the other way round, setattr and add_module, buffers found by name, a copy to predict with.

矩阵按另一种方向存成 Parameter，用 setattr 和 add_module，按名字查找缓冲区，用副本来预测。
"""

import copy

import torch
from torch import nn


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.w3, self.b3 = nn.Parameter(torch.randn(64, 10) / 8), nn.Parameter(torch.zeros(10))
        self.w2, self.b2 = nn.Parameter(torch.randn(128, 64) / 11), nn.Parameter(torch.zeros(64))
        self.w1, self.b1 = nn.Parameter(torch.randn(784, 128) / 28), nn.Parameter(torch.zeros(128))

    def forward(self, x):
        x = x.reshape(len(x), 784)
        for w, b in ((self.w1, self.b1), (self.w2, self.b2)):
            x = torch.clamp(torch.einsum("bi,io->bo", x, w) + b, min=0)
        return torch.addmm(self.b3, x, self.w3)


class Block(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.down = nn.Linear(hidden, width)
        self.up = nn.Linear(width, hidden)

    def forward(self, x):
        h = self.up(x)
        h = torch.where(h > 0, h, 0)
        return self.down(h) + x


class Tower(nn.Module):
    def __init__(self, n_in, width, hidden, depth, n_out):
        super().__init__()
        self.leave = nn.Linear(width, n_out)
        self.depth = depth
        for i in reversed(range(depth)):
            self.add_module(f"block{i}", Block(width, hidden))
        self.enter = nn.Linear(n_in, width)

    def forward(self, x):
        x = self.enter(x)
        for i in range(self.depth):
            x = getattr(self, f"block{i}")(x)
        return self.leave(x)


class Centre(nn.Module):
    def __init__(self, size, momentum=0.1):
        nn.Module.__init__(self)
        self.register_buffer("mean", torch.zeros(size), persistent=True)
        self.momentum = momentum

    def forward(self, x):
        mean = self.mean
        if self.training:
            self.mean = mean = mean + self.momentum * (x.data.mean(dim=0) - mean)
        return x - mean


def count_parameters(model):
    seen = {}
    for module in model.modules():
        for p in module._parameters.values():
            if p is not None and p.requires_grad:
                seen[id(p)] = p.nelement()
    return sum(seen.values())


def predict(model, x):
    with torch.set_grad_enabled(False):
        return torch.softmax(copy.deepcopy(model).eval()(x), 1)


def fit(model, x, y, lr, steps):
    losses = []
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(params=list(model.parameters()), lr=lr)

    def closure():
        model.train(True)
        model.zero_grad(set_to_none=False)
        loss = criterion(model(x), y)
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(float(optimizer.step(closure)))
    return tuple(losses)
