"""The `learn` command. Composes the parts and decides nothing; heavy imports wait until a command needs them."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from grader import __version__, guide
from grader.course import CourseError, UnknownSection
from grader.model import Tier
from grader.progress import Unusable
from grader.reports import plain, words
from grader.shell import Shell, Usage
from grader.workspace import Workspace, WorkspaceError

PASSED, NOT_PASSED, BAD_USAGE, OUR_FAULT, NO_SANDBOX, INTERRUPTED = 0, 1, 2, 3, 4, 130


# -- click in two languages


def _asked(args: Sequence[str], option: str) -> str | None:
    """The last value of an option anywhere in the arguments: help texts need it before click has parsed them."""
    found = None
    for i, arg in enumerate(args):
        if arg == "--":
            break
        if arg == option and i + 1 < len(args):
            found = args[i + 1]
        elif arg.startswith(f"{option}="):
            found = arg.split("=", 1)[1]
    return found


def _shell(ctx: click.Context) -> Shell:
    return ctx.find_object(Shell) or Shell(None, None)


class _Spoken(click.Command):
    """A command whose help is fetched, in the learner's language, when it is shown."""

    def get_short_help_str(self, limit: int = 45) -> str:
        return self._words(click.get_current_context())

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        prefix = words.say("help.usage", _shell(ctx).lang)
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self._words(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lang = _shell(ctx).lang
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        with formatter.section(words.say("help.options", lang)):
            formatter.write_dl([(_spelt(p), words.say(f"help.option.{_plain_name(p)}", lang)) for p in options])

    def _words(self, ctx: click.Context) -> str:
        return words.say(f"help.{self.name}", _shell(ctx).lang)


class _SpokenGroup(_Spoken, click.Group):
    command_class = _Spoken

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section(words.say("help.commands", _shell(ctx).lang)):
            formatter.write_dl(
                [(n.removeprefix("dev-"), c.get_short_help_str()) for n, c in sorted(self.commands.items())]
            )

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise Usage("no_command", name=args[0], near=_near(args[0], self.commands))
        return super().resolve_command(ctx, args)


class _Learn(_SpokenGroup):
    """The top: knows the language before anything is parsed, and gives every ending its exit code."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        shell = Shell(_asked(given, "--course"), _asked(given, "--lang"))
        try:
            code = super().main(given, "learn", standalone_mode=False, obj=shell)
        except Exception as e:
            if os.environ.get("LEARN_TRACEBACK") and not isinstance(e, click.Abort):
                raise
            code = _ending(e, shell)
        sys.exit(code or PASSED)


def _ending(error: Exception, shell: Shell) -> int:
    """One clear line on stderr, and the exit code."""
    if isinstance(error, click.Abort):
        return INTERRUPTED
    try:
        lang = shell.lang
    except words.UnknownLanguage:
        lang = words.language(None, None, {})
    code, text = _told(error, shell, lang)
    click.echo(words.say("error.prefix", lang, text=" ".join(text.split())), err=True)
    return code


def _told(error: Exception, shell: Shell, lang: str) -> tuple[int, str]:
    match error:
        case Usage() | WorkspaceError() | Unusable():
            return BAD_USAGE, _near_or_not(f"error.{error.kind}", lang, error.params)
        case UnknownSection():
            near = words.say("error.or", lang).join(error.suggestions)
            return BAD_USAGE, _near_or_not("error.no_section", lang, {"name": error.name, "near": near})
        case words.UnknownLanguage():
            return BAD_USAGE, words.say("error.language", lang, name=error, known=", ".join(words.LANGUAGES))
        case CourseError():
            return BAD_USAGE if shell.course_dir else OUR_FAULT, words.say("error.course", lang, reason=error)
        case click.UsageError():
            return BAD_USAGE, _misused(error, lang)
    if (name := type(error).__name__) == "Unavailable":  # by name: importing the warden would cost everyone time
        return NO_SANDBOX, words.say("error.sandbox", lang, **{k: getattr(error, k, "?") for k in ("asked", "found")})
    return OUR_FAULT, words.say("error.ours", lang, error=f"{name}: {error}")


def _misused(error: click.UsageError, lang: str) -> str:
    command = error.ctx.command_path if error.ctx else "learn"
    match error:
        case click.NoSuchOption():
            near = ", ".join(error.possibilities or ())
            return _near_or_not("error.no_option", lang, {"name": error.option_name, "near": near, "command": command})
        case click.MissingParameter():
            name = error.param.make_metavar(error.ctx) if error.param and error.ctx else "?"
            return words.say("error.missing_argument", lang, name=name, command=command)
        case click.BadParameter():
            name = _spelt(error.param) if error.param else "?"
            value = getattr(error, "value", None) or error.message
            return words.say("error.bad_value", lang, name=name, value=value, command=command)
    return words.say("error.bad_usage", lang, command=command)


def _near_or_not(key: str, lang: str, params: dict[str, Any]) -> str:
    return words.say(f"{key}_near" if params.get("near") else key, lang, **params)


def _near(name: str, known: Any) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(name, known, 1, 0.6)), "")


# -- the commands


def _remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        _shell(ctx).remember_lang()


def _lang(f: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--lang", metavar="en|zh", expose_value=False, callback=_remember)(f)
