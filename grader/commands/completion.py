"""What Tab completes after `learn`: sections by number and slug, tasks; and how a shell is told of it."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from grader import guide
from grader.commands.spoken import Room
from grader.course import CourseError, UnknownSection
from grader.reports import plain, words
from grader.shell import Shell, Usage

# where a shell reads it, and what it must read
SHELLS = {
    "bash": ("~/.bashrc", 'eval "$(_LEARN_COMPLETE=bash_source learn)"'),
    "zsh": ("~/.zshrc", 'autoload -Uz compinit && compinit && eval "$(_LEARN_COMPLETE=zsh_source learn)"'),
    "fish": ("~/.config/fish/completions/learn.fish", "_LEARN_COMPLETE=fish_source learn | source"),
}

room = Room()


def _shells(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in SHELLS if name.startswith(incomplete)]


@room.command("completion")
@click.argument("name", metavar="[bash|zsh|fish]", required=False, shell_complete=_shells)
def completion(shell: Shell, name: str | None) -> None:
    """What to put where, so that Tab completes."""
    own = Path(shell.environ.get("SHELL", "")).name
    name = name or (own if own in SHELLS else "bash")
    if name not in SHELLS:
        raise Usage("bad_value", name="completion", value=name, known=", ".join(SHELLS))
    file, line = SHELLS[name]
    click.echo(f"{words.say('completion.how', shell.lang, file=file)}\n{line}")


def sections(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The sections whose number or slug begins so, each with its title."""
    shell = ctx.find_object(Shell)
    found = []
    for section in shell.course.sections if shell else ():
        title = plain.title(section.about.title, shell.lang) if shell else ""
        found += [CompletionItem(n, help=title) for n in (section.number, section.slug) if n.startswith(incomplete)]
    return found


def sections_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The same; files, where no section begins so."""
    return sections(ctx, param, incomplete) or [CompletionItem(incomplete, type="file")]


def sections_or_tasks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The sections, and the tasks of the current one."""
    shell = ctx.find_object(Shell)
    here = guide.current(shell.course, shell.progress) if shell else None
    return _tasks(shell, here.slug if here else None, incomplete) + sections(ctx, param, incomplete)


def tasks(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The tasks of the section that was named."""
    return _tasks(ctx.find_object(Shell), ctx.params.get("first"), incomplete)


def _tasks(shell: Shell | None, section: str | None, incomplete: str) -> list[CompletionItem]:
    try:
        of = shell.course[section].about.tasks if shell and section else {}
    except (CourseError, UnknownSection):
        return []
    return [CompletionItem(str(n), help=t.name) for n, t in sorted(of.items()) if str(n).startswith(incomplete)]
