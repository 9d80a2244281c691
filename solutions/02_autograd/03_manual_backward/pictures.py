"""The pictures of 2.3."""

from grader.drawing import Drawing


def backward() -> Drawing:
    """The two-layer network: what each box keeps on the way down, and what it owes on the way up."""
    d = Drawing()
    x, w, pitch = 112, 112, 72
    boxes = [
        ({"en": "linear 1", "zh": "线性层 1"}, "x", "grad_W1\ngrad_b1"),
        ("ReLU", "z", ""),
        ({"en": "linear 2", "zh": "线性层 2"}, "h", "grad_W2\ngrad_b2"),
        ("softmax + CE", {"en": "probabilities,\ntarget", "zh": "各类概率、\ntarget"}, ""),
    ]
    ahead, back = ["x", "z", "h", "logits", "loss"], ["", "grad_z", "grad_h", "grad_logits", "1"]
    for n, (name, kept, owed) in enumerate(boxes):
        box = d.box(x, 40 + n * pitch, w, 30, name, "blue")
        d.text(x - 10, box.left[1], kept, "purple", "end")
        if owed:
            d.line(box.right, (box.right[0] + 24, box.right[1]), look="orange", arrow=True)
            d.text(box.right[0] + 30, box.right[1], owed, "code orange", "start")
    for n in range(5):
        top = n * pitch
        d.line((x + 38, top), (x + 38, top + 36), look="blue", arrow=True)
        d.text(x + 30, top + 17, ahead[n], "code blue", "end")
        if back[n]:
            d.line((x + 74, top + 36), (x + 74, top), look="orange", arrow=True)
            d.text(x + 82, top + 17, back[n], "code orange", "start")
    d.text(x - 10, 14, {"en": "forwards\nkeeps", "zh": "前向留下"}, "purple bold", "end")
    return d


def gate() -> Drawing:
    """ReLU's gate: its input decides which upstream gradients pass."""
    d = Drawing()
    z, upstream = [2, -1, 0, 3, -2], [5, 5, -4, -1, 3]
    rows = [
        ("z", z, lambda i, j: "green" if z[j] > 0 else "grey"),
        ("grad_h", upstream, "orange"),
        ("grad_z", [u if v > 0 else 0 for u, v in zip(upstream, z)], lambda i, j: "orange" if z[j] > 0 else "dash"),
    ]
    for n, (name, values, look) in enumerate(rows):
        y = n * 48
        d.text(72, y + 13, name, "code", "end")
        d.grid(82, y, [values], look, 40)
    for j, v in enumerate(z):
        x = 82 + (j + 0.5) * 40
        if v > 0:
            d.line((x, 78), (x, 92), look="orange", arrow=True)
        else:
            d.line((x - 8, 85), (x + 8, 85), look="thick")
    d.text(292, 13, {"en": "z > 0?", "zh": "z > 0？"}, "dim", "start")
    return d
