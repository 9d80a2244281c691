"""The pictures of 3.7."""

from grader.drawing import Box, Drawing, steps


def contrastive() -> Drawing:
    """What a pair costs by its distance d, with a margin of 1."""
    d = Drawing()
    for x, name, cost in (
        (0, {"en": "same\nd²", "zh": "相同\nd²"}, lambda v: v**2),
        (
            178,
            {"en": "different\nmax(0, margin - d)²", "zh": "不同\nmax(0, margin - d)²"},
            lambda v: max(0, 1 - v) ** 2,
        ),
    ):
        at = d.axes(Box(x + 6, 48, 130, 90), (0, 1.6), (0, 1.1))
        d.line(*(at(v, cost(v)) for v in steps(0, 1.6, 33) if cost(v) <= 1.1), look="blue thick")
        d.text(x + 6, 16, name, "small", "start")
        d.text(at(1.6, 0)[0], at(0, 0)[1] + 12, "d", "code dim", "end")
        if x:
            d.line(at(1, -0.03), at(1, 0.03))
            d.text(at(1, 0)[0], at(0, 0)[1] + 12, "margin", "code dim")
    return d
