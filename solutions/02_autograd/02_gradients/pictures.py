"""The pictures of 2.2."""

from grader.drawing import Drawing


def mean() -> Drawing:
    """Forwards the values of the mean of x² + 2x + 1, backwards the shares of its gradient."""
    d = Drawing()
    w, rows = 44, (20, 90, 160)
    forwards = [["1", "2", "3"], ["4", "9", "16"], ["9.67"]]
    backwards = [["1.33", "2", "2.67"], ["⅓", "⅓", "⅓"], ["1"]]
    for x, table, look in ((0, forwards, "blue"), (190, backwards, "orange")):
        for y, values in zip(rows, table):
            d.grid(x + (3 - len(values)) * w / 2, y, [values], look, w)
    middle, last = 1.5 * w, rows[2] - 4
    for j in range(3):
        x = (j + 0.5) * w
        d.line((x, 50), (x, 86), look="blue", arrow=True)
        d.line((x, 120), (middle + (j - 1) * 10, last), look="blue", arrow=True)
        d.line((190 + x, 86), (190 + x, 50), look="orange", arrow=True)
        d.line((190 + middle + (j - 1) * 10, last), (190 + x, 120), look="orange", arrow=True)
    d.text(middle, 8, {"en": "forwards: values", "zh": "前向：值"}, "blue")
    d.text(190 + middle, 8, {"en": "backwards: gradients", "zh": "反向：梯度"}, "orange")
    for y, name in zip(rows, ("x", "y", "mean")):
        d.text(162, y + 13, name, "code")
    d.text(162, 68, "· (2x + 2)", "orange small")
    d.text(162, 138, "· ⅓", "orange small")
    return d


def products() -> Drawing:
    """y = exp(A x): values go forwards, vᵀJ comes back as two products."""
    d = Drawing()
    a, e = d.box(84, 30, 44, 44, "A", "blue"), d.box(222, 30, 44, 44, "exp", "blue")
    for start, end, ahead, back in (
        (10, a.x, "x", "(v * y) A"),
        (a.right[0], e.x, "z = A x", "v * y"),
        (e.right[0], 330, "y", "v"),
    ):
        d.line((start + 4, 42), (end - 4, 42), look="blue", arrow=True)
        d.line((end - 4, 62), (start + 4, 62), look="orange", arrow=True)
        d.text((start + end) / 2, 26, ahead, "code blue")
        d.text((start + end) / 2, 78, back, "code orange")
    d.text(10, 6, {"en": "forwards: values", "zh": "前向：值"}, "blue", "start")
    d.text(330, 98, {"en": "backwards: vᵀJ", "zh": "反向：vᵀJ"}, "orange", "end")
    return d
