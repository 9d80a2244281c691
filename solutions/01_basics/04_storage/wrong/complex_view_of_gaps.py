"""Fails: 4. x and y are not next to each other."""

import math

import torch


def locate(t, index):
    return t.storage_offset() + sum(i * s for i, s in zip(index, t.stride()))


def window(a):
    return torch.from_numpy(a)


def snapshot(a):
    return torch.tensor(a.copy(), dtype=torch.float32)


def sharpen(image, blurred, amount=1.0):
    x = image.float() + amount * (image.float() - blurred.float())
    return x.round().clamp(0, 255).to(torch.uint8)


def rotate(points, angle):
    z = torch.view_as_complex(points)
    return torch.view_as_real(z * complex(math.cos(angle), math.sin(angle)))


def windows(x, size, step=1):
    s = x.stride(0)
    return x.as_strided(((len(x) - size) // step + 1, size), (step * s, s))


def flat(t):
    try:
        return t.view(-1), True
    except RuntimeError:
        return t.reshape(-1), False
