"""Beside the learner's file: gives modules the judge's weights, takes gradients, and writes down what it sees."""

import learner
import torch
from torch import nn


def _fill(model, weights):
    """Parameters of these names and shapes take these values."""
    with torch.no_grad():
        for name, p in _named(model).items():
            if name in weights and p.shape == weights[name].shape:
                p.copy_(weights[name])
    return model


def _named(model):
    return dict(model.named_parameters()) if isinstance(model, nn.Module) else {}


def _backward(out, upstream, leaves):
    """What `leaves` got from sum(upstream · out); zeros where nothing reached them."""
    followed = isinstance(out, torch.Tensor) and out.requires_grad
    if followed and out.shape == upstream.shape:
        (out * upstream).sum().backward()
    gradients = [torch.zeros_like(t) if t.grad is None else t.grad for t in leaves]
    return {"out": out, "followed": followed, "gradients": gradients}


def gradients(name, upstream, tensors, *rest):
    """Of that function with respect to these tensors."""
    leaves = [t.detach().requires_grad_() for t in tensors]
    return _backward(getattr(learner, name)(*leaves, *rest), upstream, leaves)


def _heads(dim, heads, weights, dtype):
    return _fill(learner.MultiHeadAttention(dim, heads).to(dtype), weights)


def heads(dim, heads, weights, x, *more, **named):
    """The output of a `MultiHeadAttention` with these weights."""
    return _heads(dim, heads, weights, x.dtype)(x, *more, **named)


def heads_gradients(dim, heads, weights, upstream, x, mask):
    """Of its parameters, by name, and of x."""
    model, x = _heads(dim, heads, weights, x.dtype), x.detach().requires_grad_()
    named = _named(model)
    seen = _backward(model(x, mask=mask), upstream, [*named.values(), x])
    *of_parameters, of_x = seen.pop("gradients")
    return seen | {"parameters": dict(zip(named, of_parameters)), "x": of_x}


def heads_anatomy(dim, heads):
    """Its parameters' names and shapes."""
    return {name: list(p.shape) for name, p in _named(learner.MultiHeadAttention(dim, heads)).items()}


def converted(dim, heads, weights, x):
    """What `from_torch` makes of a module with these weights: its parameters, its output, and what is tied to what."""
    theirs = _fill(nn.MultiheadAttention(dim, heads), weights)
    ours = learner.from_torch(theirs)
    named = _named(ours)
    seen = {
        "weights": {name: p.detach().clone() for name, p in named.items()},
        "out": ours(x),
        "trainable": all(p.requires_grad for p in named.values()),
    }
    with torch.no_grad():
        for p in named.values():
            p += 1  # as a step of training would
    return seen | {"theirs": {name: p.detach() for name, p in theirs.named_parameters()}}
