"""The pictures of 2.1."""

from itertools import pairwise

from grader.drawing import Box, Drawing, bow


def record() -> Drawing:
    """The graph of (w * x + b).sum(), from z back to the leaves."""
    d = Drawing()

    def node(x: float, y: float, name: str, look: str, w: float = 112) -> Box:
        return d.box(x - w / 2, y, w, 26, name, look, "code")

    z = node(150, 0, "z", "grey", 40)
    total = node(150, 52, "SumBackward0", "blue")
    added = node(150, 104, "AddBackward0", "blue")
    times = node(90, 156, "MulBackward0", "blue")
    b = node(236, 208, "AccumulateGrad", "green")
    w = node(56, 208, "AccumulateGrad", "green")
    x = node(148, 208, "None", "grey dash", 48)
    for start, end in ((z, total), (total, added), (added, times), (added, b), (times, w), (times, x)):
        d.line(start.bottom, end.top, arrow=True)
    for leaf, name in ((w, "w"), (x, "x"), (b, "b")):
        d.text(leaf.bottom[0], leaf.bottom[1] + 14, name, "code")
    d.text(z.right[0] + 10, z.right[1], "z.grad_fn", "code dim", "start")
    d.text(total.right[0] + 10, total.right[1] + 24, "next_functions", "code dim", "start")
    return d


def paths() -> Drawing:
    """y = y + y, three times over: three nodes, eight ways."""
    d = Drawing()
    at = [20, 110, 200, 290]
    for n, x in enumerate(at):
        d.ring(x, 30, 15, look="green" if n == 0 else "blue", label="y" + "₀₁₂₃"[n])
        ways = {"en": "1 way" if n == 0 else f"{2**n} ways", "zh": f"{2**n} 条路"}
        d.text(x, 66, ways, "dim")
    for a, b in pairwise(at):
        for rise in (12, -12):
            d.line(*bow((b - 14, 30 - rise / 2), (a + 14, 30 - rise / 2), rise), arrow=True)
    return d
