"""Pictures as SVG, by hand: small, sharp at any size, light and dark, and with words for who does not see them.

A picture is 360 units wide, so that it can be read on a phone. What is told by a colour is told by a shape or a word as
well. Nothing here fails on odd numbers: what is not finite is left out.
"""

import itertools
import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from grader.model import Picture

WIDTH = 360
_STYLE = """
.chart{--ink:#1c2127;--soft:#59636e;--line:#d5dae0;--paper:#fff;--a:#0b5cad;--b:#b3450b;--c:#1a7f37;--d:#8a2f8f}
@media (prefers-color-scheme:dark){
.chart{--ink:#e3e8ee;--soft:#a3adb8;--line:#46515c;--paper:#14181d;--a:#79b8ff;--b:#f0a070;--c:#4ac26b;--d:#d9a0e0}}
.chart{background:var(--paper)}
.chart text{font:11px system-ui,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
.chart text{fill:var(--ink)}.chart .soft{fill:var(--soft)}.chart .head{font-size:14px;font-weight:600}
"""
_COLOURS = ("var(--a)", "var(--b)", "var(--c)", "var(--d)")
_DASHES = ("none", "6 3", "2 3", "8 3 2 3")
_LEFT, _RIGHT, _HEIGHT = 44, 12, 180  # of a plot: room for the labels of its axes, and how high it is
_HEAD, _CELLS = 14, 40  # the size of a heading, and how much of that size fits
_NOTHING = 0.005  # a share of the largest number of a grid that is not worth a number
_BEGUN = 0.08  # how much of a ring a section has that was begun, without any points yet
_BLACK_ON = 0.65  # how far a cell may be filled for its number to be in the colour of text


class Line(NamedTuple):
    """Points that belong together, in order."""

    label: str
    points: Sequence[tuple[float, float]]
    faint: bool = False  # drawn behind the others


class Stop(NamedTuple):
    """A section on the road."""

    number: str
    state: str  # "passed", "started", "open" or "waits"
    share: float  # of its points, 0 … 1
    here: bool = False


class Drawing(NamedTuple):
    """Part of a picture: its elements, from 0 downwards, and how high it is."""

    body: str
    height: float


def svg(drawings: Sequence[Drawing], label: str) -> str:
    """These, one below the other, as one picture. `label` says in words what it shows."""
    body, height = _over(*drawings)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height:g}" width="{2 * WIDTH}" '
        f'role="img" aria-label="{escape(label)}" style="max-width:100%;height:auto"><title>{escape(label)}</title>'
        f"<style>{_STYLE}</style>{body}</svg>"
    )


def drawn(pictures: Sequence[Picture], words: Mapping[str, Mapping[str, str]], lang: str, title: str) -> str:
    """What the tests of a section saw, as one SVG file; of the same name the last. `words`: each name, by language."""

    def say(name: str) -> str:
        told = words.get(name, {})
        return told.get(lang) or next(iter(told.values()), name)  # a course in one language says it in that one

    parts, said = [heading(title)], [title]
    for p in {p.name: p for p in pictures}.values():
        parts += [heading(say(p.name)), _picture(p, say), Drawing("", 14)]
        said.append(say(p.name))
    return svg(parts, ": ".join([said[0], ", ".join(said[1:])]))


def _picture(p: Picture, say: Callable[[str], str]) -> Drawing:
    x, y = (say(axis) if axis else "" for axis in (p.x, p.y))
    if p.kind == "matrix":
        return matrix(next(iter(p.data.values())), y, x)
    if p.kind == "regions":
        marks = {say(n): _pairs(rows) for n, rows in p.data.items() if n and n[0] != " "}
        return regions(
            p.data.get("", []), _pairs(p.data.get(" box", [])), marks, say(p.x) if p.x else "", say(p.y) if p.y else ""
        )
    lines = []
    for name, rows in p.data.items():
        points = [(float(i), v) for i, v in enumerate(rows[0], 1)] if p.kind == "curves" else _pairs(rows)
        lines.append(Line(say(name), points, faint=name.startswith(" ")))
    return plot(lines, x, y, equal=p.kind == "paths")


def _pairs(rows: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    return [(row[0], row[1]) for row in rows if len(row) == 2]


def heading(text: str) -> Drawing:
    """A line above what follows, smaller where it would be too long."""
    cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    small = f' style="font-size:{_HEAD * _CELLS / cells:.1f}px"' if cells > _CELLS else ""
    return Drawing(_text(8, 20, text, "head", more=small), 28)


def plot(
    lines: Sequence[Line],
    x_label: str = "",
    y_label: str = "",
    *,
    ends: tuple[str, str] | None = None,
    equal: bool = False,
) -> Drawing:
    """Lines over two axes. `ends`: what stands at the ends of the x axis, instead of numbers. `equal`: both axes have
    the same scale, and every point is marked, the last one most.
    """
    lines = [line._replace(points=[p for p in line.points if all(map(math.isfinite, p))]) for line in lines]
    every = [p for line in lines for p in line.points]
    if not every:
        return Drawing("", 0)
    xs, ys = _span(x for x, _ in every), _span(y for _, y in every)
    wide, high, top = float(WIDTH - _LEFT - _RIGHT), float(_HEIGHT), 22 if y_label else 8
    if equal:
        unit = min(wide / (xs[1] - xs[0]), 1.2 * high / (ys[1] - ys[0]))
        wide, high = unit * (xs[1] - xs[0]), unit * (ys[1] - ys[0])

    def at(x: float, y: float) -> tuple[float, float]:
        return _LEFT + wide * (x - xs[0]) / (xs[1] - xs[0]), top + high * (ys[1] - y) / (ys[1] - ys[0])

    body = [_text(8, 12, y_label, "soft")] if y_label else []
    for tick in _ticks(*ys):
        y = at(xs[0], tick)[1]
        body.append(f'<path d="M{_LEFT} {y:.1f}h{wide:.1f}" stroke="var(--line)"/>')
        body.append(_text(_LEFT - 5, y + 4, f"{tick:g}", "soft", "end"))
    if ends:
        body.append(_text(_LEFT, top + high + 15, ends[0], "soft"))
        body.append(_text(_LEFT + wide, top + high + 15, ends[1], "soft", "end"))
    else:
        whole = all(float(x).is_integer() for x, _ in every)
        for tick in (t for t in _ticks(*xs) if not whole or t.is_integer()):
            body.append(_text(at(tick, ys[0])[0], top + high + 15, f"{tick:g}", "soft", "middle"))
    if x_label:
        body.append(_text(_LEFT + wide / 2, top + high + 30, x_label, "soft", "middle"))
    for line in (line for line in lines if line.faint):
        body.append(_line([at(*p) for p in line.points], None))
    bold = [line for line in lines if not line.faint]
    for i, line in enumerate(bold):
        body.append(_line([at(*p) for p in line.points], i, marked=equal or len(line.points) == 1))
    return _over(Drawing("".join(body), top + high + (38 if x_label else 22)), _legend(bold))


def matrix(rows: Sequence[Sequence[float]], y_label: str, x_label: str) -> Drawing:
    """A grid: the larger a number, the fuller its cell. With the numbers, where there is room for them."""
    finite = [v for row in rows for v in row if math.isfinite(v)]
    if not finite:
        return Drawing("", 0)
    most, count = max(map(abs, finite)) or 1.0, max(map(len, rows))
    cell = min(28.0, (WIDTH - _LEFT - _RIGHT) / count)
    told = [f"{arrow} {label}" for arrow, label in (("↓", y_label), ("→", x_label)) if label]
    body = [_text(_LEFT, 12, "   ".join(told), "soft")]
    for j in range(count):
        if cell > 14:
            body.append(_text(_LEFT + cell * (j + 0.5), 27, str(j), "soft", "middle"))
    for i, row in enumerate(rows):
        if cell > 14:
            body.append(_text(_LEFT - 5, 32 + cell * (i + 0.5) + 4, str(i), "soft", "end"))
        for j, v in enumerate(row):
            share = abs(v) / most if math.isfinite(v) else 0.0
            box = f'x="{_LEFT + cell * j:.1f}" y="{32 + cell * i:.1f}" width="{cell:.1f}" height="{cell:.1f}"'
            fill = "var(--a)" if v >= 0 else "var(--b)"
            body.append(f'<rect {box} fill="{fill}" fill-opacity="{share:.2f}" stroke="var(--line)"/>')
            if cell > 20 and share > _NOTHING:
                style = ' style="fill:var(--paper)"' if share > _BLACK_ON else ""
                x, y = _LEFT + cell * (j + 0.5), 32 + cell * (i + 0.5) + 4
                body.append(_text(x, y, _brief(v), "", "middle", style))
    high = 32 + cell * len(rows)
    return Drawing("".join(body), high + 8)


def regions(
    rows: Sequence[Sequence[float]],
    box: Sequence[tuple[float, float]],
    marks: Mapping[str, Sequence[tuple[float, float]]],
    x_label: str,
    y_label: str,
) -> Drawing:
    """Where numbers over a box are above 0 and where below, the line between, and points: rings, then crosses."""
    if len(box) != 2 or not any(rows) or not all(b > a and math.isfinite(b - a) for a, b in box):
        return Drawing("", 0)
    (x0, x1), (y0, y1) = box
    high, top = float(_HEIGHT), 22.0
    wide = min(float(WIDTH - _LEFT - _RIGHT), high * min((x1 - x0) / (y1 - y0), 2.0))
    dx, dy = wide / max(map(len, rows)), high / len(rows)
    body = [_text(8, 12, y_label, "soft")] if y_label else []
    edges = []
    for i, row in enumerate(rows):
        y = top + high - dy * (i + 1)
        for above, run in itertools.groupby(enumerate(row), lambda cell: cell[1] > 0):
            columns = [j for j, _ in run]
            j, last = columns[0], columns[-1]
            place = f'x="{_LEFT + dx * j:.1f}" y="{y:.1f}" width="{dx * (last - j + 1):.1f}" height="{dy:.1f}"'
            body.append(f'<rect {place} fill="var(--{"b" if above else "a"})" fill-opacity=".25"/>')
            if j:
                edges.append(f"M{_LEFT + dx * j:.1f} {y:.1f}v{dy:.1f}")
        for j, (v, below) in enumerate(zip(row, rows[i - 1] if i else (), strict=False)):
            if (v > 0) != (below > 0):
                edges.append(f"M{_LEFT + dx * j:.1f} {y + dy:.1f}h{dx:.1f}")
    body.append(f'<path d="{"".join(edges) or "M0 0"}" stroke="var(--ink)" stroke-width="1.5" fill="none"/>')
    for tick in _ticks(x0, x1):
        at = _LEFT + wide * (tick - x0) / (x1 - x0)
        body.append(_text(at, top + high + 15, f"{tick:g}", "soft", "middle"))
    for tick in _ticks(y0, y1):
        at = top + high * (y1 - tick) / (y1 - y0)
        body.append(_text(_LEFT - 5, at + 4, f"{tick:g}", "soft", "end"))
    if x_label:
        body.append(_text(_LEFT + wide / 2, top + high + 30, x_label, "soft", "middle"))
    legend = []
    for k, (label, points) in enumerate(marks.items()):
        for x, y in (p for p in points if all(map(math.isfinite, p))):
            body.append(_mark(k, _LEFT + wide * (x - x0) / (x1 - x0), top + high * (y1 - y) / (y1 - y0)))
        legend.append(_mark(k, _LEFT + 8, 10 + 16 * k) + _text(_LEFT + 22, 14 + 16 * k, label))
    bottom = Drawing("".join(body), top + high + (38 if x_label else 22))
    return _over(bottom, Drawing("".join(legend), 16 * len(legend) + 6))


def _mark(kind: int, x: float, y: float) -> str:
    """A ring or a cross."""
    cross = f"M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"
    ring = f"M{x - 5:.1f} {y:.1f}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0"
    return f'<path d="{cross if kind else ring}" stroke="var(--ink)" stroke-width="2.5" fill="none"/>'


def histogram(counts: Sequence[int], labels: Sequence[str], x_label: str) -> Drawing:
    """A bar for each count, its number above and its label below; the last one is in the colour of what is done."""
    most, wide, high, top = max([*counts, 1]), (WIDTH - 16) / max(len(counts), 1), 120.0, 18.0
    body = [f'<path d="M8 {top + high:.1f}h{WIDTH - 16}" stroke="var(--line)"/>']
    for i, (count, label) in enumerate(zip(counts, labels, strict=True)):
        x, tall = 8 + wide * i, high * count / most
        colour = _COLOURS[2] if i == len(counts) - 1 else _COLOURS[0]
        box = f'x="{x + 2:.1f}" y="{top + high - tall:.1f}" width="{wide - 4:.1f}" height="{tall:.1f}"'
        body.append(f'<rect {box} rx="1.5" fill="{colour}"/>')
        if count:
            body.append(_text(x + wide / 2, top + high - tall - 4, str(count), "", "middle"))
        body.append(_text(x + wide / 2, top + high + 14, label, "soft", "middle"))
    body.append(_text(WIDTH / 2, top + high + 31, x_label, "soft", "middle"))
    return Drawing("".join(body), top + high + 38)


def spark(counts: Sequence[int], label: str) -> str:
    """Bars as small as a line of text; the page's style sheet gives the colours. `label` says it in words."""
    most = max([*counts, 1])
    bars = [f"M{6 * i + 3} 20v{-18 * count / most:.1f}" for i, count in enumerate(counts) if count]
    last = bars.pop() if counts and counts[-1] else ""
    return (
        f'<svg class="spark" viewBox="0 0 {6 * len(counts)} 21" role="img" aria-label="{escape(label)}">'
        f'<title>{escape(label)}</title><path class="base" d="M0 20.5h{6 * len(counts)}"/>'
        f'<path d="{"".join(bars)}"/><path class="full" d="{last}"/></svg>'
    )


def road(stops: Sequence[Stop], words: dict[str, str]) -> Drawing:
    """Where a learner has been, to and fro down the page. `words`: what each state is called, for the legend."""
    dx, dy, left, across = 58, 62, 35, 6
    places = []
    for i in range(len(stops)):
        row, column = divmod(i, across)
        places.append((left + dx * (across - 1 - column if row % 2 else column), 34 + dy * row))
    under: list[str] = []
    over: list[str] = []
    for i, ((x, y), (u, v)) in enumerate(itertools.pairwise(places)):
        turn = f"A{dy / 2} {dy / 2} 0 0 {int(x > WIDTH / 2)} {u} {v}" if y != v else f"L{u} {v}"
        way = f'<path d="M{x} {y}{turn}" fill="none" stroke-width="9" stroke="var(--{{}})"/>'
        (over if stops[i].state == "passed" else under).append(
            way.format("c" if stops[i].state == "passed" else "line")
        )
    body = [*under, *over, *(_stop(s, *place) for s, place in zip(stops, places, strict=True))]
    bottom = max((y for _, y in places), default=0) + 40
    states = [s for s in words if any(stop.state == s for stop in stops)]
    for i, state in enumerate(states):
        sample = Stop("", state, 0.5 if state == "started" else 0.0)
        x, y = left - 10 + 165 * (i % 2), bottom + 26 * (i // 2)
        body.append(f'<g transform="translate({x} {y}) scale(.6)">{_stop(sample, 0, 0)}</g>')
        body.append(_text(x + 16, y + 4, words[state]))
    return Drawing("".join(body), bottom + 26 * math.ceil(len(states) / 2))


def _stop(stop: Stop, x: float, y: float) -> str:
    fill = "var(--c)" if stop.state == "passed" else "var(--paper)"
    edge = {"passed": "var(--c)", "waits": "var(--line)"}.get(stop.state, "var(--ink)")
    dash = ' stroke-dasharray="4 3"' if stop.state == "waits" else ""
    body = [f'<circle cx="{x}" cy="{y}" r="16" fill="{fill}" stroke="{edge}" stroke-width="2"{dash}/>']
    if stop.state == "started":  # a ring, as far as the points go
        around = 2 * math.pi * 16
        body.append(
            f'<circle cx="{x}" cy="{y}" r="16" fill="none" stroke="var(--b)" stroke-width="5" '
            f'stroke-dasharray="{around * max(stop.share, _BEGUN):.1f} {around:.1f}" transform="rotate(-90 {x} {y})"/>'
        )
    if stop.here:
        body.append(f'<path d="M{x} {y - 19}l-6 -9h12z" fill="var(--b)"/>')
    style = ' style="fill:var(--paper);font-weight:600"' if stop.state == "passed" else ""
    number = stop.number or ("✓" if stop.state == "passed" else "")
    return "".join(body) + _text(x, y + 4, number, "", "middle", style)


def _line(points: Sequence[tuple[float, float]], i: int | None, *, marked: bool = False) -> str:
    """The i-th line of a plot; None: one behind the others."""
    colour, dash = ("var(--line)", "none") if i is None else (_COLOURS[i % 4], _DASHES[i % 4])
    way = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if points else ""
    drawn = f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    sizes = [2] * (len(points) - 1) + [4] if marked else []
    dots = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{colour}"/>' for (x, y), r in zip(points, sizes, strict=False)
    )
    return drawn + "".join(dots)


def _legend(lines: Sequence[Line]) -> Drawing:
    body = []
    named = [(i, line.label) for i, line in enumerate(lines) if line.label]
    for row, (i, label) in enumerate(named):
        y = 10 + 16 * row
        body.append(_line([(_LEFT, y), (_LEFT + 28, y)], i) + _text(_LEFT + 34, y + 4, label))
    return Drawing("".join(body), 16 * len(named) + 6 * bool(named))


def _over(*drawings: Drawing) -> Drawing:
    """One below the other."""
    body, top = "", 0.0
    for d in drawings:
        body += f'<g transform="translate(0 {top:g})">{d.body}</g>'
        top += d.height
    return Drawing(body, top)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "", more: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    held = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}{held}{more}>{escape(text)}</text>'


def _span(values: Iterable[float]) -> tuple[float, float]:
    """From the least to the largest, never nothing."""
    every = list(values)
    low, high = min(every), max(every)
    if high - low > 1e-12 * max(abs(low), abs(high)):
        return low, high
    return low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2


def _ticks(low: float, high: float) -> list[float]:
    """Some three to six round numbers between."""
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough)
    return [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _brief(value: float) -> str:
    """Some four characters."""
    if value == int(value) or abs(value) >= 10:
        return f"{value:.0f}" if abs(value) < 1000 else f"{value:.0e}"
    return f"{value:.2f}".replace("0.", ".", 1)
