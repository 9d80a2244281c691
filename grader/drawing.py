"""Drawings for lessons, as SVG: boxes, lines, grids and curves in a few looks, legible in light and in dark.

Lengths are in px of a narrow phone, y grows downwards, and the canvas is as large as what is on it. A label is text, or
a text for each language. A look is a list of words, such as "blue dash": a colour, and what else the shape knows.
"""

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

Point = tuple[float, float]
Label = str | int | float | Mapping[str, str]

WIDTH = 340  # at most, so that it can be read on a screen of 360
CELL = 26
_ENLARGED = 1.25  # where there is room
_MARGIN = 4
_LEADING = 16
_HEAD = 6
_CHARACTER, _MONO = 0.57, 0.61  # of the font's size, on average; Chinese ones are square
_SIZES = {"small": 11, "code": 12, "": 13}

_INK, _LINE = ("#1f2328", "#e6edf3"), ("#6e7781", "#8b949e")  # in light, in dark
_COLOURS = {  # each as a tint to write on, and strong, for lines and words
    "grey": (("#e4e9ee", "#32383f"), ("#57606a", "#a5b0bb")),
    "blue": (("#cfe3ff", "#173a66"), ("#0757ba", "#6cb6ff")),
    "orange": (("#ffe0c2", "#5c3514"), ("#a84300", "#f5a15b")),
    "green": (("#caf0d2", "#174a2c"), ("#19762f", "#56d364")),
    "purple": (("#e8d9fb", "#432d70"), ("#7040c4", "#c9a6ff")),
    "red": (("#ffd7d5", "#65242a"), ("#c4232b", "#ff8a84")),
}
_FONTS = {
    "text": 'system-ui,"Segoe UI",Roboto,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif',
    "code": 'ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace',
}
_BASE = f"text{{font:{_SIZES['']}px {_FONTS['text']}}}rect,path,ellipse{{fill:none}}"


class Box(NamedTuple):
    """A rectangle, and the points where arrows meet it."""

    x: float
    y: float
    w: float
    h: float

    @property
    def left(self) -> Point:
        """The middle of its left side."""
        return self.x, self.y + self.h / 2

    @property
    def right(self) -> Point:
        """The middle of its right side."""
        return self.x + self.w, self.y + self.h / 2

    @property
    def top(self) -> Point:
        """The middle of its upper side."""
        return self.x + self.w / 2, self.y

    @property
    def bottom(self) -> Point:
        """The middle of its lower side."""
        return self.x + self.w / 2, self.y + self.h


class _Item(NamedTuple):
    tag: str
    kind: str  # what a colour means for it: a tint to "fill", or the strong one for a "line" or as "text"
    look: str
    attributes: dict[str, str]
    extent: Sequence[Point]  # for words: their one place
    label: Label = ""


class Drawing:
    """What a picture consists of, in the order in which it is painted."""

    def __init__(self) -> None:
        self._items: list[_Item] = []

    def text(self, x: float, y: float, label: Label, look: str = "", anchor: str = "middle") -> None:
        """Words around a point, or with "start" or "end" beside it; \\n breaks lines. Looks: colours, dim code bold
        small.
        """
        beside = {} if anchor == "middle" else {"text-anchor": anchor}
        self._items.append(_Item("text", "text", look, beside, [(x, y)], label))

    def box(self, x: float, y: float, w: float, h: float, label: Label = "", look: str = "", words: str = "") -> Box:
        """A rectangle with rounded corners and words in it; `words` is their look. Looks: colours, dash, thick."""
        place = {"x": _n(x), "y": _n(y), "width": _n(w), "height": _n(h), "rx": "4"}
        self._items.append(_Item("rect", "fill", look, place, [(x, y), (x + w, y + h)]))
        if label != "":
            self.text(x + w / 2, y + h / 2, label, words)
        return Box(x, y, w, h)

    def grid(
        self,
        x: float,
        y: float,
        rows: Sequence[Sequence[Label]],
        look: str | Callable[[int, int], str] = "",
        w: float = CELL,
        h: float = CELL,
        words: str = "",
    ) -> Box:
        """A matrix of labelled cells; `look` may be a function of row and column. What is dashed is written dimly."""
        looks: dict[str, list[Point]] = {}
        for i, row in enumerate(rows):
            for j in range(len(row)):
                looks.setdefault(look if isinstance(look, str) else look(i, j), []).append((x + j * w, y + i * h))
        for name, corners in looks.items():
            d = "".join(f"M{_n(a)} {_n(b)}h{_n(w)}v{_n(h)}h{_n(-w)}z" for a, b in corners)
            reach = [p for a, b in corners for p in ((a, b), (a + w, b + h))]
            self._items.append(_Item("path", "fill", name, {"d": d}, reach))
        for i, row in enumerate(rows):
            for j, label in enumerate(row):
                if label != "":
                    dashed = "dash" in (look if isinstance(look, str) else look(i, j))
                    self.text(x + (j + 0.5) * w, y + (i + 0.5) * h, label, f"{words} dim" if dashed else words)
        return Box(x, y, w * max(map(len, rows)), h * len(rows))

    def line(self, *points: Point, look: str = "", arrow: bool = False) -> None:
        """From point to point, or along a curve that has many; an arrow has its head at the last. Looks: colours, dash,
        thick.
        """
        self._items.append(_Item("path", "line", look, {"d": "M" + "L".join(map(_at, points))}, points))
        if arrow:
            (a, b), (x, y) = points[-2:]
            way = math.atan2(y - b, x - a)
            ends = [(x - _HEAD * math.cos(way + turn), y - _HEAD * math.sin(way + turn)) for turn in (0.5, -0.5)]
            head = {"d": f"M{_at(ends[0])}L{_at((x, y))}L{_at(ends[1])}"}
            self._items.append(_Item("path", "line", look.replace("dash", ""), head, ends))

    def dot(self, x: float, y: float, look: str = "") -> None:
        """A point that can be seen. Looks: colours."""
        place = {"cx": _n(x), "cy": _n(y), "r": "3"}
        self._items.append(_Item("circle", "text", look, place, [(x - 3, y - 3), (x + 3, y + 3)]))

    def ring(self, x: float, y: float, rx: float, ry: float = 0, look: str = "", label: Label = "") -> Box:
        """A circle, or an ellipse, around a point, and words in it. Looks: as of a box."""
        ry = ry or rx
        place = {"cx": _n(x), "cy": _n(y), "rx": _n(rx), "ry": _n(ry)}
        self._items.append(_Item("ellipse", "fill", look, place, [(x - rx, y - ry), (x + rx, y + ry)]))
        if label != "":
            self.text(x, y, label)
        return Box(x - rx, y - ry, 2 * rx, 2 * ry)

    def axes(
        self,
        box: Box,
        xs: tuple[float, float],
        ys: tuple[float, float],
        ticks: tuple[Sequence[float], Sequence[float]] = ((), ()),
    ) -> Callable[[float, float], Point]:
        """Two axes that cross at 0, or where the range is nearest to it; returns what maps values to points."""

        def at(x: float, y: float) -> Point:
            along, up = (x - xs[0]) / (xs[1] - xs[0]), (y - ys[0]) / (ys[1] - ys[0])
            return box.x + along * box.w, box.y + (1 - up) * box.h

        x0, y0 = min(max(0, xs[0]), xs[1]), min(max(0, ys[0]), ys[1])
        self.line(at(xs[0], y0), at(xs[1], y0), look="dim")
        self.line(at(x0, ys[0]), at(x0, ys[1]), look="dim")
        for x in ticks[0]:
            a, b = at(x, y0)
            self.line((a, b - 2), (a, b + 2), look="dim")
            self.text(a, b + 10, _n(x), "dim small")
        for y in ticks[1]:
            a, b = at(x0, y)
            self.line((a - 2, b), (a + 2, b), look="dim")
            self.text(a - 5, b, _n(y), "dim small", "end")
        return at

    @property
    def speaks(self) -> bool:
        """True if it has words that differ between languages."""
        return any(isinstance(i.label, Mapping) for i in self._items)

    def extent(self, lang: str) -> Box:
        """All that is on it, words as wide as they are likely to be."""
        points = [p for item in self._items for p in _reach(item, lang)] or [(0.0, 0.0)]
        xs, ys = zip(*points, strict=True)
        return Box(
            min(xs) - _MARGIN, min(ys) - _MARGIN, max(xs) - min(xs) + 2 * _MARGIN, max(ys) - min(ys) + 2 * _MARGIN
        )

    def svg(self, lang: str) -> str:
        """The picture with its words in that language; the same text each time. Raises KeyError for one it lacks."""
        x, y, w, h = self.extent(lang)
        size = {"width": _n(round(w * _ENLARGED)), "height": _n(round(h * _ENLARGED)), "text-anchor": "middle"}
        root = ElementTree.Element(
            "svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"{_at((x, y))} {_at((w, h))}", **size}
        )
        style = ElementTree.SubElement(root, "style")
        used: dict[str, None] = {}
        for item in self._items:
            classes = [f"{item.kind}-{word}" if word in _COLOURS else word for word in item.look.split()]
            used.update(dict.fromkeys([item.tag, *classes]))
            marked = {"class": " ".join(classes)} if classes else {}
            if item.tag != "text":
                ElementTree.SubElement(root, item.tag, {**item.attributes, **marked})
                continue
            for place, line in _lines(item, lang):
                at = {"x": _n(place[0]), "y": _n(place[1] + 0.36 * _font(item.look)), **item.attributes, **marked}
                ElementTree.SubElement(root, "text", at).text = line
        names = sorted(used, key=lambda name: name == "small")  # last, so that it holds for code as well
        light, dark = ([_rule(name, theme) for name in names] for theme in (0, 1))
        changed = [b for a, b in zip(light, dark, strict=True) if a != b]
        style.text = _BASE + "".join(light) + "@media(prefers-color-scheme:dark){" + "".join(changed) + "}"
        ElementTree.indent(root, "")
        return ElementTree.tostring(root, encoding="unicode") + "\n"


def steps(first: float, last: float, count: int) -> list[float]:
    """That many numbers, evenly spaced, both ends among them."""
    return [first + (last - first) * i / (count - 1) for i in range(count)]


def bow(a: Point, b: Point, rise: float, count: int = 13) -> list[Point]:
    """Points from a to b along a curve whose middle lies `rise` above the straight way."""
    ts = steps(0, 1, count)
    return [(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]) - 4 * rise * t * (1 - t)) for t in ts]


def _rule(name: str, theme: int) -> str:
    """The style of a tag or a class; theme 0 is light, 1 is dark."""
    kind, _, colour = name.partition("-")
    if colour:
        tint, strong = (pair[theme] for pair in _COLOURS[colour])
        return f".{name}{{{'stroke' if kind == 'line' else 'fill'}:{tint if kind == 'fill' else strong}}}"
    match name:
        case "text":
            return f"text{{fill:{_INK[theme]}}}"
        case "rect" | "path" | "ellipse":
            return f"{name}{{stroke:{_LINE[theme]}}}"
        case "circle":
            return f"circle{{fill:{_INK[theme]}}}"
        case "code":
            return f".code{{font-family:{_FONTS['code']};font-size:{_SIZES['code']}px}}"
    return {
        "dim": ".dim{opacity:.75}",
        "bold": ".bold{font-weight:600}",
        "small": f".small{{font-size:{_SIZES['small']}px}}",
        "dash": ".dash{stroke-dasharray:3 3}",
        "thick": ".thick{stroke-width:2}",
    }[name]


def _lines(item: _Item, lang: str) -> Iterator[tuple[Point, str]]:
    """The lines of a label, each with the point that it is centred on."""
    lines = (item.label[lang] if isinstance(item.label, Mapping) else str(item.label)).split("\n")
    ((x, y),) = item.extent
    for n, line in enumerate(lines):
        yield (x, y + (n - (len(lines) - 1) / 2) * _LEADING), line


def _reach(item: _Item, lang: str) -> Iterator[Point]:
    if item.tag != "text":
        yield from item.extent
        return
    for (x, y), line in _lines(item, lang):
        size = _font(item.look)
        narrow = _MONO if "code" in item.look.split() else _CHARACTER
        width = size * sum(1 if unicodedata.east_asian_width(c) in "WF" else narrow for c in line)
        start = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[item.attributes.get("text-anchor", "middle")]
        yield from ((start, y - size * 0.6), (start + width, y + size * 0.6))


def _font(look: str) -> int:
    return next((size for word, size in _SIZES.items() if word in look.split()), _SIZES[""])


def _at(point: Point) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _n(value: float) -> str:
    """To a tenth, as short as can be."""
    return f"{round(value, 1) + 0:.1f}".removesuffix(".0")
