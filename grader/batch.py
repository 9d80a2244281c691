"""A class at once: what is due goes through `pool`, and each verdict is written down as it comes, by one writer.

What is due is what has been handed in and has no verdict by the tests of now; so killing this loses nothing, and going
on means asking again.
"""

import contextlib
import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from grader import pool
from grader.course import Course, Section
from grader.gradebook import Change, Gradebook, SectionNow
from grader.model import Outcome, Student, Tier, Verdict


class Progress(NamedTuple):
    """How far a run is."""

    done: int
    total: int
    rate: float  # a second, since the first verdict came
    left: float | None  # seconds, as far as can be told
    stopping: bool  # what is running is finished, no more is begun


class Unjudged(NamedTuple):
    """An answer for which there is no verdict, through no fault of its writers."""

    students: list[Student]  # who handed it in
    section: str  # slug
    number: str
    kind: str  # why: an id for the wording
    params: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """What came of it."""

    total: int  # different answers that were due
    judged: int
    unjudged: list[Unjudged]
    unmet: str  # what the sandbox lacks, if that is why
    left: int
    changes: list[Change]
    seconds: float
    stopped: bool


def now(sections: Sequence[Section]) -> list[SectionNow]:
    """The sections as they are now, for the gradebook."""
    return [SectionNow(s.slug, s.number, s.digest, Fraction(sum(s.points.values()))) for s in sections]


def grade(
    course: Course,
    book: Gradebook,
    sections: Sequence[Section],
    *,
    where: str = "processes",
    workers: int | None = None,
    require: Tier | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Run:
    """Judges what is due in these sections. The first Ctrl-C (or SIGTERM) ends it once what is running is written down.

    Raises GradebookError, pool.NoCluster, warden.Unavailable, warden.Lost; what came before is kept.
    """
    slugs = [s.slug for s in sections]
    total, judged, came = book.due(slugs), 0, 0
    unjudged: list[Unjudged] = []
    unmet = ""
    began, first = time.monotonic(), 0.0
    seen = Progress(0, total, 0, None, False)
    with _stoppable(lambda: tell(seen._replace(stopping=True))) as stopping:
        jobs = itertools.takewhile(lambda _: not stopping.is_set(), book.jobs(slugs))
        tell(seen)
        for verdict in pool.run(course, jobs, where=where, workers=workers, require=require) if total else ():
            first = first or time.monotonic()
            came += 1
            if verdict.broken:
                unjudged.append(_unjudged(course, book, verdict))
                unmet = unmet or verdict.unmet
            else:
                book.record(verdict)
                judged += 1
            rate = came / max(time.monotonic() - first, 1e-3)
            left = (total - came) / rate if came > _TELLING else None
            seen = Progress(came, total, rate if came > _TELLING else 0, left, stopping.is_set())
            tell(seen)
        left_over = book.due(slugs)
        changes = book.changes()
        if not left_over:
            book.finish()
    seconds = time.monotonic() - began
    return Run(total, judged, unjudged, unmet, left_over, changes, seconds, stopping.is_set() and left_over > 0)


def _unjudged(course: Course, book: Gradebook, verdict: Verdict) -> Unjudged:
    check = next(c for c in verdict.checks if c.outcome is Outcome.BROKEN)
    number = course[verdict.section].number
    return Unjudged(book.whose(verdict.job), verdict.section, number, check.kind, check.params)


_TELLING = 8  # so many verdicts tell how fast it goes


@contextlib.contextmanager
def _stoppable(say: Callable[[], None]) -> Iterator[threading.Event]:
    """The event that the first Ctrl-C sets, after which it is said; the second one is as always."""
    stopping = threading.Event()

    def stop(*_: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()
        with contextlib.suppress(RuntimeError):  # in the middle of saying something
            say()

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)
