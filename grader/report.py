"""A class as pages and tables: one for whoever teaches it, and one for each student, with what went wrong and why."""

import ast
import contextlib
import csv
import functools
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from markupsafe import Markup

from grader.analysis import Analysis, Mistake, analyse
from grader.assignment import Assignment
from grader.course import REGION, Course, Section
from grader.model import Check, Outcome, Student, Verdict
from grader.reports import charts, classes, markdown, pages, sentences
from grader.reports.plain import time, title
from grader.reports.words import LANGUAGES, say
from grader.scores import Score, Total, totals

if TYPE_CHECKING:
    from grader.gradebook import Gradebook, Opened

SCHEMA = "learn/report/v1"

_WHY = {
    "nothing": "report.nothing",
    "denied": "report.denied",
    "flagged": "report.flagged",
    "unrunnable": "report.unrunnable",
    "unjudged": "report.unjudged",
    "no_points": "report.no_points",
    "far_below": "report.far_below",
    "stopped": "report.stopped",
}
# What may be the name of a file anywhere, and is no name that `_file_names` makes.
_SAFE = re.compile(r"(?!.*-[0-9a-f]{12}$)(?!(con|prn|aux|nul|com\d|lpt\d)(\.|$))[a-z0-9][a-z0-9._-]{0,60}(?<!\.)", re.I)
_AROUND = 3  # lines of an answer that are shown before and after one
_LINES, _COLUMNS, _PRINTED = 40, 200, 20  # as much of an answer, and of what it printed, is shown


class Class(NamedTuple):
    """A class, by one assignment."""

    course: Course
    set: Assignment
    totals: list[Total]
    numbers: Analysis
    addresses: dict[str, str]  # student's id -> the page of that student
    said: dict[tuple[str, str], dict[str, str]]  # section's slug, language -> what is said of each mistake

    def name(self, mistake: Mistake, lang: str) -> str:
        """What a mistake is called: how its explanation begins."""
        return markdown.first_sentence(self.said[mistake.section, lang].get(mistake.id, "")) or mistake.id


def of(course: Course, book: "Gradebook", set_: Assignment) -> Class:
    """The class in that gradebook. Raises GradebookError."""
    everybody = totals(book.standings(), book.students(), set_)
    sections = {p.section: course[p.section] for p in set_.parts}
    stands = [s.standing for t in everybody for s in t.scores if s.standing]
    numbers = analyse(sections, everybody, book.opened(stands))
    names = file_names([t.student.id for t in everybody])
    # A course in one language explains in that one, whatever language the page speaks.
    said = {
        (slug, lang): next(filter(None, map(section.mistakes, (lang, *LANGUAGES))), {})
        for slug, section in sections.items()
        for lang in LANGUAGES
    }
    return Class(course, set_, everybody, numbers, {i: f"students/{name}.html" for i, name in names.items()}, said)


def files(
    made: Class, book: "Gradebook", lang: str, langs: Callable[[Student], str], now: datetime, *, published: bool
) -> Iterator[tuple[str, bytes]]:
    """Every file of the report, by name. `langs`: the language of a student's page; `published`: hidden tests that are
    shown once that is so are shown. Raises GradebookError.
    """
    told = {
        "index.html": _index(made, lang, now),
        "scores.csv": classes.as_csv(made.totals, made.set.whole) + "\n",
        "scores.json": _json(made, now),
        "tests.csv": _tests_csv(made, lang),
    }
    stands = book.opened(s.standing for t in made.totals for s in t.scores if s.standing)
    for name, text in told.items():
        # Excel takes a CSV for UTF-8 by the mark at its beginning alone.
        yield name, text.encode("utf-8-sig" if name.endswith(".csv") else "utf-8", "replace")
    for total in made.totals:
        opened = {s.section: next(stands) for s in total.scores if s.standing}
        page = _feedback(made, total, opened, langs(total.student), now, published)
        yield made.addresses[total.student.id], page.encode("utf-8", "replace")


def file_names(ids: Iterable[str]) -> dict[str, str]:
    """A file's name for each id: the id where that is one anywhere, and nobody's else but for case; else one with a
    digest in it. It never leads out of a folder.
    """
    listed = list(ids)
    called = Counter(i.casefold() for i in listed)

    def name(id_: str) -> str:
        if _SAFE.fullmatch(id_) and called[id_.casefold()] == 1:
            return id_
        readable = re.sub(r"[^a-z0-9]+", "-", id_.lower()).strip("-")[:40] or "student"
        return f"{readable}-{hashlib.sha256(id_.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"

    return {id_: name(id_) for id_ in listed}


# -- for whoever teaches


def _index(made: Class, lang: str, now: datetime) -> str:
    n = made.numbers
    people = {t.student.id: {"name": t.student.name or t.student.id, "address": made.addresses[t.student.id]}
              for t in made.totals}  # fmt: skip
    shares = {t.student.id: t.share for t in made.totals}
    labels = [str(10 * i) for i in range(11)]
    said = say("report.spread_is", lang, counts=", ".join(map(str, n.totals.tenths)))
    chart = charts.svg([charts.histogram(n.totals.tenths, labels, say("report.of_all", lang))], said)
    return pages.page(
        "report", lang, [lang], course=made.course.about.title, sheet="report.css", script="report.js", kind="report",
        of={
            "numbers": n,
            "title": made.set.title or say("report.title", lang),
            "at": _moment(now, made.set),
            "answers": sum(s.answers for s in n.sections),
            "due": sum(s.due for s in n.sections),
            "suspects": sum(t.suspect for t in n.tests),
            "picture": Markup(chart),
            "concerns": [
                people[c.student]
                | {
                    "id": c.student,
                    "share": shares[c.student],
                    "rank": i,
                    "reasons": [say(_WHY[r.why], lang, sections=", ".join(r.sections)) for r in c.reasons],
                }
                for i, c in enumerate(n.concerns)
            ],
            "mistakes": [
                {
                    "name": made.name(m, lang),
                    "text": _html(made.said[m.section, lang].get(m.id, "")),
                    "id": m.id,
                    "number": m.number,
                    "tasks": ", ".join(map(str, m.tasks)),
                    "share": m.share,
                    "students": [people[s] for s in m.students],
                }
                for m in n.mistakes
            ],
            "sections": [
                (s, title(made.course[s.section].about.title, lang), sum(made.course[s.section].points.values()))
                for s in n.sections
            ],
            "tests": [(t, _promise(t.promise, lang)) for t in n.tests],
            "students": [
                people[t.student.id]
                | {
                    "id": t.student.id,
                    "share": t.share,
                    "marks": [(float(s.points) if s.standing and s.points is not None else None, classes.mark(s))
                              for s in t.scores],
                    "notes": classes.notes(t, lang),
                }
                for t in made.totals
            ],
        },
    )  # fmt: skip


def _json(made: Class, now: datetime) -> str:
    numbers = msgspec.to_builtins(made.numbers, enc_hook=str)  # fractions, as text
    for told, m in zip(numbers["mistakes"], made.numbers.mistakes, strict=True):
        told["name"] = {lang: made.name(m, lang) for lang in LANGUAGES}
    people = [
        facts | {"feedback": made.addresses[t.student.id]}
        for facts, t in zip(classes.facts(made.totals), made.totals, strict=True)
    ]
    due = made.set.due.isoformat() if made.set.due else None
    about = {"schema": SCHEMA, "made": now.isoformat(), "title": made.set.title, "due": due}
    counts = {"count": numbers.pop("students"), "active": numbers.pop("active")}
    return json.dumps(about | counts | {"students": people} | numbers, ensure_ascii=False, indent=1)


def _tests_csv(made: Class, lang: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ["section", "task", "test", "hidden", "answers", "passed", "difficulty", "discrimination"]
    writer.writerow([*names, "strong", "strong_failed", "looks_broken", "promise"])
    for t in made.numbers.tests:
        found = "" if t.discrimination is None else f"{t.discrimination:.4f}"
        row = [t.number, t.task, t.name, int(not t.visible), t.n, t.passed, f"{float(t.difficulty):.4f}", found]
        promise = classes.harmless(_promise(t.promise, lang))
        writer.writerow([*row, t.strong, t.strong_failed, int(t.suspect), promise])
    return out.getvalue()


# -- for a student


def _feedback(made: Class, total: Total, opened: "dict[str, Opened]", lang: str, now: datetime, published: bool) -> str:
    weights = {p.section: p.weight for p in made.set.parts}
    whole = sum(weights.values(), Fraction(0))
    due = made.set.extensions.get(total.student.id, made.set.due)

    def section(score: Score) -> dict[str, Any]:
        about = made.course[score.section]
        shown = made.set.shows(score.section, now, published, total.student.id)
        most = score.max_points or Fraction(sum(about.points.values()))
        told: dict[str, Any] = {
            "number": score.number,
            "name": title(about.about.title, lang),
            "points": classes.mark(score),
            "most": sentences.number(most),
            "counts": _counted(score, weights[score.section], lang),
            "notes": _notes(score, lang),
            "whole": None,
            "tasks": [],
            "printed": "",
        }
        o = opened.get(score.section)
        view = _View(about, lang, made.said[score.section, lang], o.text if o else "", shown)
        return told | _of_answer(o.verdict, view) if o and o.verdict else told

    return pages.page(
        "feedback", lang, [lang], course=made.course.about.title, sheet="report.css", kind="report feedback",
        of={
            "title": made.set.title or say("feedback.title", lang),
            "name": total.student.name or total.student.id,
            "id": total.student.id,
            "at": _moment(now, made.set),
            "total": say(
                "feedback.total",
                lang,
                points=sentences.number(total.share * whole),
                most=sentences.number(whole),
                percent=pages.percent(total.share),
            ),
            "due": say("feedback.due", lang, due=_moment(due, made.set)) if due else "",
            "sections": [section(s) for s in total.scores],
        },
    )  # fmt: skip


def _counted(score: Score, weight: Fraction, lang: str) -> str:
    """What a section comes to, of what it weighs."""
    share = score.points / score.max_points if score.points and score.max_points else Fraction(0)
    points = "…" if score.standing and score.points is None else sentences.number(share * weight)
    return say("feedback.counted", lang, points=points, weight=sentences.number(weight))


def _notes(score: Score, lang: str) -> list[str]:
    """What there is to say of a section's points, beside what the tests say."""
    stands = score.standing
    if stands is None:
        return [say("feedback.nothing", lang)]
    notes = []
    if given := stands.adjustment:
        points = sentences.number(given.points or Fraction(0))
        notes.append(say("feedback.adjusted", lang, points=points))
        if stands.automatic is not None:
            notes.append(say("feedback.automatic", lang, points=sentences.number(stands.automatic)))
        notes += [say("feedback.reason", lang, why=given.why)] if given.why else []
    elif score.points is None:
        notes.append(say("feedback.unjudged", lang))
    if score.late:
        late = time(timedelta(minutes=-(-score.late.total_seconds() // 60)), lang)
        notes.append(say("feedback.late", lang, late=late))
        if not given:
            lost = sentences.number((stands.points or Fraction(0)) * (1 - score.share))
            notes.append(say("feedback.taken_off", lang, percent=pages.percent(1 - score.share), points=lost))
    elif stands.marked_late:
        notes.append(say("feedback.marked_late", lang))
    return notes


class _View(NamedTuple):
    """One answer, as its student may see it."""

    about: Section
    lang: str
    said: dict[str, str]  # of each mistake
    text: str
    shown: bool  # what the hidden tests check, and how each went


def _of_answer(verdict: Verdict, view: _View) -> dict[str, Any]:
    """What the tests say."""
    printed = sentences.clean(verdict.stdout).rstrip().splitlines()[-_PRINTED:]
    told: dict[str, Any] = {"printed": "\n".join(line[:_COLUMNS] for line in printed)}
    if cause := sentences.common_cause(verdict.checks):
        return told | {"whole": _told(cause, view, named=False)}
    return told | {"tasks": [_task(verdict, n, view) for n in verdict.tasks()]}


def _task(verdict: Verdict, number: int, view: _View) -> dict[str, Any]:
    about, lang, said = view.about, view.lang, view.said
    checks = verdict.tasks()[number]
    points, worth = sentences.task_points(verdict, about, number)
    failing = [c for c in checks if c.outcome is not Outcome.PASSED]
    waiting = [c for c in failing if c.outcome is Outcome.SKIPPED]
    wrong = [c for c in failing if c not in waiting and not sentences.unwritten(c)]
    # As on the learner's screen: what has the author's explanation goes first.
    wrong.sort(key=lambda c: (sentences.explanation(c, said) is None, not c.visible))
    told: list[dict[str, Any]] = []
    seen = set()
    for i, check in enumerate(wrong):
        named = check.visible or view.shown
        cause = (check.kind, check.mistake, check.where)
        explained = i == 0 and sentences.explanation(check, said) is not None
        if cause not in seen and (named or explained or check.loud):
            this = _told(check, view, named=named)
            known = any(this["lines"] == other["lines"] for other in told)
            told.append(this | {"lines": []} if known else this)
            seen.add(cause)
    if wrong and not told:
        told.append({"promise": "", "text": _plain([say("feedback.unexplained", lang)]), "lines": []})
    for sentence in dict.fromkeys(sentences.sentence(c, lang) for c in waiting):
        told.append({"promise": "", "text": _plain([sentence]), "lines": []})
    return {
        "number": number,
        "name": _name(about, number),
        "points": points,
        "worth": worth,
        "state": "bad" if wrong else "quiet" if failing else "good",
        "counts": _counts(checks, lang),
        "told": told,
    }


def _told(check: Check, view: _View, *, named: bool) -> dict[str, Any]:
    """One check. `named`: with what it checks, and what came of that."""
    lang = view.lang
    explained = sentences.explanation(check, view.said)
    parts = []
    if explained is None or (named and sentences.adds(check)):
        parts.append(_plain([sentences.sentence(check, lang)]))
    if explained is not None:
        parts.append(_html(explained))
    if named:
        parts.append(_plain(sentences.details(check, lang)))
    return {
        "promise": sentences.promise(check, lang) if named else "",
        "text": Markup("").join(parts),
        "lines": _excerpt(view.text, check.where, check.task, _name(view.about, check.task)),
    }


def _name(about: Section, task: int) -> str:
    """ "" of a task that there is no more."""
    return about.about.tasks[task].name if task in about.about.tasks else ""


def _counts(checks: Sequence[Check], lang: str) -> str:
    """How many of a task's tests passed."""
    parts = []
    for key, some in (
        ("feedback.examples", [c for c in checks if c.visible]),
        ("feedback.hidden", [c for c in checks if not c.visible]),
    ):
        if some:
            parts.append(say(key, lang, passed=sum(c.outcome is Outcome.PASSED for c in some), total=len(some)))
    if any(map(sentences.unwritten, checks)):
        parts.append(say("outcome.not_written", lang))
    return " · ".join(parts)


def _excerpt(text: str, where: int | None, task: int, name: str) -> list[tuple[int, Markup, bool]]:
    """The lines around one of an answer, else those that were written for the task: number, coloured, that one?"""
    lines = re.split(r"\r\n|\r|\n", text)  # as Python counts them
    if where:
        first, last = max(1, where - _AROUND), min(len(lines), where + _AROUND)
    elif written := _written(text, task, name):
        first, last = written
    else:
        return []
    while last > first and not lines[last - 1].strip():
        last -= 1
    while first < last and not lines[first - 1].strip():
        first += 1
    last = min(last, first + _LINES - 1)
    some = [sentences.clean(line)[:_COLUMNS] for line in lines[first - 1 : last]]
    shown = str(markdown.coloured("\n".join(some))).split("\n")
    return [(first + i, Markup(line), first + i == where) for i, line in enumerate(shown[: len(some)])]


def _written(text: str, task: int, name: str) -> tuple[int, int] | None:
    """The first and last line of what was written for a task: between its marks, else whatever has its name."""
    if m := next((m for m in REGION.finditer(text) if int(m[1]) == task), None):
        first = text.count("\n", 0, m.start(2)) + 1
        return first, first + m[2].count("\n") - 1
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                return node.lineno, node.end_lineno or node.lineno
    return None


def _plain(texts: Sequence[str]) -> Markup:
    return Markup("").join(Markup("<p>{}</p>").format(t) for t in texts)


@functools.cache
def _html(text: str) -> Markup:
    """What a course's author wrote."""
    return markdown.to_html(text, lambda url: url if url.startswith("https://") else None, lambda _: None)


def _promise(promise: dict[str, str], lang: str) -> str:
    return promise.get(lang) or next(iter(promise.values()), "")


def _moment(when: datetime, set_: Assignment) -> str:
    return f"{when.astimezone(set_.zone):%Y-%m-%d %H:%M}"
