"""Runs jobs and yields their verdicts as they come: here, or in processes of their own.

Jobs are grouped by section, since the judge's unit is one pytest session with many submissions. Only infrastructure
faults are retried: a learner's crash is a result. Importing this module does not import torch.
"""

import atexit
import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from grader import progress
from grader.course import Course
from grader.model import Finding, Job, Picture, Sandbox, Tier, Verdict
from grader.sandbox import warden

BATCH = 16  # submissions a pytest session
_TRIES = 3
_SECRET_BYTES = 32


class Rehearsal(NamedTuple):
    """What the code blocks in a section's lessons really did."""

    section: str  # slug
    findings: list[Finding]


def run(
    course: Course,
    jobs: Iterable[Job],
    *,
    where: str = "here",
    workers: int | None = None,
    require: Tier | None = None,
    at_most: Tier = Tier.T3,
) -> Iterator[Verdict]:
    """A verdict for each job, as they come. `where`: "here" (this process) or "processes".

    Raises warden.Unavailable if `require` cannot be had, warden.Lost if no cell can be started.
    """
    batches = list(_batches(jobs))
    if where == "here":
        with Judge(course, require, at_most) as judge:
            for batch in batches:
                yield from judge.grade(batch)
    elif where == "processes":
        for found in _in_processes(course, [(_grade, b) for b in batches], workers, require, at_most):
            yield from map(Verdict.from_json, found)
    else:
        raise ValueError(f"where: {where}")


def prove(
    course: Course, jobs: Iterable[Job], slugs: Sequence[str], workers: int | None = None
) -> Iterator[Verdict | Rehearsal]:
    """A verdict for each job, and the rehearsal of the lessons of these sections, as they come; in processes.

    Raises warden.Lost if no cell can be started.
    """
    batches = list(_batches(jobs))
    tasks: list[_Task] = []
    for slug in slugs:  # section by section, so that the first ones are ready early
        tasks.append((_rehearse, slug))
        tasks += [(_grade, b) for b in batches if b[0].section == slug]
    for found in _in_processes(course, tasks, workers, None, Tier.T3):
        if isinstance(found, Rehearsal):
            yield found
        else:
            yield from map(Verdict.from_json, found)


def survey(course: Course, at_most: Tier = Tier.T3) -> Sandbox:
    """The confinement that this host gives, found by trying. Raises warden.Lost."""
    with Judge(course, None, at_most) as judge:
        return judge.sandbox()


class Judge:
    """A warden, and the judge that uses it. The zygote starts first: it imports torch while this process does.

    Raises warden.Unavailable if `require` cannot be had, warden.Lost if no cell can be started, from `grade` on.
    """

    def __init__(self, course: Course, require: Tier | None = None, at_most: Tier = Tier.T3) -> None:
        self.course = course
        self.cells = warden.Warden(course.about.packages, course.about.preload, require, at_most)
        self.secret = secret()
        self.ahead = (os.cpu_count() or 1) > 1
        self.seen: list[Picture] = []  # what there is to be drawn of the jobs graded last

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self.cells.close()

    def sandbox(self) -> Sandbox:
        """The confinement of its cells, found by trying."""
        from grader import judge

        return judge.sandbox_of(self.cells.confinement())

    def grade(self, jobs: Sequence[Job]) -> list[Verdict]:
        """Verdicts in the order of the jobs, which are of one section."""
        from grader import judge

        section = self.course[jobs[0].section]
        self.seen.clear()
        ahead = self.ahead and len(jobs) > 1
        verdicts = judge.grade(section, jobs, self.cells, self.secret, ahead, self.seen.extend)
        for _ in range(_TRIES - 1):
            again = [i for i, v in enumerate(verdicts) if v.broken and v.checks[0].kind != "needs_tier"]
            if not again:
                break
            retried = judge.grade(section, [jobs[i] for i in again], self.cells, self.secret, seen=self.seen.extend)
            for i, v in zip(again, retried, strict=True):
                verdicts[i] = v
        return verdicts


def _batches(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    by_section: dict[str, list[Job]] = {}
    for job in jobs:
        by_section.setdefault(job.section, []).append(job)
    for group in by_section.values():
        for i in range(0, len(group), BATCH):
            yield group[i : i + BATCH]


_worker: Judge | None = None


def _start(exercises: Path, solutions: Path, require: Tier | None, at_most: Tier) -> None:
    global _worker
    _worker = Judge(Course(exercises, solutions), require, at_most)
    _worker.ahead = False  # the other core has a worker of its own
    atexit.register(_worker.cells.close)


def _grade(batch: list[Job]) -> list[bytes]:
    assert _worker is not None
    return [v.to_json() for v in _worker.grade(batch)]


def _rehearse(slug: str) -> Rehearsal:
    from grader import lessons  # 20 ms, for authors alone

    assert _worker is not None
    course = _worker.course
    return Rehearsal(slug, list(lessons.rehearse(course[slug], course.about.languages, _worker.cells)))


_Task = tuple[Callable[[Any], Any], Any]


def _in_processes(
    course: Course, tasks: Sequence[_Task], workers: int | None, require: Tier | None, at_most: Tier
) -> Iterator[Any]:
    """What these functions of a worker return, as it comes."""
    arguments = (course.exercises, course.solutions, require, at_most)
    count = max(1, min(workers or os.cpu_count() or 1, len(tasks)))
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_start, initargs=arguments) as executor:
        waiting: set[Future[Any]] = {executor.submit(work, what) for work, what in tasks}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def secret() -> bytes:
    """What inputs are drawn from, together with the submission: made once for this installation, readable by its owner.

    LEARN_SECRET overrides it, so that several machines give the same verdicts.
    """
    if given := os.environ.get("LEARN_SECRET"):
        return given.encode()
    path = progress.home() / "secret"
    if kept := _kept(path):
        return kept
    made = secrets.token_bytes(_SECRET_BYTES)
    new = path.with_name(f".secret-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / ".secret-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the first of several processes makes it
            if kept := _kept(path):
                return kept
            new.touch(mode=0o600)
            new.write_bytes(made)
            new.replace(path)  # what was there, if anything, was cut short
    except OSError:  # nowhere to keep it: good for this run alone
        with contextlib.suppress(OSError):
            new.unlink()
    return made


def _kept(path: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        if len(kept := path.read_bytes()) == _SECRET_BYTES:
            return kept
    return None
