"""The nouns everything else speaks in: limits, jobs, checks, verdicts and findings, all frozen.

A verdict carries ids and parameters, never words for people: wording lives in `reports/` and in the lesson files.
"""

from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

SCHEMA = "learn/verdict/v1"


_Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
_Amount = Annotated[int, msgspec.Meta(gt=0)]


class Mendable(Exception):
    """Something that the caller can mend; `kind` and `params` say what (worded in reports/)."""

    def __init__(self, kind: str, **params: Any) -> None:
        super().__init__(kind, params)
        self.kind = kind
        self.params = params


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one cell may use. Times in seconds of wall clock, sizes in mebibytes (output in kibibytes)."""

    test: _Seconds = 10.0  # one test, all its calls together
    section: _Seconds = 90.0  # all the tests of a submission together
    memory_mb: _Amount = 1024  # beyond what the warmed interpreter already holds
    disk_mb: _Amount = 64
    files: _Amount = 2048  # inodes in the scratch folder
    processes: _Amount = 64
    output_kb: _Amount = 64  # kept of what the learner prints


class Tier(StrEnum):
    """How well a cell is confined, from least to most."""

    T1 = "T1"  # a process of its own, nothing more
    T2 = "T2"  # + Landlock and seccomp
    T3 = "T3"  # + namespaces: own file tree, processes, network


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """The confinement under which a verdict was reached, as seen from outside the cell."""

    tier: Tier
    landlock_abi: int = 0
    seccomp: bool = False
    userns: bool = False
    memory: str = "rlimit+watchdog"
    degraded: tuple[str, ...] = ()  # why not better: `TIER: id` or `TIER: id: detail`; ids: reports/messages.yaml


class Outcome(StrEnum):
    """How one test ended. Only PASSED earns points; BROKEN is our fault and blames nobody."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_WRITTEN = "not_written"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DENIED = "denied"
    SKIPPED = "skipped"
    BROKEN = "broken"


_LOUD = (Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.DENIED, Outcome.NOT_WRITTEN)
_RAISED = ("raised", "arity", "syntax", "import_raised", "exited", "breakpoint", "input")


class Measured(msgspec.Struct, frozen=True):
    """What a test held against one of the section's thresholds."""

    bar: str  # the threshold's name
    value: float | None  # None: not a finite number
    least: bool  # True: at least the threshold is right; False: at most


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What a test saw, for people to look at. It travels beside a verdict and is no part of it: nothing hangs on it.

    It is of a test that the learner may read; these run before any hidden test.
    """

    name: str  # its words, and those of the other names here, are in the section's exercise.yaml
    kind: Literal["curves", "paths", "matrix", "regions"]
    data: dict[str, list[list[float]]]  # by series: one row of values; points; all rows
    x: str = ""  # what the axes are, "" for nothing to say
    y: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of one test."""

    name: str  # the test function's name; its parametrisation, if any, in brackets
    task: int
    visible: bool  # True: an example that the learner may read
    outcome: Outcome
    promise: dict[str, str] = {}  # what the test checks, by language: the paragraphs of its docstring
    kind: str = ""  # what kind of difference or error ("shape", "raised", ...)
    mistake: str = ""  # id of the recognised mistake, "" if none was recognised
    where: int | None = None  # line in the learner's file
    params: dict[str, Any] = {}  # what the wording of `kind` needs; never inputs or expected values of hidden tests
    flag: str = ""  # why a person should look at this
    printed: tuple[int, int] = (0, 0)  # from where to where in the verdict's `stdout` is what this test printed
    measured: tuple[Measured, ...] = ()  # of a job with `draw` only: it tells of a hidden test's inputs

    @property
    def loud(self) -> bool:
        """True if nobody could overlook it: the answer raised, crashed, hung or ran out of memory."""
        return self.outcome in _LOUD or (self.outcome is Outcome.FAILED and self.kind in _RAISED)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One submission to be judged: everything that has to travel, and no hidden test."""

    section: str  # slug
    section_digest: str
    text: str  # the learner's file
    id: str = ""  # the caller's own name for it, returned in the verdict
    visible_only: bool = False
    until_loud: bool = False  # what comes after the first check that is loud is skipped
    draw: int = 0  # not 0: inputs that anybody can draw again, to calibrate the tests; never for a learner


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, kept apart from what must be the same each time."""

    total: float = 0.0
    start: float = 0.0  # until the cell was ready
    checks: tuple[float, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge says of one submission of one section."""

    section: str
    section_digest: str
    submission_digest: str
    checks: tuple[Check, ...]
    points: str  # an exact fraction: "7/2"
    max_points: str
    sandbox: Sandbox
    versions: dict[str, str]
    schema: str = SCHEMA
    job: str = ""
    stdout: str = ""  # while the file was loaded for visible tests, and of these
    times: Times = Times()

    @property
    def passed(self) -> bool:
        """True if there are checks and every one passed."""
        return bool(self.checks) and all(c.outcome is Outcome.PASSED for c in self.checks)

    @property
    def broken(self) -> bool:
        """True if this is no verdict on the learner at all: to be judged again."""
        return any(c.outcome is Outcome.BROKEN for c in self.checks)

    @property
    def unmet(self) -> str:
        """What this section needs and this host's sandbox does not give, if that is why there is no judgement."""
        return next((str(c.params.get("what")) for c in self.checks if c.kind == "needs_tier"), "")

    @property
    def earned(self) -> Fraction:
        """The points as a number."""
        return Fraction(self.points)

    def tasks(self) -> dict[int, tuple[Check, ...]]:
        """The checks of each task, in order of the tasks."""
        numbers = sorted({c.task for c in self.checks})
        return {n: tuple(c for c in self.checks if c.task == n) for n in numbers}

    def task_passed(self, task: int) -> bool:
        """True if the task has checks and every one passed."""
        return {c.outcome for c in self.checks if c.task == task} == {Outcome.PASSED}

    def to_json(self) -> bytes:
        """The published form; `schema()` describes it."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(data: bytes | str) -> "Verdict":
        """The inverse of `to_json`. Raises msgspec.DecodeError on anything else."""
        verdict = msgspec.json.decode(data, type=Verdict)
        if verdict.schema != SCHEMA:
            raise msgspec.DecodeError(f"schema: {verdict.schema}, not {SCHEMA}")
        try:
            Fraction(verdict.points), Fraction(verdict.max_points)
        except (ValueError, ZeroDivisionError) as e:
            raise msgspec.DecodeError(f"points: {e}") from None
        return verdict

    def timeless(self) -> "Verdict":
        """The same verdict without its times: equal for equal submissions."""
        return msgspec.structs.replace(self, times=Times(), job="")


class Student(msgspec.Struct, frozen=True, kw_only=True):
    """Who handed something in, as far as the files or a roster tell."""

    id: str  # what gradebooks and scores know them by
    name: str = ""
    email: str = ""


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that a student handed in."""

    student: Student
    section: str  # slug
    text: str
    digest: str  # of the text
    name: str = ""  # of the file, as it was found
    at: datetime | None = None  # when, with a time zone; None: nothing tells
    marked_late: bool = False  # the platform says so, and not by how much


class Finding(NamedTuple):
    """Something about a course that is not as it must be."""

    path: Path
    kind: str
    params: dict[str, Any]
    line: int | None = None  # None for what is missing as a whole: a file, a folder's contents


def schema() -> dict[str, Any]:
    """The JSON Schema of a verdict."""
    return msgspec.json.schema(Verdict)


def score(checks: tuple[Check, ...], points: dict[int, int]) -> tuple[str, str]:
    """(earned, possible) as exact fractions.

    A task's points are shared equally by its hidden tests, so that an answer written for the examples alone earns
    nothing; a task without hidden tests shares them among its examples.
    """
    earned = Fraction(0)
    for task, worth in points.items():
        of_task = [c for c in checks if c.task == task]
        counted = [c for c in of_task if not c.visible] or of_task
        passed = sum(c.outcome is Outcome.PASSED for c in counted)
        if counted:
            earned += Fraction(worth * passed, len(counted))
    return str(earned), str(sum(points.values()))


if __name__ == "__main__":
    import json

    print(json.dumps(schema(), indent=2))
