"""Beside the learner's file: other computers, other devices and the global generator, none of which crosses."""

from contextlib import ExitStack
from unittest import mock

import learner
import torch


def _pretend(stack, kind):
    """Until the stack closes, torch says that this kind of device is available ("cpu": that none is).

    All ways to ask are answered, also those that a file imported by name before: they ask `torch._C` in the end. What
    PyTorch was *built* for is CUDA, as on most computers, or MPS on a Mac.
    """
    cuda, mps = int(kind == "cuda"), kind == "mps"
    built = torch.device("mps" if mps else "cuda")
    torch.backends.mps.is_available.cache_clear()
    for target, name, answer in (
        (torch._C, "_cuda_getDeviceCount", cuda),
        (torch._C, "_mps_is_available", mps),
        (torch._C, "_accelerator_getAccelerator", built),
        (torch.cuda, "is_available", bool(cuda)),
        (torch.cuda, "device_count", cuda),
        (torch.cuda, "_device_count_nvml", cuda),
        (torch.backends.mps, "is_available", mps),
        (torch.mps, "is_available", mps),
        (torch.mps, "device_count", int(mps)),
        (torch.accelerator, "is_available", kind != "cpu"),
        (torch.accelerator, "device_count", int(kind != "cpu")),
    ):
        stack.enter_context(mock.patch.object(target, name, lambda *_, _answer=answer: _answer, create=True))


def pick_device(kind):
    """What `pick_device` answers on a computer with such a device: its type, and whether it is a torch.device."""
    original = torch.backends.mps.is_available
    with ExitStack() as stack:
        _pretend(stack, kind)
        device = learner.pick_device()
    original.cache_clear()
    return {"type": str(device).partition(":")[0], "is_device": isinstance(device, torch.device)}


def describe_on(device, shape, dtype):
    """The learner's description of a tensor on that device."""
    return learner.describe(torch.empty(shape, device=device, dtype=getattr(torch, dtype)))


def prepare(batch, device):
    """The batch prepared for that device."""
    return learner.prepare(batch, torch.device(device))


def prepare_far(batch):
    """The same for the meta device: device, dtype and shape of each tensor, which has no numbers there."""
    ready = learner.prepare(batch, torch.device("meta"))
    if not isinstance(ready, dict):
        return ready
    tensors = {name: t for name, t in ready.items() if isinstance(t, torch.Tensor)}
    return {name: [str(t.device), str(t.dtype), tuple(t.shape)] for name, t in tensors.items()}


def weights_twice(rows, cols, seed, between):
    """Two calls with one seed; in between, others use the global generator."""
    first = learner.weights(rows, cols, seed)
    torch.manual_seed(between)
    torch.rand(between % 7 + 1)
    return [first, learner.weights(rows, cols, seed)]


def next_after_weights(before, seed):
    """What the global generator, seeded before and used a little, gives next after a call."""
    torch.manual_seed(before)
    torch.rand(3)
    learner.weights(5, 4, seed)
    return torch.rand(6)


def repeatable(before, seed):
    """What an experiment returned, how often it ran, and what the global generator gave next."""
    torch.manual_seed(before)
    torch.rand(3)
    runs = []

    def experiment():
        runs.append(torch.randn(5))
        return runs[-1]

    result = learner.repeatable(experiment, seed)
    return {"result": result, "runs": len(runs), "next": torch.rand(6)}
