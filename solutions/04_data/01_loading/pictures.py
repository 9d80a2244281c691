"""The pictures of 4.1."""

from grader.drawing import Drawing


def pipeline() -> Drawing:
    """From the data set to the model: what each station does."""
    d = Drawing()
    stations = [
        ({"en": "data set", "zh": "数据集"}, ""),
        (
            {"en": "sampler", "zh": "采样器"},
            {
                "en": "which, in what order\nshuffle, drop_last, generator",
                "zh": "取哪些，按什么顺序\nshuffle、drop_last、generator",
            },
        ),
        (
            {"en": "transform", "zh": "变换"},
            {
                "en": "one by one: resize, scale, normalise,\naugment (training only)",
                "zh": "逐个进行：缩放、归一化，\n增强（仅限训练）",
            },
        ),
        ({"en": "collate", "zh": "整理"}, {"en": "a batch", "zh": "装成批次"}),
        ({"en": "model", "zh": "模型"}, ""),
    ]
    for n, (name, what) in enumerate(stations):
        box = d.box(0, n * 56, 90, 32, name, "grey" if n in (0, 4) else "blue")
        if n < 4:
            d.line((46, n * 56 + 34), (46, n * 56 + 53), arrow=True)
        if what:
            d.text(98, box.right[1], what, "small", "start")
    return d


def statistics() -> Drawing:
    """Mean and deviation come from the training images, and normalise all images."""
    d = Drawing()
    source = d.box(0, 0, 120, 32, {"en": "training images", "zh": "训练图像"}, "green")
    stats = d.box(200, 0, 132, 32, {"en": "mean, deviation", "zh": "均值、标准差"}, "orange")
    d.line((source.right[0] + 4, 16), (stats.x - 4, 16), arrow=True)
    names = (
        {"en": "training", "zh": "训练图像"},
        {"en": "test", "zh": "测试图像"},
        {"en": "tomorrow's", "zh": "明天来的"},
    )
    for n, name in enumerate(names):
        box = d.box(n * 116, 92, 100, 32, name, "green" if n == 0 else "blue")
        d.line((stats.bottom[0], 36), (box.top[0], 88), look="orange", arrow=True)
    d.text(0, 70, {"en": "normalise", "zh": "归一化"}, "orange", "start")
    return d
