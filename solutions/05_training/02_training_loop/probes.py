"""Runs in the cell beside the learner's file: builds models that carry the judge's weights, and watches."""

import contextlib
import functools
import os

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


def _loader(x, y, batch_size, drop_last=False):
    return DataLoader(TensorDataset(x, y), batch_size=batch_size, drop_last=drop_last)


def _flags(model):
    return [p.requires_grad for p in model.parameters()]


def steps(state, batches, lr, momentum, gradients=None, frozen=False):
    """One train_step per batch. `gradients`: what stands in every `.grad` beforehand; `frozen`: the last bias is."""
    net = _network(state)
    net[-1].bias.requires_grad_(not frozen)
    for p in net.parameters():
        p.grad = None if gradients is None else torch.full_like(p, gradients)
    sgd = _Watched([p for p in net.parameters() if p.requires_grad], lr=lr, momentum=momentum)
    losses = [learner.train_step(net, sgd, x, y) for x, y in batches]
    return {"losses": losses, "state": _state(net), "calls": sgd.calls, "flags": _flags(net)}


def epoch(state, x, y, batch_size, lr, momentum, drop_last=False):
    """One train_epoch of a model that somebody left in evaluation mode."""
    net = _network(state).eval()
    sgd = _Watched(net.parameters(), lr=lr, momentum=momentum)
    loss = learner.train_epoch(net, sgd, _loader(x, y, batch_size, drop_last))
    return {"loss": loss, "state": _state(net), "modes": net[-2].modes}


def evaluation(state, x, y, batch_size, norm=False, training=True, drop_last=False, recording=True):
    """One evaluate of a model with a frozen bias and 0.5 in every other gradient.

    `recording`: whether autograd records when it is called.
    """
    net = _network(state, norm).train(training)
    net[-1].bias.requires_grad_(False)
    for p in net.parameters():
        p.grad = torch.full_like(p, 0.5) if p.requires_grad else None
    with torch.set_grad_enabled(recording):
        answer = learner.evaluate(net, _loader(x, y, batch_size, drop_last))
        still = torch.is_grad_enabled()
    witness = net[-2]
    return {
        "answer": answer,
        "modes": witness.modes,
        "recorded": witness.recorded,
        "training": [m.training for m in net.modules()],
        "flags": _flags(net),
        "gradients": [p.grad for p in net.parameters() if p.requires_grad],
        "recording": still,
        "state": _state(net),
    }


def _plain(said):
    """A bool, also of a tensor or an array without dimensions."""
    return said.item() if getattr(said, "ndim", None) == 0 else said


def _normed():
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def stopping(states, losses, **patience):
    """One update for each state of a model and its loss; then restore, train on (to the first state), restore again.

    And once more, into another instance: `elsewhere`.
    """
    model = _normed()
    stopper = learner.EarlyStopping(**patience)
    said = [_plain(stopper.update(loss, _fill(model, state))) for state, loss in zip(states, losses, strict=True)]
    stopper.restore(model)
    once = _state(model)
    _fill(model, states[0])
    stopper.restore(model)
    other = _normed()
    stopper.restore(other)
    return {"said": said, "state": once, "again": _state(model), "elsewhere": _state(other)}


def _folder(i):
    try:
        os.makedirs(f"stopper{i}", exist_ok=True)
    except OSError:  # nobody can keep a file here anyway
        return contextlib.nullcontext()
    return contextlib.chdir(f"stopper{i}")


def two_stoppings(states, losses, patience):
    """Two stoppers with a model each, updated in turns: what each said, and the state that each restored.

    Each works in a folder of its own, like two programs: who keeps the state in a file may always use the same name.
    """
    models, stoppers = [_normed() for _ in losses], [learner.EarlyStopping(patience=patience) for _ in losses]
    said = [[] for _ in losses]
    for step in range(len(losses[0])):
        for i, (model, stopper) in enumerate(zip(models, stoppers, strict=True)):
            with _folder(i):
                said[i].append(_plain(stopper.update(losses[i][step], _fill(model, states[i][step]))))
    for i, (model, stopper) in enumerate(zip(models, stoppers, strict=True)):
        with _folder(i):
            stopper.restore(model)
    return {"said": said, "states": [_state(m) for m in models]}


def _scores(model, x_new):
    if isinstance(model, nn.Module):
        model.eval()
    with torch.no_grad():
        return model(x_new) if callable(model) else model


def fitted(x, y, x_val, y_val, x_new, seed=None, scored=None):
    """Logits of the fitted model for new images, whether it is a Module, and whether its weights are those of the
    lowest or of a later loss.

    Known only where `fit` uses `EarlyStopping`, or `evaluate` on all the validation data: `weights` is "best", "last",
    "other", or "" where it cannot be told. `seed`: of torch's global generator, so that two calls can be compared.

    And to be drawn: `losses`, where they are known, and the scores of the images `scored`.
    """
    if seed is not None:
        torch.manual_seed(seed)
    told, measured, trained = [], [], []
    stopping, evaluate = getattr(learner, "EarlyStopping", None), getattr(learner, "evaluate", None)
    epoch = getattr(learner, "train_epoch", None)
    true = getattr(stopping, "update", None)
    if true is not None:

        @functools.wraps(true)
        def update(self, loss, model, *rest, **more):
            if isinstance(model, nn.Module):
                told.append((float(loss), _state(model)))
            return true(self, loss, model, *rest, **more)

        stopping.update = update
    if evaluate is not None:

        @functools.wraps(evaluate)
        def watched(model, loader, *rest, **more):
            answer = evaluate(model, loader, *rest, **more)
            if isinstance(model, nn.Module) and len(getattr(loader, "dataset", ())) == len(x_val):
                measured.append((float(answer[0]), _state(model)))
            return answer

        learner.evaluate = watched
    if epoch is not None:

        @functools.wraps(epoch)
        def counted(*given, **named):
            loss = epoch(*given, **named)
            with contextlib.suppress(Exception):
                trained.append(float(loss))
            return loss

        learner.train_epoch = counted
    try:
        model = learner.fit(x, y, x_val, y_val)
    finally:
        if epoch is not None:
            learner.train_epoch = epoch
        if true is not None:
            stopping.update = true
        if evaluate is not None:
            learner.evaluate = evaluate
    scores = _scores(model, x_new)
    whose = [_whose(model, diary) for diary in (told, measured)]
    weights = next((w for w in ("last", "other", "best") if w in whose), "")
    seen = {"scores": scores, "module": isinstance(model, nn.Module), "weights": weights}
    if scored is None:
        return seen
    losses = {"training": trained, "validation": [loss for loss, _ in told or measured]}
    return seen | {"losses": losses, "scored": _scores(model, scored)}


def _whose(model, diary):
    if not isinstance(model, nn.Module) or not diary:
        return ""
    mine, lowest = _state(model), min(loss for loss, _ in diary)
    losses = [loss for loss, state in diary if _equal(mine, state)]
    if not losses:
        return ""
    if min(losses) <= lowest + 1e-6 * abs(lowest):
        return "best"
    return "last" if _equal(mine, diary[-1][1]) else "other"


def _equal(a, b):
    return len(a) == len(b) and all(torch.equal(s, t) for s, t in zip(a, b, strict=True))


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
    return [_plain(stopper.update(loss, model)) for loss in losses]
