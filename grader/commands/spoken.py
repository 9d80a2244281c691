"""Click in two languages: help and errors in the learner's own, and an exit code for every ending."""

import contextlib
import importlib
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click
from click.shell_completion import CompletionItem, split_arg_string

from grader import __version__, yamls
from grader.course import CourseError
from grader.model import Tier
from grader.reports import words
from grader.reports.lines import cells, padded, rows, wrapped
from grader.shell import NoSandbox, Shell, Usage, near_or_not, told, unkept

_COMPLETE = "_LEARN_COMPLETE"  # set by a shell that asks for completions
_KEYS = "Space, b, q"
PASSED, NOT_PASSED, BAD_USAGE, OUR_FAULT, NO_SANDBOX, NO_OUTPUT, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


class Unwritten(Exception):
    """Whoever reads the output is gone, or the disk is full. The reason, "" for a pipe that was closed: `head` has seen
    enough, and nobody wants to hear of it.
    """


def columns() -> int:
    """How wide the terminal is, as far as it is of use; 80 for a pipe."""
    return min(shutil.get_terminal_size((80, 24)).columns, 80)


def fitted(text: str, stream: IO[str] | None = None) -> str:
    """Words for people: on a terminal in lines that end where they may, in a pipe as they are."""
    return "\n".join(wrapped(text, columns())) if (stream or sys.stdout).isatty() else text


def say(shell: Shell, key: str, **params: Any) -> None:
    """A message, on stdout."""
    click.echo(fitted(words.say(key, shell.lang, **params)))


def page(shell: Shell, text: str, *, always: bool = False) -> None:
    """A text, by a pager where it is longer than the terminal (or `always`): the learner's own, or less with a prompt
    that says how to go on. Settings of one's own stay; Chinese shows whatever the locale; no other program is run.
    """
    size = shutil.get_terminal_size((80, 24))
    if not sys.stdout.isatty() or (rows(text, size.columns) < size.lines and not always):
        click.echo(text)
        return
    prompt = words.say("pager.prompt", shell.lang)
    if not prompt.isascii():  # which the less of most systems (590) garbles
        text, prompt = f"{prompt}\n\n{text}", _KEYS
    prompt = re.sub(r"([?:.%\\$])", r"\\\1", prompt)
    for name, value in {"LESS": f"-RX -Ps{prompt}$", "LESSCHARSET": "utf-8", "LESSSECURE": "1"}.items():
        os.environ.setdefault(name, value)
    click.echo_via_pager(text)


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


@contextlib.contextmanager
def _under(key: str, formatter: click.HelpFormatter, lang: str) -> Iterator[None]:
    """What follows stands under that heading, whose colon is its language's: click's own is always the English one."""
    formatter.write_paragraph()
    formatter.write(f"{words.say(key, lang)}\n")
    with formatter.indentation():
        yield


class _Lines(click.HelpFormatter):
    """Help in lines that end where they may; a Chinese character counts for two columns."""

    _BESIDE = 40  # columns that a description needs beside its term, or else it stands below

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(width=columns())

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        start = prefix or ""
        first, *more = wrapped(f"{prog} {args}", self.width - cells(start))
        self._write([start + first], 0)
        self._write(more, cells(start))

    def write_text(self, text: str) -> None:
        self._write(wrapped(text, self.width - self.current_indent), self.current_indent)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        pairs = list(rows)
        left = self.current_indent + max((cells(term) for term, _ in pairs), default=0) + col_spacing
        beside = left + self._BESIDE <= self.width
        left = left if beside else 2 * self.current_indent + col_spacing
        for term, text in pairs:
            lines = wrapped(text, self.width - left)
            start = " " * self.current_indent + term
            self._write([padded(start, left) + lines.pop(0)] if beside else [start], 0)
            self._write(lines, left)

    def _write(self, lines: Iterable[str], indent: int) -> None:
        self.write("".join(f"{' ' * indent}{line}".rstrip() + "\n" for line in lines))


class _Context(click.Context):
    formatter_class = _Lines


class Spoken(click.Command):
    """A command whose help is fetched, in the learner's language, when it is shown."""

    context_class = _Context

    def get_short_help_str(self, limit: int = 0) -> str:
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
        with _under("help.options", formatter, lang):
            formatter.write_dl([(_spelt(p), words.say(_help_key(p), lang)) for p in options])

    def _words(self, ctx: click.Context) -> str:
        return words.say(f"help.{self.help}", _shell(ctx).lang)


class SpokenGroup(Spoken, click.Group):
    """A group of such commands."""

    command_class = Spoken

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with _under("help.commands", formatter, _shell(ctx).lang):
            found = {n: self.get_command(ctx, n) for n in self.list_commands(ctx)}
            formatter.write_dl([(n, c.get_short_help_str()) for n, c in found.items() if c])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        with ctx.scope(cleanup=False):  # the short help asks for the language
            return super().shell_complete(ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            if re.fullmatch(r"\d+\.\d+", args[0]):
                raise Usage("no_command_section", name=args[0], section=_shell(ctx).course[args[0]].number)
            raise Usage("no_command", name=args[0], near=_near(args[0], known))
        return super().resolve_command(ctx, args)


class Learn(SpokenGroup):
    """The top: knows the language before anything is parsed, and gives every ending its exit code."""

    def __init__(self, *args: Any, rooms: dict[str, str], **kwargs: Any) -> None:
        """`rooms`: the module of each command, imported when that command is wanted."""
        super().__init__(*args, **kwargs)
        self.rooms = rooms

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.rooms)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.rooms:
            return None
        found: Room = importlib.import_module(f"grader.commands.{self.rooms[cmd_name]}").room
        return found[cmd_name]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as e:  # click would end as if an answer had not passed
            raise _unwritten(e) from None

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        typed = split_arg_string(os.environ.get("COMP_WORDS", "")) if _COMPLETE in os.environ else given
        shell = Shell(_asked(typed, "--course"), _asked(typed, "--lang"))
        try:
            code = super().main(given, "learn", standalone_mode=False, obj=shell)
        except Exception as e:
            if os.environ.get("LEARN_TRACEBACK") and not isinstance(e, click.Abort):
                raise
            code = _ending(_unwritten(e) if isinstance(e, OSError) else e, shell)
        yamls.keep()
        if aside := shell.set_aside:
            click.echo(fitted(words.say("notice.set_aside", shell.lang, path=aside), sys.stderr), err=True)
        if notice := unkept(shell):
            click.echo(fitted(notice, sys.stderr), err=True)
        sys.exit(code or PASSED)


def _unwritten(error: OSError) -> Exception:
    """Unwritten, if that is what an error comes from; else itself."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    if frame.f_globals.get("__name__", "").partition(".")[0] not in ("click", "rich"):  # who write nothing else
        return error
    with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())  # or Python complains of what is left when it ends
    return Unwritten("" if isinstance(error, BrokenPipeError) else error.strerror)


def _ending(error: Exception, shell: Shell) -> int:
    """One clear line on stderr, and the exit code."""
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, Unwritten) and not error.args[0]:
        return NO_OUTPUT
    if _COMPLETE in os.environ:  # somebody is typing: no place for a message
        return OUR_FAULT
    try:
        lang = shell.lang
    except words.UnknownLanguage:
        lang = words.language(None, shell.remembered_lang(), {**shell.environ, "LEARN_LANG": ""})
    code, text = _told(error, shell, lang)
    click.echo(fitted(words.say("error.prefix", lang, text=" ".join(text.split())), sys.stderr), err=True)
    return code


def _told(error: Exception, shell: Shell, lang: str) -> tuple[int, str]:
    if (text := told(error, lang)) is not None:
        return BAD_USAGE, text
    match error:
        case click.UsageError():
            return BAD_USAGE, _misused(error, lang)
        case CourseError():
            return BAD_USAGE if shell.course_dir else OUR_FAULT, words.say("error.course", lang, reason=error)
        case NoSandbox():
            return NO_SANDBOX, words.say("error.sandbox", lang, asked=error.asked, found=error.found)
        case Unwritten():
            return NO_OUTPUT, words.say("error.output", lang, reason=error)
    return OUR_FAULT, words.say("error.ours", lang, error=f"{type(error).__name__}: {error}")


def _misused(error: click.UsageError, lang: str) -> str:
    command = error.ctx.command_path if error.ctx else "learn"
    match error:
        case click.NoSuchOption():
            near = ", ".join(error.possibilities or ())
            return near_or_not("error.no_option", lang, {"name": error.option_name, "near": near, "command": command})
        case click.MissingParameter():
            name = error.param.make_metavar(error.ctx) if error.param and error.ctx else "?"
            return words.say("error.missing_argument", lang, name=name, command=command)
        case click.BadOptionUsage():
            return words.say("error.missing_argument", lang, name=error.option_name, command=command)
    return words.say("error.bad_usage", lang, command=command)


def _near(name: str, known: Any) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(name, known, 1, 0.6)), "")


def _spelt(param: click.Parameter) -> str:
    value = "" if getattr(param, "is_flag", False) else f" {param.metavar or (param.name or '').upper()}"
    return ", ".join(param.opts) + value


def _help_key(param: click.Parameter) -> str:
    # click calls its own option by another name from one version to the next
    return "help.option.help" if "--help" in param.opts else f"help.option.{param.name}"


def _remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value and not ctx.resilient_parsing:  # as when Tab is pressed
        _shell(ctx).remember_lang()


with_lang = click.option("--lang", metavar="en|zh", expose_value=False, callback=_remember)


def tier(_: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Accepts the name of a tier."""
    if value and value not in list(Tier):
        raise Usage("bad_value", name=param.opts[0], value=value, known=", ".join(Tier))
    return value


def language(_: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Accepts a language that there are words in."""
    if value and value not in words.LANGUAGES:
        raise Usage("bad_value", name=param.opts[0], value=value, known=", ".join(words.LANGUAGES))
    return value


def version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Says the version and ends."""
    if value and not ctx.resilient_parsing:
        click.echo(__version__)
        ctx.exit()


class Room(dict[str, click.Command]):
    """The commands that one module has, by name."""

    def command(self, name: str, key: str = "") -> Callable[[Callable[..., Any]], click.Command]:
        """A command with --lang, that is handed the shell; `key` is that of its help."""

        def made(f: Callable[..., Any]) -> click.Command:
            self[name] = click.command(name, cls=Spoken, help=key or name)(with_lang(click.pass_obj(f)))
            return self[name]

        return made
