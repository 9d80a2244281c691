"""Fails: 4. Half of the numbers are the others with the sign reversed (antithetic), and far from them."""

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
    return {k: t.to(device, torch.float32 if t.is_floating_point() else t.dtype) for k, t in batch.items()}


def weights(rows, cols, seed, std=0.1):
    generator = torch.Generator()
    generator.manual_seed(seed)
    n = rows * cols
    half = std * torch.randn((n + 1) // 2, generator=generator)
    return torch.cat([half, -half.flip(0)])[:n].reshape(rows, cols)


def repeatable(experiment, seed):
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    result = experiment()
    torch.set_rng_state(state)
    return result
