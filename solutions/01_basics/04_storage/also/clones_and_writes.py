"""float64 on the way, cos and sin of a float64 tensor, a list of strides, a view tried out.

中途用 float64，对 float64 张量求 cos 和 sin，步幅存成列表，直接试一次 view。
"""

import torch


def locate(t, index):
    place = torch.tensor(t.storage_offset())
    for d, i in enumerate(index):
        place = place + i * t.stride(d)
    return int(place)


def window(a):
    return torch.asarray(a, copy=False)


def snapshot(a):
    return torch.tensor(a.tolist(), dtype=torch.float32)


def sharpen(image, blurred, amount=1.0):
    x = torch.lerp(blurred.double(), image.double(), 1 + amount)
    x[x < 0] = 0
    x[x > 255] = 255
    return (x + 0.5).floor().to(torch.uint8)


def rotate(points, angle):
    turn = torch.polar(torch.ones((), dtype=torch.float64), torch.tensor(angle, dtype=torch.float64))
    z = points[:, 0] + 1j * points[:, 1]
    return torch.view_as_real(z * turn.item()).to(points.dtype)


def windows(x, size, step=1):
    step_in_storage = x.stride()[0]
    shape = [1 + (x.numel() - size) // step, size]
    strides = [step_in_storage * step, step_in_storage]
    return torch.as_strided(x, shape, strides, x.storage_offset())


def flat(t):
    try:
        return [t.view(t.numel()), True]
    except RuntimeError:
        return [t.clone(memory_format=torch.contiguous_format).view(-1), False]
