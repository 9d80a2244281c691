"""Rows drawn one after the other, the state kept as a clone, `empty_like` and `copy_`.

一行一行地抽取，状态用 clone 留存，还用了 `empty_like` 和 `copy_`。
"""

import torch


def describe(t):
    contiguous = t.contiguous().data_ptr() == t.data_ptr() if t.device.type != "meta" else t.is_contiguous()
    d = {"shape": tuple(t.shape), "ndim": t.dim(), "numel": 1}
    for n in t.shape:
        d["numel"] *= n
    d["dtype"] = str(t.dtype)
    d["device"] = str(t.device)
    d["contiguous"] = contiguous
    d["bytes"] = d["numel"] * t.element_size()
    return d


def pick_device():
    for name, module in (("cuda", torch.cuda), ("mps", torch.mps)):
        if module.is_available():
            return torch.device(name)
    return torch.device("cpu")


def prepare(batch, device):
    ready = {}
    for name, t in batch.items():
        dtype = torch.get_default_dtype() if torch.is_floating_point(t) else t.dtype
        ready[name] = torch.empty_like(t, dtype=dtype, device=device).copy_(t)
    return ready


def weights(rows, cols, seed, std=0.1):
    g = torch.Generator()
    g.manual_seed(seed)
    drawn = torch.empty(rows, cols)
    for i in range(rows):
        drawn[i] = torch.normal(torch.zeros(cols), std, generator=g)
    return drawn


def repeatable(experiment, seed):
    state = torch.random.get_rng_state().clone()
    torch.random.manual_seed(seed)
    result = experiment()
    torch.random.set_rng_state(state)
    return result
