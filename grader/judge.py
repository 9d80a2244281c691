"""Judges submissions of one section: one pytest session, one cell and one verdict each.

The judge holds the hidden tests and never runs a learner's file (`debug` aside). The plan of tests is made before any
submission is loaded; a test without a recorded result has failed. It says nothing to people: a verdict carries ids.
"""

import contextlib
import functools
import gc
import hashlib
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from grader import __version__, submission
from grader.course import Section, paragraphs
from grader.desk import Answerer, Desk, number
from grader.model import Check, Job, Outcome, Picture, Sandbox, Tier, Times, Verdict, score
from grader.outcome import check_of
from grader.sandbox import cell, warden, wire
from grader.source import Source
from grader.testing import Fixtures, TaskMark

_WITHOUT = """
    cacheprovider terminal logging debugging faulthandler unraisableexception threadexception warnings doctest junitxml
    pastebin stepwise unittest legacypath tmpdir monkeypatch recwarn setuponly setupplan freeze_support subtests
"""  # each is looked through for fixtures, every time
_PATIENCE = 2  # tests of one task that may time out; the others of that task are then taken to
_PONDERING = 20.0  # seconds that a test may take in the judge, once the cell's time is up
_LEAVING = ("KeyboardInterrupt", "BdbQuit", "Exit")  # Ctrl-C, and the q of pdb alone and under pytest
_OPTIONS = [
    *("-c", os.devnull, "--import-mode=importlib", "--noconftest", "--assert=plain", "--disable-plugin-autoload"),
    *(f"-pno:{name}" for name in _WITHOUT.split()),
]


class _Sitting(Fixtures):
    """The plugin: runs every test once for every submission, through pytest's own protocol."""

    def __init__(
        self,
        jobs: Sequence[Job],
        bars: Mapping[str, float],
        desk: Callable[[Job], Desk],
        done: Callable[..., None],
    ) -> None:
        self.jobs = jobs
        self.bars = bars
        self.new_desk = desk
        self.done = done
        self.notes = []
        self.noted = {}
        self.errors: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.tbstyle = "native"  # pytest's own form reads the sources of every frame, and nobody sees it

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = [i for i in session.items if isinstance(i, pytest.Function)]
        plan = sorted((i for i in items if mark_of(i)), key=lambda i: mark_of(i).number)  # type: ignore[union-attr]
        self.errors += [f"{i.name}: no @task" for i in items if mark_of(i) is None]
        for job in self.jobs:
            self.desk = desk = self.new_desk(job)
            self.noted.clear()
            began = time.monotonic()
            checks: list[Check] = []
            times: list[float] = []
            errors = list(self.errors)
            try:
                checks, times = self._run(plan, job, desk)
            except Exception as e:  # a fault of ours: it costs this job its verdict, and no other
                errors.append(f"{type(e).__name__}: {e}"[:2000])
            finally:
                desk.close()
            self.done(job, desk, checks, times, time.monotonic() - began, errors)
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(str(report.longrepr)[-2000:])

    def pytest_internalerror(self, excrepr: object) -> None:
        self.errors.append(str(excrepr)[-2000:])

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Iterator[Any]:
        with _in_time(self.desk.until - time.monotonic() + _PONDERING):
            return (yield)

    def _run(self, plan: list[pytest.Function], job: Job, desk: Desk) -> tuple[list[Check], list[float]]:
        """The tests that the learner may read come first: what these print is shown, so by then no input of a hidden
        test may have been seen.
        """
        digest = hashlib.sha256(job.text.encode("utf-8", "surrogatepass")).hexdigest()
        done: dict[str, tuple[Check, float]] = {}
        for item in sorted(plan, key=lambda i: not _visible(i)):
            began = time.monotonic()
            before = [c for c, _ in done.values()]
            if job.until_loud and any(c.loud for c in before):
                check = Check(**about_of(item), outcome=Outcome.SKIPPED)
            else:
                self.notes.clear()
                check = self._one(item, digest, desk, before)
                if job.draw:
                    check = msgspec.structs.replace(check, measured=tuple(self.notes))
            done[item.nodeid] = check, time.monotonic() - began
        checks: list[Check] = []
        for item in plan:  # by task again; an example may have run before what it stands on had failed
            checks.append(standing(item, checks) or done[item.nodeid][0])
        if any(c.outcome is Outcome.PASSED for c in checks) and Source(job.text).reaches_around():
            checks = [msgspec.structs.replace(c, flag=c.flag or "reaches_around") for c in checks]
        return checks, [done[i.nodeid][1] for i in plan]

    def _one(self, item: pytest.Function, digest: str, desk: Desk, before: list[Check]) -> Check:
        about, mark = about_of(item), mark_of(item)
        assert mark is not None
        if skipped := standing(item, before):
            return skipped
        late = [c for c in before if c.task == mark.number and c.kind == "timeout"]
        if len(late) >= _PATIENCE:
            return Check(**about, outcome=Outcome.TIMED_OUT, kind="timeout", params=late[-1].params)
        if desk.over():
            return Check(**about, outcome=Outcome.TIMED_OUT, kind="section_time")
        key = f"{digest} {item.name}"
        while True:
            self.seed = number(desk.secret, f"inputs {key}")
            desk.begin(mark, number(desk.secret, f"cell {key}"), about["visible"])
            error = _run_once(item)
            if not desk.pardon():
                check = check_of(about, desk, desk.ending(error))
                return msgspec.structs.replace(check, printed=desk.span())


def grade(
    section: Section,
    jobs: Sequence[Job],
    cells: warden.Warden,
    secret: bytes,
    ahead: bool = False,
    seen: Callable[[Sequence[Picture]], object] = lambda _: None,
) -> list[Verdict]:
    """A verdict for each job, in order. `ahead`: open the next cell while this one works; `seen` is told what there is
    to be drawn of each job, as soon as that is done.

    A job whose section has another digest than ours is BROKEN: it was meant for other tests.
    Raises warden.Unavailable if the required tier cannot be had, cell.Lost if no cell can be started at all.
    """
    sandbox = sandbox_of(cells.confinement())
    lim = section.limits
    bounds = cell.Bounds(lim.memory_mb, lim.disk_mb, lim.files, lim.processes, lim.output_kb, lim.section)
    missing = [n for n in section.about.needs if sandbox.tier is Tier.T2]  # T2 has neither sockets nor processes
    preload = tuple(section.about.preload)

    def open_cell() -> Answerer:
        return cells.open(bounds, preload, ahead)

    return _session(section, jobs, open_cell, sandbox, secret, "needs_tier" if missing else "", missing, seen=seen)


def debug(section: Section, text: str, path: Path, *, visible_only: bool = False) -> Verdict:
    """The same tests with the learner's file in this very process, so that `breakpoint()` works. For self-study."""
    job = Job(section=section.slug, section_digest=section.digest, text=text, visible_only=visible_only)
    sandbox = Sandbox(tier=Tier.T1, degraded=("debug",))
    return _session(section, [job], lambda: Here(), sandbox, b"debug", file=str(path), options=["-s"])[0]


class Here:
    """The learner's file in this process; arguments and answers are still encoded and decoded."""

    def __init__(self) -> None:
        self.modules: dict[str, Any] = {}
        self.output = bytearray()
        self.flooded = False

    def exchange(self, word: str, value: dict[str, Any], seconds: float) -> wire.Frame:
        """See `desk.Answerer`. Raises KeyboardInterrupt when the learner leaves the debugger."""
        from grader.sandbox import runner

        request = wire.unpack(*wire.split(wire.pack(1, word, value, strides=True)))
        reply = wire.unpack(*wire.split(runner.answer(self.modules, request)), strides=False)
        if reply.word == "raised" and reply.value["kind"] in _LEAVING:
            raise KeyboardInterrupt  # the runner told it as if it were the answer's
        return reply

    def close(self) -> None:
        """Nothing to let go of."""


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
    seen: Callable[[Sequence[Picture]], object] = lambda _: None,
) -> list[Verdict]:
    verdicts: list[Verdict] = []
    probes = section.probes.read_text(encoding="utf-8") if section.probes.is_file() else ""

    def desk(job: Job) -> Desk:
        ends = time.monotonic() + (section.limits.section if not options else 1e9)
        limit = section.limits.test if not options else 1e9
        inputs = f"draw {job.draw}".encode() if job.draw else secret  # a draw is the same on every machine
        return Desk(job.text, file or section.stub.name, probes, open_cell, limit, ends, inputs)

    def done(job: Job, desk: Desk, checks: list[Check], times: list[float], total: float, errors: list[str]) -> None:
        stale = job.section_digest != section.digest
        if broken or errors or stale or not checks:
            kind = broken or ("other_section" if stale else "internal")
            detail: dict[str, Any] = {"what": ", ".join(what) or "\n".join(errors)}
            checks = [Check(name="section", task=0, visible=False, outcome=Outcome.BROKEN, kind=kind, params=detail)]
        told = not any(c.outcome is Outcome.BROKEN for c in checks)
        seen(tuple(plugin.noted.values()) if told else ())
        earned, possible = score(tuple(checks), section.points)
        verdicts.append(
            Verdict(
                section=section.slug,
                section_digest=section.digest,
                submission_digest=submission.of_text(job.text).digest,
                checks=tuple(named(c, section) for c in checks),
                points=earned,
                max_points=possible,
                sandbox=sandbox,
                versions=_versions(),
                job=job.id,
                stdout=desk.printed,
                times=Times(total=total, start=desk.started, checks=tuple(times)),
            )
        )

    plugin = _Sitting([] if broken else jobs, section.about.thresholds, desk, done)
    for job in jobs if broken else ():
        done(job, desk(job), [], [], 0.0, [])
    files = [str(p) for p in (section.examples, section.tests) if p.is_file()]
    if jobs and all(j.visible_only for j in jobs):
        files = files[:1]
    root = section.hidden if section.hidden.is_dir() else section.folder  # a learner's copy has no solutions/
    with _undisturbed(section), contextlib.nullcontext() if options else _silence():
        given = options or ["-pno:capture"]  # which would look after each step of each test
        ended = pytest.main([*_OPTIONS, *given, f"--rootdir={root}", *files], plugins=[plugin])
    if ended is pytest.ExitCode.INTERRUPTED:  # Ctrl-C, which pytest has caught
        raise KeyboardInterrupt
    if len(verdicts) < len(jobs):  # pytest itself gave up: nobody is to blame but us
        for job in jobs[len(verdicts) :]:
            done(job, desk(job), [], [], 0.0, plugin.errors or ["pytest ended early"])
    return verdicts


@contextlib.contextmanager
def _undisturbed(section: Section) -> Iterator[None]:
    """pytest leaves the tests' modules behind, and an edited test must be seen; no collector walks torch's heap; what
    somebody's environment tells pytest is for their own tests.
    """
    with contextlib.suppress(RuntimeError):
        torch.set_num_threads(1)
    _warm()
    dont_write, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    meant_for_others = {k: os.environ.pop(k) for k in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS") if k in os.environ}
    try:
        yield
    finally:
        os.environ.update(meant_for_others)
        sys.dont_write_bytecode = dont_write
        folders = (str(section.folder), str(section.hidden))
        for name, module in list(sys.modules.items()):
            if os.path.dirname(getattr(module, "__file__", None) or "") in folders:  # noqa: PTH120 - of 2,000 modules
                del sys.modules[name]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """What a hidden test prints is for its author, who can `learn check --debug`."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


@functools.cache
def _warm() -> None:
    gc.collect()
    gc.freeze()


def _run_once(item: pytest.Function) -> BaseException | None:
    """What that test raised. pytest's own hooks, but for those by which it reports to people: the better half of the
    time of a small test.
    """
    error: BaseException | None = None
    hooks = item.ihook
    item._initrequest()  # as it does itself for tests that are run again
    try:
        try:
            hooks.pytest_runtest_setup(item=item)
            hooks.pytest_runtest_call(item=item)
        finally:
            hooks.pytest_runtest_teardown(item=item, nextitem=None)  # the next one may be skipped
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException as e:
        error = e
    return error


@contextlib.contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    """An answer can be made so that looking at it takes for ever: raises TimeoutError then. In the main thread only,
    where Python can be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: object) -> None:
        raise TimeoutError("the test took too long in the judge")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def mark_of(item: pytest.Item) -> TaskMark | None:
    """What `@task` says of a test, if it does."""
    return getattr(getattr(item, "function", None), "task", None)


def _visible(item: pytest.Item) -> bool:
    return item.path.name == "test_examples.py"


def standing(item: pytest.Function, before: list[Check]) -> Check | None:
    """The check of a test that is skipped, since a task that it stands on has failed."""
    mark = mark_of(item)
    failed = {c.task for c in before if c.outcome is not Outcome.PASSED}
    if broken := [n for n in mark.needs if n in failed] if mark else []:
        params = {"task": broken[0], "tasks": broken}
        return Check(**about_of(item), outcome=Outcome.SKIPPED, kind="needs", params=params)
    return None


def about_of(item: pytest.Function) -> dict[str, Any]:
    """What a check says of its test, however it ended."""
    mark = mark_of(item)
    return {
        "name": item.name,
        "task": mark.number if mark else 0,
        "visible": _visible(item),
        "promise": dict(zip(("en", "zh"), paragraphs(item.function.__doc__), strict=False)),
    }


def named(check: Check, section: Section) -> Check:
    """A kind of difference that this section explains itself counts as a recognised mistake. Of answers that took too
    long only those to a test with a time limit of its own: elsewhere a loop without end is likelier than a slow way.
    """
    if check.kind == "timeout":
        explained = check.mistake in section.mistakes("en")
        return check if explained else msgspec.structs.replace(check, mistake="")
    if check.mistake or check.outcome in (Outcome.PASSED, Outcome.SKIPPED, Outcome.BROKEN, Outcome.NOT_WRITTEN):
        return check
    known = section.mistakes("en")
    return msgspec.structs.replace(check, mistake=check.kind) if check.kind in known else check


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
    return {"grader": __version__, "python": platform.python_version(), "torch": str(torch.__version__)}
