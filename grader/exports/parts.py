"""What the answers in a repository come to, task by task, in whole points: what classrooms on GitHub take.

A part's maximum is its share of the whole by largest remainder, so that the parts sum up to the whole; its score is
rounded down, so that only a full answer has the full points.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from grader.model import Check, Outcome, Verdict, score
from grader.reports.sentences import clean, sentence, unwritten
from grader.reports.sentences import outcome as outcome_word
from grader.reports.words import say

_HUNDRED = 100  # the whole, where weights give no whole number


class Answer(NamedTuple):
    """One section's answer in a repository."""

    number: str  # of the section: "2.2"
    slug: str
    title: str
    tasks: Mapping[int, tuple[str, int]]  # name and points
    file: str  # its path in the repository, there or not
    verdict: Verdict | None
    why: str = ""  # if there is no verdict: why, in words
    note: str = ""  # something about the file that its owner should know, in words
    mistakes: Mapping[str, str] = {}  # the authors' words on each (Markdown)
    lines: Mapping[int, int] = {}  # where each task begins
    cells: Mapping[int, str] | None = None  # of a notebook: how a line of the text is told, in words
    weight: Fraction | None = None  # None: what its tasks are worth


class Part(NamedTuple):
    """A task of an answer."""

    answer: Answer
    task: int
    name: str
    status: Literal["pass", "fail", "error"]  # error: our fault, nobody's points
    score: int
    max_score: int
    message: str  # what is wrong with it, in one line; "" if nothing is
    line: int | None  # in the file; None for a notebook, too
    seconds: float


def parts(answers: Sequence[Answer], lang: str, whole: int | None = None) -> list[Part]:
    """The tasks of all answers; their maxima sum up to `whole`, by default to what they are worth if that is a whole
    number, else to 100. A task that no test of the verdict is about, as there may be without the hidden ones, is left
    out.
    """
    judged = [(a, n) for a in answers for n in sorted(a.tasks) if _judged(a, n)]
    worth: list[Fraction] = []
    for answer, _ in judged:
        of_answer = sum(answer.tasks[n][1] for a, n in judged if a is answer)
        weight = Fraction(of_answer) if answer.weight is None else answer.weight
        points = answer.tasks[judged[len(worth)][1]][1]
        worth.append(weight * points / of_answer if of_answer else Fraction(0))
    if whole is None:
        whole = int(sum(worth)) if sum(worth).denominator == 1 else _HUNDRED
    maxima = _apportioned(worth, whole)
    return [_part(answer, task, most, lang) for (answer, task), most in zip(judged, maxima, strict=True)]


def one_line(text: str) -> str:
    """The text without what could end a line, colour it, or be taken for a command by GitHub's older syntax."""
    return " ".join(clean(text).split()).replace("##[", "## [")


def wrong(checks: Sequence[Check]) -> list[Check]:
    """Of those that failed the ones to tell of, best first: what is unwritten or waits for another task only if that is
    all.
    """
    failing = [c for c in checks if c.outcome is not Outcome.PASSED]
    telling = [c for c in failing if not unwritten(c) and c.outcome is not Outcome.SKIPPED]
    telling.sort(key=lambda c: not c.mistake)  # what was recognised can be explained
    return telling or [c for c in failing if unwritten(c)] or failing


def line_of(answer: Answer, check: Check) -> int | None:
    """The line to show a check at: its own, else its task's; None for a notebook."""
    return (check.where or answer.lines.get(check.task)) if answer.cells is None else None


def told(check: Check, lang: str) -> str:
    """What went wrong, in one line."""
    return one_line(sentence(check, lang) if check.kind else outcome_word(check, lang))


def _judged(answer: Answer, task: int) -> bool:
    verdict = answer.verdict
    return verdict is None or verdict.broken or any(c.task == task for c in verdict.checks)


def _apportioned(worth: Sequence[Fraction], whole: int) -> list[int]:
    """Whole numbers in these proportions that sum up to the whole, by largest remainder."""
    total = sum(worth)
    if not total:
        return [0 for _ in worth]
    exact = [w * whole / total for w in worth]
    floors = [int(e) for e in exact]
    order = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for i in order[: whole - sum(floors)]:
        floors[i] += 1
    return floors


def _part(answer: Answer, task: int, most: int, lang: str) -> Part:
    name = say("ci.part", lang, section=answer.number, task=task, name=answer.tasks[task][0])
    verdict = answer.verdict
    if verdict is None:
        return Part(answer, task, name, "fail", 0, most, one_line(answer.why), None, 0.0)
    if verdict.broken:
        return Part(answer, task, name, "error", 0, most, told(verdict.checks[0], lang), None, 0.0)
    checks = [c for c in verdict.checks if c.task == task]
    times = dict(zip(map(id, verdict.checks), verdict.times.checks, strict=False))
    seconds = sum(times.get(id(c), 0.0) for c in checks)
    earned = Fraction(score(tuple(checks), {task: 1})[0])
    got = int(earned * most)
    first = next(iter(wrong(checks)), None)
    if first is None:
        return Part(answer, task, name, "pass", got, most, "", None, seconds)
    return Part(answer, task, name, "fail", got, most, told(first, lang), line_of(answer, first), seconds)
