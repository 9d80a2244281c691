"""The `learn` command. Composes the parts and decides nothing; heavy imports wait until a command needs them."""

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader import __version__, guide
from grader.course import Course, CourseError
from grader.model import Tier
from grader.reports import plain, words
from grader.reports import quality as quality_report
from grader.shell import NoSandbox, Shell, Usage, near_or_not, told, unkept
from grader.workspace import Workspace

if TYPE_CHECKING:
    from grader.proof import Progress
    from grader.quality import Record

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
            formatter.write_dl([(_spelt(p), words.say(_help_key(p), lang)) for p in options])

    def _words(self, ctx: click.Context) -> str:
        return words.say(f"help.{self.help}", _shell(ctx).lang)


class _SpokenGroup(_Spoken, click.Group):
    command_class = _Spoken

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section(words.say("help.commands", _shell(ctx).lang)):
            formatter.write_dl([(n, c.get_short_help_str()) for n, c in self.commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise Usage("no_command", name=args[0], near=_near(args[0], self.commands))
        return super().resolve_command(ctx, args)


class _Learn(_SpokenGroup):
    """The top: knows the language before anything is parsed, and gives every ending its exit code."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        shell = Shell(_asked(given, "--course"), _asked(given, "--lang"))
        try:
            code = super().main(given, "learn", standalone_mode=False, obj=shell)
        except Exception as e:
            if os.environ.get("LEARN_TRACEBACK") and not isinstance(e, click.Abort):
                raise
            code = _ending(e, shell)
        if aside := shell.set_aside:
            click.echo(words.say("notice.set_aside", shell.lang, path=aside), err=True)
        if notice := unkept(shell):
            click.echo(notice, err=True)
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
    if (text := told(error, lang)) is not None:
        return BAD_USAGE, text
    match error:
        case click.UsageError():
            return BAD_USAGE, _misused(error, lang)
        case CourseError():
            return BAD_USAGE if shell.course_dir else OUR_FAULT, words.say("error.course", lang, reason=error)
        case NoSandbox():
            return NO_SANDBOX, words.say("error.sandbox", lang, asked=error.asked, found=error.found)
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


# -- the commands


def _remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        _shell(ctx).remember_lang()


_lang = click.option("--lang", metavar="en|zh", expose_value=False, callback=_remember)


def _tier(_: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value and value not in list(Tier):
        raise Usage("bad_value", name=param.opts[0], value=value, known=", ".join(Tier))
    return value


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        click.echo(__version__)
        ctx.exit()


def _command(of: click.Group, name: str, key: str = "") -> Callable[[Callable[..., Any]], click.Command]:
    """A command of that group, with --lang, that is handed the shell."""

    def made(f: Callable[..., Any]) -> click.Command:
        return of.command(name, cls=_Spoken, help=key or name)(_lang(click.pass_obj(f)))

    return made


@click.group("learn", cls=_Learn, help="learn", invoke_without_command=True)
@_lang
@click.option("--course", metavar="DIR", expose_value=False)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
@click.pass_context
def learn(ctx: click.Context) -> None:
    """Where you are, and what is next."""
    shell: Shell = ctx.obj
    if ctx.invoked_subcommand is None:
        places = guide.places(shell.course, shell.progress)
        click.echo(plain.where(shell.course, places, shell.lang, workspace=shell.has_workspace()))


@_command(learn, "next")
def next_(shell: Shell) -> None:
    """The section to work on."""
    section = guide.current(shell.course, shell.progress)
    if section is None:
        click.echo(words.say("where.done" if shell.course.sections else "where.empty", shell.lang))
        return
    shell.section(section.slug, remember=True)
    click.echo(plain.following(section, shell.show(shell.workspace.file(section)), shell.lang))


@_command(learn, "check")
@click.argument("what", metavar="[SECTION|PATH]", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.option("--require-sandbox", "require", metavar="T1|T2|T3", callback=_tier)
@click.option("--debug", is_flag=True)
def check(shell: Shell, what: str | None, as_json: bool, require: str | None, debug: bool) -> int:
    """Judge an answer."""
    if debug and (as_json or require):
        raise Usage("debug_alone")
    section, path = shell.target(what)
    verdict = shell.judge(section, path, require=require, debug=debug)
    if not debug:
        shell.record(verdict)
    if as_json:
        click.echo(verdict.to_json())
    else:
        from grader.reports import terminal

        left = shell.hints_left(section)
        terminal.show_verdict(verdict, section, shell.show(path), shell.lang, hints_left=left, debug=debug)
    return NO_SANDBOX if verdict.unmet else OUR_FAULT if verdict.broken else NOT_PASSED - verdict.passed


@_command(learn, "read")
@click.argument("name", metavar="[SECTION]", required=False)
def read(shell: Shell, name: str | None) -> None:
    """The lesson."""
    section = shell.section(name, remember=True)
    _show(section.lesson(shell.lesson_lang), section.folder)


@_command(learn, "hint")
@click.argument("first", metavar="[SECTION]", required=False)
@click.argument("second", metavar="[TASK]", required=False)
def hint(shell: Shell, first: str | None, second: str | None) -> None:
    """One more hint."""
    section, task = shell.section_and_task(first, second)
    hints, total = shell.hints(section, task)
    click.echo(plain.hint_heading(section, task, len(hints), total, shell.lang))
    for text in hints:
        click.echo()
        _show(text)
    if total:
        key = "hint.all" if len(hints) == total else "hint.more"
        click.echo("\n" + words.say(key, shell.lang, section=section.number, task=task))


@_command(learn, "list")
def list_(shell: Shell) -> None:
    """All sections."""
    click.echo(plain.listing(shell.course, guide.places(shell.course, shell.progress), shell.lang))


@_command(learn, "reset")
@click.argument("name", metavar="[SECTION]", required=False)
def reset(shell: Shell, name: str | None) -> None:
    """Start a section over."""
    section = shell.section(name)
    copy = shell.workspace.reset(section)
    path = shell.show(shell.workspace.path(section))
    if copy:
        click.echo(words.say("reset.done", shell.lang, path=path, copy=shell.show(copy)))
    else:
        click.echo(words.say("reset.nothing", shell.lang, path=path))


@_command(learn, "init")
@click.argument("folder", metavar="DIR")
def init(shell: Shell, folder: str) -> None:
    """A folder for your answers."""
    made, count = Workspace.init(shell.course, Path(folder))
    shell.progress.keep("workspace", str(made.root))
    click.echo(words.say("init.made" if count else "init.complete", shell.lang, path=made.root, count=count))
    if shell.workspace.root != made.root:
        click.echo(words.say("init.overridden", shell.lang, path=shell.workspace.root))
    click.echo(words.say("init.then", shell.lang))


@_command(learn, "doctor")
def doctor(shell: Shell) -> None:
    """What this computer offers."""
    workspace = shell.workspace.root if shell.has_workspace() else None
    click.echo("\n".join(plain.surroundings(shell.course, workspace, shell.progress.path, shell.lang)))
    from grader import pool

    click.echo("\n".join(plain.sandbox(pool.survey(shell.course), shell.lang)))


@_command(learn, "stop")
def stop(shell: Shell) -> None:
    """End the warm grader."""
    from grader import progress, service

    stopped = service.stop(progress.home(shell.environ))
    click.echo(words.say("stop.done" if stopped else "stop.nothing", shell.lang))


@learn.group("dev", cls=_SpokenGroup, help="dev")
@_lang
def dev() -> None:
    """For authors of a course."""


@_command(dev, "check", "dev-check")
@click.argument("names", metavar="[SECTION]...", nargs=-1)
@click.option("--all", "anew", is_flag=True)
@click.option("--jobs", metavar="N", type=click.IntRange(1))
def dev_check(shell: Shell, names: tuple[str, ...], anew: bool, jobs: int | None) -> int:
    """The course proves itself."""
    from grader import proof

    found = 0
    for proven in proof.check(shell.course, names, anew=anew, workers=jobs, tell=lambda p: _rewrite(shell, p)):
        found += len(proven.findings)
        _rewrite(shell, None)
        click.echo("\n".join(plain.proven(proven, shell.show, shell.lang)))
    click.echo(words.say("proof.total" if found else "proof.all_good", shell.lang, found=found))
    return NOT_PASSED if found else PASSED


def _rewrite(shell: Shell, progress: "Progress | None") -> None:
    """The line on how far it is, in the place of the last one; None: no such line. Nothing unless on a terminal."""
    if sys.stderr.isatty():
        text = plain.proving(progress, shell.lang) if progress else ""
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)


@_command(dev, "new", "dev-new")
@click.argument("place", metavar="CHAPTER/SLUG")
@click.argument("slug", metavar="[SLUG]", required=False)
def dev_new(shell: Shell, place: str, slug: str | None) -> None:
    """A section is begun."""
    from grader import scaffold

    made = scaffold.begin(shell.course, place, slug)
    section = Course.at(shell.course.exercises.parent)[made[0].parent.name[3:]]
    click.echo(plain.begun(section, made, shell.show, shell.lang))


@_command(dev, "mutants", "dev-mutants")
@click.argument("names", metavar="[SECTION]...", nargs=-1)
@click.option("--jobs", metavar="N", type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def dev_mutants(shell: Shell, names: tuple[str, ...], jobs: int | None, as_json: bool) -> int:
    """The tests are measured."""
    from grader import mutants

    measures = []
    for m in mutants.measure(shell.course, names, jobs):
        measures.append(m)
        if sys.stderr.isatty():
            click.echo(plain.measuring(m, shell.lang), err=True)
    measures.sort(key=lambda m: shell.course.sections.index(m.section))
    told = [m.facts() for m in measures]
    lines = plain.measured(measures, mutants.WANTED, shell.show, shell.lang)
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else "\n".join(lines))
    return NOT_PASSED - all(m.good for m in measures)


@_command(dev, "calibrate", "dev-calibrate")
@click.argument("names", metavar="[SECTION]...", nargs=-1)
@click.option("--draws", metavar="N", type=click.IntRange(3), default=20)
@click.option("--jobs", metavar="N", type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def dev_calibrate(shell: Shell, names: tuple[str, ...], draws: int, jobs: int | None, as_json: bool) -> int:
    """Right answers over many draws of the inputs."""
    from grader import calibrate

    done = []
    for c in calibrate.calibrate(shell.course, names, draws, jobs):
        done.append(c)
        if not as_json:
            click.echo("\n".join(quality_report.calibrated(c, shell.lang)))
    told = json.dumps([c.facts() for c in done], ensure_ascii=False)
    click.echo(told if as_json else quality_report.calibration_ends(done, shell.lang))
    return NOT_PASSED - all(c.good for c in done)


@_command(dev, "quality", "dev-quality")
@click.argument("names", metavar="[SECTION]...", nargs=-1)
@click.option("--jobs", metavar="N", type=click.IntRange(1))
@click.option("--page", "page_only", is_flag=True)
def dev_quality(shell: Shell, names: tuple[str, ...], jobs: int | None, page_only: bool) -> int:
    """What is known of the tests, for everybody to read."""
    from grader import mutants, quality

    good, records = True, quality.read(shell.course)
    wanted = names or [s.slug for s in quality.stale(shell.course, records)]
    for m, c in quality.measure(shell.course, [] if page_only else wanted, jobs):
        good &= m.good and c.good
        click.echo("\n".join(plain.measured([m], mutants.WANTED, shell.show, shell.lang)))
        click.echo("\n".join(["", *quality_report.calibrated(c, shell.lang)]))
        if not m.fault:
            records[m.section.slug] = quality.record(m.section, m, c)
        _publish(shell, records)  # after each: it may take an hour, and not all of it shall be lost
    for path in _publish(shell, records):
        click.echo(shell.show(path))
    return NOT_PASSED - good


def _publish(shell: Shell, records: "dict[str, Record]") -> list[Path]:
    """The page is for readers of the repository, and does not change with its writer's language."""
    from grader import quality

    sections = shell.course.sections
    changed = {s.slug for s in quality.stale(shell.course, records)}
    text = quality_report.page(sections, records, changed, "en")
    totals = "\n\n".join(t for lang in words.LANGUAGES for t in quality_report.totals(sections, records, lang))
    return quality.write(shell.course, records, text, totals + "\n")


@_command(dev, "pictures", "dev-pictures")
@click.argument("names", metavar="[SECTION]...", nargs=-1)
def dev_pictures(shell: Shell, names: tuple[str, ...]) -> int:
    """The pictures of the lessons."""
    from grader import pictures

    try:
        written = list(pictures.write(shell.course, names))
    except OSError as e:
        raise Usage("cannot_write", path=e.filename, reason=e.strerror) from None
    click.echo("\n".join(plain.drawn(written, shell.show, shell.lang)))
    return NOT_PASSED if any(w.findings for w in written) else PASSED


def _show(markdown: str, folder: Path | None = None) -> None:
    """Rendered on a terminal; a pipe gets the Markdown, and does not wait for rich."""
    if not sys.stdout.isatty():
        click.echo(markdown)
        return
    from grader.reports import terminal

    terminal.show_markdown(markdown, folder=folder)


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a ✓ must not crash a terminal that has none
    learn.main()


if __name__ == "__main__":
    main()
