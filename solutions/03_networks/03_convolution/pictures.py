"""The pictures of 3.3."""

from grader.drawing import CELL, Drawing

_IMAGE = [[1, 2, 0, 1, 3], [0, 1, 3, 0, 2], [2, 1, 1, 1, 0], [1, 0, 2, 2, 1], [0, 3, 1, 0, 1]]
_KERNEL = [[1, 0, -1]] * 3


def _convolved() -> list[list[int]]:
    """What the kernel answers at each of the 3 × 3 places."""
    places = range(3)
    return [[sum(_IMAGE[i + a][j + b] * _KERNEL[a][b] for a in places for b in places) for j in places] for i in places]


def window() -> Drawing:
    """The first window of the image, the kernel, and the number that comes out; the second window is outlined."""
    d = Drawing()
    c = 24
    image = d.grid(0, 20, _IMAGE, lambda i, j: "blue" if i < 3 and j < 3 else "", c, c)
    d.box(c + 2, 22, 3 * c - 4, 3 * c - 4, "", "dash thick")
    kernel = d.grid(147, 20, _KERNEL, "orange", c, c)
    result = d.grid(
        249, 20, _convolved(), lambda i, j: "green" if (i, j) == (0, 0) else "dash" if (i, j) == (0, 1) else "", c, c
    )
    for box, name in (
        (image, {"en": "image 5 × 5", "zh": "图像 5 × 5"}),
        (kernel, {"en": "kernel 3 × 3", "zh": "卷积核 3 × 3"}),
        (result, {"en": "result 3 × 3", "zh": "结果 3 × 3"}),
    ):
        d.text(box.top[0], 8, name, "dim")
    d.text(133, kernel.left[1], "·", "bold")
    d.text(234, kernel.left[1], "=", "bold")
    d.text(231, 122, "(1 + 0 + 2) - (0 + 3 + 1) = -1", "small")
    return d


def padding() -> Drawing:
    """Size 6, padding 1, kernel 3, stride 2: three windows, and a 0 that is left over."""
    d = Drawing()
    w = 39
    d.grid(0, 0, [["0", *"abcdef", "0"]], lambda i, j: "dash" if j in (0, 7) else "blue", w)
    for n in range(3):
        y = CELL + 14 + n * 22
        a, b = 2 * n * w + 4, (2 * n + 3) * w - 4
        d.line((a, y - 6), (a, y), (b, y), (b, y - 6), look="orange thick")
        d.text(b + 8, y - 2, {"en": f"place {n}", "zh": f"位置 {n}"}, "orange", "start")
    sizes = {"en": "size 6, padding 1,\nkernel 3, stride 2", "zh": "大小 6，填充 1，\n卷积核 3，步幅 2"}
    d.text(0, CELL + 72, sizes, "dim small", "start")
    left = {"en": "the last 0 is left over", "zh": "最后一个 0 没有用上"}
    d.text(8 * w, CELL + 80, left, "dim small", "end")
    return d


def pooling() -> Drawing:
    """The maximum of each 2 × 2 window."""
    d = Drawing()
    x = [[1, 5, 2, 0], [3, 4, 1, 1], [0, 0, 7, 6], [2, 1, 8, 9]]
    colours = [["blue", "orange"], ["green", "purple"]]
    d.grid(0, 0, x, lambda i, j: colours[i // 2][j // 2])
    d.line((4 * CELL + 12, 2 * CELL), (4 * CELL + 52, 2 * CELL), arrow=True)
    best = [[max(x[2 * i][2 * j : 2 * j + 2] + x[2 * i + 1][2 * j : 2 * j + 2]) for j in range(2)] for i in range(2)]
    d.grid(4 * CELL + 64, CELL, best, lambda i, j: colours[i][j])
    return d


def receptive() -> Drawing:
    """What one number sees: two kernels of 3 with stride 1, and with stride 2 in the first layer."""
    d = Drawing()
    c, pitch = 18, 46
    for middle, stride in ((66, 1), (250, 2)):
        spans = [1, 3, 2 * stride + 3]  # from the last layer down to the image
        for layer, span in enumerate(spans):
            y = layer * pitch
            d.grid(middle - span * c / 2, y, [[""] * span], ("green", "orange", "blue")[layer], c, c)
            for side in (-1, 1) if layer < 2 else ():
                ends = middle + side * span * c / 2, middle + side * spans[layer + 1] * c / 2
                d.line((ends[0], y + c), (ends[1], y + pitch), look="dim")
        label = {"en": f"stride {stride}: sees {spans[2]}", "zh": f"步幅 {stride}：看到 {spans[2]} 个"}
        d.text(middle, 2 * pitch + c + 14, label, "dim")
    return d


def seen() -> Drawing:
    """How often each pixel of an 8 × 8 image is used by a kernel of 3, with a stride of 3 and of 1."""
    d = Drawing()
    c = 19
    for x, stride in ((0, 3), (176, 1)):
        along = [sum(s <= p < s + 3 for s in range(0, 6, stride)) for p in range(8)]
        for i, a in enumerate(along):
            row = [a * b for b in along]
            d.grid(x, 20 + i * c, [row], lambda _, j, row=row: _shade(row[j]), c, c, "small")
        d.text(x + 4 * c, 8, {"en": f"stride {stride}", "zh": f"步幅 {stride}"}, "dim")
    return d


def _shade(count: int) -> str:
    return "dash" if count == 0 else "" if count < 4 else "green" if count == 9 else "blue"
