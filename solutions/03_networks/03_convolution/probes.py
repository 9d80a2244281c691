"""Beside the learner's file: calls functions where autograd records, notes which operations they use, fills modules."""

import learner
import torch
from torch.utils._python_dispatch import TorchDispatchMode


def gradients(name, inputs, v, **options):
    """The gradients of sum(v · learner's function) with respect to each of the inputs."""
    leaves = [t.detach().requires_grad_() for t in inputs]
    getattr(learner, name)(*leaves, **options).backward(v)
    return [t.grad for t in leaves]


class _Diary(TorchDispatchMode):
    """Writes down what torch is asked to compute, whatever name the caller used for it."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.add(func.name().split("::")[1].split(".")[0])
        return func(*args, **(kwargs or {}))


def operations(name, *args, **options):
    """The names of torch's operations that this function of the learner's uses."""
    diary = _Diary()
    with diary:
        getattr(learner, name)(*args, **options)
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


def lenet(sizes, weights, x):
    """The output of a `LeNet` with these weights."""
    model = learner.LeNet(*sizes)
    _fill(model, weights)
    return (getattr(model, "double", lambda: model)() if x.dtype == torch.float64 else model)(x)


def anatomy(options, x):
    """How many numbers a fresh `LeNet` learns, and how many of them one backward pass leaves without a gradient."""
    model = learner.LeNet(**options)
    out = model(x)
    if isinstance(out, torch.Tensor) and out.requires_grad:
        out.square().sum().backward()
    parameters = list(getattr(model, "parameters", list)())
    return {
        "count": sum(p.numel() for p in parameters),
        "idle": sum(p.numel() for p in parameters if p.grad is None),
    }
