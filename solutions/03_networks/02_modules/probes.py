"""Beside the learner's file: builds modules, gives them the judge's weights, and writes down what they do."""

import learner
import torch
from torch import nn


def _state(model):
    return list(getattr(model, "state_dict", dict)().values())


def _parameters(model):
    return list(getattr(model, "parameters", list)())


def _take(shape, left):
    """The first weight left of that shape, or of its transpose, or a stack of such; None if there is none."""
    for turn in (lambda w: w, lambda w: w.T if w.ndim == 2 else w):
        for i, w in enumerate(left):
            if turn(w).shape == shape:
                return turn(left.pop(i))
    if len(shape) < 2 or shape[0] == 0:
        return None
    trial = list(left)
    parts = [_take(shape[1:], trial) for _ in range(shape[0])]
    if any(p is None for p in parts):
        return None
    left[:] = trial
    return torch.stack(parts)


def _fill(model, weights):
    """Each of the model's tensors, in order, takes the first weight left that fits."""
    left = list(weights)
    with torch.no_grad():
        for tensor in _state(model):
            weight = _take(tensor.shape, left)
            if weight is not None:
                tensor.copy_(weight)


def _double(model):
    return getattr(model, "double", lambda: model)()


def _ready(model, weights, x):
    """The model with these weights, in the dtype of x."""
    if any(nn.parameter.is_lazy(t) for t in _state(model)):
        with torch.no_grad():
            model(x.float())  # lazy layers get their shapes
    _fill(model, weights)
    return _double(model) if x.dtype == torch.float64 else model


def _run(model, weights, x):
    return _ready(model, weights, x)(x)


def _in_both_modes(model, weights, x):
    """The outputs of one model in training mode and in evaluation mode."""
    model = _ready(model, weights, x)
    return [getattr(model, "train", lambda mode: model)(mode)(x) for mode in (True, False)]


def _anatomy(model, x):
    """How many numbers the parameters hold, and in how many of them one backward pass leaves no gradient."""
    out = model(x)
    if isinstance(out, torch.Tensor) and out.requires_grad:
        out.square().sum().backward()
    parameters = _parameters(model)
    return {
        "count": sum(p.numel() for p in parameters),
        "idle": sum(p.numel() for p in parameters if p.grad is None),
    }


def digits(weights, x):
    """The output of a `Digits` with these weights."""
    return _run(learner.Digits(), weights, x)


def digits_in_both_modes(weights, x):
    """The outputs of a `Digits` with these weights, training and evaluating."""
    return _in_both_modes(learner.Digits(), weights, x)


def digits_anatomy(x):
    """Of a fresh `Digits`."""
    return _anatomy(learner.Digits(), x)


def block(width, hidden, weights, x):
    """The outputs of a single `Block` with these weights, training and evaluating."""
    return _in_both_modes(learner.Block(width, hidden), weights, x)


def tower(sizes, weights, x):
    """The output of a `Tower` with these weights."""
    return _run(learner.Tower(*sizes), weights, x)


def tower_in_both_modes(sizes, weights, x):
    """The outputs of a `Tower` with these weights, training and evaluating."""
    return _in_both_modes(learner.Tower(*sizes), weights, x)


def tower_parameters(sizes, x):
    """How many numbers the parameters of a fresh `Tower` hold, once it has seen x."""
    model = learner.Tower(*sizes)
    with torch.no_grad():
        model(x)  # lazy layers get their shapes
    return sum(p.numel() for p in _parameters(model))


def tower_anatomy(sizes, x):
    """Of a fresh `Tower`."""
    return _anatomy(learner.Tower(*sizes), x)


def _centre(size, momentum):
    return learner.Centre(size) if momentum is None else learner.Centre(size, momentum=momentum)


def _mean(centre):
    mean = getattr(centre, "mean", None)
    return mean.detach().clone() if isinstance(mean, torch.Tensor) else None


def centre(size, momentum, batches, modes, recording=True):
    """Outputs and means, batch by batch; a mode is True for training. `recording`: of autograd."""
    model = _centre(size, momentum)
    if any(b.dtype == torch.float64 for b in batches):
        model.double()
    outputs, means = [], []
    for batch, mode in zip(batches, modes):
        model.train(mode)
        with torch.set_grad_enabled(recording):
            outputs.append(model(batch))
        means.append(_mean(model))
    return {"outputs": outputs, "means": means}


def centre_anatomy(size):
    """Where the mean of a fresh `Centre` is kept, and whether it goes along."""
    model = _centre(size, None)
    seen = {"saved": "mean" in model.state_dict(), "parameters": sum(p.numel() for p in _parameters(model))}
    mean = getattr(model.to(torch.float64), "mean", None)
    seen["dtype"] = str(getattr(mean, "dtype", None))
    mean = getattr(model.to("meta"), "mean", None)
    seen["device"] = str(getattr(mean, "device", None))
    return seen


def centre_loaded(mean, x):
    """The output, in evaluation mode, of a `Centre` whose state was loaded."""
    model = _centre(len(mean), None)
    model.load_state_dict({"mean": mean}, strict=False)
    return model.eval()(x)


def centre_gradient(size, x, v):
    """The gradient of sum(v · output) with respect to x in training mode, twice in a row."""
    model = _centre(size, 0.4)
    gradients = []
    for _ in range(2):
        leaf = x.clone().requires_grad_()
        (model(leaf) * v).sum().backward()
        gradients.append(leaf.grad)
    return {"gradients": gradients, "graph": getattr(getattr(model, "mean", None), "grad_fn", None) is not None}


class _Scaled(nn.Module):
    """A module with a parameter of its own, that is called neither weight nor bias."""

    def __init__(self, inner, size):
        super().__init__()
        self.inner, self.scale = inner, nn.Parameter(torch.ones(size))

    def forward(self, x):
        return self.inner(x) * self.scale


def count(tokens, width, tied, frozen, nested=False):
    """What `count_parameters` says of an embedding, a batch norm and an output layer.

    `nested`: the batch norm sits three modules deep, in one that has `width` parameters of its own.
    """
    embedding, norm, out = nn.Embedding(tokens, width), nn.BatchNorm1d(width), nn.Linear(width, tokens)
    if tied:
        out.weight = embedding.weight
    middle = _Scaled(norm, width) if nested else norm
    if frozen:
        middle.requires_grad_(False)
    layers = [nn.Sequential(embedding, middle), out] if nested else [embedding, middle, out]
    return learner.count_parameters(nn.Sequential(*layers))


class _Watched(nn.Sequential):
    """Writes down, at every call, whether it was in training mode and whether autograd recorded it."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.modes, self.recorded = [], []
        self.register_forward_hook(lambda module, _, out: self._note(module.training, out.requires_grad))

    def _note(self, mode, recorded):
        self.modes.append(mode)
        self.recorded.append(recorded)


def predict(weights, x, training, recording=True):
    """Probabilities from a network with dropout, how it was called, and the modes in which it and autograd were left.

    Its last bias is frozen; `flags`: which parameters are trainable afterwards.
    `recording`: whether autograd records when `predict` is called.
    """
    (a, b), (c, _) = weights[0].shape[::-1], weights[2].shape
    model = _Watched(nn.Linear(a, b), nn.ReLU(), nn.Dropout(0.4), nn.Linear(b, c))
    _fill(model, weights)
    model[-1].bias.requires_grad_(False)
    model.train(training)
    with torch.set_grad_enabled(recording):
        probabilities = learner.predict(model, x)
        still = torch.is_grad_enabled()
    return {
        "probabilities": probabilities,
        "modes": model.modes,
        "recorded": model.recorded,
        "left": [m.training for m in model.modules()],
        "recording": still,
        "flags": [p.requires_grad for p in model.parameters()],
    }


def _losses(found):
    """A list, also of a tensor or an array with one number a step."""
    return found.tolist() if getattr(found, "ndim", 0) == 1 else found


def fit(weights, x, y, lr, steps, gradients=None, frozen=False):
    """Losses and weights of one linear layer, and the modes it was called in; it comes in evaluation mode.

    `gradients`: what stands in every `.grad` beforehand; `frozen`: its bias is.
    """
    classes, size = weights[0].shape
    model = _Watched(nn.Linear(size, classes))
    _ready(model, weights, x)
    for p in model.parameters():
        p.grad = None if gradients is None else torch.full_like(p, gradients)
    model[0].bias.requires_grad_(not frozen)
    found = learner.fit(model.eval(), x, y, lr, steps)
    each = found if isinstance(found, list | tuple) else [found]
    return {
        "losses": _losses(found),
        "graphs": any(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in each),
        "weights": [p.detach() for p in model.parameters()],
        "modes": model.modes,
        "flags": [p.requires_grad for p in model.parameters()],
    }


def fit_digits(x, y, lr, steps):
    """The losses of a fresh `Digits`."""
    return _losses(learner.fit(learner.Digits(), x, y, lr, steps))
