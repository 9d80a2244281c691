"""The accelerator API, `fork_rng` for both kinds of numbers, a Size for a tuple.

用 accelerator 接口；用 `fork_rng` 隔开两种随机数；用 Size 代替元组。
"""

import torch


def describe(t):
    return {
        "shape": t.size(),
        "ndim": len(t.shape),
        "numel": t.nelement(),
        "dtype": repr(t.dtype),
        "device": t.device.type,
        "contiguous": t.is_contiguous(),
        "bytes": t.nbytes,
    }


def pick_device():
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def prepare(batch, device):
    moved = {k: t.to(device, copy=True) for k, t in batch.items()}
    return {k: t.float() if t.is_floating_point() else t for k, t in moved.items()}


def weights(rows, cols, seed, std=0.1):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.nn.init.normal_(torch.empty(rows, cols), std=std)


def repeatable(experiment, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return experiment()
