"""Judges in processes of their own: begun when first needed, anew when killed, gone with whoever needs them."""

import contextlib
import fcntl
import functools
import os
import queue
import secrets
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NamedTuple

from grader import interrupts
from grader.course import Course
from grader.home import home, write
from grader.model import Check, Job, Limits, Outcome, Picture, Sandbox, Tier, Verdict
from grader.sandbox import warden
from grader.sandbox.cell import Lost

TRIES = 3
_SECRET_BYTES = 32
_FOR_GOOD = ("needs_tier", "other_section")  # it would be so again
_PARTING = 10.0  # seconds in which a process whose line is cut ends
_STARTING = 180.0  # seconds until a new process has judged something: torch on a slow disk, cells that are killed
_SLACK = 60.0  # seconds beside twice what an answer may take


class Fault(Exception):
    """An error of ours in a process that judges."""


class Killed(Exception):
    """A process that judges was ended from outside, however often it was started."""


class Hung(Exception):
    """A process that judges said nothing for far longer than any answer may take, and was ended."""


def patience(limits: Limits) -> float:
    """Seconds after which a judge that has not finished with an answer will not do so: the answer's own time was up
    long before.
    """
    return 2 * limits.section + _SLACK


class Judge:
    """A warden, and the judge that uses it. The zygote starts first: it imports torch while this process does.

    Raises warden.Unavailable if `require` cannot be had, warden.Lost if no cell can be started, from `grade` on.
    """

    def __init__(
        self, course: Course, require: Tier | None = None, at_most: Tier = Tier.T3, key: bytes | None = None
    ) -> None:
        """`key`: what inputs are drawn from; by default this installation's."""
        self.course = course
        self.cells = warden.Warden(course.about.packages, course.about.preload, require, at_most)
        self.secret = key or secret()
        self.ahead = (os.cpu_count() or 1) > 1
        self.seen: list[Picture] = []  # what there is to be drawn of the jobs graded last
        self.beat: Callable[[], object] = lambda: None  # called after each job

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self.cells.close()

    def sandbox(self) -> Sandbox:
        """The confinement of its cells, found by trying."""
        with interrupts.Held():
            from grader import judge

        return judge.sandbox_of(self.cells.confinement())

    def grade(self, jobs: Sequence[Job]) -> list[Verdict]:
        """Verdicts in the order of the jobs, which are of one section."""
        with interrupts.Held():
            from grader import judge

        section = self.course[jobs[0].section]
        self.seen.clear()
        ahead = self.ahead and len(jobs) > 1
        verdicts = judge.grade(section, jobs, self.cells, self.secret, ahead, self._judged)
        for _ in range(TRIES - 1):
            again = [i for i, v in enumerate(verdicts) if v.broken and v.checks[0].kind not in _FOR_GOOD]
            if not again:
                break
            retried = judge.grade(section, [jobs[i] for i in again], self.cells, self.secret, seen=self._judged)
            for i, v in zip(again, retried, strict=True):
                verdicts[i] = v
        return verdicts

    def _judged(self, pictures: Sequence[Picture]) -> None:
        self.seen.extend(pictures)
        self.beat()


class About(NamedTuple):
    """What a judge elsewhere is to be."""

    exercises: str
    solutions: str
    require: Tier | None
    at_most: Tier


class Bench:
    """A process with a judge of its own, begun when it is first needed, and anew when it was killed.

    Not multiprocessing's own: that would put the current folder, where uploads may lie, on the path of imports, it
    gives all up when one process is killed, and a Dask worker may not use it.
    """

    def __init__(self, about: About, key: bytes) -> None:
        self._about = about
        self._key = key
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection[Any, Any] | None = None
        self._closed = False

    def do(self, work: Callable[["Judge", Any], Any], what: Any, seconds: float | None = None) -> Any:
        """What that function makes of it there. `seconds`: how long it may take from one job to the next, once the
        process has begun. Raises Killed, Hung, Fault, warden.Unavailable, Lost.
        """
        for _ in range(TRIES):
            if self._closed:
                break
            alarm = _Alarm()
            try:
                starting = 0.0 if self._line else _STARTING
                line = self._line or self._begun()
                if self._closed:  # meanwhile
                    self.close()
                with alarm.set(self._process, seconds and seconds + starting):
                    line.send((work, what))
                    kind, value = line.recv()
                while kind == "beat":
                    with alarm.set(self._process, seconds):
                        kind, value = line.recv()
            except (EOFError, OSError):
                if alarm.rang and not self._closed:
                    self._ended()
                    raise Hung from None
                if (code := self._ended()) > 0 and not self._closed:
                    raise Lost(f"a judge's process ended by itself, with {code}") from None
                continue
            match kind:
                case "done":
                    return value
                case "unavailable":
                    raise warden.Unavailable(*value)
                case "lost":
                    raise Lost(value)
            raise Fault(value)
        raise Killed

    def close(self) -> None:
        """Whatever it does."""
        self._closed = True
        if process := self._process:
            process.kill()
            process.wait()

    def _begun(self) -> "Connection[Any, Any]":
        ours, theirs = Pipe()
        root = str(Path(__file__).resolve().parents[1])
        code = (
            "import sys; where, fd = sys.argv[1:]; sys.path += [where] * (where not in sys.path)\n"
            "from grader import bench; bench.serve(int(fd))"
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code, root, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the coordinator, who lets it finish what it does
            )
        self._line = ours
        ours.send((*self._about, self._key))
        return ours

    def _ended(self) -> int:
        """How it ended: its exit code, or less than nothing if it was killed."""
        process, line = self._process, self._line
        self._process = self._line = None
        if line:
            line.close()
        if process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_PARTING)
        process.kill()
        return process.wait()


class _Alarm:
    """Kills a process that is not done in time, whether it works, waits or was stopped."""

    rang = False

    @contextlib.contextmanager
    def set(self, process: "subprocess.Popen[bytes] | None", seconds: float | None) -> Iterator[None]:
        """For what is done within; None: it may take for ever."""
        if seconds is None or process is None:
            yield
            return
        timer = threading.Timer(seconds, self._ring, [process])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _ring(self, process: "subprocess.Popen[bytes]") -> None:
        self.rang = True
        process.kill()


def serve(fd: int) -> None:
    """The whole life of such a process: works until the other end is gone."""
    line: Connection[Any, Any] = Connection(fd)
    exercises, solutions, require, at_most, key = line.recv()
    threading.Thread(target=_end_with, args=(fd,), daemon=True).start()
    with Judge(Course(Path(exercises), Path(solutions)), require, at_most, key) as judge:
        judge.ahead = False  # the other core has a judge of its own
        judge.beat = lambda: line.send(("beat", None))
        with contextlib.suppress(EOFError, OSError):
            while True:
                work, what = line.recv()
                line.send(_answer(judge, work, what))


def _end_with(fd: int) -> None:
    """Ends this process when the other end is gone, though it may be in the middle of a batch."""
    poll = select.poll()
    poll.register(fd, select.POLLRDHUP)
    poll.poll()
    os._exit(1)


def _answer(judge: "Judge", work: Callable[["Judge", Any], Any], what: Any) -> tuple[str, Any]:
    """What comes of it, in plain values: not every error survives the way."""
    try:
        return "done", work(judge, what)
    except warden.Unavailable as e:
        return "unavailable", (e.asked, e.found, e.why)
    except Lost as e:
        return "lost", str(e)
    except Exception as e:
        return "error", f"{type(e).__name__}: {e}"


def grade(judge: "Judge", batch: list[Job]) -> list[bytes]:
    """Work for a bench: verdicts on these jobs, which are of one section, in their order.

    If its tests were changed meanwhile, nobody knows by which ones they are: then there are none.
    """
    verdicts = judge.grade(batch)
    section = judge.course[batch[0].section]
    if section.digest_now() != section.digest:
        return [_unjudged(job, "other_section").to_json() for job in batch]
    return [v.to_json() for v in verdicts]


class Benches:
    """Some of them."""

    def __init__(self, about: About, count: int | None, limits: Callable[[str], Limits] | None = None) -> None:
        """`limits`: those of a section, by its slug; without, an answer may take for ever."""
        self._limits = limits
        key = secret()
        self._all = [Bench(about, key) for _ in range(count or os.cpu_count() or 1)]
        self._idle: queue.SimpleQueue[Bench] = queue.SimpleQueue()
        for bench in self._all:
            self._idle.put(bench)

    def __enter__(self) -> "Benches":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends them all, whatever they do."""
        for bench in self._all:
            bench.close()

    def room(self) -> int:
        """Twice as many batches as judges: while one is written down, the next one is judged."""
        return 2 * len(self._all)

    def do(self, work: Callable[["Judge", Any], Any], what: Any, seconds: float | None = None) -> Any:
        """What that function makes of it, in the next one that is idle. See `Bench.do`."""
        bench = self._idle.get()
        try:
            return bench.do(work, what, seconds)
        finally:
            self._idle.put(bench)

    def grade(self, batch: list[Job]) -> list[bytes]:
        """Verdicts in the order of the jobs."""
        seconds = patience(self._limits(batch[0].section)) if self._limits else None
        return one_by_one(functools.partial(self.do, grade, seconds=seconds), batch)


def one_by_one(grade: Callable[[list[Job]], list[bytes]], batch: list[Job], *, again: bool = True) -> list[bytes]:
    """Where a whole batch has its judge killed each time, or hangs, one of its jobs may be to blame: it has no verdict,
    the others have. What hangs is tried once more (`again`), alone.
    """
    try:
        return grade(batch)
    except Hung:
        if not again:
            return [_unjudged(batch[0], "hung").to_json()]
        return [v for job in batch for v in one_by_one(grade, [job], again=False)]
    except Killed:
        if len(batch) == 1:
            return [_unjudged(batch[0], "killed").to_json()]
        return [v for job in batch for v in one_by_one(grade, [job], again=again)]


def _unjudged(job: Job, kind: str) -> Verdict:
    check = Check(name="section", task=0, visible=False, outcome=Outcome.BROKEN, kind=kind, params={"what": ""})
    return Verdict(
        section=job.section,
        section_digest=job.section_digest,
        submission_digest="",
        checks=(check,),
        points="0",
        max_points="0",
        sandbox=Sandbox(tier=Tier.T1),
        versions={},
        job=job.id,
    )


def secret() -> bytes:
    """What inputs are drawn from, together with the submission: made once for this installation, readable by its owner.

    LEARN_SECRET overrides it, so that several machines give the same verdicts.
    """
    if given := os.environ.get("LEARN_SECRET"):
        return given.encode()
    path = home() / "secret"
    if kept := _kept(path):
        return kept
    made = secrets.token_bytes(_SECRET_BYTES)
    with contextlib.suppress(OSError):  # nowhere to keep it: good for this run alone
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / ".secret-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the first of several processes makes it
            if kept := _kept(path):
                return kept
            write(path, made)  # what was there, if anything, was cut short
    return made


def _kept(path: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        if len(kept := path.read_bytes()) == _SECRET_BYTES:
            return kept
    return None
