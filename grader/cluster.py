"""A Dask cluster that judges: the scheduler hands texts to workers, and each judges by its own course.

Workers need this package and its course, the same secret (a shared LEARN_HOME, or LEARN_SECRET), and one thread each.
"""

import contextlib
import hmac
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import msgspec

from grader.bench import About, Bench, Hung, Killed, grade, one_by_one, patience, secret
from grader.course import Course, CourseError
from grader.model import Job, Mendable, Tier
from grader.sandbox import warden
from grader.sandbox.cell import Lost

_PATIENCE = 60  # seconds for a cluster's first worker
SLOTS = 1024  # batches on their way, at most
_ENDED: dict[str, type[Exception]] = {"killed": Killed, "hung": Hung}


class NoCluster(Mendable):
    """A cluster that cannot be used."""


# -- a cluster


class Errand(msgspec.Struct, frozen=True):
    """What travels to a worker: texts and digests, no objects and no hidden test."""

    exercises: str  # where the course is on a shared disk; a worker that has no such folder takes its own course
    solutions: str
    require: Tier | None
    at_most: Tier
    key: str  # a digest of the secret that inputs are drawn from
    jobs: list[Job]


class Reply(msgspec.Struct, frozen=True):
    """What comes back: verdicts, or why this worker will not judge."""

    worker: str
    verdicts: list[msgspec.Raw] = []
    refused: str = ""  # an id for the wording; or unavailable, killed, hung
    what: list[str] = []


class Cluster:
    """The workers of a Dask scheduler, each with a bench of its own."""

    def __init__(self, address: str, about: About, count: int | None) -> None:
        from distributed import Client

        for name in logging.root.manager.loggerDict:  # Dask gives each of its loggers a level of its own
            if name.startswith(("distributed", "tornado")):
                logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is told in one line
        self._address = address
        self._about = about
        self._count = count
        self._key = _fingerprint(secret())
        self._refused: dict[str, dict[str, Reply]] = {}  # section -> worker -> why
        try:
            self._client: Any = Client(address, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as e:
            raise NoCluster("cluster_unreachable", address=address, reason=str(e)) from None
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except (OSError, TimeoutError):
            self.close()
            raise NoCluster("cluster_no_workers", address=address, seconds=_PATIENCE) from None

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the cluster; the workers stay."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)

    def room(self) -> int:
        """Twice as many as workers' threads, also of those that come later: the next batch is there in time."""
        if self._count:
            return self._count
        return min(SLOTS, max(2, 2 * sum(self._workers().values())))

    def grade(self, batch: list[Job]) -> list[bytes]:
        """Verdicts in the order of the jobs. Raises NoCluster, warden.Unavailable, warden.Lost."""
        return one_by_one(self._ask, batch)

    def _ask(self, batch: list[Job]) -> list[bytes]:
        from distributed import KilledWorker

        about = self._about
        data = msgspec.json.encode(Errand(*about, self._key, batch))
        refusals = self._refused.setdefault(batch[0].section, {})
        for _ in range(SLOTS):
            chosen = [w for w in self._workers() if w not in refusals] if refusals else None
            if refusals and not chosen:
                raise self._no_worker(batch[0].section, next(iter(refusals.values())))
            try:
                reply = msgspec.json.decode(
                    self._client.submit(run_errand, data, pure=False, workers=chosen, retries=0).result(), type=Reply
                )
            except KilledWorker:
                raise Killed from None
            except (OSError, CancelledError, RuntimeError) as e:
                raise NoCluster("cluster_lost", address=self._address, reason=type(e).__name__) from None
            if reply.refused in _ENDED:
                raise _ENDED[reply.refused]
            if not reply.refused:
                return [bytes(v) for v in reply.verdicts]
            refusals[reply.worker] = reply
        raise Killed

    def _workers(self) -> Mapping[str, int]:
        """Threads by address."""
        try:
            found: Mapping[str, int] = self._client.nthreads()
            return found
        except (OSError, CancelledError, RuntimeError) as e:
            raise NoCluster("cluster_lost", address=self._address, reason=type(e).__name__) from None

    def _no_worker(self, section: str, reply: Reply) -> Exception:
        if reply.refused == "unavailable":
            asked, found, *why = reply.what
            return warden.Unavailable(asked, found, tuple(why))
        what = ", ".join(reply.what)
        return NoCluster(reply.refused, address=reply.worker, section=section, what=what)


def run_errand(data: bytes) -> bytes:
    """What a worker does; run there by Dask, in one of its threads."""
    from distributed import get_worker

    errand = msgspec.json.decode(data, type=Errand)
    reply = Reply(get_worker().address)
    try:
        return msgspec.json.encode(_run(errand, reply))
    except CourseError as e:
        reason = ("cluster_no_course", [str(e)])
    except warden.Unavailable as e:
        reason = ("unavailable", [str(e.asked), str(e.found), *e.why])
    except Lost as e:
        reason = ("cluster_no_cells", [str(e)])
    except (Killed, Hung) as e:
        reason = (next(kind for kind, ended in _ENDED.items() if isinstance(e, ended)), [])
    return msgspec.json.encode(Reply(reply.worker, [], *reason))


class _Own(threading.local):
    """The bench of a worker's thread, and the course that it judges by."""

    about: About | None = None
    course: Course | None = None
    bench: Bench | None = None


_own = _Own()


def _run(errand: Errand, reply: Reply) -> Reply:
    key = secret()
    if _fingerprint(key) != errand.key:
        return msgspec.structs.replace(reply, refused="cluster_other_secret")
    for again in (False, True):
        bench, course = _bench_for(errand, key, anew=again)
        sections = {s.slug: s for s in course.sections}
        wanted = {(j.section, j.section_digest) for j in errand.jobs}
        if all(slug in sections and sections[slug].digest_now() == digest for slug, digest in wanted):
            seconds = patience(sections[errand.jobs[0].section].limits)
            verdicts = [msgspec.Raw(v) for v in bench.do(grade, errand.jobs, seconds)]
            return msgspec.structs.replace(reply, verdicts=verdicts)
    return msgspec.structs.replace(reply, refused="cluster_other_section", what=sorted(slug for slug, _ in wanted))


def _bench_for(errand: Errand, key: bytes, *, anew: bool) -> tuple[Bench, Course]:
    """This thread's; `anew`: the tests may have been corrected since."""
    about = About(errand.exercises, errand.solutions, errand.require, errand.at_most)
    if anew or _own.about != about or _own.bench is None or _own.course is None:
        if _own.bench:
            _own.bench.close()
        shared = Path(about.exercises, "course.yaml").is_file()
        _own.course = Course(Path(about.exercises), Path(about.solutions)) if shared else Course.ours()
        there = about._replace(exercises=str(_own.course.exercises), solutions=str(_own.course.solutions))
        _own.bench, _own.about = Bench(there, key), about
    return _own.bench, _own.course


def _fingerprint(key: bytes) -> str:
    """Tells secrets apart and gives nothing of them away."""
    return hmac.digest(key, b"which secret", "sha256").hex()
