"""`learn export`: a class's marks, in the forms that other systems take."""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader import assignment
from grader.commands.booked import as_name, assignment_option, gradebook, gradebook_option, known, of_class
from grader.commands.spoken import Room, SpokenGroup, with_lang
from grader.reports import classes, exported, plain
from grader.shell import Shell, Usage
from grader.workspace import readable_errors, write

if TYPE_CHECKING:
    from grader.exports.junit import Suite
    from grader.exports.tables import Filled
    from grader.gradebook import Gradebook
    from grader.model import Verdict
    from grader.scores import Total

export = Room()
room = Room(export=with_lang(SpokenGroup("export", commands=export, help="export")))

_SHEET_CAP = 8 << 20  # bytes: 20,000 students, 50 columns; and seconds, not minutes

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

    with gradebook(place) as book:
        set_, totals = of_class(shell, book, assigned)
    if not (name := column or set_.title):
        raise Usage("export_column")
    _fill(shell, sheet, graded, lambda data: canvas.fill(data, str(sheet), totals, name, set_.whole, new=new))


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

    with gradebook(place) as book:
        _, totals = of_class(shell, book, assigned)
    _fill(shell, sheet, graded, lambda data: moodle.fill(data, str(sheet), totals, column or ""))


@export.command("csv", "export-csv")
@file_option
@gradebook_option
@assignment_option
def as_csv(shell: Shell, file: Path | None, place: str | None, assigned: Path | None) -> None:
    """The scores for a spreadsheet."""
    with gradebook(place) as book:
        set_, totals = of_class(shell, book, assigned)
    # Excel takes a file for UTF-8 by the mark at its beginning alone; a program that reads a pipe would stumble on it.
    encoding = "utf-8-sig" if file else "utf-8"
    _give(shell, f"{classes.as_csv(totals, set_.whole)}\n".encode(encoding), file, len(totals))


@export.command("json", "export-json")
@file_option
@gradebook_option
@assignment_option
def as_json(shell: Shell, file: Path | None, place: str | None, assigned: Path | None) -> None:
    """The scores for programs."""
    with gradebook(place) as book:
        _, totals = of_class(shell, book, assigned)
    _give(shell, f"{classes.as_json(totals)}\n".encode(), file, len(totals))


@export.command("junit", "export-junit")
@file_option
@gradebook_option
@assignment_option
def as_junit(shell: Shell, file: Path | None, place: str | None, assigned: Path | None) -> None:
    """Every check of every answer."""
    from grader.exports import junit

    with gradebook(place) as book:
        _, totals = of_class(shell, book, assigned)
        suites = list(_suites(shell, book, totals))
    _give(shell, junit.xml(suites, shell.lang), file, len(totals))


@export.command("gradescope", "export-gradescope")
@click.option("--out", "folder", metavar="DIR", type=click.Path(path_type=Path), default=Path("gradescope"))
@gradebook_option
@assignment_option
def as_gradescope(shell: Shell, folder: Path, place: str | None, assigned: Path | None) -> None:
    """A results.json for each student."""
    from grader.exports.tables import waiting
    from grader.release import write_tree

    with gradebook(place) as book:
        set_, totals = of_class(shell, book, assigned)
        judged = [t for t in totals if waiting(t) != "due"]
        files = dict(_results(shell, book, set_, judged))
    write_tree(files, folder.expanduser())
    click.echo(exported.written(folder, len(files), shell.lang))
    if unjudged := [t.student.id for t in totals if t not in judged]:
        click.echo(exported.left("due", unjudged, shell.lang))


@export.command("nbgrader", "export-nbgrader")
@click.argument("url", metavar="DB_URL")
@click.option("--course-id", metavar="ID", default="default_course")
@click.option("--name", metavar="NAME")
@gradebook_option
@assignment_option
def into_nbgrader(
    shell: Shell, url: str, course_id: str, name: str | None, place: str | None, assigned: Path | None
) -> None:
    """Points into nbgrader's database."""
    from grader.exports import nbgrader

    with gradebook(place) as book:
        set_, totals = of_class(shell, book, assigned)
        if not (name := name or (as_name(set_.title) if set_.title else assigned.stem if assigned else "")):
            raise Usage("export_name")
        sections = shell.course.chosen(set_.sections)
        where = nbgrader.Place(url, course_id, name)
        count = nbgrader.write(where, set_, sections, totals, known(book).find, book.verdict, shell.lang)
    click.echo(classes.into_nbgrader(where.shown, name, count, shell.lang))


def _suites(shell: Shell, book: "Gradebook", totals: "list[Total]") -> "Iterator[Suite]":
    """A suite for each student and section."""
    from grader.exports.junit import Suite

    for total, verdicts in _verdicts(book, totals):
        for score in total.scores:
            section = shell.course[score.section]
            yield Suite(
                name=f"{total.student.id} {section.number} {plain.title(section.about.title, shell.lang)}",
                verdict=verdicts.get(score.section),
                tasks={n: t.name for n, t in section.about.tasks.items()},
                mistakes=section.mistakes(shell.lesson_lang),
                missing=exported.missing(score.standing, section.stub.name, shell.lang),
                student=total.student,
                points=score.points,
                max_points=Fraction(sum(section.points.values())),
            )


def _results(
    shell: Shell, book: "Gradebook", set_: assignment.Assignment, totals: "list[Total]"
) -> "Iterator[tuple[str, bytes]]":
    """A file for each student, whose name a file may have."""
    from grader.exports import gradescope
    from grader.report import file_names

    names = file_names(t.student.id for t in totals)
    sections = {s.slug: s for s in shell.course.chosen(set_.sections)}
    for total, verdicts in _verdicts(book, totals):
        told = gradescope.results(total, set_, sections, verdicts, shell.lang)
        yield f"{names[total.student.id]}.json", json.dumps(told, ensure_ascii=False, indent=1).encode()


def _verdicts(book: "Gradebook", totals: "list[Total]") -> "Iterator[tuple[Total, dict[str, Verdict]]]":
    """Everybody with the verdicts behind the marks, by section."""
    for total in totals:
        opened = book.opened(s.standing for s in total.scores if s.standing)
        yield total, {o.standing.section: o.verdict for o in opened if o.verdict}


def _fill(shell: Shell, sheet: Path, out: Path | None, fill: "Callable[[bytes], Filled]") -> None:
    """Fills a sheet into a new file; the sheet itself stays as it is."""
    from grader.exports.tables import decimals

    try:
        with sheet.open("rb") as f:
            data = f.read(_SHEET_CAP + 1)
    except (OSError, ValueError) as e:
        raise Usage("sheet_unreadable", path=sheet, reason=getattr(e, "strerror", None) or str(e)) from None
    if len(data) > _SHEET_CAP:
        raise Usage("sheet_too_big", path=sheet, most=_SHEET_CAP >> 20)
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
