"""The `learn` command: which commands there are, and in which module each is."""

from grader import interrupts

interrupts.silence()

# isort: split
import contextlib
import io
import os
import sys

import click

from grader import guide
from grader.commands.spoken import INTERRUPTED, Learn, fitted, version, with_lang
from grader.reports import plain
from grader.shell import Shell

_COMMANDS = {  # by the module of commands/ that has them
    "learner": "next check watch read hint solution list progress reset init update notebook doctor stop",
    "completion": "completion",
    "teacher": "grade scores adjust report similar",
    "export": "export",
    "release": "release",
    "ci": "ci",
    "dev": "dev",
}
ROOMS = {name: module for module, names in _COMMANDS.items() for name in names.split()}


@click.group("learn", cls=Learn, help="learn", rooms=ROOMS, invoke_without_command=True)
@with_lang
@click.option("--course", metavar="DIR", expose_value=False)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=version)
@click.pass_context
def learn(ctx: click.Context) -> None:
    """Where you are, and what is next."""
    shell: Shell = ctx.obj
    if ctx.invoked_subcommand is None:
        road = guide.road(shell.course, shell.progress)
        click.echo(fitted(plain.where(road, shell.lang, workspace=shell.has_workspace(), begins=shell.begins())))


def _leave() -> None:
    """Ends at once: what was open is closed by now, and a torch that was imported half way aborts while Python ends."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(INTERRUPTED)


def main() -> None:
    """The entry point."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a ✓ must not crash a terminal that has none
        learn.main()
    except KeyboardInterrupt:  # where click does not see it
        _leave()
    except SystemExit as e:
        if e.code == INTERRUPTED:
            _leave()
        raise
    finally:
        interrupts.silence()


interrupts.heed()

if __name__ == "__main__":
    main()
