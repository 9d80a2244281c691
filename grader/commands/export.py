"""`learn export`: a class's marks, in the forms that other systems take."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader import assignment
from grader.commands.release import _name
from grader.commands.spoken import Room, SpokenGroup, with_lang
from grader.commands.teacher import _book, _kept, assignment_option, gradebook_option
from grader.reports import classes
from grader.shell import Shell, Usage

if TYPE_CHECKING:
    from grader.gradebook import Gradebook
    from grader.scores import Total

export = Room()
room = Room(export=with_lang(SpokenGroup("export", commands=export, help="export")))


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

    with _book(place, begun=True) as book:
        set_, totals = of_class(shell, book, assigned)
        if not (name := name or (_name(set_.title) if set_.title else assigned.stem if assigned else "")):
            raise Usage("export_name")
        sections = shell.course.chosen(set_.sections)
        where = nbgrader.Place(url, course_id, name)
        count = nbgrader.write(where, set_, sections, totals, book.verdict, shell.lang)
    click.echo(classes.into_nbgrader(where.shown, name, count, shell.lang))


def of_class(shell: Shell, book: "Gradebook", assigned: Path | None) -> "tuple[assignment.Assignment, list[Total]]":
    """What the class was set, as given or as it was last graded with, and everybody's marks."""
    from grader.scores import totals

    set_ = assignment.read(assigned, shell.course) if assigned else _kept(shell, book)
    if set_ is None:
        known = set(book.sections())
        set_ = assignment.of_course([s for s in shell.course.sections if s.slug in known])
    return set_, totals(book.standings(), book.students(), set_)
