"""JUnit XML, which CI systems and test viewers read: a suite for each answer, a test case for each check."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import zip_longest
from typing import NamedTuple

from grader.exports.tables import decimals
from grader.model import Check, Outcome, Student, Verdict
from grader.reports.sentences import clean, details, explanation, outcome, promise, sentence

_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


class Suite(NamedTuple):
    """One answer."""

    name: str  # of the section, or of student and section
    verdict: Verdict | None
    file: str = ""  # where the answer is, for viewers that lead there
    tasks: Mapping[int, str] = {}  # the tasks' names
    mistakes: Mapping[str, str] = {}  # the authors' words on each (Markdown)
    missing: str = ""  # why there is no verdict, in words
    student: Student | None = None  # whose it is, where there are several
    points: Fraction | None = None  # that count, with lateness and points by hand; None: those of the verdict, if any
    max_points: Fraction = Fraction(0)


def xml(suites: Iterable[Suite], lang: str) -> bytes:
    """The document, UTF-8. What stands on a failed task is skipped, our own faults are errors, all else is failures."""
    root = ET.Element("testsuites", name="learn")
    totals: Counter[str] = Counter()
    seconds = 0.0
    for suite in suites:
        element, counts = _suite(suite, lang)
        root.append(element)
        totals += counts
        seconds += suite.verdict.times.total if suite.verdict else 0
    _count(root, totals, seconds)
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode").encode() + b"\n"


def _suite(suite: Suite, lang: str) -> tuple[ET.Element, "Counter[str]"]:
    element = ET.Element("testsuite", name=_legal(suite.name))
    counts: Counter[str] = Counter()
    if about := _about(suite):
        properties = ET.SubElement(element, "properties")
        for name, value in about.items():
            ET.SubElement(properties, "property", name=name, value=_legal(value))
    if suite.verdict is None:
        case = _case(element, suite, suite.name, "answer", 0)
        ET.SubElement(case, "failure", type="missing", message=_legal(suite.missing))
        counts.update(("tests", "failures"))
        _count(element, counts, 0)
        return element, counts
    for check, seconds in zip_longest(suite.verdict.checks, suite.verdict.times.checks[: len(suite.verdict.checks)]):
        within = f"{suite.verdict.section}.{suite.tasks.get(check.task, check.task)}"
        case = _case(element, suite, within, check.name, seconds or 0, check.where)
        counts["tests"] += 1
        if tag := _tag(check):
            counts[{"failure": "failures", "error": "errors"}.get(tag, tag)] += 1
            said = sentence(check, lang) if check.kind else outcome(check, lang)
            why = check.mistake or check.kind or check.outcome.value
            told = ET.SubElement(case, tag, type=_legal(why), message=_legal(said))
            more = [promise(check, lang), *details(check, lang), explanation(check, suite.mistakes) or ""]
            told.text = _legal("\n\n".join(filter(None, more)))
    if suite.verdict.stdout:
        ET.SubElement(element, "system-out").text = _legal(clean(suite.verdict.stdout))
    _count(element, counts, suite.verdict.times.total)
    return element, counts


def _about(suite: Suite) -> dict[str, str]:
    """Whose it is, and what it is worth."""
    points, most = suite.points, suite.max_points
    if points is None and suite.verdict:
        points, most = Fraction(suite.verdict.points), Fraction(suite.verdict.max_points)
    about = {"student": suite.student.id, "name": suite.student.name} if suite.student else {}
    told = {"points": decimals(round(points, 2)), "max_points": decimals(round(most, 2))} if points is not None else {}
    return {name: value for name, value in (about | told).items() if value}


def _case(
    element: ET.Element, suite: Suite, within: str, name: str, seconds: float, line: int | None = None
) -> ET.Element:
    case = ET.SubElement(element, "testcase", classname=_legal(within), name=_legal(name), time=f"{seconds:.3f}")
    if suite.file:
        case.set("file", _legal(suite.file))
    if line:
        case.set("line", str(line))
    return case


def _tag(check: Check) -> str:
    match check.outcome:
        case Outcome.PASSED:
            return ""
        case Outcome.SKIPPED:
            return "skipped"
        case Outcome.BROKEN:
            return "error"
    return "failure"


def _count(element: ET.Element, counts: "Counter[str]", seconds: float) -> None:
    for name in ("tests", "failures", "errors", "skipped"):
        element.set(name, str(counts[name]))
    element.set("time", f"{seconds:.3f}")


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
