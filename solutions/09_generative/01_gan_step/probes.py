"""Runs in the cell beside the learner's file: builds networks that carry the judge's weights, and watches."""

import learner
import torch
from torch import nn


def gradients(name, upstream, *logits):
    """A loss of the learner's, and the gradients of `upstream` times it with respect to the logits."""
    logits = [t.clone().requires_grad_() for t in logits]
    loss = getattr(learner, name)(*logits)
    grads = None
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        found = torch.autograd.grad(loss, logits, torch.full_like(loss, upstream), allow_unused=True)
        grads = list(found)
    return {"loss": loss, "grads": grads}


def _network(weights):
    """Linear, tanh, linear."""
    inner, outer = (nn.Linear(w.shape[1], w.shape[0]) for w in weights[::2])
    net = nn.Sequential(inner, nn.Tanh(), outer)
    with torch.no_grad():
        for mine, given in zip(net.parameters(), weights, strict=True):
            mine.copy_(given)
    return net


def _weights(net):
    return [p.detach().clone() for p in net.parameters()]


def gan_steps(g, d, batches, lr_g, lr_d):
    """One gan_step for each (real, z)."""
    G, D = _network(g), _network(d)
    opt_g, opt_d = torch.optim.SGD(G.parameters(), lr=lr_g), torch.optim.SGD(D.parameters(), lr=lr_d)
    losses = [learner.gan_step(G, D, opt_g, opt_d, real, z) for real, z in batches]
    return {"losses": losses, "G": _weights(G), "D": _weights(D)}


def one_weight_each(g, d, real, z):
    """One gan_step of G(z) = g·z and D(x) = d·x with learning rate 1."""
    G, D = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        G.weight.fill_(g)
        D.weight.fill_(d)
    opt_g, opt_d = torch.optim.SGD(G.parameters(), lr=1.0), torch.optim.SGD(D.parameters(), lr=1.0)
    losses = learner.gan_step(G, D, opt_g, opt_d, torch.tensor([[real]]), torch.tensor([[z]]))
    return {"losses": losses, "g": G.weight.item(), "d": D.weight.item()}
