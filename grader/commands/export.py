"""`learn export`: a class's marks, in the forms that other systems take."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader import assignment
from grader.commands.spoken import Room, SpokenGroup, with_lang
from grader.commands.teacher import _book, _kept, assignment_option, gradebook_option
from grader.reports import classes, exported
from grader.shell import Shell, Usage
from grader.workspace import readable_errors, write

if TYPE_CHECKING:
    from grader.exports.tables import Filled
    from grader.gradebook import Gradebook
    from grader.scores import Total

export = Room()
room = Room(export=with_lang(SpokenGroup("export", commands=export, help="export")))

_CAP = 64 << 20

sheet_argument = click.argument("sheet", metavar="SHEET", type=click.Path(path_type=Path))
column_option = click.option("--column", metavar="NAME")
graded_option = click.option("--out", "graded", metavar="FILE", type=click.Path(path_type=Path))
file_option = click.option("--out", "file", metavar="FILE", type=click.Path(path_type=Path))


@export.command("canvas", "export-canvas")
@sheet_argument
@column_option
@click.option("--new", is_flag=True)
@graded_option
@gradebook_option
@assignment_option
def canvas(
    shell: Shell,
    sheet: Path,
    column: str | None,
    new: bool,
    graded: Path | None,
    place: str | None,
    assigned: Path | None,
) -> None:
    """Marks into Canvas's gradebook."""
    from grader.exports import canvas

    with _book(place, begun=True) as book:
        set_, totals = of_class(shell, book, assigned)
    if not (name := column or set_.title):
        raise Usage("export_column")
    worth = sum((p.weight for p in set_.parts), Fraction(0))
    _fill(shell, sheet, graded, lambda data: canvas.fill(data, str(sheet), totals, name, worth, new=new))


@export.command("moodle", "export-moodle")
@sheet_argument
@column_option
@graded_option
@gradebook_option
@assignment_option
def moodle(
    shell: Shell, sheet: Path, column: str | None, graded: Path | None, place: str | None, assigned: Path | None
) -> None:
    """Marks into Moodle's grading worksheet."""
    from grader.exports import moodle

    with _book(place, begun=True) as book:
        _, totals = of_class(shell, book, assigned)
    _fill(shell, sheet, graded, lambda data: moodle.fill(data, str(sheet), totals, column or ""))


@export.command("csv", "export-csv")
@file_option
@gradebook_option
@assignment_option
def as_csv(shell: Shell, file: Path | None, place: str | None, assigned: Path | None) -> None:
    """The scores for a spreadsheet."""
    with _book(place, begun=True) as book:
        _, totals = of_class(shell, book, assigned)
    _give(shell, f"{classes.as_csv(totals, shell.lang)}\n".encode(), file, len(totals))


@export.command("json", "export-json")
@file_option
@gradebook_option
@assignment_option
def as_json(shell: Shell, file: Path | None, place: str | None, assigned: Path | None) -> None:
    """The scores for programs."""
    with _book(place, begun=True) as book:
        _, totals = of_class(shell, book, assigned)
    _give(shell, f"{classes.as_json(totals)}\n".encode(), file, len(totals))


def of_class(shell: Shell, book: "Gradebook", assigned: Path | None) -> "tuple[assignment.Assignment, list[Total]]":
    """What the class was set, as given or as it was last graded with, and everybody's marks."""
    from grader.scores import totals

    set_ = assignment.read(assigned, shell.course) if assigned else _kept(shell, book)
    if set_ is None:
        known = set(book.sections())
        set_ = assignment.of_course([s for s in shell.course.sections if s.slug in known])
    return set_, totals(book.standings(), book.students(), set_)


def _fill(shell: Shell, sheet: Path, out: Path | None, fill: "Callable[[bytes], Filled]") -> None:
    """Fills a sheet into a new file; the sheet itself stays as it is."""
    from grader.exports.tables import decimals

    try:
        with sheet.open("rb") as f:
            data = f.read(_CAP)
    except (OSError, ValueError) as e:
        raise Usage("sheet_unreadable", path=sheet, reason=getattr(e, "strerror", None) or str(e)) from None
    target = _free(out or sheet.with_name(f"{sheet.stem}.graded{sheet.suffix}"))
    done = fill(data)
    with readable_errors(target):
        write(target, done.data)
    click.echo("\n".join(exported.filled(done, target, decimals(done.most), shell.lang)))


def _give(shell: Shell, data: bytes, out: Path | None, count: int) -> None:
    """Into that file, else to whoever reads the output."""
    if out is None:
        click.echo(data, nl=False)
        return
    target = _free(out)
    with readable_errors(target):
        write(target, data)
    click.echo(exported.written(target, count, shell.lang))


def _free(path: Path) -> Path:
    """The path in full. Raises Usage if something is there."""
    path = path.expanduser()
    if path.exists():
        raise Usage("release_there", path=path)
    return path
