"""The pictures of 1.2."""

from grader.drawing import CELL, Drawing


def broadcasting() -> Drawing:
    """A column and a row, each repeated to a table of the same size, and the sum of both."""
    d = Drawing()
    tens, ones = [10, 20, 30], [1, 2, 3, 4]
    small = {"w": CELL - 2, "h": CELL - 4}
    h = small["h"]
    a = d.grid(0, 20, [[t] * 4 for t in tens], lambda i, j: "blue" if j == 0 else "blue dash", **small)
    b = d.grid(116, 20, [ones] * 3, lambda i, j: "orange" if i == 0 else "orange dash", **small)
    c = d.grid(232, 20, [[t + o for o in ones] for t in tens], "green", **small)
    for box, label in ((a, "(3, 1)"), (b, "(4,)"), (c, "(3, 4)")):
        d.text(box.top[0], 8, label, "code")
    d.text(106, 20 + 1.5 * h, "+", "bold")
    d.text(222, 20 + 1.5 * h, "=", "bold")
    return d


def reductions() -> Drawing:
    """sum(dim=0) goes down the columns, sum(dim=1) along the rows."""
    d = Drawing()
    rows = [[1, 2, 3], [4, 5, 6]]
    x = d.grid(60, 20, rows, "blue")
    d.text(x.top[0], 8, "x (2, 3)", "code")
    down = d.grid(60, 20 + 4 * CELL, [[5, 7, 9]], "orange")
    across = d.grid(60 + 5 * CELL, 20, [[6], [15]], "green")
    for j in range(3):
        a = 60 + (j + 0.5) * CELL
        d.line((a, 20 + 2 * CELL + 6), (a, 20 + 4 * CELL - 6), look="orange", arrow=True)
    for i in range(2):
        b = 20 + (i + 0.5) * CELL
        d.line((x.right[0] + 6, b), (across.x - 6, b), look="green", arrow=True)
    d.text(x.right[0] + 12, down.left[1], "x.sum(dim=0) (3,)", "code orange", "start")
    d.text(across.x + CELL + 8, across.left[1], "x.sum(dim=1)\n(2,)", "code green", "start")
    return d
