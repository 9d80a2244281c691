"""Runs the learner's code in two processes that talk over the loopback interface: rank 0 is this one, rank 1 a fork."""

import contextlib
import datetime
import os
import tempfile
import time

import learner
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


def _net(weights):
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    net.load_state_dict(dict(zip(net.state_dict(), weights)))
    return net


def _weights(net):
    return [v.detach().clone() for v in net.state_dict().values()]


def _in_pair(work):
    """[work(0), work(1)], each in a process of its own with a group of two."""
    folder = tempfile.mkdtemp()
    pid = os.fork()
    rank = 0 if pid else 1
    try:
        limit = datetime.timedelta(seconds=8)
        dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2, timeout=limit)
        dist.barrier()  # both have met before either can leave
        mine = work(rank)
        with contextlib.suppress(RuntimeError):  # the other one failed: its part is missing, that is all
            dist.barrier()
        if not pid:
            torch.save(mine, f"{folder}/new")
            os.rename(f"{folder}/new", f"{folder}/other")
    finally:
        if not pid:
            os._exit(0)
        if dist.is_initialized():
            dist.destroy_process_group()
    os.waitpid(pid, 0)
    other = f"{folder}/other"
    return [mine, torch.load(other, weights_only=False) if os.path.exists(other) else None]


def averaged(weights, xs, frozen):
    """Gradients of sum(net(x)) in both processes after average_gradients; `frozen` parameters have none."""

    def work(rank):
        net = _net(weights)
        for p in list(net.parameters())[:frozen]:
            p.requires_grad_(False)
        net(xs[rank]).sum().backward()
        learner.average_gradients(net)
        return {"grads": [p.grad for p in net.parameters()][frozen:], "weights": _weights(net)}

    return _in_pair(work)


def shards(n, epochs, seed):
    """What shard gives in both processes for these epochs; a seed of None leaves the default."""
    more = () if seed is None else (seed,)
    return _in_pair(lambda rank: [[int(i) for i in learner.shard(n, e, *more)] for e in epochs])


def trained(weights, batches, lr):
    """Losses and weights of both processes, which start from different weights."""

    def work(rank):
        net = _net(weights[rank])
        losses = learner.train(net, batches[rank], lr)
        return {"losses": losses, "weights": _weights(net)}

    return _in_pair(work)


def saved(weights, wrapped, late):
    """What lies on disk after save_checkpoint, as each process sees it when its call returns.

    Each has a path of its own, to show who wrote. `late`: rank 0 begins only when rank 1 is back, or `late` seconds
    later because rank 1 rightly waits.
    """
    folder = tempfile.mkdtemp()
    paths = [f"{folder}/rank0.pt", f"{folder}/rank1.pt"]

    def work(rank):
        net = _net(weights)
        net = DistributedDataParallel(net) if wrapped else net
        if rank == 0:
            until = time.monotonic() + late
            while time.monotonic() < until and not os.path.exists(f"{folder}/gone"):
                time.sleep(0.01)
        learner.save_checkpoint(net, paths[rank])
        there = os.path.exists(paths[0])
        open(f"{folder}/gone", "w").close()
        return there

    there = _in_pair(work)
    state = torch.load(paths[0]) if os.path.exists(paths[0]) else None
    plain = isinstance(state, dict)
    return {
        "complete": there,
        "written": [os.path.exists(p) for p in paths],
        "keys": list(state) if plain else [],
        "weights": [v.detach() for v in state.values() if isinstance(v, torch.Tensor)] if plain else [],
    }
