"""Beside the learner's file: builds modules, gives them the judge's weights, and writes down what they do."""

import learner
import torch
from torch import nn


def _state(model):
    return list(getattr(model, "state_dict", dict)().values())


def _parameters(model):
    return list(getattr(model, "parameters", list)())


def _fill(model, weights):
    """Each of the model's tensors, in order, takes the first weight left of its shape (or of its shape transposed)."""
    left = list(weights)
    with torch.no_grad():
        for tensor in _state(model):
            for turn in (lambda w: w, lambda w: w.T if w.ndim == 2 else w):
                i = next((i for i, w in enumerate(left) if turn(w).shape == tensor.shape), None)
                if i is not None:
                    tensor.copy_(turn(left.pop(i)))
                    break


def _double(model):
    return getattr(model, "double", lambda: model)()


def _run(model, weights, x):
    _fill(model, weights)
    return (_double(model) if x.dtype == torch.float64 else model)(x)


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


def digits_anatomy(x):
    """Of a fresh `Digits`."""
    return _anatomy(learner.Digits(), x)


def tower(sizes, weights, x):
    """The output of a `Tower` with these weights."""
    return _run(learner.Tower(*sizes), weights, x)


def tower_anatomy(sizes, x):
    """Of a fresh `Tower`."""
    return _anatomy(learner.Tower(*sizes), x)


def _centre(size, momentum):
    return learner.Centre(size) if momentum is None else learner.Centre(size, momentum=momentum)


def _mean(centre):
    mean = getattr(centre, "mean", None)
    return mean.detach().clone() if isinstance(mean, torch.Tensor) else None


def centre(size, momentum, batches, modes):
    """Outputs and means, batch by batch; a mode is True for training."""
    model = _centre(size, momentum)
    if any(b.dtype == torch.float64 for b in batches):
        model.double()
    outputs, means = [], []
    for batch, mode in zip(batches, modes):
        model.train(mode)
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


def count(tokens, width, tied, frozen):
    """What `count_parameters` says of an embedding, a batch norm and an output layer."""
    embedding, norm, out = nn.Embedding(tokens, width), nn.BatchNorm1d(width), nn.Linear(width, tokens)
    if tied:
        out.weight = embedding.weight
    if frozen:
        norm.requires_grad_(False)
    return learner.count_parameters(nn.Sequential(embedding, norm, out))


class _Watched(nn.Sequential):
    """Writes down, at every call, whether it was in training mode."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.modes = []
        self.register_forward_hook(lambda module, *_: self.modes.append(module.training))


def predict(weights, x, training):
    """Probabilities from a network with dropout, the modes it was called in, and the mode it was left in."""
    (a, b), (c, _) = weights[0].shape[::-1], weights[2].shape
    model = _Watched(nn.Linear(a, b), nn.ReLU(), nn.Dropout(0.4), nn.Linear(b, c))
    _fill(model, weights)
    model.train(training)
    probabilities = learner.predict(model, x)
    return {"probabilities": probabilities, "modes": model.modes, "left": [m.training for m in model.modules()]}


def fit(weights, x, y, lr, steps):
    """Losses and weights of one linear layer, and the modes it was called in; it comes in evaluation mode."""
    classes, size = weights[0].shape
    model = _Watched(nn.Linear(size, classes))
    _fill(model, weights)
    losses = learner.fit(model.eval(), x, y, lr, steps)
    return {"losses": losses, "weights": [p.detach() for p in model.parameters()], "modes": model.modes}


def fit_digits(x, y, lr, steps):
    """The losses of a fresh `Digits`."""
    return learner.fit(learner.Digits(), x, y, lr, steps)
