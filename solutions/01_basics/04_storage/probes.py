"""Beside the learner's file: arrays, views with any strides, and memory, none of which crosses."""

import learner
import numpy as np
import torch


def locate(base, shape, strides, offset, index):
    """The learner's answer for that view."""
    return learner.locate(base.as_strided(shape, strides, offset), index)


def _array(kind, n):
    """An array of that kind, of 2n numbers, and the larger one that it is part of."""
    whole = np.arange(1.0, 1 + 4 * n).reshape(2, 2 * n)
    whole = whole.astype(kind.removeprefix("reversed ").removeprefix("strided "))
    if kind.startswith("reversed"):
        return whole[:, ::-1][:, :n], whole
    return (whole[:, ::2], whole) if kind.startswith("strided") else (whole, whole)


def window(kind, n, value):
    """What the tensor shows before and after writing into the array, and the array after writing into the tensor."""
    a, whole = _array(kind, n)
    t = learner.window(a)
    if not isinstance(t, torch.Tensor):
        return {"before": t}
    seen = {"before": t.detach().clone()}
    a[1, 0] = value
    seen["after"] = t.detach().clone()
    if not t.requires_grad and t.shape == a.shape:
        t[0, 1] = value
    seen["array"] = torch.tensor(whole.tolist(), dtype=torch.float64)
    return seen


def snapshot(kind, n, value):
    """The tensor once the array has been overwritten, and the array once the tensor has been."""
    a, whole = _array(kind, n)
    t = learner.snapshot(a)
    if not isinstance(t, torch.Tensor):
        return {"tensor": t}
    was = whole.copy()
    a[...] = value
    seen = {"tensor": t.detach().clone()}
    whole[...] = was
    with torch.no_grad():
        t.fill_(value)
    seen["array"] = torch.tensor(whole.tolist(), dtype=torch.float64)
    return seen


def windows(base, offset, stride, n, *args):
    """The windows over a view of the base, and what they show when something else has been written into it."""
    storage = base.clone()
    out = learner.windows(storage.as_strided((n,), (stride,), offset), *args)
    if not isinstance(out, torch.Tensor):
        return {"before": out}
    seen = {"before": out.detach().clone()}
    storage.add_(100)
    return seen | {"after": out.detach().clone()}


def many_windows(base, size):
    """Shape of the windows, and their last elements."""
    out = learner.windows(base.clone(), size)
    if not isinstance(out, torch.Tensor) or out.ndim != 2:
        return {"shape": None}
    return {"shape": tuple(out.shape), "last": out[:, -1].clone()}


def flat(base, shape, strides, offset):
    """The line, what is said of its memory, and what is true of it."""
    storage = base.clone()
    answer = learner.flat(storage.as_strided(shape, strides, offset))
    line, says = answer if isinstance(answer, tuple | list) and len(answer) == 2 else (answer, None)
    if not isinstance(line, torch.Tensor):
        return {"line": line}
    before = line.detach().clone()
    storage.add_(100)
    return {"line": before, "says": says, "shares": not torch.equal(before, line)}
