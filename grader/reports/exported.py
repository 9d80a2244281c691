"""What came of an export, for whoever made it: how many marks went where, and whom they did not reach."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from grader.reports.sentences import number
from grader.reports.words import say, together

if TYPE_CHECKING:
    from grader.exports.tables import Filled
    from grader.gradebook import Standing

_WHY = ("nothing", "due", "excused", "absent", "doubtful", "strangers")


def filled(done: "Filled", out: Path, most: str, lang: str) -> list[str]:
    """A sheet that was filled. `most`: what its column is worth."""
    lines = [say("export.filled", lang, path=out, marks=done.marks, column=done.column, most=most)]
    for why in _WHY:
        if names := done.left.get(why):
            lines.append(left(why, names, lang))
    if done.capped:
        lines.append(say("export.capped", lang, names=together(done.capped, lang)))
    return lines


def left(why: str, names: Sequence[str], lang: str) -> str:
    """Whom the marks did not reach, and why."""
    return say(f"export.{why}", lang, count=len(names), names=together(names, lang))


def written(out: Path, count: int, lang: str) -> str:
    """Where it is, and of how many students."""
    return say("export.written", lang, path=out, count=count)


def missing(standing: "Standing | None", file: str, lang: str) -> str:
    """Why there is no verdict: nothing was handed in, or it is not judged yet."""
    return say("class.note_due", lang) if standing and standing.name else say("gradescope.missing", lang, file=file)


def worth(points: Fraction, lang: str) -> str:
    """What is to be entered there."""
    return say("class.released_worth", lang, points=number(points))
