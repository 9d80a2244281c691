"""Fails: 1. Takes every number for a float32."""

import torch


def describe(t):
    return {
        "shape": tuple(t.shape),
        "ndim": t.ndim,
        "numel": t.numel(),
        "dtype": str(t.dtype),
        "device": str(t.device),
        "contiguous": t.is_contiguous(),
        "bytes": 4 * t.numel(),
    }


def pick_device():
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def prepare(batch, device):
    return {k: t.to(device, torch.float32 if t.is_floating_point() else t.dtype) for k, t in batch.items()}


def weights(rows, cols, seed, std=0.1):
    return std * torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed))


def repeatable(experiment, seed):
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    result = experiment()
    torch.set_rng_state(state)
    return result
