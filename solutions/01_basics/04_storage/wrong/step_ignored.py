"""Fails: 5. Each window begins one element further."""

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
    z = torch.view_as_complex(points.contiguous())
    return torch.view_as_real(z * complex(math.cos(angle), math.sin(angle)))


def windows(x, size, step=1):
    return x.unfold(0, size, 1)


def flat(t):
    try:
        return t.view(-1), True
    except RuntimeError:
        return t.reshape(-1), False
