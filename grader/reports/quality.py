"""What `learn dev calibrate` and `learn dev quality` say: pictures of the values beside a threshold, and the page."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from grader.reports.plain import title
from grader.reports.words import say, together

if TYPE_CHECKING:
    from grader.calibrate import Calibration, Quantity
    from grader.course import Section
    from grader.quality import Record, Records

_NAME, _PICTURE = 27, 34  # columns, of 80


def calibrated(c: "Calibration", lang: str) -> list[str]:
    """One section: what was counted, who fell, a picture of each quantity."""
    about = {"number": c.section.number, "slug": c.section.slug, "answers": len(c.right), "draws": c.draws}
    lines = [say("calibrate.section", lang, **about)]
    counted = {"failed": len(c.failed), "judged": c.judged, "bound": chance(c.bound)}
    lines.append("  " + say("calibrate.counted", lang, **counted))
    lines += [f"  {say('calibrate.right_failed', lang, **f._asdict())}" for f in c.failed]
    lines += [f"  {say('calibrate.wrong_passed', lang, **f._asdict())}" for f in c.passed]
    lines += [f"  {say('calibrate.unjudged', lang, **f._asdict())}" for f in c.unjudged]
    for q in c.quantities:
        lines += ["", *_quantity(q, lang)]
    return [*lines, ""]


def calibration_ends(calibrations: "Sequence[Calibration]", lang: str) -> str:
    """Whether it is enough."""
    bad = [c.section.number for c in calibrations if not c.good]
    return say("calibrate.bad" if bad else "calibrate.good", lang, sections=together(bad, lang))


def chance(p: float) -> str:
    """A probability to two digits; no model is good enough for the far end of its tail."""
    return f"{p:.2g}" if p > 1e-9 else "<1e-09"


def picture(q: "Quantity", width: int = _PICTURE) -> dict[str, str]:
    """A line for each answer: how many of its values lie where, and where the threshold is.

    The scale is the one on which the values were fitted. A digit is a number of draws, `+` more than nine, `|` the
    threshold; no value is drawn on the other side of it, however near. What is much further away than right answers are
    is drawn at the edge.
    """
    answers = {**q.right, **q.wrong}
    bar = q.scale.to(q.bar)
    near = [bar, *(q.scale.to(v) for vs in q.right.values() for v in vs if v is not None)]
    values = [bar, *(q.scale.to(v) for vs in answers.values() for v in vs if v is not None)]
    reach = 2 * (max(near) - min(near)) or math.inf
    low, high = max(min(values), min(near) - reach), min(max(values), max(near) + reach)
    each = (high - low) / (width - 1) or 1.0
    at = min(max(round((bar - low) / each), 1), width - 2)

    def column(value: float) -> int:
        here = round((min(max(q.scale.to(value), low), high) - low) / each)
        above = value >= q.bar if q.least else value > q.bar
        return max(here, at + 1) if above else min(here, at - 1)

    drawn = {}
    for answer, of_answer in answers.items():
        there = Counter(column(v) for v in of_answer if v is not None)
        marks = {i: str(n) if n < 10 else "+" for i, n in there.items()} | {at: "|"}
        drawn[answer] = "".join(marks.get(i, " ") for i in range(width))
    return drawn


def _quantity(q: "Quantity", lang: str) -> list[str]:
    lines = ["  " + say("calibrate.at_least" if q.least else "calibrate.at_most", lang, name=q.name, bar=f"{q.bar:g}")]
    for answer, drawn in sorted(picture(q).items(), key=lambda of: of[0] in q.caught):
        name = f"({answer})" if answer in q.caught else answer
        name = name if len(name) <= _NAME else name[: _NAME - 1] + "…"
        lines.append(f"{name:<{_NAME}} {drawn} {_range({**q.right, **q.wrong}[answer])}")
    if q.fit and q.least_sure and q.bound is not None:
        lines.append("  " + say(f"calibrate.{q.scale.name}", lang))
        told = {"chance": chance(q.fit.chance), "bound": chance(q.fit.bound), "count": q.fit.count}
        lines.append("  " + say("calibrate.fit", lang, **told))
        answer, fit = q.least_sure
        least = {"chance": chance(fit.chance), "bound": chance(fit.bound), "count": fit.count}
        lines.append("  " + say("calibrate.least_sure", lang, answer=answer, **least))
        lines.append("  " + say("calibrate.strictest", lang, strictest=f"{q.strictest:.3g}"))
    else:
        lines.append("  " + say("calibrate.no_fit", lang))
    if q.lucky:
        answer, fit = q.lucky
        told = {"chance": chance(fit.chance), "nearest": _number(q.nearest_wrong)}
        lines.append("  " + say("calibrate.lucky", lang, answer=answer, **told))
    if q.caught:
        lines.append("  " + say("calibrate.caught", lang))
    return lines


def _range(values: Sequence[float | None]) -> str:
    finite = [v for v in values if v is not None]
    ends = list(dict.fromkeys(f"{v:.3g}" for v in (min(finite), max(finite)))) if finite else []
    return "…".join(ends + ["nan"] * (len(finite) < len(values)))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def page(sections: "Sequence[Section]", records: "Records", changed: Collection[str], lang: str) -> str:
    """docs/quality.md: a line for each section. `changed`: slugs of those that are not what was measured."""
    heads = ("section", "tests", "wrong", "also", "mutants", "failed", "chance", "seconds")
    lines = ["# " + say("quality.title", lang), "", say("quality.how", lang), ""]
    lines += [line for t in totals(sections, records, lang) for line in (t, "")]
    lines += [_line([say(f"quality.{h}", lang) for h in heads]), _line(["---"] + ["---:"] * 5 + ["---"] + ["---:"])]
    for s in sections:
        name = f"{s.number} {title(s.about.title, lang)}"
        if s.slug not in records:
            lines.append(_line([f"{name} ({say('quality.not_yet', lang)})", *[""] * (len(heads) - 1)]))
            continue
        name += f" ({say('quality.changed', lang)})" if s.slug in changed else ""
        lines.append(_line([name, *_figures(records[s.slug], lang)]))
    return "\n".join([*lines, "", say("quality.model", lang), ""])


def totals(sections: "Sequence[Section]", records: "Records", lang: str) -> list[str]:
    """What all the records say together; nothing, if there are none."""
    known = list(records.values())
    if not known:
        return []
    counted = ("tests", "wrong", "also", "mutants", "killed", "checks", "failed")
    sums = {k: sum(getattr(r, k) for r in known) for k in counted}
    percent = sums["killed"] * 1000 // max(1, sums["mutants"]) / 10
    return [say("quality.totals", lang, **sums, percent=percent, sections=len(known), of=len(sections))]


def _figures(r: "Record", lang: str) -> list[str]:
    estimates = [say("quality.by_count", lang, bound=chance(r.bound))]
    for name, e in r.thresholds.items():
        known = e.chance is not None and e.bound is not None
        told = {"chance": chance(e.chance or 0), "bound": chance(e.bound or 0), "name": name, "bar": f"{e.bar:g}"}
        estimates.append(say("quality.by_model" if known else "quality.no_model", lang, **told))
    return [
        say("quality.tests_of", lang, tests=r.tests, examples=r.examples),
        str(r.wrong),
        str(r.also),
        say("quality.killed_of", lang, percent=r.percent, mutants=r.mutants),
        say("quality.failed_of", lang, failed=r.failed, checks=r.checks),
        say("list.also", lang).join(estimates),
        f"{r.seconds:.2f}",
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
