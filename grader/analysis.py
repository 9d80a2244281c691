"""What a class's verdicts come to, in numbers: exact where they can be, and None where nothing can be said.

The *difficulty* of a test is the share of answers that pass it. Its *discrimination* is the correlation between
passing it and the points of the section's other tests: near 0 it does not tell who has understood from who has not.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import msgspec

from grader.course import Section
from grader.model import Check, Outcome, Verdict, score
from grader.reports.sentences import common_cause
from grader.scores import Score, Total

if TYPE_CHECKING:
    from grader.gradebook import Opened

FEW = 5  # answers: of fewer, a correlation says nothing
STRONG = Fraction(9, 10)  # whoever passes so much of a section's other tests knows the section
_OTHERS = 2  # tests beside the one in question, for that to mean something
_SUSPECT = (3, Fraction(1, 5))  # so many of the strong, and such a share of them, fail a test that looks broken
_FAR = Fraction(1, 2)  # of the class's median: less is far below

# Gravest first.
Why = Literal["nothing", "denied", "flagged", "unrunnable", "unjudged", "no_points", "far_below", "stopped"]
_GRAVE: tuple[Why, ...] = get_args(Why)
_NO_POINTS = 2  # sections without any are a reason


class Spread(msgspec.Struct, frozen=True):
    """How shares, 0 to 1, are distributed."""

    n: int
    mean: Fraction | None
    median: Fraction | None
    full: int  # how many have everything
    none: int  # how many have nothing
    tenths: tuple[int, ...]  # eleven counts: from 0 % to below 10 %, …, from 90 % to below 100 %, and 100 %


class OfSection(msgspec.Struct, frozen=True):
    """A section of the assignment."""

    section: str  # slug
    number: str
    answers: int  # handed in
    due: int  # of these, not judged by the tests of now
    points: Spread  # that count, before lateness
    seconds: float | None  # to judge an answer: the median
    longest: float | None


class OfTask(msgspec.Struct, frozen=True):
    """A task of a section."""

    section: str
    number: str
    task: int
    name: str
    worth: int
    points: Spread  # by the tests
    unwritten: int  # answers in which it is not begun


class OfTest(msgspec.Struct, frozen=True):
    """A test of a section, by the answers that its present form has judged."""

    section: str
    number: str
    task: int
    name: str
    visible: bool
    promise: dict[str, str]  # by language
    n: int
    passed: int
    difficulty: Fraction
    discrimination: float | None  # -1 to 1; None: of too few, or all did alike
    strong: int  # answers that pass the others (see STRONG), and for which it ran
    strong_failed: int  # of these, fail it, and no mistake is recognised in its task
    suspect: bool  # it looks broken: right answers fail it


class Mistake(msgspec.Struct, frozen=True):
    """A mistake that was recognised in a section."""

    section: str
    number: str
    id: str
    tasks: tuple[int, ...]
    students: tuple[str, ...]  # ids, each once
    share: Fraction  # of the answers


class Reason(msgspec.Struct, frozen=True):
    """Why somebody should look after a student."""

    why: Why
    sections: tuple[str, ...] = ()  # numbers


class Concern(msgspec.Struct, frozen=True):
    """A student who needs attention."""

    student: str  # id
    reasons: tuple[Reason, ...]


class Analysis(msgspec.Struct, frozen=True):
    """A whole class."""

    students: int
    active: int  # handed in something
    totals: Spread  # of their shares of all that could be had
    sections: tuple[OfSection, ...]  # in the assignment's order, as are the next two
    tasks: tuple[OfTask, ...]
    tests: tuple[OfTest, ...]
    mistakes: tuple[Mistake, ...]  # made by most first
    concerns: tuple[Concern, ...]  # gravest first


class _Result(NamedTuple):
    """What an answer did in one test."""

    passed: bool
    ran: bool
    unexplained: bool  # it failed, and nobody knows by which mistake


_Key = tuple[str, bool]  # a test's name, and whether it is visible


class _Answer(NamedTuple):
    results: dict[_Key, _Result]
    ran: int  # tests
    passed: int


class _Section:
    """What has been seen of one section."""

    def __init__(self, about: Section) -> None:
        self.about = about
        self.shares: dict[int, list[Fraction]] = {task: [] for task in about.points}
        self.unwritten: dict[int, set[str]] = {task: set() for task in about.points}
        self.mistakes: dict[str, tuple[set[int], set[str]]] = {}
        self.seconds: list[float] = []
        self.tests: dict[_Key, Check] = {}
        self.answers: list[_Answer] = []  # judged by the tests of now
        self.judged = 0

    def take(self, student: str, verdict: Verdict, *, by_now: bool) -> None:
        self.judged += 1
        self.seconds.append(verdict.times.total)
        tasks = verdict.tasks()
        explained = set()
        for task, worth in self.about.points.items():
            checks = tasks.get(task, ())
            earned, _ = score(checks, {task: worth})
            self.shares[task].append(Fraction(earned) / (worth or 1))
            if any(map(_unwritten, checks)):
                self.unwritten[task].add(student)
            if any(c.mistake or _unwritten(c) for c in checks):
                explained.add(task)
        for task, mistake in mistakes_of(verdict).items():
            of_tasks, students = self.mistakes.setdefault(mistake, (set(), set()))
            of_tasks.add(task)
            students.add(student)
        if by_now:
            self.tests |= {(c.name, c.visible): c for c in verdict.checks}
            results = {(c.name, c.visible): _result(c, explained) for c in verdict.checks}
            ran = sum(r.ran for r in results.values())
            self.answers.append(_Answer(results, ran, sum(r.passed for r in results.values())))


def analyse(sections: Mapping[str, Section], totals: Sequence[Total], opened: "Iterable[Opened]") -> Analysis:
    """The numbers of a class. `sections`: those of the assignment, by slug, in its order; `opened`: the standings in
    `totals`, which are gone through once.
    """
    seen = {slug: _Section(about) for slug, about in sections.items()}
    loud: dict[str, dict[Why, list[str]]] = {}  # student -> what a verdict tells, and in which sections
    for o in opened:
        if o.verdict is None:
            continue
        student, number = o.standing.student.id, o.standing.number
        seen[o.standing.section].take(student, o.verdict, by_now=not o.standing.due)
        if any(c.outcome is Outcome.DENIED for c in o.verdict.checks):
            loud.setdefault(student, {}).setdefault("denied", []).append(number)
        if any(c.flag for c in o.verdict.checks):
            loud.setdefault(student, {}).setdefault("flagged", []).append(number)
        if (cause := common_cause(o.verdict.checks)) and cause.outcome not in (Outcome.DENIED, Outcome.NOT_WRITTEN):
            loud.setdefault(student, {}).setdefault("unrunnable", []).append(number)
    active = [t for t in totals if any(s.standing for s in t.scores)]
    whole = spread([t.share for t in active])
    median = whole.median or Fraction(0)
    concerns = [Concern(t.student.id, _reasons(t, median, loud.get(t.student.id, {}), seen)) for t in totals]
    shares = {t.student.id: t.share for t in totals}
    mistakes = [m for s in seen.values() for m in _mistakes(s)]
    return Analysis(
        students=len(totals),
        active=len(active),
        totals=whole,
        sections=tuple(_section(s, [x for t in totals for x in t.scores]) for s in seen.values()),
        tasks=tuple(task for s in seen.values() for task in _tasks(s)),
        tests=tuple(test for s in seen.values() for test in _tests(s)),
        mistakes=tuple(sorted(mistakes, key=lambda m: -len(m.students))),
        concerns=tuple(
            sorted(
                (c for c in concerns if c.reasons),
                key=lambda c: (_GRAVE.index(c.reasons[0].why), shares[c.student]),
            )
        ),
    )


def mistakes_of(verdict: Verdict) -> dict[int, str]:
    """The mistake that was recognised in each task: the one that its learner is told first.

    One that a value gave away goes before one that is only how it ended (`timeout`). Where the file as a whole is at
    fault, nothing says anything of a task.
    """
    if common_cause(verdict.checks):
        return {}
    recognised = sorted((c for c in verdict.checks if c.mistake), key=lambda c: c.mistake == c.kind)
    return {c.task: c.mistake for c in reversed(recognised)}


def spread(shares: Sequence[Fraction]) -> Spread:
    """How these are distributed."""
    tenths = [0] * 11
    for share in shares:
        tenths[min(10, max(0, int(share * 10)))] += 1  # points by hand may be more than all
    return Spread(
        n=len(shares),
        mean=statistics.mean(shares) if shares else None,
        median=statistics.median(shares) if shares else None,
        full=tenths[10],
        none=sum(share == 0 for share in shares),
        tenths=tuple(tenths),
    )


def _section(seen: _Section, scores: Sequence[Score]) -> OfSection:
    stands = [s.standing for s in scores if s.section == seen.about.slug and s.standing]
    shares = [s.points / s.max_points for s in stands if s.points is not None and s.max_points]
    return OfSection(
        section=seen.about.slug,
        number=seen.about.number,
        answers=sum(bool(s.submission_digest) for s in stands),
        due=sum(s.due for s in stands),
        points=spread(shares),
        seconds=statistics.median(seen.seconds) if seen.seconds else None,
        longest=max(seen.seconds, default=None),
    )


def _tasks(seen: _Section) -> list[OfTask]:
    s = seen.about
    return [
        OfTask(s.slug, s.number, n, t.name, t.points, spread(seen.shares[n]), len(seen.unwritten[n]))
        for n, t in sorted(s.about.tasks.items())
    ]


def _mistakes(seen: _Section) -> list[Mistake]:
    s = seen.about
    return [
        Mistake(s.slug, s.number, id_, tuple(sorted(tasks)), tuple(sorted(who)), Fraction(len(who), seen.judged))
        for id_, (tasks, who) in seen.mistakes.items()
    ]


def _tests(seen: _Section) -> list[OfTest]:
    """In the order of the tasks."""
    counted: dict[_Key, Fraction] = {}
    for task, points in seen.about.points.items():
        of_task = [k for k, c in seen.tests.items() if c.task == task]
        earning = [k for k in of_task if not k[1]] or of_task
        counted |= {k: Fraction(points, len(earning)) for k in earning}
    # Whole numbers of the largest part that all are multiples of: exact, and far quicker than fractions.
    unit = math.lcm(*(w.denominator for w in counted.values()))
    worth = {k: int(counted.get(k, 0) * unit) for k in seen.tests}
    points_of = [(a, sum(worth[k] for k, r in a.results.items() if r.passed)) for a in seen.answers]
    in_order = sorted(seen.tests.items(), key=lambda i: i[1].task)
    return [_test(seen.about, k, check, worth[k], points_of) for k, check in in_order]


def _test(about: Section, key: _Key, check: Check, worth: int, points_of: Sequence[tuple[_Answer, int]]) -> OfTest:
    results = [(a, a.results[key], points) for a, points in points_of if key in a.results]
    passed = [r.passed for _, r, _ in results]
    rest = [points - worth * r.passed for _, r, points in results]
    strong = [r for a, r, _ in results if r.ran and _is_strong(a, r)]
    failed = sum(r.unexplained for r in strong)
    least, share = _SUSPECT
    return OfTest(
        section=about.slug,
        number=about.number,
        task=check.task,
        name=check.name,
        visible=check.visible,
        promise=check.promise,
        n=len(passed),
        passed=sum(passed),
        difficulty=Fraction(sum(passed), len(passed)),
        discrimination=_correlation(passed, rest),
        strong=len(strong),
        strong_failed=failed,
        suspect=failed >= least and failed >= share * len(strong),
    )


def _correlation(passed: Sequence[bool], rest: Sequence[int]) -> float | None:
    """The point-biserial one."""
    if len(passed) < FEW or len({*passed}) == 1 or len({*rest}) == 1:
        return None
    return statistics.correlation([float(p) for p in passed], [float(r) for r in rest])


def _is_strong(answer: _Answer, but: _Result) -> bool:
    """True of one that passes the other tests, of those that ran."""
    return answer.ran - 1 >= _OTHERS and Fraction(answer.passed - but.passed, answer.ran - 1) >= STRONG


def _result(check: Check, explained: set[int]) -> _Result:
    passed = check.outcome is Outcome.PASSED
    ran = check.outcome is not Outcome.SKIPPED
    return _Result(passed, ran, ran and not passed and check.task not in explained)


def _unwritten(check: Check) -> bool:
    return check.outcome is Outcome.NOT_WRITTEN


def _reasons(
    total: Total, median: Fraction, loud: Mapping[Why, Sequence[str]], seen: Mapping[str, _Section]
) -> tuple[Reason, ...]:
    """Gravest first."""
    if not any(s.standing for s in total.scores):
        return (Reason("nothing"),)
    found = [Reason(why, tuple(loud[why])) for why in _GRAVE if why in loud]
    if due := tuple(s.number for s in total.scores if s.standing and s.points is None):
        found.append(Reason("unjudged", due))
    if len(none := tuple(s.number for s in total.scores if s.points == 0)) >= _NO_POINTS:
        found.append(Reason("no_points", none))
    if not due and total.share < _FAR * median:
        found.append(Reason("far_below"))
    if end := _stopped(total, seen):
        found.append(Reason("stopped", end))
    return tuple(found)


def _stopped(total: Total, seen: Mapping[str, _Section]) -> tuple[str, ...]:
    """The sections at the end of the assignment that were not handed in, or are not written to the end."""
    end: list[str] = []
    for s in reversed(total.scores):
        begun = any(total.student.id in students for students in seen[s.section].unwritten.values())
        if s.standing and not begun:
            break
        end.append(s.number)
    return tuple(reversed(end))
