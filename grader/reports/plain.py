"""The screens that need no rich, so that `learn`, `learn list` and `learn next` start at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.model import Finding, Outcome, Verdict
from grader.reports.lines import cells, padded, wrapped
from grader.reports.sentences import number, unwritten
from grader.reports.words import LANGUAGES, messages, say, together

if TYPE_CHECKING:
    from grader.answers import Answer
    from grader.course import Course, Section
    from grader.guide import Part, Place, Road
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


def listing(road: "Road", lang: str, width: int = 80) -> str:
    """`learn list`, in so many columns."""
    lines = [title(road.whole.title, lang), *_together(road.whole, lang, width)]
    if not road.whole.places:
        return "\n".join([lines[0], say("where.empty", lang)])
    rows = iter(_rows(road.whole.places, lang, width))
    for head, chapter in zip(_heads(road, lang, width), road.chapters, strict=True):
        lines += ["", head, *(next(rows) for _ in chapter.places)]
    return "\n".join(lines)


def standing(road: "Road", lang: str, width: int = 80) -> str:
    """`learn progress`: by chapter, and when."""
    lines = [title(road.whole.title, lang), *_together(road.whole, lang, width)]
    if not road.whole.places:
        return "\n".join([lines[0], say("where.empty", lang)])
    said = [when(road, lang)] if road.history else []
    here = next((p.section for p in road.whole.places if p.here), None)
    if here:
        said.append(say("where.here", lang, number=here.number, title=title(here.about.title, lang)))
    said.append(say("progress.then" if here else "progress.done", lang))
    return "\n".join([*lines, "", *_heads(road, lang, width), "", *wrapped("\n".join(said), width)])


def rechecked(section: "Section", path: str, verdict: Verdict | None, lang: str) -> str:
    """`learn progress --recheck`: whether a section still passes. `path`: the file that was judged."""
    about = {"number": section.number, "title": title(section.about.title, lang)}
    if verdict is None:
        return "✗ " + say("recheck.lost", lang, **about)
    if verdict.passed:
        return "✓ {number} {title}".format(**about)
    if verdict.broken:
        return "· " + say("recheck.unjudged", lang, **about)
    if not any(c.outcome is not Outcome.SKIPPED and not unwritten(c) for c in verdict.checks):
        return "✗ " + say("recheck.unwritten", lang, **about, path=path)
    points = {"points": number(verdict.points), "possible": number(verdict.max_points)}
    return "✗ " + say("recheck.broken", lang, **about, **points)


def recheck_ends(verdicts: "Sequence[Verdict | None]", lang: str) -> str:
    """How many of them do."""
    passed = sum(v is not None and v.passed for v in verdicts)
    key = "recheck.none" if not verdicts else "recheck.good" if passed == len(verdicts) else "recheck.bad"
    return say(key, lang, passed=passed, total=len(verdicts))


def summary(whole: "Part", lang: str) -> str:
    """Sections passed, and points."""
    about = {"passed": whole.passed, "total": len(whole.places)}
    weighed = any(p.section.worth != sum(p.section.points.values()) for p in whole.places)
    key = "where.progress_weighted" if weighed else "where.progress"
    return say(key, lang, **about, points=number(whole.points), possible=number(whole.possible))


def when(road: "Road", lang: str) -> str:
    """How many checks there were, on how many days, since when; by the clock of this computer."""
    days = [at.astimezone().date() for at, _ in road.history]
    told = {"checks": len(days), "days": len({*days}), "first": f"{min(days):%Y-%m-%d}"}
    return say("progress.when", lang, **told)


def time(spent: timedelta, lang: str) -> str:
    """Hours and minutes; "" for less than one."""
    hours, minutes = divmod(int(spent.total_seconds()) // 60, 60)
    if not hours:
        return say("time.minutes", lang, minutes=minutes) if minutes else ""
    return say("time.hours", lang, hours=hours, minutes=f"{minutes:02d}")


def where(road: "Road", lang: str, *, workspace: bool, begins: bool = False) -> str:
    """`learn` alone. `begins`: the learner has not chosen yet where to write."""
    lines = [title(road.whole.title, lang), summary(road.whole, lang), ""]
    here = next((p for p in road.whole.places if p.here), None)
    if not road.whole.places:
        return "\n".join([lines[0], say("where.empty", lang)])
    if here is None:
        return "\n".join([*lines, say("where.done", lang)])
    lines.append(say("where.here", lang, number=here.section.number, title=title(here.section.about.title, lang)))
    if here.last is None:
        lines.append(say("where.not_checked", lang))
    else:
        lines.append(say("where.last", lang, points=number(here.last[0]), possible=number(here.last[1])))
    lines.append(say("where.what_next" if workspace else "where.no_workspace", lang))
    return "\n".join([*lines, *([say("where.in_place", lang)] if begins else [])])


def following(section: "Section", path: str, lang: str, *, here: bool = True) -> str:
    """`learn next`. `here`: commands mean this section where they name none."""
    tasks = [
        "  " + say("next.task", lang, task=n, name=t.name, points=t.points)
        for n, t in sorted(section.about.tasks.items())
    ]
    heading = f"{section.number}  {title(section.about.title, lang)}"
    steps = say("next.steps", lang, path=path, section="" if here else f" {section.number}")
    return "\n".join([heading, "", say("next.tasks", lang), *tasks, "", steps])


def updated(
    course: "Course", changes: "Iterable[Change]", show: Callable[[Path], str], lang: str, dry: bool
) -> Iterator[str]:
    """`learn update`: a line for each change as it is done; of files that only follow the course, how many."""
    stubs = {s.stub.relative_to(course.exercises): s for s in course.sections}
    counts = {"new": 0, "replaced": 0}
    told = False
    for kind, part, other in changes:
        if dry and not told:
            yield say("update.dry", lang)
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
    if "why" in shown:
        shown["why"] = say("list.also", lang).join(degraded(what, lang) for what in shown["why"])
    text = say(f"doctor.{key}", lang, **shown)
    return text + say(f"doctor.tier.{shown['tier']}", lang) if key == "sandbox" else text


def degraded(what: str, lang: str) -> str:
    """Why a stronger sandbox cannot be had, as a verdict says it; as it stands there, if it is of another version."""
    tier, kind, detail = ([*what.split(": ", 2), "", ""])[:3]
    if f"degraded.{kind}" not in messages():
        return what
    if kind == "could":
        detail = together((say(f"degraded.could.{one}", lang) for one in detail.split(",")), lang)
    return say(f"degraded.{kind}", lang, tier=tier, detail=detail)


def hint_heading(section: "Section", task: int, shown: int, total: int, lang: str) -> str:
    """Which hint this is, of how many."""
    params: dict[str, Any] = {"section": section.number, "task": task, "name": section.about.tasks[task].name}
    if not total:
        return say("hint.not_given" if section.homework else "hint.none", lang, **params)
    return say("hint.title", lang, **params, shown=shown, total=total)


def hint_end(section: "Section", task: int, shown: int, total: int, lang: str, *, keys: bool = False) -> str:
    """How to go on after a hint. `keys`: by a key of `learn watch`; "" where there are no hints."""
    if not total:
        return ""
    last = "hint.all_homework" if section.homework and not keys else "hint.all"
    key = last if shown == total else "hint.more"
    return say(f"{key}_by_key" if keys else key, lang, section=section.number, task=task)


def answers(section: "Section", task: int | None, found: "Sequence[Answer]", lang: str) -> str:
    """`learn solution` in a pipe: what each answer is, then each task as they have it."""
    lines = [f"# {answer_title(answer, lang)}" for answer in found[1:] and found]
    for n, name in tasks_of(section, task):
        lines += ["", say("solution.task", lang, section=section.number, task=n, name=name), ""]
        for answer in found:
            lines += [f"# {told}" for told in (answer_name(answer, lang), *warnings(answer, n, lang))]
            lines += ["", answer.tasks.get(n, ""), ""]
    return "\n".join(lines)


def tasks_of(section: "Section", task: int | None) -> list[tuple[int, str]]:
    """Number and name of that task, or of all."""
    return [(n, t.name) for n, t in sorted(section.about.tasks.items()) if task in (None, n)]


def answer_title(answer: "Answer", lang: str) -> str:
    """What sets a right answer apart, in that language."""
    name = answer_name(answer, lang)
    if not answer.about:
        return name
    told = dict(zip(LANGUAGES, answer.about, strict=False))
    return say("solution.other", lang, name=name, about=told.get(lang, answer.about[0]))


def answer_name(answer: "Answer", lang: str) -> str:
    """What a right answer is called."""
    return answer.path.stem if answer.about else say("solution.reference", lang)


def warnings(answer: "Answer", task: int, lang: str) -> list[str]:
    """What is not to be imitated of an answer to a task, though it is right."""
    return [say(f"solution.old_{name}", lang) for name in answer.old(task)]


_BAR = 10  # cells
_TITLE = 10  # columns that a title has at least, however narrow the terminal is


def _heads(road: "Road", lang: str, width: int) -> list[str]:
    """A line for each chapter: title, bar, sections, points, time; from the right, what has no room is left out."""
    table = []
    for part in road.chapters:
        done = _BAR * int(part.points) // int(part.possible or 1)
        counts = f"{part.passed}/{len(part.places)}"
        points = say("list.points", lang, points=number(part.points), possible=number(part.possible))
        bar = f"[{'#' * done}{'-' * (_BAR - done)}]"
        table.append([title(part.title, lang), bar, counts, points, time(part.spent, lang)])
    return ["  ".join(row).rstrip() for row in _columns(table, width)]


def _rows(places: "Sequence[Place]", lang: str, width: int) -> list[str]:
    """A line for each section. Without room, the state's word goes first, then the time; a note goes below."""
    head = [[f"{_SYMBOLS[p.state]} {say(f'list.{p.state}', lang)}", p.section.number, _points(p)] for p in places]
    titles = [title(p.section.about.title, lang) for p in places]
    longest = max(map(cells, titles))
    starts = ["  ".join(["", *row, ""]) for row in _columns(head, width)]
    if cells(starts[0]) + longest > width:
        starts = ["  ".join(["", *row, ""]) for row in _columns([[state[0], *rest] for state, *rest in head], width)]
    room = max(width - cells(starts[0]), _TITLE)
    lines = []
    for place, start, name in zip(places, starts, (cut(t, room) for t in titles), strict=True):
        note = _note(place, lang)
        full = "  ".join(filter(None, (time(place.spent, lang), note)))
        whole = padded(name, longest)
        tries = [f"{whole}  {full}", f"{whole}  {note}", f"{name}  {note}"]
        fits = (start + text.rstrip() for text in tries if cells(start + text.rstrip()) <= width)
        lines.append(next(fits, f"{start}{name}\n      {note}"))
    return lines


def _columns(table: list[list[str]], width: int) -> list[list[str]]:
    """Each column as wide as its widest cell; those for which there is no room are left out, from the right."""
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    while len(widths) > 1 and sum(widths) + 2 * (len(widths) - 1) > width:
        widths.pop()
    return [[padded(cell, w) for cell, w in zip(row, widths, strict=False)] for row in table]


def cut(text: str, width: int) -> str:
    """At most so many cells."""
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _points(place: "Place") -> str:
    return f"{number(place.points)}/{number(place.possible)}"


def _note(place: "Place", lang: str) -> str:
    notes = [say("list.here", lang)] if place.here else []
    if place.gave_up:
        notes.append(say("list.gave_up", lang))
    if place.state == "waits":
        notes.append(say("list.after", lang, sections=together(place.waits_for, lang)))
    return f"<- {say('list.also', lang).join(notes)}" if notes else ""


def _together(whole: "Part", lang: str, width: int) -> list[str]:
    """One line on the whole course, or two."""
    spent = time(whole.spent, lang)
    line = summary(whole, lang)
    joined = f"{line} · {spent}" if spent else line
    return [joined] if cells(joined) <= width else [*wrapped(line, width), *filter(None, [spent])]


def _yes(value: bool, lang: str) -> str:
    return say("doctor.yes" if value else "doctor.no", lang)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns one below the other; the lines have no blanks at their ends."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(padded(t, w) for t, w in zip(row, widths, strict=True)).rstrip() for row in rows]


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
    end = say("mutants.too_few" if low else "mutants.enough", lang, wanted=wanted, sections=together(low, lang))
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
