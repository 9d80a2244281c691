"""An assignment on its way to students."""

import re
from fractions import Fraction
from pathlib import Path

import click

from grader import assignment
from grader.commands.spoken import Room
from grader.release import Release
from grader.releases import NAMES, target
from grader.reports import classes, exported
from grader.shell import Shell, Usage

room = Room()


@room.command("release")
@click.argument("assigned", metavar="ASSIGNMENT", type=click.Path(path_type=Path))
@click.option("--to", "to", metavar="|".join(NAMES), default="folder")
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path))
def release(shell: Shell, assigned: Path, to: str, out: Path | None) -> None:
    """What students get."""
    if to not in NAMES:
        raise Usage("bad_value", name="--to", value=to, known=", ".join(NAMES))
    set_ = assignment.read(assigned, shell.course)
    sections = shell.course.chosen(set_.sections)
    name = _name(set_.title or assigned.stem)
    usual = {"zip": f"{name}.zip", "gradescope": f"{name}-autograder.zip"}.get(to, name)
    out = (out or Path(usual)).expanduser().absolute()
    target(to).write(Release(shell.course, set_, sections, shell.lang, name), out)
    click.echo(classes.released(out, sections, to, shell.lang))
    if target(to).OWN:
        click.echo(exported.own(sum((p.weight for p in set_.parts), Fraction(0)), shell.lang))


def _name(title: str) -> str:
    """For files and folders: letters of any script, digits, hyphens."""
    return re.sub(r"\W+", "-", title).strip("-").lower() or "assignment"
