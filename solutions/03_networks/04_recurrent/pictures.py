"""The pictures of 3.4."""

from grader.drawing import Box, Drawing


def unrolled() -> Drawing:
    """One cell, used three times: each step reads an input and the state of the step before."""
    d = Drawing()
    d.text(8, 79, "0", "code")
    for t in range(3):
        x = 40 + t * 100
        cell = d.box(x, 64, 50, 30, {"en": "cell", "zh": "单元"}, "blue")
        d.ring(cell.top[0], 14, 13, look="green", label="x" + "₀₁₂"[t])
        d.line((cell.top[0], 28), (cell.top[0], 60), arrow=True)
        d.line((x - (24 if t == 0 else 48), 79), (x - 4, 79), arrow=True)
        d.line(cell.bottom, (cell.bottom[0], 126), arrow=True)
        d.ring(cell.bottom[0], 142, 13, look="orange", label="h" + "₀₁₂"[t])
        if t:
            d.text(x - 26, 70, "h" + "₀₁₂"[t - 1], "orange")
    d.text(166, 174, "h = tanh(x W_ihᵀ + h W_hhᵀ + b)", "code")
    return d


def lstm() -> Drawing:
    """The memory c runs straight through; three gates, and a candidate."""
    d = Drawing()
    d.text(6, 20, "c", "bold")
    for start, end in ((16, 46), (69, 138), (161, 310)):
        d.line((start, 20), (end, 20), look="blue thick", arrow=True)
    d.text(322, 20, "c'", "bold")
    for x, y, sign, look in ((58, 20, "×", "orange"), (150, 20, "+", "grey"), (150, 62, "×", "orange")):
        d.ring(x, y, 10, look=look, label=sign)
    d.ring(256, 68, 10, look="orange", label="×")
    gates = [
        (58, "σ(f)", "orange", {"en": "forget gate: what to keep of c", "zh": "遗忘门：c 保留多少"}),
        (122, "σ(i)", "orange", {"en": "input gate: how much of g to write", "zh": "输入门：g 写进多少"}),
        (186, "tanh(g)", "green", {"en": "candidate: what to write", "zh": "候选值：写什么"}),
        (256, "σ(o)", "orange", {"en": "output gate: what to show of c'", "zh": "输出门：c' 展示多少"}),
    ]
    for n, (x, name, look, does) in enumerate(gates):
        d.box(x - 27, 92, 54, 24, name, look)
        d.text(50, 136 + n * 17, "figo"[n], "code bold")
        d.text(66, 136 + n * 17, does, "small", "start")
    ways = [((58, 92), (58, 31)), ((122, 92), (142, 70)), ((186, 92), (158, 70)), ((150, 51), (150, 31))]
    ways += [((256, 20), (256, 32)), ((256, 49), (256, 57)), ((256, 92), (256, 79)), ((267, 68), (310, 68))]
    for start, end in ways:
        d.line(start, end, arrow=True)
    d.text(256, 40, "tanh")
    d.text(322, 68, "h'", "bold")
    return d


_SAMPLES = [[7, 3, 9, 2, 0, 0], [5, 1, 4, 4, 8, 6], [2, 0, 0, 0, 0, 0]]
_LENGTHS = [4, 6, 1]


def lengths() -> Drawing:
    """Three sequences padded to six steps; each ends somewhere else."""
    d = Drawing()

    def look(i: int, j: int) -> str:
        return "orange" if j == _LENGTHS[i] - 1 else "blue" if j < _LENGTHS[i] else "dash"

    for i, row in enumerate(_SAMPLES):
        y = i * 34
        box = d.grid(70, y, [row], lambda _, j, i=i: look(i, j))
        d.text(60, box.left[1], {"en": f"sample {i}", "zh": f"样本 {i}"}, "dim", "end")
        d.text(box.right[0] + 10, box.right[1], f"outputs[{i}, {_LENGTHS[i] - 1}]", "code orange", "start")
    return d


def pieces() -> Drawing:
    """Between two pieces the state's value goes on; the way back for gradients is cut."""
    d = Drawing()
    cells: list[Box] = []
    for n in range(6):
        cells.append(d.box(n * 52 + (n > 2) * 36, 30, 32, 28, "h" + "₀₁₂₃₄₅"[n], "blue" if n < 3 else "green"))
    for n in range(5):
        (a, y), (b, _) = cells[n].right, cells[n + 1].left
        d.line((a + 2, y - 6), (b - 2, y - 6), look="blue", arrow=True)
        if n != 2:
            d.line((b - 2, y + 6), (a + 2, y + 6), look="orange", arrow=True)
    x = (cells[2].right[0] + cells[3].x) / 2
    d.line((x, 24), (x, 70), look="red dash")
    d.text(x, 80, "h.detach()", "code red")
    d.text(0, 10, {"en": "values", "zh": "值"}, "blue", "start")
    d.text(0, 80, {"en": "gradients", "zh": "梯度"}, "orange", "start")
    return d
