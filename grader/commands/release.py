"""An assignment on its way to students."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import click

from grader import __version__, assignment
from grader.commands.booked import as_name
from grader.commands.spoken import Room
from grader.release import Release
from grader.releases import NAMES, target
from grader.reports import classes, exported
from grader.reports.words import say
from grader.shell import Shell, Usage

room = Room()
_INSTALLED_BY = re.compile(r"\s*[A-Za-z0-9][^\n\r]*")  # in a file of requirements, a line of its own and no option
_ENDINGS = {"zip": ".zip", "bundle": ".zip", "gradescope": "-autograder.zip"}
_INSTALLS = ("folder", "zip", "github", "central")  # what is in them tells pip to install this package


@room.command("release")
@click.argument("assigned", metavar="ASSIGNMENT", type=click.Path(path_type=Path))
@click.option("--to", "to", metavar="WHERE", default="folder")
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--hints", "with_hints", is_flag=True)
@click.option("--install", metavar="REQUIREMENT", default=f"learn-pytorch-by-doing=={__version__}")
def release(shell: Shell, assigned: Path, to: str, out: Path | None, with_hints: bool, install: str) -> None:
    """What students get."""
    if to not in NAMES:
        raise Usage("bad_value", name="--to", value=to, known=", ".join(NAMES))
    if not _INSTALLED_BY.fullmatch(install):
        raise Usage("bad_requirement", value=install)
    set_ = assignment.read(assigned, shell.course)
    name, source = as_name(set_.title or assigned.stem), assigned.read_text(encoding="utf-8")
    sections = shell.course.chosen(set_.sections)
    out = (out or Path(name + _ENDINGS.get(to, ""))).expanduser().absolute()
    made = Release(shell.course, set_, sections, shell.lang, name, source, install.strip(), with_hints)
    target(to).write(made, out)
    for line in _told(made, to, out):
        click.echo(line)


def _told(made: Release, to: str, out: Path) -> Iterator[str]:
    """Where it is, and what the teacher has to know of it."""
    yield classes.released(out, made.sections, to, made.lang)
    if target(to).OWN:
        yield say("class.released_own", made.lang)
    if to == "gradescope":
        yield exported.worth(sum((p.weight for p in made.assignment.parts), Fraction(0)), made.lang)
    if to in _INSTALLS:
        yield say("class.released_installs", made.lang, install=made.install)
