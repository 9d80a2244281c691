"""The pictures of 6.3."""

from grader.drawing import CELL, Drawing


def collectives() -> Drawing:
    """What three processes hold before a collective, and after each."""
    d = Drawing()
    held = [1, 2, 5]
    total = sum(held)
    rows = [
        ({"en": "before", "zh": "之前"}, held, "grey"),
        ("all_reduce(t)", [total] * 3, "green"),
        ("reduce(t, dst=0)", [total, "?", "?"], "blue"),
        ("broadcast(t, src=0)", [held[0]] * 3, "orange"),
    ]
    for k in range(3):
        d.text(180 + k * 54, 8, f"rank {k}", "dim small")
    for n, (name, values, look) in enumerate(rows):
        y = 20 + n * 38 + (n > 0) * 10
        d.text(148, y + CELL / 2, name, "code" if n else "", "end")
        for k, v in enumerate(values):
            d.grid(167 + k * 54, y, [[v]], "dash" if v == "?" else look)
    d.line((160, 63), (316, 63), look="dim")
    return d


def step() -> Drawing:
    """Two processes: each its own batch and gradient; all_reduce; then the same in both."""
    d = Drawing()
    for n, name in enumerate("AB"):
        x = 10 + n * 174
        d.text(x + 73, 8, f"rank {n}", "dim")
        look = "blue" if n == 0 else "orange"
        d.box(x, 22, 146, 28, {"en": f"batch {name}", "zh": f"批次 {name}"}, look)
        d.box(x, 70, 146, 28, {"en": "forward, backward", "zh": "前向、反向"}, look)
        d.text(x + 84, 112, f"grad_{name}", f"code {look}", "start")
        d.box(x, 186, 146, 28, {"en": "same gradient: step", "zh": "相同的梯度：更新"}, "green")
        d.box(x, 234, 146, 28, {"en": "same weights", "zh": "相同的权重"}, "green")
        for a, b in ((50, 70), (98, 128), (156, 186), (214, 234)):
            d.line((x + 73, a + 2), (x + 73, b - 2), arrow=True)
    d.box(10, 128, 320, 28, "all_reduce, / 2", "purple", "code")
    return d
