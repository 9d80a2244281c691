"""An assignment on its way to students."""

import re
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


@room.command("release")
@click.argument("assigned", metavar="ASSIGNMENT", type=click.Path(path_type=Path))
@click.option("--to", "to", metavar="|".join(NAMES), default="folder")
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--install", metavar="REQUIREMENT", default=f"learn-pytorch-by-doing=={__version__}")
def release(shell: Shell, assigned: Path, to: str, out: Path | None, install: str) -> None:
    """What students get."""
    if to not in NAMES:
        raise Usage("bad_value", name="--to", value=to, known=", ".join(NAMES))
    if not _INSTALLED_BY.fullmatch(install):
        raise Usage("bad_requirement", value=install)
    set_ = assignment.read(assigned, shell.course)
    sections = shell.course.chosen(set_.sections)
    name = as_name(set_.title or assigned.stem)
    usual = {"zip": f"{name}.zip", "bundle": f"{name}.zip", "gradescope": f"{name}-autograder.zip"}.get(to, name)
    out = (out or Path(usual)).expanduser().absolute()
    source = assigned.read_text(encoding="utf-8")
    target(to).write(Release(shell.course, set_, sections, shell.lang, name, source, install.strip()), out)
    click.echo(classes.released(out, sections, to, shell.lang))
    if target(to).OWN:
        click.echo(say("class.released_own", shell.lang))
    if to == "gradescope":
        click.echo(exported.worth(sum((p.weight for p in set_.parts), Fraction(0)), shell.lang))
