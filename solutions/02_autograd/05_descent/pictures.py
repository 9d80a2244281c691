"""The pictures of 2.5."""

from collections.abc import Iterator
from itertools import islice

from grader.drawing import Box, Drawing, Point, steps


def _walk(lr: float, beta: float) -> Iterator[Point]:
    """The places that descent with momentum visits in the valley ½a² + 12.5b², from (10, 1) on."""
    a, b, v, w = 10.0, 1.0, 0.0, 0.0
    while True:
        yield a, b
        v, w = beta * v + a, beta * w + 25 * b
        a, b = a - lr * v, b - lr * w


def valley() -> Drawing:
    """A long valley from above, and three ways through it: slow, out of it, and with momentum."""
    d = Drawing()
    for n, (lr, beta, count) in enumerate(((0.07, 0.0, 25), (0.09, 0.0, 5), (0.07, 0.7, 25))):
        look, x0, y0 = "red" if lr == 0.09 else "blue", 166, 64 + n * 128
        across, up = 14.5, 18.5  # px for a step of 1
        for height in (62.5, 30, 10, 2):
            d.ring(x0, y0, (2 * height) ** 0.5 * across, (height / 12.5) ** 0.5 * up, look="dim")
        way = [(x0 + a * across, y0 - b * up) for a, b in islice(_walk(lr, beta), count)]
        d.line(*way, look=look, arrow=lr == 0.09)
        for x, y in way:
            d.dot(x, y, look)
        d.text(x0, y0, "+", "green bold")
        d.text(0, y0 - 52, f"lr = {lr}" + (f"\nbeta = {beta}" if beta else ""), "code", "start")
    return d


def corrected() -> Drawing:
    """The average of a number that is always 5, as it is kept and corrected."""
    d = Drawing()
    at = d.axes(Box(16, 10, 200, 100), (0, 30), (0, 5.5), ([10, 20, 30], [5]))
    d.line(at(0, 0), *(at(t, 5 * (1 - 0.9**t)) for t in steps(1, 30, 30)), look="blue thick")
    d.line(at(1, 5), at(30, 5), look="orange thick")
    d.text(at(30, 5)[0] + 8, at(0, 5)[1] - 2, "m / (1 - 0.9ᵗ)", "orange", "start")
    d.text(at(30, 5)[0] + 8, at(0, 4.6)[1] + 8, "m", "blue", "start")
    d.text(at(30, 0)[0] + 14, at(0, 0)[1], "t", "dim", "start")
    return d
