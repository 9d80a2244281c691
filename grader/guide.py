"""Where a learner stands in a course, and what is next: reads the course and the progress, decides for the commands."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

import msgspec

from grader.course import Course, Section
from grader.model import Outcome
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
    attempts: int = 0
    spent: timedelta = timedelta()


class Part(msgspec.Struct, frozen=True):
    """A chapter, or the whole course, and how its sections stand together."""

    title: dict[str, str]
    places: Sequence[Place]

    @property
    def passed(self) -> int:
        """How many sections are."""
        return sum(p.state == "passed" for p in self.places)

    @property
    def points(self) -> Fraction:
        """The best of each section."""
        return sum((p.points for p in self.places), Fraction(0))

    @property
    def possible(self) -> Fraction:
        """All that there are."""
        return sum((p.possible for p in self.places), Fraction(0))

    @property
    def attempts(self) -> int:
        """How often an answer was judged."""
        return sum(p.attempts for p in self.places)

    @property
    def spent(self) -> timedelta:
        """Time at work, as `progress.Standing` has it."""
        return sum((p.spent for p in self.places), timedelta())


class Road(msgspec.Struct, frozen=True):
    """What lies behind a learner, and before."""

    whole: Part
    chapters: Sequence[Part]
    history: Sequence[tuple[datetime, Fraction]]  # each attempt's time, and the points from then on; oldest first


def current(course: Course, progress: Progress) -> Section | None:
    """The section named last, until it is passed; then the first open one. None once all are passed."""
    named = progress.setting("current")
    standings = progress.standings()
    passed = {slug for slug, standing in standings.items() if standing.passed}
    sections = course.in_order()
    for section in sections:
        if section.slug == named and named not in passed:
            return section
    return next((s for s in sections if s.slug not in passed and passed.issuperset(course.requires(s))), None)


def places(course: Course, progress: Progress) -> list[Place]:
    """Every section, in the order of the list."""
    standings = progress.standings()
    passed = {slug for slug, standing in standings.items() if standing.passed}
    numbers = {s.slug: s.number for s in course.sections}
    here, given_up = current(course, progress), progress.given_up()
    found = []
    for section in course.sections:
        standing = standings.get(section.slug)
        missing = tuple(numbers[r] for r in course.requires(section) if r not in passed)
        latest = progress.latest(section.slug) if section is here else None
        possible = section.worth
        found.append(
            Place(
                section=section,
                state=_state(standing is not None, section.slug in passed, bool(missing)),
                points=standing.of(possible) if standing else Fraction(0),
                possible=possible,
                waits_for=missing,
                here=section is here,
                gave_up=section.slug in given_up,
                last=(latest.points, latest.max_points) if latest else None,
                attempts=standing.attempts if standing else 0,
                spent=standing.spent if standing else timedelta(),
            )
        )
    return found


def road(course: Course, progress: Progress) -> Road:
    """Every section, by chapter, and how it came to be so."""
    found = places(course, progress)
    folders = dict.fromkeys(p.section.folder.parent.name for p in found)
    chapters = [
        Part(course.about.chapters[folder].title, [p for p in found if p.section.folder.parent.name == folder])
        for folder in folders
    ]
    worth = {s.slug: s.worth for s in course.sections}
    return Road(Part(course.about.title, found), chapters, progress.history(worth))


def task_in_hand(section: Section, progress: Progress) -> int:
    """The first task that the latest attempt got wrong, else the first that is still to be written; the first of all
    before any.
    """
    tasks = sorted(section.about.tasks)
    latest = progress.latest(section.slug)
    with contextlib.suppress(msgspec.MsgspecError):  # a verdict of an older version may no longer decode
        if latest is not None:
            verdict = latest.verdict
            judged = verdict.tasks()
            tasks = [t for t in tasks if t not in judged or not verdict.task_passed(t)] or tasks
            quiet = (Outcome.PASSED, Outcome.NOT_WRITTEN, Outcome.SKIPPED)
            tasks = [t for t in tasks if any(c.outcome not in quiet for c in judged.get(t, ()))] or tasks
    return tasks[0] if tasks else 1


def _state(tried: bool, passed: bool, waiting: bool) -> State:
    if passed:
        return "passed"
    if tried:
        return "started"
    return "waits" if waiting else "open"
