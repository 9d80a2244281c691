"""nn.Sequential throughout, a subclass of it, an in-place buffer, gradient steps by hand.

全程用 nn.Sequential 及其子类，原地更新缓冲区，自己写梯度下降的一步。
"""

import contextlib
from itertools import pairwise

import torch
from torch import nn


class Digits(nn.Sequential):
    def __init__(self, *sizes):
        sizes = sizes or (784, 128, 64, 10)
        layers = [nn.Flatten()]
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.ReLU(inplace=True)]
        super().__init__(*layers[:-1])


class Block(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.change = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def forward(self, x):
        return self.change(x).add(x)


def Tower(n_in, width, hidden, depth, n_out):
    blocks = [Block(width, hidden) for _ in range(depth)]
    return nn.Sequential(nn.Linear(n_in, width), *blocks, nn.Linear(width, n_out))


class Centre(nn.Module):
    mean: torch.Tensor

    def __init__(self, size, momentum=0.1):
        super().__init__()
        self.rate = momentum
        self.mean = nn.Buffer(torch.zeros(size))

    def forward(self, x):
        if self.training:
            self.mean.mul_(1 - self.rate).add_(x.detach().mean(0), alpha=self.rate)
        return x - self.mean


def count_parameters(model):
    trainable = filter(lambda p: p.requires_grad, model.parameters())
    return sum(torch.tensor(p.shape).prod().item() for p in trainable)


@contextlib.contextmanager
def evaluating(model):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def predict(model, x):
    with evaluating(model):
        return model(x).log_softmax(-1).exp()


def fit(model, x, y, lr, steps):
    losses = []
    model.train()
    for _ in range(steps):
        logs = model(x).log_softmax(1)
        loss = -logs.gather(1, y[:, None]).mean()
        trainable = [p for p in model.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(loss, trainable)
        with torch.no_grad():
            for p, g in zip(trainable, gradients):
                p -= lr * g
        losses.append(loss.detach())
    return losses
