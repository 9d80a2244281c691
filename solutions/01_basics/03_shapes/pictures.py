"""The pictures of 1.3."""

from grader.drawing import CELL, Drawing


def channels() -> Drawing:
    """One row of two pixels: permute makes three channels, reshape only breaks the line elsewhere."""
    d = Drawing()
    pixels = ["R₀", "G₀", "B₀", "R₁", "G₁", "B₁"]
    colours = {"R": "red", "G": "green", "B": "blue"}

    def cells(x: float, y: float, rows: list[list[str]]) -> None:
        d.grid(x, y, rows, lambda i, j: colours[rows[i][j][0]])

    cells(92, 20, [pixels])
    d.text(92 + 3 * CELL, 8, "image  (1, 2, 3)", "code")
    for x, call, rows in (
        (60, "permute(2, 0, 1)", [pixels[c::3] for c in range(3)]),
        (240, "reshape(3, 1, 2)", [pixels[2 * c : 2 * c + 2] for c in range(3)]),
    ):
        d.line((170, 30 + CELL), (x + CELL, 60 + CELL), arrow=True)
        d.text(x + CELL, 72 + CELL, call, "code")
        cells(x, 84 + CELL, rows)
        for c, name in enumerate(({"en": "red", "zh": "红"}, {"en": "green", "zh": "绿"}, {"en": "blue", "zh": "蓝"})):
            label = name if x < 100 else {lang: f"“{word}”" for lang, word in name.items()}
            d.text(x - 6, 84 + (c + 1.5) * CELL, label, "dim", "end")
    return d


def rearranged() -> Drawing:
    """Six seats, split into pairs, turned, and merged again."""
    d = Drawing()

    def cells(x: float, y: float, rows: list[list[int]], shape: str) -> None:
        box = d.grid(x, y, rows, lambda i, j: "orange" if rows[i][j] % 2 else "blue")
        d.text(box.right[0] + 10, box.right[1], shape, "code", "start")

    cells(0, 0, [[0, 1, 2, 3, 4, 5]], "seats  (6,)")
    cells(52, 56, [[0, 1], [2, 3], [4, 5]], "(3, 2)  pair, member")
    cells(39, 164, [[0, 2, 4], [1, 3, 5]], "(2, 3)  member, pair")
    cells(0, 246, [[0, 2, 4, 1, 3, 5]], "(6,)")
    for y, call in ((26, "reshape(3, 2)"), (134, "permute(1, 0)"), (216, "reshape(-1)")):
        d.line((78, y + 4), (78, y + 26), arrow=True)
        d.text(88, y + 15, call, "code dim", "start")
    return d
