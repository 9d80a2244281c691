"""The screens that need no rich, so that `learn`, `learn list` and `learn next` start at once."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.model import Finding
from grader.reports.sentences import number
from grader.reports.words import LANGUAGES, say

if TYPE_CHECKING:
    from grader.answers import Answer
    from grader.course import Course, Section
    from grader.guide import Place
    from grader.mutants import Measure
    from grader.pictures import Written
    from grader.proof import Progress, Proof
    from grader.update import Change

_SYMBOLS = {"passed": "✓", "started": "…", "open": "·", "waits": " "}


def location(path: Path, cwd: Path) -> str:
    """As short as it can be clicked: relative below the current folder, else in full."""
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def title(titles: dict[str, str], lang: str) -> str:
    """In that language, else in any."""
    return titles.get(lang) or next(iter(titles.values()), "")


def listing(course: "Course", places: "list[Place]", lang: str) -> str:
    """`learn list`."""
    lines = [title(course.about.title, lang), _summary(places, lang)]
    rows = [_row(p, lang) for p in places]
    widths = [max(_width(text) for text in column) for column in zip(*rows, strict=True)]
    chapter = None
    for place, row in zip(places, rows, strict=True):
        if (new := place.section.folder.parent.name) != chapter:
            chapter = new
            lines += ["", title(course.chapter(place.section).title, lang)]
        lines.append(("  " + "  ".join(_padded(t, w) for t, w in zip(row, widths, strict=True))).rstrip())
    return "\n".join(lines) if places else "\n".join([lines[0], say("where.empty", lang)])


def where(course: "Course", places: "list[Place]", lang: str, *, workspace: bool) -> str:
    """`learn` alone."""
    lines = [title(course.about.title, lang), _summary(places, lang), ""]
    here = next((p for p in places if p.here), None)
    if not places:
        return "\n".join([lines[0], say("where.empty", lang)])
    if here is None:
        return "\n".join([*lines, say("where.done", lang)])
    lines.append(say("where.here", lang, number=here.section.number, title=title(here.section.about.title, lang)))
    if here.last is None:
        lines.append(say("where.not_checked", lang))
    else:
        lines.append(say("where.last", lang, points=number(here.last[0]), possible=number(here.last[1])))
    return "\n".join([*lines, say("where.what_next" if workspace else "where.no_workspace", lang)])


def following(section: "Section", path: str, lang: str) -> str:
    """`learn next`."""
    tasks = [
        "  " + say("next.task", lang, task=n, name=t.name, points=t.points)
        for n, t in sorted(section.about.tasks.items())
    ]
    heading = f"{section.number}  {title(section.about.title, lang)}"
    return "\n".join([heading, "", say("next.tasks", lang), *tasks, "", say("next.steps", lang, path=path)])


def updated(
    course: "Course", changes: "Iterable[Change]", show: Callable[[Path], str], lang: str, dry: bool
) -> Iterator[str]:
    """`learn update`: a line for each change as it is done; of files that only follow the course, how many."""
    stubs = {s.stub.relative_to(course.exercises): s for s in course.sections}
    counts = {"new": 0, "replaced": 0}
    told = False
    if dry:
        yield say("update.dry", lang)
    for kind, part, other in changes:
        told = True
        if kind == "new" and part in stubs:
            of = stubs[part]
            name = title(of.about.title, lang)
            yield say("update.section", lang, number=of.number, title=name, path=show(part))
        elif kind in counts:
            counts[kind] += 1
        else:
            key = "merged_dry" if dry and kind == "merged" else kind
            yield say(f"update.{key}", lang, path=show(part), other=show(other or part))
    for kind, count in counts.items():
        if count:
            yield say(f"update.{kind}", lang, count=count)
    if not told:
        yield say("update.nothing", lang)


def sign(key: str, params: Mapping[str, Any], lang: str) -> str:
    """One thing that `learn doctor` has looked at."""
    shown: dict[str, Any] = {k: _yes(v, lang) if isinstance(v, bool) else v for k, v in params.items()}
    if key == "course":
        shown["title"] = title(shown.pop("titles"), lang)
    text = say(f"doctor.{key}", lang, **shown)
    return text + say(f"doctor.tier.{shown['tier']}", lang) if key == "sandbox" else text


def hint_heading(section: "Section", task: int, shown: int, total: int, lang: str) -> str:
    """Which hint this is, of how many."""
    params: dict[str, Any] = {"section": section.number, "task": task, "name": section.about.tasks[task].name}
    if not total:
        return say("hint.none", lang, **params)
    return say("hint.title", lang, **params, shown=shown, total=total)


def answers(section: "Section", task: int | None, found: "Sequence[Answer]", lang: str) -> list[str]:
    """`learn solution` in a pipe: each task, as the reference and the others have it."""
    lines: list[str] = []
    for n, name in tasks_of(section, task):
        lines += [say("solution.task", lang, section=section.number, task=n, name=name), ""]
        for answer in found:
            lines += [f"# {answer_title(answer, lang)}", "", answer.tasks.get(n, ""), ""]
    return lines


def tasks_of(section: "Section", task: int | None) -> list[tuple[int, str]]:
    """Number and name of that task, or of all."""
    return [(n, t.name) for n, t in sorted(section.about.tasks.items()) if task in (None, n)]


def answer_title(answer: "Answer", lang: str) -> str:
    """What sets a right answer apart, in that language."""
    if not answer.about:
        return say("solution.reference", lang)
    told = dict(zip(LANGUAGES, answer.about, strict=False))
    return say("solution.other", lang, name=answer.path.stem, about=told.get(lang, answer.about[0]))


def _row(place: "Place", lang: str) -> tuple[str, ...]:
    points = f"{number(place.points)}/{number(place.possible)}"
    notes = [say("list.here", lang)] if place.here else []
    if place.gave_up:
        notes.append(say("list.gave_up", lang))
    if place.state == "waits":
        notes.append(say("list.after", lang, sections=say("list.and", lang).join(place.waits_for)))
    state = f"{_SYMBOLS[place.state]} {say(f'list.{place.state}', lang)}"
    note = f"<- {'; '.join(notes)}" if notes else ""
    return state, place.section.number, points, title(place.section.about.title, lang), note


def _summary(places: "list[Place]", lang: str) -> str:
    return say(
        "where.progress",
        lang,
        passed=sum(p.state == "passed" for p in places),
        total=len(places),
        points=number(sum((p.points for p in places), Fraction(0))),
        possible=number(sum((p.possible for p in places), Fraction(0))),
    )


def _yes(value: bool, lang: str) -> str:
    return say("doctor.yes" if value else "doctor.no", lang)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns one below the other; the lines have no blanks at their ends."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(t, w) for t, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _width(text: str) -> int:
    """Cells on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def proven(proof: "Proof", show: Callable[[Path], str], lang: str) -> list[str]:
    """One section's line of `learn dev check`, and a line for each finding."""
    found = len(proof.findings)
    if proof.section is None:
        lines = [say("proof.course", lang, found=found)]
    else:
        about = {"number": proof.section.number, "slug": proof.section.slug, "judged": proof.judged}
        if proof.kept:
            return [say("proof.section_kept", lang, **about)]
        if not found:
            return [say("proof.section_good", lang, **about, seconds=f"{proof.seconds:.2f}")]
        lines = [say("proof.section", lang, **about, found=found)]
    return lines + _findings(proof.findings, show, lang)


def _findings(findings: Sequence[Finding], show: Callable[[Path], str], lang: str) -> list[str]:
    """A line for each, with its place."""
    places = [show(f.path) + (f":{f.line}" if f.line else "") for f in findings]
    return [f"  {at}: {say(f'proof.{f.kind}', lang, **f.params)}" for at, f in zip(places, findings, strict=True)]


def drawn(written: "Sequence[Written]", show: Callable[[Path], str], lang: str) -> list[str]:
    """`learn dev pictures`: the files that changed, what went wrong, and how many there are."""
    changed = [path for w in written for path in w.changed]
    wrong = [line for w in written for line in _findings(w.findings, show, lang)]
    count = sum(w.drawn for w in written)
    return [*map(show, changed), *wrong, say("pictures.done", lang, drawn=count, changed=len(changed))]


def proving(progress: "Progress", lang: str) -> str:
    """`learn dev check`, while it works: how far it is, and how long it will take."""
    about = {"done": progress.done, "total": progress.total}
    if progress.left is None:
        return say("proof.progress", lang, **about)
    minutes, seconds = divmod(round(progress.left), 60)
    return say("proof.progress_left", lang, **about, left=f"{minutes}:{seconds:02d}")


def begun(section: "Section", made: Sequence[Path], show: Callable[[Path], str], lang: str) -> str:
    """`learn dev new`: the files, and what to do with them."""
    return "\n".join([*map(show, made), "", say("new.then", lang, section=section.number)])


def measuring(m: "Measure", lang: str) -> str:
    """`learn dev mutants`, while it works: a section is ready."""
    about = {"number": m.section.number, "slug": m.section.slug, "total": m.total}
    return say("mutants.progress", lang, **about, seconds=f"{m.seconds:.0f}", survivors=len(m.survivors))


def measured(measures: "Sequence[Measure]", wanted: int, show: Callable[[Path], str], lang: str) -> list[str]:
    """`learn dev mutants`: a table, what is to be done for each section, and whether it is enough."""
    heads = ("section", "total", "killed", "percent", "silent", "equivalent", "survivors")
    rows = [[say(f"mutants.{h}", lang) for h in heads]]
    for m in measures:
        rows.append(
            [
                f"{m.section.number} {m.section.slug}",
                *(str(m.total), str(m.killed), f"{m.percent:.1f}", f"{m.silent_killed}/{m.silent}"),
                *(str(m.equivalent), str(len(m.survivors))),
            ]
        )
    lines = table(rows)
    for m in measures:
        lines += _to_do(m, show, lang)
    low = [m.section.number for m in measures if not m.good]
    end = say("mutants.too_few" if low else "mutants.enough", lang, wanted=wanted, sections=", ".join(low))
    return [*lines, "", end]


def _to_do(m: "Measure", show: Callable[[Path], str], lang: str) -> list[str]:
    lines: list[str] = []
    about = {"number": m.section.number, "slug": m.section.slug, "path": show(m.section.equivalent)}
    if m.fault:
        lines += ["", say("mutants.fault", lang, path=show(m.section.reference), check=m.fault)]
    for kind, changes in (("survives", m.survivors), ("unjudged", m.unjudged)):
        for change in changes:
            lines += ["", say(f"mutants.{kind}", lang, **about, line=change.line), *m.diff(change)]
    for kind, entries in (("stale", m.stale), ("refuted", m.refuted)):
        for e in entries:
            within = e.within or m.section.reference.name
            lines += ["", say(f"mutants.{kind}", lang, **about, was=e.was, becomes=e.becomes, within=within)]
    return lines
