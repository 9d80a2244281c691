"""Where a learner stands in a course, and what is next: reads the course and the progress, decides for the commands."""

import contextlib
from fractions import Fraction
from typing import Literal

import msgspec

from grader.course import Course, Section
from grader.progress import Progress

State = Literal["passed", "started", "open", "waits"]


class Place(msgspec.Struct, frozen=True):
    """A section as it stands for this learner."""

    section: Section
    state: State
    points: Fraction
    possible: Fraction
    waits_for: tuple[str, ...] = ()  # numbers of sections to pass first; advice, not a lock
    here: bool = False
    gave_up: bool = False  # the solution was looked at before it was passed
    last: tuple[Fraction, Fraction] | None = None  # points of the latest attempt at the current section


def current(course: Course, progress: Progress) -> Section | None:
    """The section named last, until it is passed; then the first open one. None once all are passed."""
    named = progress.setting("current")
    standings = progress.standings()
    passed = {slug for slug, standing in standings.items() if standing.passed}
    sections = course.in_order()
    for section in sections:
        if section.slug == named and named not in passed:
            return section
    return next((s for s in sections if s.slug not in passed and passed.issuperset(s.about.requires)), None)


def places(course: Course, progress: Progress) -> list[Place]:
    """Every section, in the order of the list."""
    standings = progress.standings()
    passed = {slug for slug, standing in standings.items() if standing.passed}
    numbers = {s.slug: s.number for s in course.sections}
    here, given_up = current(course, progress), progress.given_up()
    found = []
    for section in course.sections:
        standing = standings.get(section.slug)
        missing = tuple(numbers[r] for r in section.about.requires if r not in passed)
        latest = progress.latest(section.slug) if section is here else None
        possible = Fraction(sum(section.points.values()))
        found.append(
            Place(
                section=section,
                state=_state(standing is not None, section.slug in passed, bool(missing)),
                # an update may have changed what a section is worth: what was earned is a share of it
                points=standing.points / (standing.max_points or 1) * possible if standing else Fraction(0),
                possible=possible,
                waits_for=missing,
                here=section is here,
                gave_up=section.slug in given_up,
                last=(latest.points, latest.max_points) if latest else None,
            )
        )
    return found


def task_in_hand(section: Section, progress: Progress) -> int:
    """The first task that the latest attempt did not pass; the first of all before any."""
    tasks = sorted(section.about.tasks)
    latest = progress.latest(section.slug)
    with contextlib.suppress(msgspec.MsgspecError):  # a verdict of an older version may no longer decode
        if latest is not None:
            verdict = latest.verdict
            judged = verdict.tasks()
            tasks = [t for t in tasks if t not in judged or not verdict.task_passed(t)] or tasks
    return tasks[0] if tasks else 1


def _state(tried: bool, passed: bool, waiting: bool) -> State:
    if passed:
        return "passed"
    if tried:
        return "started"
    return "waits" if waiting else "open"
