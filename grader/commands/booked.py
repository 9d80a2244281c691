"""What all commands on a class share: the gradebook, what the class was set, everybody's marks."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from grader import assignment
from grader.reports import classes
from grader.roster import Kept, Roster, Row
from grader.shell import Shell, Usage

if TYPE_CHECKING:
    from grader.collect import Collected, Unplaced
    from grader.gradebook import Gradebook
    from grader.scores import Total

_ROSTER, _REFUSED = "roster", "refused"  # the settings

gradebook_option = click.option("--gradebook", "place", metavar="FILE|URL")
assignment_option = click.option("--assignment", "assigned", metavar="FILE", type=click.Path(path_type=Path))


def gradebook(place: str | None, *, begun: bool = True) -> "Gradebook":
    """The gradebook, by default in the current folder. `begun`: it is read, and not begun."""
    try:
        from grader.gradebook import Gradebook
    except ModuleNotFoundError as e:
        raise Usage("not_installed", what=e.name, extra="instructor") from None
    chosen = place or os.environ.get("LEARN_GRADEBOOK") or "gradebook.sqlite"
    there = "://" in chosen or ((path := Path(chosen).expanduser()).is_file() and path.stat().st_size)
    if begun and not there:
        raise Usage("gradebook_none", path=chosen)
    return Gradebook(chosen)


def kept(shell: Shell, book: "Gradebook") -> assignment.Assignment | None:
    """The assignment that this gradebook was last graded with."""
    text = book.setting("assignment")
    return assignment.parse(text, shell.course, book.shown) if text else None


def keep(book: "Gradebook", listed: Roster) -> None:
    """Remembers what everybody on a roster is called, and which language he reads."""
    book.keep(_ROSTER, msgspec.json.encode(_kept(book) | listed.kept()).decode())


def keep_refused(book: "Gradebook", found: "Collected") -> None:
    """Remembers why of a student's answers none could be taken."""
    ids = {s.id for s in found.refused}
    if ids:
        told = {who: [u for u in found.unplaced if u.student == who] for who in ids}
        book.keep(_REFUSED, msgspec.json.encode(refused(book) | told).decode())


def refused(book: "Gradebook") -> "dict[str, list[Unplaced]]":
    """The same, by student."""
    from grader.collect import Unplaced

    return msgspec.json.decode(book.setting(_REFUSED) or "{}", type=dict[str, list[Unplaced]])


def known(book: "Gradebook") -> Roster:
    """Everybody in this gradebook, by all that he was ever called: on rosters, and by files before there was one."""
    names: dict[str, list[str]] = {}
    for old, now in book.earlier().items():
        names.setdefault(now, []).append(old)
    listed = _kept(book)
    rows = []
    for s in book.students():
        called, lang = listed.get(s.id, ([], ""))
        rows.append(Row(s, tuple(filter(None, (s.id, s.email, s.name, *called, *names.get(s.id, ())))), lang))
    return Roster(rows)


def _kept(book: "Gradebook") -> dict[str, Kept]:
    return msgspec.json.decode(book.setting(_ROSTER) or "{}", type=dict[str, Kept])


def was_set(shell: Shell, book: "Gradebook", assigned: Path | None) -> assignment.Assignment:
    """That assignment, else the one that was graded, else every section that was."""
    if set_ := assignment.read(assigned, shell.course) if assigned else kept(shell, book):
        return extended(shell, set_, known(book))
    graded = set(book.sections())
    return assignment.of_course([s for s in shell.course.sections if s.slug in graded])


def extended(shell: Shell, set_: assignment.Assignment, people: Roster) -> assignment.Assignment:
    """With extensions by id. Whose name nobody has is told."""
    found = set_.extended(people.find)
    ids = {s.id for s in people.students}
    if strangers := [name for name in found.extensions if name not in ids]:
        click.echo(classes.no_such(strangers, shell.lang), err=True)
    return found


def of_class(shell: Shell, book: "Gradebook", assigned: Path | None) -> "tuple[assignment.Assignment, list[Total]]":
    """What the class was set, and everybody's marks."""
    from grader.scores import totals

    set_ = was_set(shell, book, assigned)
    standings = book.standings()
    times = [s.handed_at for s in standings if s.submission_digest]
    if set_.due and set_.late.costs and times and not any(times):
        click.echo(classes.no_times(set_.due, shell.lang), err=True)
    return set_, totals(standings, book.students(), set_)


def as_name(title: str) -> str:
    """A title for files and folders: letters of any script, digits, hyphens."""
    return re.sub(r"\W+", "-", title).strip("-").lower() or "assignment"
