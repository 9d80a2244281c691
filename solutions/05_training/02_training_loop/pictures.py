"""The pictures of 5.2."""

import math

from grader.drawing import Box, Drawing, steps


def step() -> Drawing:
    """The four calls of a step, and what each leaves behind."""
    d = Drawing()
    calls = [
        ("optimizer.zero_grad()", {"en": ".grad is empty", "zh": ".grad 清空"}, "grey"),
        ("criterion(model(x), y)", {"en": "the graph is built", "zh": "建立计算图"}, "blue"),
        ("loss.backward()", {"en": ".grad is filled", "zh": ".grad 填好"}, "orange"),
        ("optimizer.step()", {"en": "the weights move", "zh": "权重移动"}, "green"),
    ]
    for n, (call, left, look) in enumerate(calls):
        box = d.box(26, n * 50, 166, 30, call, look, "code")
        d.text(box.right[0] + 10, box.right[1], left, "dim", "start")
        if n < 3:
            d.line((112, n * 50 + 32), (112, n * 50 + 47), arrow=True)
    d.line((24, 165), (6, 165), (6, 15), (22, 15), look="dash", arrow=True)
    d.text(112, 194, {"en": "next batch: from the top", "zh": "下一批：从头再来"}, "dim small")
    return d


def _validation(t: float) -> float:
    """Falls, has a dent, reaches a bottom, rises."""
    return 0.25 + math.exp(-t / 3) + 0.0022 * t * t + 0.12 * math.exp(-((t - 6.2) ** 2) / 1.2)


def stopping() -> Drawing:
    """Training and validation loss by epoch; the best epoch, and where patience is over."""
    d = Drawing()
    at = d.axes(Box(8, 0, 300, 150), (0, 20), (0, 1.3))
    epochs = steps(0, 20, 81)
    best = min(epochs, key=_validation)
    d.line(*(at(t, 0.05 + 0.95 * math.exp(-t / 4)) for t in epochs), look="grey thick")
    d.line(*(at(t, _validation(t)) for t in epochs if t <= best + 5), look="blue thick")
    d.line(*(at(t, _validation(t)) for t in epochs if t >= best + 5), look="blue dash")
    for t, look, label in (
        (best, "green", {"en": "restore this one", "zh": "恢复到这里"}),
        (best + 5, "red", {"en": "patience is over", "zh": "耐心用完了"}),
    ):
        (x, y) = at(t, _validation(t))
        d.dot(x, y, look)
        up = 40 if look == "green" else 34
        d.line((x, y - 5), (x, y - up), look=look)
        d.text(x, y - up - 9, label, f"{look} small")
    d.text(at(20, 1)[0], at(0, _validation(20))[1] - 12, {"en": "validation", "zh": "验证集"}, "blue small", "end")
    d.text(at(20, 0)[0], at(0, 0.12)[1] - 8, {"en": "training", "zh": "训练集"}, "grey small", "end")
    d.text(at(20, 0)[0], at(0, 0)[1] + 12, {"en": "epochs", "zh": "epoch"}, "dim small", "end")
    d.text(16, 6, {"en": "loss", "zh": "损失"}, "dim small", "start")
    return d
