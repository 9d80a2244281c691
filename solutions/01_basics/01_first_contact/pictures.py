"""The pictures of 1.1."""

from grader.drawing import CELL, Drawing


def transposed() -> Drawing:
    """Six numbers in memory, read as t and as t.T."""
    d = Drawing()
    colours = ["blue", "orange"]
    memory = d.grid(100, 0, [[1, 2, 3, 4, 5, 6]], lambda i, j: colours[j // 3])
    d.text(90, memory.left[1], {"en": "in memory", "zh": "内存中"}, "dim", "end")
    t = d.grid(40, 70, [[1, 2, 3], [4, 5, 6]], lambda i, j: colours[i])
    turned = d.grid(216, 70, [[1, 4], [2, 5], [3, 6]], lambda i, j: colours[j])
    d.text(t.top[0], 56, "t  (2, 3)", "code")
    d.text(turned.top[0], 56, "t.T  (3, 2)", "code")
    for box, right, down in ((t, 1, 3), (turned, 3, 1)):
        x, y = box.x, box.y
        d.line((x, y + box.h + 10), (x + CELL, y + box.h + 10), arrow=True)
        d.text(x + CELL + 6, y + box.h + 10, f"+{right}", "dim", "start")
        d.line((x - 10, y), (x - 10, y + CELL), arrow=True)
        d.text(x - 16, y + CELL / 2, f"+{down}", "dim", "end")
    steps = {
        "en": "↓ → how many steps in memory to the next row, column",
        "zh": "↓ → 到下一行、下一列，在内存中要走几步",
    }
    d.text(165, 180, steps, "dim small")
    return d
