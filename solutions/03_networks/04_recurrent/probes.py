"""Beside the learner's file: gradients, torch's functions that were called, and modules with the judge's weights."""

import learner
import torch
from torch import nn
from torch.overrides import TorchFunctionMode


def gradients(name, inputs, more, v):
    """The gradients of sum(v · learner's function(*inputs, *more)); v has one tensor for each value returned."""
    leaves = [t.detach().requires_grad_() for t in inputs]
    values = getattr(learner, name)(*leaves, *more)
    values = values if isinstance(values, tuple | list) else (values,)
    sum((a * b).sum() for a, b in zip(values, v, strict=True)).backward()
    return [t.grad for t in leaves]


class _Diary(TorchFunctionMode):
    """Writes down which of torch's functions are called."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen.add(str(getattr(func, "__name__", "")))
        return func(*args, **(kwargs or {}))


def functions(name, *args):
    """The names of torch's functions that this function of the learner's calls."""
    diary = _Diary()
    with diary:
        getattr(learner, name)(*args)
    return sorted(diary.seen)


def _fill(model, weights):
    """Each of the model's tensors, in order, takes the first weight left of its shape (or of its shape transposed)."""
    left = list(weights)
    with torch.no_grad():
        for tensor in getattr(model, "state_dict", dict)().values():
            for turn in (lambda w: w, lambda w: w.T if w.ndim == 2 else w):
                i = next((i for i, w in enumerate(left) if turn(w).shape == tensor.shape), None)
                if i is not None:
                    tensor.copy_(turn(left.pop(i)))
                    break


def fit(weights, x, y, lr, chunk):
    """Losses and final weights of an RNN layer that is trained in pieces."""
    hidden, size = weights[0].shape
    model = nn.RNN(size, hidden, batch_first=True, dtype=x.dtype)
    _fill(model, weights)
    losses = learner.fit_in_chunks(model, x, y, lr, chunk)
    return {"losses": losses, "weights": [p.detach() for p in model.parameters()]}


def classifier(sizes, weights, x, lengths, double=False):
    """The output of a `Classifier` with these weights."""
    model = learner.Classifier(*sizes)
    _fill(model, weights)
    return (getattr(model, "double", lambda: model)() if double else model)(x, lengths)


def anatomy(sizes, x, lengths):
    """How many numbers a fresh `Classifier` learns, and how many of them get no gradient from one backward pass."""
    model = learner.Classifier(*sizes)
    out = model(x, lengths)
    if isinstance(out, torch.Tensor) and out.requires_grad:
        out.square().sum().backward()
    parameters = list(getattr(model, "parameters", list)())
    return {
        "count": sum(p.numel() for p in parameters),
        "idle": sum(p.numel() for p in parameters if p.grad is None),
    }
