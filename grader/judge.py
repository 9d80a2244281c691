"""Judges submissions of one section: one pytest session, one cell and one verdict each.

The judge holds the hidden tests and never runs a learner's file (`debug` aside). The plan of tests is made before any
submission is loaded; a test without a recorded result has failed. It says nothing to people: a verdict carries ids.
"""

import contextlib
import functools
import gc
import hashlib
import hmac
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch

from grader import __version__, submission
from grader.course import Section
from grader.model import Check, Job, Outcome, Sandbox, Tier, Times, Verdict, score
from grader.sandbox import warden, wire
from grader.testing import Failure, Fixtures, LearnerRaised, NotYet, TaskMark

_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV", 31: "SIGSYS"}
_ARITY = re.compile(r"positional argument|unexpected keyword|required keyword|multiple values for argument")
_NO_MEMORY = re.compile(r"can't allocate memory|not enough memory|Cannot allocate memory")
_ENDS = (warden.Died, warden.TimedOut, warden.OutOfMemory, warden.Forgery, warden.Lost)
_OPTIONS = [
    *("-c", os.devnull, "--import-mode=importlib", "--noconftest", "--assert=plain", "--disable-plugin-autoload"),
    *("-p no:cacheprovider -p no:terminal -p no:logging -p no:faulthandler -p no:unraisableexception".split()),
    *("-p no:threadexception -p no:warnings -p no:doctest -p no:junitxml -p no:pastebin -p no:stepwise".split()),
]


class Answerer(Protocol):
    """A loaded learner's file that answers requests: a cell, or (to debug) this process."""

    output: bytearray
    flooded: bool

    def exchange(self, word: str, value: dict[str, Any], seconds: float) -> wire.Frame:
        """The reply."""
        ...

    def close(self) -> None:
        """No more requests."""
        ...


@dataclass
class _Desk:
    """Answers the tests' calls for one submission; opens a fresh cell when the last one is gone."""

    text: str
    file: str
    probes: str
    open: Callable[[], Answerer]
    limit: float  # seconds for one test
    ends_at: float  # time.monotonic() when the section's time is up
    secret: bytes
    mark: TaskMark = field(default_factory=lambda: TaskMark(0))
    seed: int | None = None  # for the next call, once per test
    visible: bool = False  # the test is one that the learner may read
    arrived: bool = False  # a value of the learner's has come in this test
    end: BaseException | None = None  # how the cell ended in this test, even if the test swallowed it
    answerer: Answerer | None = None
    unloadable: BaseException | None = None
    until: float = 0.0
    started: float = 0.0
    printed: str = ""  # by visible tests
    flooded: bool = False

    def begin(self, mark: TaskMark, seed: int, visible: bool) -> None:
        """A new test."""
        self.mark, self.seed, self.arrived, self.end, self.visible = mark, seed, False, None, visible
        self.until = min(time.monotonic() + (mark.timeout or self.limit), self.ends_at)

    def call(self, target: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """See `testing.Desk`."""
        self._load()
        seed, self.seed = self.seed, None
        request = {"target": target, "name": name, "args": args, "kwargs": kwargs, "seed": seed}
        reply = self._exchange("call", request)
        self.arrived = True
        if reply.word == "value":
            if reply.value.get("changed") is not False and not self.mark.may_change:
                raise Failure("argument_changed", name=name)
            return reply.value.get("value")
        raise self._raised(reply)

    def close(self) -> None:
        """The cell, if any, is killed."""
        if self.answerer is not None:
            self.answerer.close()
            self.answerer = None

    def _load(self) -> None:
        if self.unloadable is not None:  # what failed once is not tried for every test
            self.end = self.unloadable if isinstance(self.unloadable, _ENDS) else None
            raise self.unloadable
        if self.answerer is not None:
            return
        began = time.monotonic()
        self.answerer = self.open()
        self.started = self.started or time.monotonic() - began
        self.until += time.monotonic() - began
        request = {"text": self.text, "file": self.file, "probes": self.probes, "seed": _number(self.secret, "load")}
        try:
            reply = self._exchange("load", request)
        except warden.Lost:
            raise
        except _ENDS as e:
            e.at_load = True  # type: ignore[union-attr]
            self.unloadable = e
            raise
        if reply.word != "value":
            self.unloadable = self._raised(reply, loading=True)
            self.arrived = True
            raise self.unloadable

    def _exchange(self, word: str, value: dict[str, Any]) -> wire.Frame:
        answerer = self.answerer
        assert answerer is not None
        had = len(answerer.output)
        try:
            return answerer.exchange(word, value, self.until - time.monotonic())
        except _ENDS as e:
            self.end, self.answerer = e, None
            raise
        finally:
            self.flooded |= answerer.flooded
            if self.visible:
                self.printed += answerer.output[had:].decode("utf-8", "replace")

    def _raised(self, reply: wire.Frame, loading: bool = False) -> BaseException:
        """What a reply that is no value means to a test. The reply is the cell's word: any form is possible."""
        v = reply.value
        if reply.word == "raised":
            bases = [str(b) for b in v.get("bases") or ()]
            kind, message, line = str(v.get("kind")), str(v.get("message")), v.get("line")
            line = line if type(line) is int and 0 < line <= self.text.count("\n") + 1 else None
            if kind == "NotWritten" or ("NotImplementedError" in bases and not loading):
                return NotYet(str(v.get("name") or ""))
            raised = LearnerRaised(kind, bases, message, line, str(v.get("origin")))
            raised.loading = loading  # type: ignore[attr-defined]
            return raised
        if reply.word == "unsendable":
            return Failure("unsendable", path=str(v.get("path")), type=str(v.get("kind")))
        if reply.word == "exited":
            return Failure("exited", where=v.get("line"), code=str(v.get("code")))
        return Failure("answer_too_big") if reply.word == "too_big" else warden.Forgery(reply.word)


class _Sitting(Fixtures):
    """The plugin: runs every test once for every submission, through pytest's own protocol."""

    def __init__(self, jobs: Sequence[Job], desk: Callable[[Job], _Desk], done: Callable[..., None]) -> None:
        self.jobs = jobs
        self.new_desk = desk
        self.done = done
        self.errors: list[str] = []
        self.call: pytest.CallInfo[None] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = [i for i in session.items if isinstance(i, pytest.Function)]
        plan = sorted((i for i in items if _mark(i)), key=lambda i: _mark(i).number)  # type: ignore[union-attr]
        self.errors += [f"{i.name}: no @task" for i in items if _mark(i) is None]
        for job in self.jobs:
            self.desk = desk = self.new_desk(job)
            began = time.monotonic()
            try:
                checks, times = self._run(plan, job, desk)
            finally:
                desk.close()
            self.done(job, desk, checks, times, time.monotonic() - began, self.errors)
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(str(report.longrepr)[-2000:])

    def pytest_internalerror(self, excrepr: object) -> None:
        self.errors.append(str(excrepr)[-2000:])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: "pytest.CallInfo[None]") -> Iterator[None]:
        if self.call is None or call.excinfo is not None:
            self.call = call
        return (yield)

    def _run(self, plan: list[pytest.Function], job: Job, desk: _Desk) -> tuple[list[Check], list[float]]:
        checks: list[Check] = []
        times: list[float] = []
        digest = hashlib.sha256(job.text.encode("utf-8", "surrogatepass")).hexdigest()
        for i, item in enumerate(plan):
            mark = _mark(item)
            assert mark is not None
            about = _about(item, mark)
            began = time.monotonic()
            failed = {c.task for c in checks if c.outcome is not Outcome.PASSED}
            if stands_on := [n for n in mark.needs if n in failed]:
                checks.append(Check(**about, outcome=Outcome.SKIPPED, kind="needs", params={"task": stands_on[0]}))
            elif began >= desk.ends_at:
                checks.append(Check(**about, outcome=Outcome.TIMED_OUT, kind="section_time"))
            else:
                key = f"{digest} {item.name}"
                self.seed = _number(desk.secret, f"inputs {key}")
                desk.begin(mark, _number(desk.secret, f"cell {key}"), about["visible"])
                self.call = None
                item.ihook.pytest_runtest_protocol(item=item, nextitem=plan[(i + 1) % len(plan)])
                error = self.call.excinfo.value if self.call and self.call.excinfo else None
                checks.append(_check(about, desk, self.call is not None, desk.end or error))
            times.append(time.monotonic() - began)
        return checks, times


def grade(
    section: Section,
    jobs: Sequence[Job],
    cells: warden.Warden,
    secret: bytes,
    ahead: bool = False,
) -> list[Verdict]:
    """A verdict for each job, in order. `ahead`: open the next cell while this one works.

    A job whose section has another digest than ours is BROKEN: it was meant for other tests.
    Raises warden.Unavailable if the required tier cannot be had, warden.Lost if no cell can be started at all.
    """
    sandbox = sandbox_of(cells.confinement())
    lim = section.limits
    bounds = warden.Bounds(lim.memory_mb, lim.disk_mb, lim.files, lim.processes, lim.output_kb, lim.section)
    missing = [n for n in section.about.needs if sandbox.tier is Tier.T2]  # T2 has neither sockets nor processes
    preload = tuple(section.about.preload)

    def open_cell() -> Answerer:
        return cells.open(bounds, preload, ahead)

    return _session(section, jobs, open_cell, sandbox, secret, "needs_tier" if missing else "", missing)


def debug(section: Section, text: str, path: Path) -> Verdict:
    """The same tests with the learner's file in this very process, so that `breakpoint()` works there. For self-study."""
    job = Job(section=section.slug, section_digest=section.digest, text=text)
    sandbox = Sandbox(tier=Tier.T1, degraded=("debug",))
    return _session(section, [job], lambda: _Here(), sandbox, b"debug", file=str(path), options=["-s"])[0]


class _Here:
    """The learner's file in this process; arguments and answers are still encoded and decoded."""

    def __init__(self) -> None:
        self.modules: dict[str, Any] = {}
        self.output = bytearray()
        self.flooded = False

    def exchange(self, word: str, value: dict[str, Any], seconds: float) -> wire.Frame:
        from grader.sandbox import runner

        request = wire.unpack(*wire.split(wire.pack(1, word, value, strides=True)))
        return wire.unpack(*wire.split(runner.answer(self.modules, request)))

    def close(self) -> None:
        pass


def _session(
    section: Section,
    jobs: Sequence[Job],
    open_cell: Callable[[], Answerer],
    sandbox: Sandbox,
    secret: bytes,
    broken: str = "",
    what: Sequence[str] = (),
    file: str = "",
    options: Sequence[str] = (),
) -> list[Verdict]:
    verdicts: list[Verdict] = []
    probes = section.probes.read_text(encoding="utf-8") if section.probes.is_file() else ""

    def desk(job: Job) -> _Desk:
        ends = time.monotonic() + (section.limits.section if not options else 1e9)
        limit = section.limits.test if not options else 1e9
        return _Desk(job.text, file or section.stub.name, probes, open_cell, limit, ends, secret)

    def done(job: Job, desk: _Desk, checks: list[Check], times: list[float], total: float, errors: list[str]) -> None:
        stale = job.section_digest != section.digest
        if broken or errors or stale or not checks:
            kind = broken or ("other_section" if stale else "internal")
            detail: dict[str, Any] = {"what": ", ".join(what) or "\n".join(errors)}
            checks = [Check(name="section", task=0, visible=False, outcome=Outcome.BROKEN, kind=kind, params=detail)]
        earned, possible = score(tuple(checks), section.points)
        verdicts.append(
            Verdict(
                section=section.slug,
                section_digest=section.digest,
                submission_digest=submission.of_text(job.text).digest,
                checks=tuple(_named(c, section) for c in checks),
                points=earned,
                max_points=possible,
                sandbox=sandbox,
                versions=_versions(),
                job=job.id,
                stdout=desk.printed,
                times=Times(total=total, start=desk.started, checks=tuple(times)),
            )
        )

    plugin = _Sitting([] if broken else jobs, desk, done)
    for job in jobs if broken else ():
        done(job, desk(job), [], [], 0.0, [])
    files = [str(p) for p in (section.examples, section.tests) if p.is_file()]
    if jobs and all(j.visible_only for j in jobs):
        files = files[:1]
    with _undisturbed(section):
        pytest.main([*_OPTIONS, *options, f"--rootdir={section.hidden}", *files], plugins=[plugin])
    if len(verdicts) < len(jobs):  # pytest itself gave up: nobody is to blame but us
        for job in jobs[len(verdicts) :]:
            done(job, desk(job), [], [], 0.0, plugin.errors or ["pytest ended early"])
    return verdicts


@contextlib.contextmanager
def _undisturbed(section: Section) -> Iterator[None]:
    """pytest leaves the tests' modules behind: an edited test must be seen, and a collector must not walk torch's heap."""
    with contextlib.suppress(RuntimeError):
        torch.set_num_threads(1)
    _warm()
    dont_write, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = dont_write
        for name, module in list(sys.modules.items()):
            if Path(getattr(module, "__file__", None) or "/").parent in (section.folder, section.hidden):
                del sys.modules[name]


@functools.cache
def _warm() -> None:
    gc.collect()
    gc.freeze()


def _mark(item: pytest.Item) -> TaskMark | None:
    return getattr(getattr(item, "function", None), "task", None)


def _about(item: pytest.Function, mark: TaskMark) -> dict[str, Any]:
    promise = (item.function.__doc__ or "").strip().splitlines()[:1]
    visible = item.path.name == "test_examples.py"
    return {"name": item.name, "task": mark.number, "visible": visible, "promise": "".join(promise)}


def _check(about: dict[str, Any], desk: _Desk, ran: bool, error: BaseException | None) -> Check:
    """How a test ended. `error`: what it raised, or how the cell ended."""
    flag = "flooded" if desk.flooded else ""
    if not ran:
        return Check(**about, outcome=Outcome.FAILED, kind="no_result", flag="no_result")
    if error is None:
        return Check(**about, outcome=Outcome.PASSED, flag=flag)
    shown = about["visible"]
    loading = getattr(error, "at_load", False) or getattr(error, "loading", False)
    match error:
        case Failure():
            params = dict(error.params)
            if shown and error.shown:
                params |= {"got": _short(error.shown[0]), "wanted": _short(error.shown[1])}
            return Check(
                **about,
                outcome=Outcome.FAILED,
                kind=error.kind,
                mistake=error.mistake,
                where=error.where,
                params=params,
                flag=flag,
            )
        case NotYet():
            kind = "missing" if error.name else "not_written"
            return Check(**about, outcome=Outcome.NOT_WRITTEN, kind=kind, params={"name": error.name})
        case LearnerRaised():
            return _exception(about, error, desk.mark, loading, flag)
        case warden.TimedOut():
            late = time.monotonic() >= desk.ends_at
            seconds = {} if late else {"seconds": desk.mark.timeout or desk.limit}
            return Check(**about, outcome=Outcome.TIMED_OUT, kind="section_time" if late else "timeout", params=seconds)
        case warden.OutOfMemory():
            return Check(**about, outcome=Outcome.OUT_OF_MEMORY, kind="memory")
        case warden.Died():
            return _death(about, error.status)
        case warden.Forgery():
            return Check(**about, outcome=Outcome.FAILED, kind="forged", flag="forged")
        case warden.Lost():
            return Check(**about, outcome=Outcome.BROKEN, kind="internal", params={"what": str(error)})
        case AssertionError() if desk.arrived:
            return Check(**about, outcome=Outcome.FAILED, kind="values", flag=flag)
        case _ if desk.arrived:
            return Check(**about, outcome=Outcome.FAILED, kind="unreadable", flag=f"unreadable: {type(error).__name__}")
        case _:
            what = f"{type(error).__name__}: {error}"[:300]
            return Check(**about, outcome=Outcome.BROKEN, kind="internal", params={"what": what})


def _exception(about: dict[str, Any], e: LearnerRaised, mark: TaskMark, loading: bool, flag: str) -> Check:
    outcome, kind = Outcome.FAILED, "raised"
    params: dict[str, Any] = {"error": e.kind}
    mistake = next((m for part, m in mark.raises.items() if part in e.message), "")
    if about["visible"] or loading:  # at loading there are no hidden inputs yet that a message could carry
        params["message"] = e.message
    if loading:
        kind = "syntax" if "SyntaxError" in e.bases else "import_raised"
    elif "MemoryError" in e.bases or _NO_MEMORY.search(e.message):
        return Check(**about, outcome=Outcome.OUT_OF_MEMORY, kind="memory", where=e.line)
    elif "PermissionError" in e.bases:
        outcome, kind, params = Outcome.DENIED, "denied", {"what": e.kind}
    elif "TypeError" in e.bases and e.line is None and _ARITY.search(e.message):
        kind, params = "arity", {"message": e.message}  # the signature is the learner's own; it carries no input
    params["origin"] = e.origin
    return Check(**about, outcome=outcome, kind=kind, mistake=mistake, where=e.line, params=params, flag=flag)


def _death(about: dict[str, Any], status: int) -> Check:
    if status == -9:  # nobody here sends it but the kernel: out of memory, or out of processor time
        return Check(**about, outcome=Outcome.OUT_OF_MEMORY, kind="memory")
    if status == -24:
        return Check(**about, outcome=Outcome.TIMED_OUT, kind="section_time")
    if status < 0:
        params: dict[str, Any] = {"signal": _SIGNALS.get(-status, str(-status))}
        return Check(**about, outcome=Outcome.CRASHED, kind="died", params=params)
    return Check(**about, outcome=Outcome.CRASHED, kind="died_code", params={"code": status})


def _named(check: Check, section: Section) -> Check:
    """A kind of difference that this section explains itself counts as a recognised mistake."""
    import msgspec

    if check.mistake or check.outcome in (Outcome.PASSED, Outcome.SKIPPED, Outcome.BROKEN, Outcome.NOT_WRITTEN):
        return check
    known = section.mistakes("en")
    return msgspec.structs.replace(check, mistake=check.kind) if check.kind in known else check


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]} …"


def _number(secret: bytes, label: str) -> int:
    return int.from_bytes(hmac.digest(secret, label.encode(), "sha256")[:7])


def sandbox_of(c: warden.Confinement) -> Sandbox:
    """That confinement as a verdict records it."""
    return Sandbox(
        tier=Tier(c.tier),
        landlock_abi=c.landlock_abi,
        seccomp=c.seccomp,
        userns=c.userns,
        memory=c.memory,
        degraded=c.degraded,
    )


@functools.cache
def _versions() -> dict[str, str]:
    return {"grader": __version__, "python": platform.python_version(), "torch": torch.__version__}
