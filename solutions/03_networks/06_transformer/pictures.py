"""The pictures of 3.6."""

import math

from grader.drawing import Drawing


def block() -> Drawing:
    """From tokens to logits: the path of the sums on the left, the two steps of a block beside it."""
    d = Drawing()
    x = 106
    d.box(x - 102, 0, 204, 26, {"en": "tokens  (B, T)", "zh": "token  (B, T)"}, "grey")
    d.box(x - 102, 46, 204, 26, {"en": "√dim · embedding + position", "zh": "√dim · 嵌入 + 位置"}, "green")
    d.line((x, 28), (x, 44), arrow=True)
    d.box(0, 92, 332, 176, "", "dash")
    for n, (norm, step, look) in enumerate(
        (("norm1", {"en": "attention", "zh": "注意力"}, "orange"), ("norm2", "up, gelu, down", "purple"))
    ):
        y = 124 + n * 84
        plus = d.ring(x, y + 36, 10, look="blue", label="+")
        d.line((x, 74 if n == 0 else y - 36), (x, y + 24), look="blue thick", arrow=True)
        d.line((x + 2, y - 10), (x + 27, y - 10), arrow=True)
        d.box(x + 30, y - 22, 56, 24, norm, "grey", "code")
        d.line((x + 88, y - 10), (x + 103, y - 10), arrow=True)
        box = d.box(x + 106, y - 22, 112, 24, step, look)
        d.line(box.bottom, (box.bottom[0], y + 36), (plus.right[0] + 3, y + 36), arrow=True)
        d.text(x + 90, y + 26, "dropout", "dim small")
    d.text(326, 256, {"en": "depth times", "zh": "重复 depth 次"}, "dim small", "end")
    d.line((x, 255), (x, 284), look="blue thick", arrow=True)
    d.box(x - 102, 288, 204, 26, {"en": "norm, output", "zh": "norm、output"}, "green")
    d.line((x, 316), (x, 332), arrow=True)
    d.box(x - 102, 334, 204, 26, "logits  (B, T, vocab)", "grey", "small")
    guess = {"en": "at each position,\nguess at the next", "zh": "每个位置都猜\n下一个 token"}
    d.text(x + 108, 347, guess, "dim small", "start")
    d.text(x + 8, 83, "x  (B, T, dim)", "code dim", "start")
    return d


def clocks() -> Drawing:
    """Three hands, one for each pair of columns of dim = 6, at some places p."""
    d = Drawing()
    places, r = (0, 1, 2, 5, 10, 50), 16
    for j, p in enumerate(places):
        x = 103 + j * 41
        d.text(x, 8, f"p = {p}" if j == 0 else p, "dim")
        for k in range(3):
            y, angle = 38 + k * 42, p / 10000 ** (2 * k / 6)
            d.ring(x, y, r, look=("blue", "orange", "green")[k])
            d.line((x, y), (x + r * math.sin(angle), y - r * math.cos(angle)), look="thick")
    for k in range(3):
        d.text(81, 38 + k * 42, {"en": f"columns {2 * k}, {2 * k + 1}", "zh": f"第 {2 * k}、{2 * k + 1} 列"}, "", "end")
    return d
