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


class _Witness(nn.Tanh):
    """A tanh that writes down in which mode it was called."""

    def __init__(self):
        super().__init__()
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        return super().forward(x)


def _network(weights, grad=None):
    """Linear, tanh, linear; with that value in every gradient, if any."""
    inner, outer = (nn.Linear(w.shape[1], w.shape[0]) for w in weights[::2])
    net = nn.Sequential(inner, _Witness(), outer)
    with torch.no_grad():
        for mine, given in zip(net.parameters(), weights, strict=True):
            mine.copy_(given)
            mine.grad = None if grad is None else torch.full_like(mine, grad)
    return net


def _weights(net):
    return [p.detach().clone() for p in net.parameters()]


def gan_steps(g, d, batches, lr_g, lr_d, momentum=0.0, grad=None):
    """One gan_step for each (real, z). `grad`: what lies in every gradient at the beginning."""
    G, D = _network(g, grad), _network(d, grad)
    opt_g = torch.optim.SGD(G.parameters(), lr=lr_g, momentum=momentum)
    opt_d = torch.optim.SGD(D.parameters(), lr=lr_d, momentum=momentum)
    losses = [learner.gan_step(G, D, opt_g, opt_d, real, z) for real, z in batches]
    return {"losses": losses, "G": _weights(G), "D": _weights(D)}


def as_found(g, d, real, z, training):
    """What one gan_step makes of the networks' modes (`training`: G's and D's) and requires_grad flags.

    The first bias of each network comes frozen; its optimiser does not have it.
    `during`: each network's modes while it was called; `after`: of all its modules; `frozen`: the bias still is;
    `tracked`: all others can still be trained.
    """
    nets = _network(g), _network(d)
    for net, mode in zip(nets, training, strict=True):
        net.train(mode)
        net[0].bias.requires_grad_(False)
    others = [[p for p in net.parameters() if p is not net[0].bias] for net in nets]
    learner.gan_step(*nets, *(torch.optim.SGD(params, lr=0.1) for params in others), real, z)
    return {
        "during": [sorted(set(net[1].modes)) for net in nets],
        "after": [sorted({m.training for m in net.modules()}) for net in nets],
        "frozen": [not net[0].bias.requires_grad for net in nets],
        "tracked": [all(p.requires_grad for p in params) for params in others],
    }


def one_weight_each(g, d, real, z):
    """One gan_step of G(z) = g·z and D(x) = d·x with learning rate 1."""
    G, D = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        G.weight.fill_(g)
        D.weight.fill_(d)
    opt_g, opt_d = torch.optim.SGD(G.parameters(), lr=1.0), torch.optim.SGD(D.parameters(), lr=1.0)
    losses = learner.gan_step(G, D, opt_g, opt_d, torch.tensor([[real]]), torch.tensor([[z]]))
    return {"losses": losses, "g": G.weight.item(), "d": D.weight.item()}


def twenty_steps(g, d, real, z):
    """As above with learning rate 0.8, step after step: g and d before the first and after each.   -> (21, 2)"""
    G, D = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        G.weight.fill_(g)
        D.weight.fill_(d)
    opt_g, opt_d = torch.optim.SGD(G.parameters(), lr=0.8), torch.optim.SGD(D.parameters(), lr=0.8)
    way = [[G.weight.item(), D.weight.item()]]
    for _ in range(20):
        learner.gan_step(G, D, opt_g, opt_d, torch.tensor([[real]]), torch.tensor([[z]]))
        way.append([G.weight.item(), D.weight.item()])
    return torch.tensor(way)
