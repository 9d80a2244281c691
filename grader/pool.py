"""Runs jobs and yields their verdicts as they come: here, in processes of their own, or on a Dask cluster.

Jobs are grouped by section, since the judge's unit is one pytest session with many submissions. They are drawn as there
is room for them, so that memory stays flat, and whoever ends the stream of jobs ends the run. Only infrastructure
faults are retried: a learner's crash is a result. Importing this module does not import torch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from grader.bench import About, Benches, Judge, secret
from grader.cluster import SLOTS, Cluster, NoCluster
from grader.course import Course
from grader.model import Finding, Job, Sandbox, Tier, Verdict

__all__ = ["BATCH", "Judge", "NoCluster", "Rehearsal", "prove", "run", "secret", "survey"]

BATCH = 32  # submissions a pytest session, at most
_TURN = 2.0  # seconds that a batch shall take, so that verdicts keep coming and little is lost with a worker


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
    """A verdict for each job, as they come; jobs of one section should follow each other. `where`: "here" (this
    process), "processes", or the address of a Dask scheduler, "tcp://…".

    Raises warden.Unavailable if `require` cannot be had, warden.Lost if no cell can be started, NoCluster.
    """
    pace = _Pace()
    batches = _batches(jobs, pace.size)
    if where == "here":
        with Judge(course, require, at_most) as judge:
            for batch in batches:
                yield from pace.noted(judge.grade(batch))
        return
    about = About(str(course.exercises), str(course.solutions), require, at_most)
    if where == "processes":
        crew: Benches | Cluster = Benches(about, workers, lambda slug: course[slug].limits)
    elif "://" in where:
        crew = Cluster(where, about, workers)
    else:
        raise ValueError(f"where: {where}")
    with crew:
        for found in _flow(crew.grade, crew, batches):
            yield from pace.noted([Verdict.from_json(v) for v in found])


def prove(
    course: Course, jobs: Iterable[Job], slugs: Sequence[str], workers: int | None = None
) -> Iterator[Verdict | Rehearsal]:
    """A verdict for each job, and the rehearsal of the lessons of these sections, as they come; in processes.

    Raises warden.Lost if no cell can be started.
    """
    batches = list(_batches(jobs))
    tasks: list[str | list[Job]] = []  # a section whose lessons are to be rehearsed, or jobs
    for slug in slugs:  # section by section, so that the first ones are ready early
        tasks += [slug, *(b for b in batches if b[0].section == slug)]
    about = About(str(course.exercises), str(course.solutions), None, Tier.T3)
    with Benches(about, workers, lambda slug: course[slug].limits) as benches:

        def do(task: str | list[Job]) -> Any:
            return benches.do(_rehearse, task) if isinstance(task, str) else benches.grade(task)

        for found in _flow(do, benches, tasks):
            if isinstance(found, Rehearsal):
                yield found
            else:
                yield from map(Verdict.from_json, found)


def survey(course: Course, at_most: Tier = Tier.T3) -> Sandbox:
    """The confinement that this host gives, found by trying. Raises warden.Lost."""
    with Judge(course, None, at_most) as judge:
        return judge.sandbox()


class _Pace:
    """How many submissions of a section a batch shall have, by how long they take."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def size(self, slug: str) -> int:
        """The first batches are small: nobody knows yet."""
        return max(1, min(BATCH, int(_TURN / self._seconds.get(slug, _TURN / 4))))

    def noted(self, verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
        """The same verdicts."""
        for v in verdicts:
            self._seconds[v.section] = (self._seconds.get(v.section, v.times.total) + v.times.total) / 2 + 1e-3
        return verdicts


def _batches(jobs: Iterable[Job], size: Callable[[str], int] = lambda _: BATCH) -> Iterator[list[Job]]:
    batch: list[Job] = []
    for job in jobs:
        if batch and (job.section != batch[0].section or len(batch) >= size(job.section)):
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch


def _flow(do: Callable[[Any], Any], crew: "Benches | Cluster", tasks: Iterable[Any]) -> Iterator[Any]:
    """What `do` returns for each task, as it comes; no more tasks are drawn than the crew has room for."""
    waiting: set[Future[Any]] = set()
    drawn = iter(tasks)
    more = True
    with ThreadPoolExecutor(SLOTS) as executor:
        try:
            while more or waiting:
                while more and len(waiting) < crew.room():
                    task = next(drawn, None)
                    more = task is not None
                    if more:
                        waiting.add(executor.submit(do, task))
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            for future in waiting:
                future.cancel()
            crew.close()  # so that nobody waits for what nobody wants
            raise


def _rehearse(judge: "Judge", slug: str) -> Rehearsal:
    from grader import lessons  # 20 ms, for authors alone

    course = judge.course
    return Rehearsal(slug, list(lessons.rehearse(course[slug], course.about.languages, judge.cells)))
