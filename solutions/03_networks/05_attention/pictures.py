"""The pictures of 3.5."""

import math
from collections.abc import Callable

from grader.drawing import Drawing

_QUERIES, _KEYS, _VALUES = [(2, 1), (-1, 1)], [(1, 0), (0, 1), (-1, 0)], [10, 20, 30]


def _weights(query: tuple[int, int]) -> list[float]:
    """The softmax of its dot products with all keys."""
    grown = [math.exp(query[0] * k[0] + query[1] * k[1]) for k in _KEYS]
    return [g / sum(grown) for g in grown]


def lookup() -> Drawing:
    """Two queries, three keys: a matrix of weights, times the values."""
    d = Drawing()
    weights = [_weights(q) for q in _QUERIES]
    w, h = 41, 26
    for j, k in enumerate(_KEYS):
        d.text(58 + (j + 0.5) * w, 8, "k" + "₁₂₃"[j], "green")
        d.text(58 + (j + 0.5) * w, 24, f"{k[0]}, {k[1]}", "dim small")
    for i, q in enumerate(_QUERIES):
        d.text(12, 36 + (i + 0.5) * h, "q" + "₁₂"[i], "orange")
        d.text(36, 36 + (i + 0.5) * h, f"{q[0]}, {q[1]}", "dim small")
    matrix = d.grid(
        58, 36, [[f"{v:.2f}" for v in row] for row in weights], lambda i, j: "blue" if weights[i][j] > 0.5 else "", w, h
    )
    values = d.grid(208, 23, [[v] for v in _VALUES], "green", 36, h)
    means = [sum(a * b for a, b in zip(row, _VALUES)) for row in weights]
    out = d.grid(276, 36, [[f"{m:.1f}"] for m in means], "purple", 48, h)
    d.text(194, 62, "·", "bold")
    d.text(260, 62, "=", "bold")
    for box, shape in ((matrix, "(T, S)"), (values, "(S, e)"), (out, "(T, e)")):
        d.text(box.top[0], 116, shape, "code dim")
    d.text(matrix.top[0], 132, {"en": "each row sums to 1", "zh": "每行之和为 1"}, "dim small")
    return d


def masks() -> Drawing:
    """Who may look where: a length of 3, causal, and both."""
    d = Drawing()
    c = 18
    kinds: list[tuple[object, Callable[[int, int], bool]]] = [
        ({"en": "length 3 of 5", "zh": "填充：3 真 2 假"}, lambda i, j: j < 3),
        ({"en": "causal", "zh": "因果"}, lambda i, j: j <= i),
        ({"en": "both", "zh": "两者都要"}, lambda i, j: j < 3 and j <= i),
    ]
    for n, (name, may) in enumerate(kinds):
        x = 18 + n * 112
        d.grid(x, 44, [[""] * 5] * 5, lambda i, j, may=may: "blue" if may(i, j) else "dash", c, c)
        d.text(x + 2.5 * c, 8, name)
        d.line((x, 34), (x + 40, 34), arrow=True)
        d.text(x + 50, 34, "j", "code dim")
    d.line((8, 44), (8, 84), arrow=True)
    d.text(8, 96, "i", "code dim")
    d.grid(60, 148, [[""]], "blue", c, c)
    d.text(84, 157, {"en": "may look", "zh": "可以看"}, "dim", "start")
    d.grid(180, 148, [[""]], "dash", c, c)
    d.text(204, 157, {"en": "hidden", "zh": "看不到"}, "dim", "start")
    return d


def heads() -> Drawing:
    """Two positions of six numbers, taken apart into two heads; and what a reshape alone would make of them."""
    d = Drawing()
    c = 22
    rows = ["abcdef", "ghijkl"]

    def cells(x: float, y: float, taken: list[str]) -> None:
        d.grid(x, y, taken, lambda i, j: "blue" if taken[i][j] in "abcghi" else "orange", c, c)

    cells(110, 20, rows)
    d.text(110 + 3 * c, 8, "x  (T, D)", "code")
    for i in range(2):
        d.text(100, 20 + (i + 0.5) * c, {"en": f"position {i}", "zh": f"位置 {i}"}, "dim", "end")
    halves = [rows[i][3 * h : 3 * h + 3] for i in range(2) for h in range(2)]
    for x, call, order in (
        (0, "reshape, transpose", (0, 2, 1, 3)),
        (182, {"en": "reshape only: wrong", "zh": "只用 reshape：错"}, (0, 1, 2, 3)),
    ):
        d.text(x + 75, 98, call, "dim" if x == 0 else "red")
        d.line((176, 68), (x + 75, 86), arrow=True)
        for h in range(2):
            cells(x + h * 84, 110, [halves[order[2 * h + t]] for t in range(2)])
            d.text(x + h * 84 + 1.5 * c, 168, {"en": f"head {h}", "zh": f"头 {h}"}, "dim")
    d.text(166, 190, "(B, T, D) → (B, T, heads, d) → (B, heads, T, d)", "code dim small")
    return d
