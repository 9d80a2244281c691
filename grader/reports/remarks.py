"""What somebody else's pages say of one task: plain lines, and the author's explanation (Markdown) by itself."""

import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from grader.model import Check, Outcome, Verdict
from grader.reports import sentences
from grader.reports.lines import wide
from grader.reports.words import LANGUAGES, say

if TYPE_CHECKING:
    from grader.course import Section

_WIDTH = 80


def lines(
    verdict: Verdict, section: "Section", task: int, lang: str, place: Callable[[int], str], *, hidden: bool = True
) -> list[str]:
    """A line for each test of the task, what went wrong below it; the same is said once. `place` tells a line of the
    answer. Without `hidden` the hidden tests are counted, and nothing is told of what they check or what came out.
    """
    told: list[str] = []

    def say_of(check: Check, named: bool) -> None:
        said = [*([place(check.where)] if check.where else []), sentences.sentence(check, lang)]
        said += sentences.details(check, lang) if named else []
        told.extend(f"  {line}" for text in said for line in text.splitlines() if f"  {line}" not in told)

    checks = _of(verdict, task)
    for check in (c for c in checks if c.visible or hidden):
        promise = sentences.promise(check, lang) or check.name
        if check.outcome is Outcome.PASSED:
            told.append(f"✓ {promise}")
        else:
            told.append(f"✗ {say('remark.failed', lang, promise=promise)}")
            say_of(check, named=True)
    if counted := [c for c in checks if not (c.visible or hidden)]:
        failed = [c for c in counted if c.outcome is not Outcome.PASSED]
        key = "remark.hidden_failed" if failed else "remark.hidden_passed"
        told.append(f"{'✗' if failed else '✓'} {say(key, lang, failed=len(failed), total=len(counted))}")
        for check in failed:
            if check.loud or check.outcome is Outcome.SKIPPED:  # as in our own feedback
                say_of(check, named=False)
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
