"""The pictures of 2.4."""

from grader.drawing import Box, Drawing, steps


def hessian_vector() -> Drawing:
    """From x to f(x) to the gradient g to H v, each one walk; the widest thing is a vector."""
    d = Drawing()
    nodes, x = [], 0.0
    for name, shape, w in (("x", "(n,)", 32), ("f(x)", "()", 44), ("g", "(n,)", 32), ("H v", "(n,)", 40)):
        nodes.append(d.box(x, 34, w, 30, name, "blue" if len(nodes) < 2 else "orange", "code"))
        d.text(x + w / 2, 78, shape, "code dim")
        x += w + (40, 90, 54, 0)[len(nodes) - 1]
    calls = ("f", "grad\ncreate_graph", {"en": "grad\nfrom v", "zh": "grad\n从 v 出发"})
    for a, b, call in zip(nodes, nodes[1:], calls):
        d.line((a.right[0] + 4, a.right[1]), (b.x - 4, b.left[1]), arrow=True)
        d.text((a.right[0] + b.x) / 2, 30 if call == "f" else 20, call, "small")
    d.text(nodes[1].right[0] + 45, 98, {"en": "no (n, n) anywhere", "zh": "哪里都没有 (n, n)"}, "dim small")
    return d


def corner() -> Drawing:
    """The length of a vector with one element, |x|: at 0 any slope from -1 to 1 stays below it."""
    d = Drawing()
    at = d.axes(Box(20, 0, 220, 100), (-2, 2), (-0.8, 2), ([-2, 2], []))
    for slope in steps(-0.7, 0.7, 3):
        d.line(at(-1.1, -1.1 * slope), at(1.1, 1.1 * slope), look="orange dash")
    d.line(at(-2, 2), at(0, 0), at(2, 2), look="blue thick")
    d.text(at(2, 2)[0] + 6, 4, "|x|", "blue code", "start")
    d.text(
        at(1.2, 0.9)[0] + 14,
        at(1.2, 0.45)[1],
        {"en": "slopes that fit at 0", "zh": "在 0 处都成立的斜率"},
        "orange small",
        "start",
    )
    return d
