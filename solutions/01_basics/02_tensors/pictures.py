"""The pictures of 1.2."""

from grader.drawing import CELL, Drawing


def reductions() -> Drawing:
    """sum(dim=0) goes down the columns, sum(dim=1) along the rows."""
    d = Drawing()
    x = d.grid(0, 20, [[1, 2, 3], [4, 5, 6]], "blue")
    d.text(x.top[0], 8, "x  (2, 3)", "code")
    down = d.grid(0, 20 + 4 * CELL, [[5, 7, 9]], "orange")
    across = d.grid(5 * CELL, 20, [[6], [15]], "green")
    for j in range(3):
        column = (j + 0.5) * CELL
        d.line((column, x.bottom[1] + 6), (column, down.y - 6), look="orange", arrow=True)
    for i in range(2):
        row = 20 + (i + 0.5) * CELL
        d.line((x.right[0] + 6, row), (across.x - 6, row), look="green", arrow=True)
    d.text(x.right[0] + 12, down.left[1], "x.sum(dim=0)  (3,)", "code orange", "start")
    d.text(across.right[0] + 12, across.right[1], "x.sum(dim=1)  (2,)", "code green", "start")
    return d


def broadcasting() -> Drawing:
    """A column and a row, each repeated to a table of the same size, and the sum of both."""
    d = Drawing()
    tens, ones = [10, 20, 30], [1, 2, 3, 4]
    w, h = 24, 22
    column = d.grid(0, 20, [[t] * 4 for t in tens], lambda i, j: "blue" if j == 0 else "blue dash", w, h)
    row = d.grid(116, 20, [ones] * 3, lambda i, j: "orange" if i == 0 else "orange dash", w, h)
    total = d.grid(232, 20, [[t + o for o in ones] for t in tens], "green", w, h)
    for box, shape in ((column, "(3, 1)"), (row, "(4,)"), (total, "(3, 4)")):
        d.text(box.top[0], 8, shape, "code")
    d.text(106, row.left[1], "+", "bold")
    d.text(222, row.left[1], "=", "bold")
    return d
