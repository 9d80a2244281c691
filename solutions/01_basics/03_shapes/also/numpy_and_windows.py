"""NumPy's names for the same, `Tensor.unfold`, `index_put_` and `take_along_dim`.

用 NumPy 的叫法做同样的事，还用了 `Tensor.unfold`、`index_put_` 和 `take_along_dim`。
"""

import numpy as np
import torch


def channels_first(images):
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images.numpy(), -1, 1)))


def split_heads(x, heads):
    return x.unflatten(-1, (heads, x.size(-1) // heads)).swapaxes(1, 2)


def join_heads(x):
    return x.permute(0, 2, 1, 3).flatten(start_dim=2)


def hold_out(x, k, i):
    parts = [torch.from_numpy(a) for a in np.array_split(x.numpy(), k)]
    return torch.cat([*parts[:i], *parts[i + 1 :]]), parts[i]


def pick(scores, labels):
    return torch.take_along_dim(scores, labels.unsqueeze(-1), dim=-1).squeeze(-1)


def sum_by_group(x, groups, k):
    out = torch.zeros((k, x.size(1)), dtype=x.dtype)
    out.index_put_((groups,), x, accumulate=True)
    return out


def patchify(images, p):
    windows = images.unfold(2, p, p).unfold(3, p, p)  # (N, C, rows, cols, y, x)
    return windows.movedim(1, 3).flatten(1, 2).flatten(2)
