"""The pictures of 1.4."""

from grader.drawing import CELL, Drawing, bow


def strides() -> Drawing:
    """The storage of twelve numbers, and how t[1:, ::2] walks through it."""
    d = Drawing()
    taken = (4, 6, 8, 10)
    storage = d.grid(0, 34, [list(range(12))], lambda i, j: "blue" if j in taken else "")

    def hop(a: int, b: int, rise: float, label: object, look: str) -> None:
        y = storage.y - 2 if rise > 0 else storage.bottom[1] + 2
        ends = [((n + 0.5) * CELL, y) for n in (a, b)]
        d.line(*bow(*ends, rise), look=look, arrow=True)
        d.text((ends[0][0] + ends[1][0]) / 2, y - rise - (8 if rise > 0 else -8), label, f"{look} small")

    d.text(0, 12, {"en": "storage", "zh": "存储"}, "dim", "start")
    hop(4, 6, 14, {"en": "+2: one column further", "zh": "+2：到下一列"}, "orange")
    hop(4, 8, -18, {"en": "+4: one row further", "zh": "+4：到下一行"}, "green")
    d.line((0, 68), (4.5 * CELL, 68), (4.5 * CELL, 62), look="blue", arrow=True)
    d.text(2 * CELL, 78, {"en": "offset 4", "zh": "偏移量 4"}, "blue small")
    t = d.grid(
        20, 134, [[4 * i + j for j in range(4)] for i in range(3)], lambda i, j: "blue" if 4 * i + j in taken else ""
    )
    view = d.grid(220, 134, [[4, 6], [8, 10]], "blue")
    d.text(t.top[0], 122, "t  (3, 4)", "code")
    d.text(view.top[0], 122, "t[1:, ::2]  (2, 2)", "code")
    d.line((view.x, view.y + view.h + 12), (view.x + CELL, view.y + view.h + 12), look="orange", arrow=True)
    d.text(view.x + CELL + 6, view.y + view.h + 12, "+2", "orange", "start")
    d.line((view.x - 12, view.y), (view.x - 12, view.y + CELL), look="green", arrow=True)
    d.text(view.x - 18, view.y + CELL / 2, "+4", "green", "end")
    return d
