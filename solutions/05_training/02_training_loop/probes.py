"""Runs in the cell beside the learner's file: builds models that carry the judge's weights, and watches."""

import learner
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class _Witness(nn.Module):
    """Passes its input on, and writes down in which mode and whether autograd was recording."""

    def __init__(self):
        super().__init__()
        self.modes, self.recorded = [], []

    def forward(self, x):
        self.modes.append(self.training)
        self.recorded.append(x.requires_grad)
        return x


class _Watched(torch.optim.SGD):
    """SGD that counts its steps."""

    calls = 0

    def step(self, closure=None):
        self.calls += 1
        return super().step(closure)


def _fill(model, state):
    with torch.no_grad():
        for mine, given in zip(model.state_dict().values(), state, strict=True):
            mine.copy_(given)
    return model


def _state(model):
    return [t.detach().clone() for t in model.state_dict().values()]


def _network(state, norm=False):
    a, h, c = state[0].shape[1], state[0].shape[0], state[-2].shape[0]
    middle = [nn.BatchNorm1d(h)] if norm else []
    return _fill(nn.Sequential(nn.Linear(a, h), *middle, nn.Tanh(), _Witness(), nn.Linear(h, c)), state)


def _loader(x, y, batch_size):
    return DataLoader(TensorDataset(x, y), batch_size=batch_size)


def steps(state, batches, lr, momentum):
    """One train_step per batch."""
    net = _network(state)
    sgd = _Watched(net.parameters(), lr=lr, momentum=momentum)
    losses = [learner.train_step(net, sgd, x, y) for x, y in batches]
    return {"losses": losses, "state": _state(net), "calls": sgd.calls}


def epoch(state, x, y, batch_size, lr, momentum):
    """One train_epoch of a model that somebody left in evaluation mode."""
    net = _network(state).eval()
    sgd = _Watched(net.parameters(), lr=lr, momentum=momentum)
    loss = learner.train_epoch(net, sgd, _loader(x, y, batch_size))
    return {"loss": loss, "state": _state(net), "modes": net[-2].modes}


def evaluation(state, x, y, batch_size, norm=False, training=True):
    """One evaluate."""
    net = _network(state, norm).train(training)
    answer = learner.evaluate(net, _loader(x, y, batch_size))
    witness = net[-2]
    return {
        "answer": answer,
        "modes": witness.modes,
        "recorded": witness.recorded,
        "training": net.training,
        "state": _state(net),
    }


def stopping(states, losses, **patience):
    """One update for each state of a model and its loss, until told to stop; then restore."""
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    stopper, said = learner.EarlyStopping(**patience), []
    for state, loss in zip(states, losses, strict=True):
        said.append(stopper.update(loss, _fill(model, state)))
        if said[-1] is True:
            break
    stopper.restore(model)
    return {"said": said, "state": _state(model)}


def fit_and_predict(x, y, x_val, y_val, x_new):
    """Logits of the fitted model for new images."""
    model = learner.fit(x, y, x_val, y_val)
    if isinstance(model, nn.Module):
        model.eval()
    with torch.no_grad():
        return model(x_new) if callable(model) else model


def _zero(inputs, classes):
    model = nn.Linear(inputs, classes)
    return _fill(model, [torch.zeros_like(t) for t in model.state_dict().values()])


def linear_steps(x, y, steps):
    """Steps on one batch, from a linear model at zero."""
    model = _zero(x.shape[1], 2)
    sgd = torch.optim.SGD(model.parameters(), lr=0.5)
    return {"losses": [learner.train_step(model, sgd, x, y) for _ in range(steps)], "state": _state(model)}


def linear_epoch(x, y, batch_size):
    """One epoch with learning rate 0, from a linear model at zero."""
    model = _zero(x.shape[1], 2)
    return learner.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.0), _loader(x, y, batch_size))


def linear_evaluation(x, y, batch_size):
    """The evaluation of a linear model at zero."""
    return learner.evaluate(_zero(x.shape[1], 2), _loader(x, y, batch_size))


def stops(losses, patience):
    """What update says to each of these losses."""
    stopper, model = learner.EarlyStopping(patience=patience), nn.Linear(2, 1)
    return [stopper.update(loss, model) for loss in losses]
