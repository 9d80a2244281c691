"""What came of an export, for whoever made it: how many marks went where, and whom they did not reach."""

from pathlib import Path
from typing import TYPE_CHECKING

from grader.reports.words import say

if TYPE_CHECKING:
    from grader.exports.tables import Filled

_WHY = ("nothing", "due", "excused", "absent", "doubtful", "strangers")


def filled(done: "Filled", out: Path, most: str, lang: str) -> list[str]:
    """A sheet that was filled. `most`: what its column is worth."""
    lines = [say("export.filled", lang, path=out, marks=done.marks, column=done.column, most=most)]
    for why in _WHY:
        if names := done.left.get(why):
            lines.append(say(f"export.{why}", lang, count=len(names), names=", ".join(names)))
    if done.capped:
        lines.append(say("export.capped", lang, names=", ".join(done.capped)))
    return lines


def written(out: Path, count: int, lang: str) -> str:
    """Where it is, and of how many students."""
    return say("export.written", lang, path=out, count=count)
