"""The pictures of 3.2."""

from grader.drawing import Drawing


def lists() -> Drawing:
    """What a Module knows of a list of three layers: nothing, three layers, one layer three times."""
    d = Drawing()
    for n, (name, kind, count) in enumerate(
        (("Hidden", "list", 0), ("Seen", "ModuleList", 60), ("Same", "ModuleList", 20))
    ):
        y = n * 96
        hidden = name == "Hidden"
        d.text(0, y + 40, name, "bold", "start")
        look = "grey dash" if hidden else "blue"
        holder = d.box(58, y + 6, 182, 24, kind, look, "code")
        layers = [d.box(58 + k * 62, y + 48, 54, 24, "Linear", look) for k in ((1,) if name == "Same" else range(3))]
        for k in range(3):
            layer = layers[min(k, len(layers) - 1)]
            shift = (k - 1) * 14 if name == "Same" else 0
            start = (holder.x + 27 + k * 62, holder.bottom[1])
            d.line(start, (layer.top[0] + shift, layer.y), look="dash" if hidden else "", arrow=True)
        d.text(252, y + 40, {"en": f"{count}\nparameters", "zh": f"{count}\n个参数"}, "", "start")
    return d
