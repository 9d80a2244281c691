"""What all commands on a class share: the gradebook, what the class was set, everybody's marks."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader import assignment
from grader.shell import Shell, Usage

if TYPE_CHECKING:
    from grader.gradebook import Gradebook
    from grader.scores import Total

gradebook_option = click.option("--gradebook", "place", metavar="FILE|URL")
assignment_option = click.option("--assignment", "assigned", metavar="FILE", type=click.Path(path_type=Path))


def gradebook(place: str | None, *, begun: bool = True) -> "Gradebook":
    """The gradebook, by default in the current folder. `begun`: it is read, and not begun."""
    try:
        from grader.gradebook import Gradebook
    except ModuleNotFoundError as e:
        raise Usage("not_installed", what=e.name, extra="instructor") from None
    chosen = place or os.environ.get("LEARN_GRADEBOOK") or "gradebook.sqlite"
    if begun and "://" not in chosen and not Path(chosen).expanduser().is_file():
        raise Usage("gradebook_none", path=chosen)
    return Gradebook(chosen)


def kept(shell: Shell, book: "Gradebook") -> assignment.Assignment | None:
    """The assignment that this gradebook was last graded with."""
    text = book.setting("assignment")
    return assignment.parse(text, shell.course, book.shown) if text else None


def was_set(shell: Shell, book: "Gradebook", assigned: Path | None) -> assignment.Assignment:
    """That assignment, else the one that was graded, else every section that was."""
    if set_ := assignment.read(assigned, shell.course) if assigned else kept(shell, book):
        return set_
    known = set(book.sections())
    return assignment.of_course([s for s in shell.course.sections if s.slug in known])


def of_class(shell: Shell, book: "Gradebook", assigned: Path | None) -> "tuple[assignment.Assignment, list[Total]]":
    """What the class was set, and everybody's marks."""
    from grader.scores import totals

    set_ = was_set(shell, book, assigned)
    return set_, totals(book.standings(), book.students(), set_)


def as_name(title: str) -> str:
    """A title for files and folders: letters of any script, digits, hyphens."""
    return re.sub(r"\W+", "-", title).strip("-").lower() or "assignment"
