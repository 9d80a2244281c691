"""Losses as tensors without a graph, inference_mode, a copy of the whole model, SGD with momentum on a linear model.

损失存成不带计算图的张量，用 inference_mode，复制整个模型，用带动量的 SGD 训练线性模型。
"""

import copy
import math

import torch
from torch import nn


def train_step(model, optimizer, x, y):
    criterion = nn.CrossEntropyLoss()
    loss = criterion(model(x), y)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    return loss.detach()  # no dimensions, no graph


def train_epoch(model, optimizer, loader):
    model.train(True)
    losses, sizes = [], []
    for x, y in loader:
        losses.append(train_step(model, optimizer, x, y))
        sizes.append(float(len(y)))
    weights = torch.tensor(sizes)
    return (torch.stack(losses) * weights).sum() / weights.sum()


@torch.inference_mode()
def evaluate(model, loader):
    mode = model.training
    model.train(False)
    pairs = [(model(x), y) for x, y in loader]
    logits, y = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    model.train(mode)
    return nn.functional.cross_entropy(logits, y).item(), (logits.max(dim=1).indices == y).float().mean()


class EarlyStopping:
    def __init__(self, patience=3):
        self.left = self.patience = patience
        self.lowest, self.kept = math.inf, None

    def update(self, loss, model):
        if not loss < self.lowest:  # NaN, too
            self.left -= 1
            return torch.tensor(self.left <= 0)
        self.lowest, self.left, self.kept = loss, self.patience, copy.deepcopy(model)
        return False

    def restore(self, model):
        with torch.no_grad():
            for mine, best in zip(model.state_dict().values(), self.kept.state_dict().values(), strict=True):
                mine.copy_(best)


def fit(x, y, x_val, y_val):
    model = nn.Linear(64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    stopping = EarlyStopping(patience=4)
    for _ in range(40):
        order = torch.randperm(len(x))
        train_epoch(model, optimizer, [(x[i], y[i]) for i in order.split(50)])
        if stopping.update(evaluate(model, [(x_val, y_val)])[0], model):
            break
    stopping.restore(model)
    return model.eval()
