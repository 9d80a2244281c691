"""What somebody else's pages say of one task: plain lines, and the author's explanation (Markdown) by itself."""

import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from grader.model import Check, Outcome, Verdict
from grader.reports import sentences
from grader.reports.lines import wide
from grader.reports.words import LANGUAGES

if TYPE_CHECKING:
    from grader.course import Section

_WIDTH = 80


def lines(verdict: Verdict, section: "Section", task: int, lang: str, place: Callable[[int], str]) -> list[str]:
    """A line for each test of the task, what went wrong below it; the same is said once. `place` tells a line of the
    answer.
    """
    told: list[str] = []
    for check in _of(verdict, task):
        passed = check.outcome is Outcome.PASSED
        told.append(f"{'✓' if passed else '✗'} {sentences.promise(check, lang) or check.name}")
        said = [] if passed else [*([place(check.where)] if check.where else []), sentences.sentence(check, lang)]
        said += [] if passed else sentences.details(check, lang)
        told += [f"  {line}" for text in said for line in text.splitlines() if f"  {line}" not in told]
    explained = comment(verdict, section, task, lang)
    told += ["", *explained.splitlines()] if explained else []
    return [part for line in told for part in _fitted(line)]


def _fitted(line: str) -> list[str]:
    """In lines that nobody cuts: nbgrader's pages and `validate` do not wrap."""
    width = _WIDTH // 2 if any(map(wide, line)) else _WIDTH
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, width, subsequent_indent=indent) or [""]


def comment(verdict: Verdict, section: "Section", task: int, lang: str) -> str:
    """What the author says to the mistakes that were recognised, each once; "" if there were none."""
    # A course in one language explains in that one, whatever language the reader has.
    mistakes: Mapping[str, str] = next(filter(None, map(section.mistakes, (lang, *LANGUAGES))), {})
    failed = [c for c in _of(verdict, task) if c.outcome is not Outcome.PASSED]
    return "\n\n".join(dict.fromkeys(filter(None, (sentences.explanation(c, mistakes) for c in failed))))


def _of(verdict: Verdict, task: int) -> list[Check]:
    return [c for c in verdict.checks if c.task == task]
