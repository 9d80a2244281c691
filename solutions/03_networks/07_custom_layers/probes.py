"""Beside the learner's file: gives modules the judge's weights, takes gradients, and writes down what it sees."""

import learner
import torch
from torch import nn


def _named(model):
    return dict(model.named_parameters()) if isinstance(model, nn.Module) else {}


def _fill(model, weights):
    """Parameters of these names and shapes take these values, and the module their dtype."""
    with torch.no_grad():
        if isinstance(model, nn.Module):
            model.to(next(iter(weights.values())).dtype)
        for name, p in _named(model).items():
            if name in weights and p.shape == weights[name].shape:
                p.copy_(weights[name])
    return model


def _backward(out, upstream, leaves):
    """What the leaves got from sum(upstream · out); zeros where nothing reached them."""
    followed = isinstance(out, torch.Tensor) and out.requires_grad
    if followed and out.shape == upstream.shape:
        (out * upstream).sum().backward()
    gradients = {name: torch.zeros_like(t) if t.grad is None else t.grad for name, t in leaves.items()}
    return {"out": out, "followed": followed, "gradients": gradients}


def _rms(dim, eps):
    return learner.RMSNorm(dim) if eps is None else learner.RMSNorm(dim, eps)


def rms(weights, x, eps=None):
    """The output of an `RMSNorm`."""
    return _fill(_rms(x.shape[-1], eps), weights)(x)


def rms_gradients(weights, x, eps, upstream):
    """With respect to its parameters and x."""
    model, x = _fill(_rms(x.shape[-1], eps), weights), x.detach().requires_grad_()
    return _backward(model(x), upstream, _named(model) | {"x": x})


def rms_fresh(dim):
    """The parameters of a new one."""
    return {name: p.detach() for name, p in _named(learner.RMSNorm(dim)).items()}


def masked(mask, weights, x):
    """The output of a `MaskedLinear`."""
    return _fill(learner.MaskedLinear(mask), weights)(x)


def masked_gradients(mask, weights, x, upstream):
    """With respect to its parameters and x."""
    model, x = _fill(learner.MaskedLinear(mask), weights), x.detach().requires_grad_()
    return _backward(model(x), upstream, _named(model) | {"x": x})


def masked_fresh(mask):
    """The parameters of a new one, and what becomes of its mask."""
    model = learner.MaskedLinear(mask)
    saved = "mask" in model.state_dict()
    seen = {"parameters": {name: p.detach().clone() for name, p in _named(model).items()}, "saved": saved}
    device = getattr(getattr(model.to("meta"), "mask", None), "device", None)
    return seen | {"moved": getattr(device, "type", "") == "meta"}


def masked_trained(mask, x):
    """Weights and output of a new one, before and after three steps in which every weight is pushed."""
    model = learner.MaskedLinear(mask)
    named = _named(model)
    seen = [{name: p.detach().clone() for name, p in named.items()}]
    for _ in range(3):
        model(x)
        with torch.no_grad():
            for p in named.values():
                p += 1
    out = model(x)
    return {"before": seen[0], "after": {name: p.detach() for name, p in named.items()}, "out": out}


def gradients(name, upstream, tensors, *rest):
    """Of that function with respect to these tensors."""
    leaves = {str(i): t.detach().requires_grad_() for i, t in enumerate(tensors)}
    seen = _backward(getattr(learner, name)(*leaves.values(), *rest), upstream, leaves)
    return seen | {"gradients": list(seen["gradients"].values())}
