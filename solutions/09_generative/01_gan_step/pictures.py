"""The pictures of 9.1."""

import math

from grader.drawing import Box, Drawing, steps


def _chain(d: Drawing, y: float, last: str) -> None:
    """z through G, the fakes through D, to a loss."""
    d.text(10, y, "z", "code")
    d.box(40, y - 17, 40, 34, "G", "green")
    d.text(130, y, "fake", "code")
    d.box(212, y - 17, 40, 34, "D", "blue")
    d.text(310, y, last, "code")
    for a, b in ((18, 36), (84, 112), (148, 208), (256, 280)):
        d.line((a, y - 5), (b, y - 5), arrow=True)


def turns() -> Drawing:
    """D's step, whose gradients stop before G, and G's step, whose gradients go through D."""
    d = Drawing()
    d.text(0, 8, {"en": "D's step", "zh": "D 的一步"}, "bold", "start")
    _chain(d, 44, "d_loss")
    d.text(130, 92, "real", "code")
    d.line((148, 92), (200, 92), (222, 65), arrow=True)
    d.line((280, 51), (256, 51), look="orange", arrow=True)
    d.line((208, 51), (184, 51), look="orange", arrow=True)
    d.line((178, 28), (178, 66), look="red thick")
    d.text(178, 20, "detach", "code red")
    d.text(0, 134, {"en": "G's step", "zh": "G 的一步"}, "bold", "start")
    _chain(d, 170, "g_loss")
    for a, b in ((280, 256), (208, 148), (112, 84)):
        d.line((a, 177), (b, 177), look="orange", arrow=True)
    d.text(60, 204, {"en": "only opt_g steps", "zh": "只有 opt_g 走一步"}, "green small")
    d.text(232, 204, {"en": "D's .grad is litter", "zh": "D 的 .grad 作废"}, "dim small")
    d.line((0, 226), (26, 226), look="orange", arrow=True)
    d.text(34, 226, {"en": "gradients", "zh": "梯度"}, "orange small", "start")
    return d


def saturation() -> Drawing:
    """How strongly each of G's losses pulls, by D's logit of the fake."""
    d = Drawing()
    at = d.axes(Box(12, 16, 316, 110), (-8, 4), (0, 1.05), ([-8, -4, 4], [1]))
    xs = steps(-8, 4, 61)
    d.line(*(at(x, 1 / (1 + math.exp(x))) for x in xs), look="green thick")
    d.line(*(at(x, 1 / (1 + math.exp(-x))) for x in xs), look="red dash thick")
    d.text(at(-7.8, 0)[0], at(0, 0.86)[1], "-log p", "green", "start")
    d.text(at(-7.8, 0)[0], at(0, 0.13)[1], "log(1 - p)", "red", "start")
    d.text(at(-8, 0)[0], 154, {"en": "← D: surely fake", "zh": "← D：肯定是假的"}, "dim small", "start")
    d.text(at(4, 0)[0], 154, {"en": "logit of the fake", "zh": "假样本的 logit"}, "dim small", "end")
    d.text(at(0, 0)[0] + 8, 8, {"en": "size of the gradient", "zh": "梯度的大小"}, "dim small", "end")
    return d
