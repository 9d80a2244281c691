"""Fails: 3. Fills the caller's own dictionary."""

import torch


def describe(t):
    return {
        "shape": tuple(t.shape),
        "ndim": t.ndim,
        "numel": t.numel(),
        "dtype": str(t.dtype),
        "device": str(t.device),
        "contiguous": t.is_contiguous(),
        "bytes": t.nbytes,
    }


def pick_device():
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def prepare(batch, device):
    for k, t in batch.items():
        batch[k] = t.to(device, torch.float32 if t.is_floating_point() else t.dtype)
    return batch


def weights(rows, cols, seed, std=0.1):
    return std * torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed))


def repeatable(experiment, seed):
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    result = experiment()
    torch.set_rng_state(state)
    return result
