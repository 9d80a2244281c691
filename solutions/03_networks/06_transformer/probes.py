"""Beside the learner's file: gives modules the judge's weights and writes down what they do."""

import learner
import torch
from torch import nn


def _named(model):
    return dict(model.named_parameters()) if isinstance(model, nn.Module) else {}


def _fill(model, weights):
    """Parameters of these names and shapes take these values, and the module their dtype."""
    if weights and isinstance(model, nn.Module):
        model.to(next(iter(weights.values())).dtype)
    with torch.no_grad():
        for name, p in _named(model).items():
            if name in weights and p.shape == weights[name].shape:
                p.copy_(weights[name])
    return model


def _shapes(model):
    return {name: list(p.shape) for name, p in _named(model).items()}


def embed(sizes, weights, tokens):
    """The output of an `Embed`."""
    return _fill(learner.Embed(*sizes), weights)(tokens)


def embed_anatomy(sizes):
    """Its parameters, and whether all of it moves to another device."""
    model = learner.Embed(*sizes)
    shapes = _shapes(model)
    try:
        moved = model.to("meta")(torch.zeros(1, 2, dtype=torch.int64, device="meta")).device.type == "meta"
    except (RuntimeError, AttributeError):
        moved = False
    return {"shapes": shapes, "moved": moved}


def block(sizes, weights, x, mask=None):
    """The output of a `Block` in evaluation mode, twice; without the mask where none is given."""
    model = _fill(learner.Block(*sizes, dropout=0.4), weights).eval()
    given = () if mask is None else (mask,)
    return [model(x, *given) for _ in range(2)]


def block_shapes(sizes):
    """Of its parameters."""
    return _shapes(learner.Block(*sizes))


def block_training(sizes, weights, x, dropout=None):
    """The output in training mode."""
    model = learner.Block(*sizes) if dropout is None else learner.Block(*sizes, dropout)
    return _fill(model, weights).train()(x)


def decoder(sizes, weights, tokens):
    """Logits in evaluation mode."""
    return _fill(learner.Decoder(*sizes, dropout=0.3), weights).eval()(tokens)


def decoder_anatomy(sizes, tokens):
    """Its parameters, and in how many of them a backward pass leaves no gradient."""
    model = learner.Decoder(*sizes)
    out = model(tokens)
    if isinstance(out, torch.Tensor) and out.requires_grad:
        out.square().sum().backward()
    return {"shapes": _shapes(model), "idle": sum(p.grad is None for p in _named(model).values())}


def decoder_training(sizes, weights, tokens, dropout=None):
    """Logits in training mode."""
    model = learner.Decoder(*sizes) if dropout is None else learner.Decoder(*sizes, dropout=dropout)
    return _fill(model, weights).train()(tokens)


def loss_gradient(logits, tokens):
    """Of `next_token_loss` with respect to the logits."""
    logits = logits.detach().requires_grad_()
    loss = learner.next_token_loss(logits, tokens)
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.numel() == 1:
        loss.backward()
    return torch.zeros_like(logits) if logits.grad is None else logits.grad
