"""What every student gets, wherever it is put: the handout, what was set, a README."""

from fractions import Fraction
from typing import Any

import msgspec

from grader import assignment
from grader.assignment import Assignment
from grader.course import Course
from grader.release import Release, handout
from grader.releases.templates import render
from grader.reports.plain import title
from grader.reports.sentences import number
from grader.reports.words import say
from grader.workspace import GIVEN, HOMEWORK


def files(release: Release, **more: Any) -> dict[str, bytes]:
    """A folder to work in. `more`: what the README is told beside `about`."""
    values = about(release) | {"on_github": False} | more
    readme = render(f"students/README.{release.lang}.md.j2", **values)
    set_ = {f"exercises/{part}": was_set(release) for part in (HOMEWORK, GIVEN / HOMEWORK)}
    return handout(release) | set_ | {"README.md": readme}


def was_set(release: Release) -> bytes:
    """The assignment for everybody's eyes: extensions name students."""
    return assignment.dump(msgspec.structs.replace(release.assignment, extensions={})).encode()


def about(release: Release) -> dict[str, Any]:
    """What the templates ask for."""
    exercises, set_ = release.course.exercises, release.assignment
    weights = {p.section: p.weight for p in set_.parts}
    parts = [
        {
            "number": s.number,
            "title": title(s.about.title, release.lang),
            "points": number(weights[s.slug]),
            "path": f"exercises/{s.stub.relative_to(exercises).as_posix()}",
        }
        for s in release.sections
    ]
    return {
        "title": set_.title or release.name,
        "name": release.name,
        "lang": release.lang,
        "own": exercises != Course.ours().exercises,
        "parts": parts,
        "points": number(sum(weights.values(), Fraction(0))),
        "due": f"{set_.due:%Y-%m-%d %H:%M}" if set_.due else "",
        "zone": str(set_.due.tzinfo) if set_.due else "",
        "late": _late(set_, release.lang) if set_.due else [],
        "sections": ",".join(s.number for s in release.sections),
        "install": release.install,
        "hints": release.hints,
    }


def _late(set_: Assignment, lang: str) -> list[str]:
    """What being late costs, in clauses; empty if it costs nothing."""
    late = set_.late
    clauses = []
    if late.per_day and late.at_most:
        key = "late.per_day" if late.at_most == 1 else "late.per_day_at_most"
        percent = {"percent": number(late.per_day * 100), "most": number(late.at_most * 100)}
        clauses.append(say(key, lang, **percent))
    if late.refused_after is not None:
        days = number(Fraction(late.refused_after.total_seconds()) / 86400)
        clauses.append(say("late.refused_after" if late.refused_after else "late.refused", lang, days=days))
    if clauses and late.grace:
        minutes = number(Fraction(late.grace.total_seconds()) / 60)
        clauses.append(say("late.grace", lang, minutes=minutes))
    return clauses
