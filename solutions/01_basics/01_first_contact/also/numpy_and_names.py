"""Random numbers of NumPy's, devices with an index, functions imported by name, a state of the default generator.

用 NumPy 的随机数，设备写明序号，函数按名字导入，另存默认生成器的状态。
"""

import math

import numpy as np
import torch
from torch.backends.mps import is_available as has_mps
from torch.cuda import device_count, is_available


def describe(t):
    steps = [math.prod(t.shape[i + 1 :]) for i in range(t.dim())]
    gaps = any(n > 1 and s != step for n, s, step in zip(t.shape, t.stride(), steps))
    return {
        "bytes": math.prod(t.shape) * t.dtype.itemsize,
        "contiguous": t.numel() == 0 or not gaps,
        "device": f"{t.device}",
        "dtype": f"{t.dtype}",
        "numel": math.prod(t.shape),
        "ndim": t.dim(),
        "shape": list(t.shape),
    }


def pick_device():
    if is_available() and device_count():
        return torch.device("cuda:0")
    return torch.device("mps", 0) if has_mps() else torch.device("cpu")


def prepare(batch, device):
    ready = batch.copy()
    for name in ready:
        if ready[name].dtype in (torch.float16, torch.bfloat16, torch.float64):
            ready[name] = ready[name].type(torch.float32)
        ready[name] = ready[name].to(device=device, non_blocking=True)
    return ready


def weights(rows, cols, seed, std=0.1):
    drawn = np.random.default_rng(seed).normal(scale=std, size=(rows, cols))
    return torch.from_numpy(drawn.astype(np.float32))


def repeatable(experiment, seed):
    generator = torch.default_generator
    before = generator.get_state()
    try:
        generator.manual_seed(seed)
        return experiment()
    finally:
        generator.set_state(before)
