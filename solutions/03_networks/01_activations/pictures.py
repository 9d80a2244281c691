"""The pictures of 3.1."""

import math
from collections.abc import Callable

from grader.drawing import Box, Drawing, steps


def neuron() -> Drawing:
    """Three weighted inputs, their sum with a bias, and the curve."""
    d = Drawing()
    total = d.ring(138, 60, 24, look="blue", label="Σ + b")
    curve = d.box(202, 38, 56, 44, "", "green")
    d.line((208, 72), (230, 72), (252, 46), look="green thick")
    for n in range(3):
        y = 12 + 48 * n
        d.ring(14, y, 13, look="grey", label="x" + "₁₂₃"[n])
        d.line((28, y), (138 - 24, 60 + (n - 1) * 8), arrow=True)
        d.text((76, 66, 76)[n], y + (4, -9, -4)[n], "w" + "₁₂₃"[n], "dim")
    d.line((total.right[0] + 2, 60), (curve.x - 4, 60), arrow=True)
    d.line((curve.right[0] + 2, 60), (280, 60), arrow=True)
    d.text(curve.top[0], 26, {"en": "activation", "zh": "激活函数"}, "dim")
    d.text(285, 60, {"en": "output", "zh": "输出"}, "", "start")
    one = {"en": "one neuron: w · x + b, then a curve", "zh": "一个神经元：w · x + b，再过一条曲线"}
    layer = {"en": "a layer: x Wᵀ + b, one row of W for each", "zh": "一层：x Wᵀ + b，W 的每一行是一个神经元"}
    d.text(0, 144, one, "dim small", "start")
    d.text(0, 162, layer, "dim small", "start")
    return d


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _gelu(x: float) -> float:
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


_CURVES: list[tuple[str, Callable[[float], float]]] = [
    ("ReLU", lambda x: max(x, 0)),
    ("leaky ReLU", lambda x: max(x, 0.1 * x)),
    ("sigmoid", _sigmoid),
    ("tanh", math.tanh),
    ("GELU", _gelu),
]


def activations() -> Drawing:
    """The five curves, and their slopes."""
    d = Drawing()
    for n, (name, f) in enumerate(_CURVES):
        x, y = n % 2 * 172, n // 2 * 106
        at = d.axes(Box(x, y + 16, 150, 70), (-4, 4), (-1.05, 1.75), ([-3, 3], [1]))
        d.text(x + 4, y + 8, name, "bold", "start")
        smooth = name in ("sigmoid", "tanh", "GELU")
        xs = steps(-4, 4, 49) if smooth else [-4, -1e-6, 1e-6, 1.75]
        d.line(*(at(v, (f(v + 1e-4) - f(v - 1e-4)) / 2e-4 if smooth else f(1) if v > 0 else -f(-1)) for v in xs[:-1]),
               *([] if smooth else [at(4, 1)]), look="orange dash")  # fmt: skip
        d.line(*(at(v, f(v)) for v in xs if f(v) <= 1.75), look="blue thick")
    for y, look, name in (
        (244, "blue thick", {"en": "value", "zh": "值"}),
        (268, "orange dash", {"en": "slope", "zh": "斜率"}),
    ):
        d.line((196, y), (226, y), look=look)
        d.text(234, y, name, "", "start")
    return d
