"""Fails: 3. The wrapper is made and then passed by: everyone starts alike, and nothing is exchanged."""

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data.distributed import DistributedSampler


def average_gradients(model):
    for p in model.parameters():
        if p.grad is not None:
            dist.all_reduce(p.grad)
            p.grad /= dist.get_world_size()


def shard(n, epoch, seed=0):
    sampler = DistributedSampler(range(n), shuffle=True, seed=seed)
    sampler.set_epoch(epoch)
    return list(sampler)


def train(model, batches, lr):
    ddp = DistributedDataParallel(model)
    sgd = torch.optim.SGD(ddp.parameters(), lr=lr)
    losses = []
    for x, y in batches:
        loss = nn.functional.mse_loss(model(x), y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        everyones = loss.detach()
        dist.all_reduce(everyones)
        losses.append(everyones.item() / dist.get_world_size())
    return losses


def save_checkpoint(model, path):
    if dist.get_rank() == 0:
        plain = model.module if isinstance(model, DistributedDataParallel) else model
        torch.save(plain.state_dict(), path)
    dist.barrier()
