"""What a learner does: next, check, read, hint, list, reset, notebook; init, doctor and stop around it."""

import contextlib
import functools
import itertools
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from grader import guide
from grader.commands.completion import sections, sections_or_files, sections_or_tasks, tasks
from grader.commands.spoken import (
    NO_SANDBOX,
    NOT_PASSED,
    OUR_FAULT,
    PASSED,
    Room,
    columns,
    fitted,
    page,
    say,
    tier,
)
from grader.course import Section
from grader.model import Verdict
from grader.reports import kept, plain, sentences, words
from grader.shell import Shell, Usage
from grader.workspace import Workspace

room = Room()
_PROMPT, _PICTURE = 2, 2  # lines below a verdict
_SLOW, _AGAIN = 1.0, 5.0  # seconds until a check is spoken of, and spoken of again: a screen reader reads each out


@room.command("next")
@click.argument("name", metavar="[SECTION]", required=False, shell_complete=sections)
def next_(shell: Shell, name: str | None) -> None:
    """The section to work on: the one that is named, or where it goes on."""
    section = shell.course[name] if name else guide.current(shell.course, shell.progress)
    if section is None:
        say(shell, "where.done" if shell.course.sections else "where.empty")
        return
    shell.section(section.slug, remember=True)
    path = shell.show(shell.workspace.file(section))
    here = guide.current(shell.course, shell.progress) is section  # one that is passed has to be named
    click.echo(fitted(plain.following(section, path, shell.lang, here=here)))
    if shell.begins():
        say(shell, "where.in_place")


@room.command("check")
@click.argument("first", metavar="[SECTION|PATH]", required=False, shell_complete=sections_or_files)
@click.argument("second", metavar="[TASK]", required=False, shell_complete=tasks)
@click.option("--json", "as_json", is_flag=True)
@click.option("--require-sandbox", "require", metavar="T1|T2|T3", callback=tier)
@click.option("--debug", is_flag=True)
def check(shell: Shell, first: str | None, second: str | None, as_json: bool, require: str | None, debug: bool) -> int:
    """Judge an answer."""
    if debug and (as_json or require):
        raise Usage("debug_alone")
    section, path, task = shell.target_and_task(first, second)
    with contextlib.nullcontext() if debug or as_json else waiting(shell, section):
        verdict = shell.judge(section, path, require=require, debug=debug)
    completed = not debug and shell.record(verdict)
    shown = sentences.of_task(verdict, section, task)
    if as_json:
        click.echo(shown.to_json())
    else:
        judged(shell, section, path, verdict, task, debug)
        afterwards(shell, section, completed)
    return NO_SANDBOX if shown.unmet else OUR_FAULT if shown.broken else NOT_PASSED - shown.passed


@room.command("watch")
@click.argument("what", metavar="[SECTION|PATH]", required=False, shell_complete=sections_or_files)
def watch(shell: Shell, what: str | None) -> None:
    """Judge every save."""
    from grader.watch import Watch

    section, path = shell.target(what)
    own = path.is_relative_to(shell.workspace.root) if shell.has_workspace() else False
    keys = sys.stdin.isatty() and sys.stdout.isatty()
    Watch(shell, section, None if own else path, functools.partial(page, shell, always=True), keys=keys).run()


@room.command("read")
@click.argument("name", metavar="[SECTION]", required=False, shell_complete=sections)
@click.option("--browser", is_flag=True)
def read(shell: Shell, name: str | None, browser: bool) -> None:
    """The lesson."""
    section = shell.section(name)  # who looks ahead does not go there
    if not browser:
        text = "\n".join(rendered(section.lesson(shell.lesson_lang)))
        if sys.stdout.isatty() and shell.has_workspace():
            path = shell.show(shell.workspace.path(section))
            text += "\n\n" + fitted(words.say("read.then", shell.lang, path=path, section=section.number))
        page(shell, text)
        return
    from grader import book

    browse(shell, book.address(section), book.lesson(shell.course, section, shell.lang))


@room.command("hint")
@click.argument("first", metavar="[SECTION]", required=False, shell_complete=sections_or_tasks)
@click.argument("second", metavar="[TASK]", required=False, shell_complete=tasks)
def hint(shell: Shell, first: str | None, second: str | None) -> None:
    """One more hint."""
    section, task = shell.section_and_task(first, second)
    task = task or guide.task_in_hand(section, shell.progress)
    hints, total = shell.hints(section, task)
    heading = plain.hint_heading(section, task, len(hints), total, shell.lang)
    end = plain.hint_end(section, task, len(hints), total, shell.lang)
    drawn = rendered(*hints, then=shell.hints_to_come(section))
    page(shell, "\n\n".join([fitted(heading), *drawn, *filter(None, [fitted(end)])]))


@room.command("solution")
@click.argument("first", metavar="[SECTION]", required=False, shell_complete=sections_or_tasks)
@click.argument("second", metavar="[TASK]", required=False, shell_complete=tasks)
@click.option("--give-up", is_flag=True)
def solution(shell: Shell, first: str | None, second: str | None, give_up: bool) -> None:
    """Right answers, side by side."""
    section, task = shell.section_and_task(first, second, default=shell.progress.setting("current"))
    found = shell.answers(section, give_up=give_up)
    answers = plain.answers
    if sys.stdout.isatty():
        from grader.reports import terminal

        answers = terminal.answers
    key = "solution.passed" if shell.progress.passed(section.slug) else "solution.given_up"
    end = fitted(words.say(key, shell.lang, section=section.number))
    page(shell, f"{answers(section, task, found, shell.lang).rstrip()}\n\n{end}")


@room.command("list")
def list_(shell: Shell) -> None:
    """All sections."""
    page(shell, plain.listing(guide.road(shell.course, shell.progress), shell.lang, columns()))


@room.command("progress")
@click.option("--html", "as_page", is_flag=True)
@click.option("--recheck", is_flag=True)
def progress_(shell: Shell, as_page: bool, recheck: bool) -> int:
    """The road so far."""
    if recheck and as_page:
        raise Usage("recheck_alone")
    if recheck:
        return judge_again(shell)
    road = guide.road(shell.course, shell.progress)
    if not as_page:
        page(shell, plain.standing(road, shell.lang, columns()))
        return PASSED
    from grader import book

    browse(shell, book.ROAD, book.road(road, shell.lang))
    return PASSED


@room.command("reset")
@click.argument("name", metavar="[SECTION]", required=False, shell_complete=sections)
def reset(shell: Shell, name: str | None) -> None:
    """Start a section over."""
    section = shell.section(name)
    path = shell.show(shell.workspace.path(section))
    if name is None and not agreed(shell, "reset.ask", section=section.number, path=path):
        say(shell, "reset.left", path=path)
    elif copies := shell.reset(section):
        kept = words.together(map(shell.show, copies), shell.lang)
        say(shell, "reset.done", path=path, copy=kept)
        say(shell, "suggest.start", section=section.number, task=min(section.about.tasks))
    else:
        say(shell, "reset.nothing", path=path)


@room.command("init")
@click.argument("folder", metavar="DIR", required=False)
def init(shell: Shell, folder: str | None) -> None:
    """A folder for your answers."""
    if folder is None:
        raise Usage("init_where")
    made, count = Workspace.init(shell.whole, Path(folder))
    shell.progress.keep("workspace", str(made.root))
    say(shell, "init.made" if count else "init.complete", path=made.root, count=count)
    if shell.workspace.root != made.root:
        say(shell, "init.overridden", path=shell.workspace.root)
    say(shell, "init.then")


@room.command("update")
@click.option("--dry-run", "dry", is_flag=True)
def update(shell: Shell, dry: bool) -> None:
    """Bring the workspace to the installed course."""
    from grader.update import update

    if shell.workspace.in_place or shell.workspace.homework:
        kind = "update_in_place" if shell.workspace.in_place else "update_homework"
        raise Usage(kind, path=shell.workspace.root)
    changes = update(shell.course, shell.workspace.root, dry=dry)
    for line in plain.updated(shell.course, changes, lambda p: shell.show(shell.workspace.root / p), shell.lang, dry):
        click.echo(fitted(line))


@room.command("doctor")
def doctor(shell: Shell) -> None:
    """What this computer offers."""
    from grader import doctor
    from grader.home import home
    from grader.reports import terminal

    workspace = shell.workspace if shell.has_workspace() else None
    quick = doctor.signs(shell.course, workspace, home(shell.environ), shell.progress.path)
    for sign in itertools.chain(quick, doctor.sandbox(shell.course)):
        terminal.show_sign(*sign, shell.lang)


@room.command("stop")
def stop(shell: Shell) -> None:
    """End the warm grader."""
    from grader import service
    from grader.home import home

    stopped = service.stop(home(shell.environ))
    say(shell, "stop.done" if stopped else "stop.nothing")


@room.command("notebook")
@click.argument("name", metavar="[SECTION]", required=False, shell_complete=sections)
@click.option("--no-open", "no_open", is_flag=True)
def notebook(shell: Shell, name: str | None, no_open: bool) -> None:
    """The section as a notebook."""
    made = shell.notebook(shell.section(name, remember=True))
    say(shell, "notebook.is", path=shell.show(made.notebook))
    for path, copy in made.copies.items():
        key = "notebook.differed" if path == made.lost else "notebook.cells"
        say(shell, key, path=shell.show(path), copy=shell.show(copy))
    if not no_open:
        _open(shell, made.notebook)


def _open(shell: Shell, notebook: Path) -> None:
    """In JupyterLab, if that can be done."""
    from grader import lab

    if not lab.can_open():
        say(shell, "notebook.no_lab")
    elif url := lab.running(notebook):
        say(shell, "notebook.opened", url=url)
        click.launch(url)
    else:
        lab.serve(notebook, shell.workspace.root, shell.course_dir)


def judged(shell: Shell, section: Section, path: Path, verdict: Verdict, task: int | None, debug: bool) -> None:
    """The verdict, on the terminal."""
    from grader.reports import terminal

    left = shell.hints_left(section)
    seen = terminal.Seen(shell.show(path), shell.which(section, path), shell.place(path))
    height = 0  # who asks for one task gets all of it
    if task is None and not debug and sys.stdout.isatty():
        height = shutil.get_terminal_size((80, 24)).lines - _PROMPT - _PICTURE * bool(shell.seen)
    text = terminal.screen(verdict, section, seen, shell.lang, hints_left=left, debug=debug, task=task, height=height)
    click.echo(text, nl=False)


@contextlib.contextmanager
def waiting(shell: Shell, section: Section) -> Iterator[None]:
    """On a terminal, a line for who waits: since when, and how long it can take. It goes when the verdict comes."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield
        return
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(shell, section, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(shell: Shell, section: Section, done: threading.Event) -> None:
    """The waiting thread's part."""
    began, patience = time.monotonic(), _SLOW
    while not done.wait(patience):
        params = {"seconds": round(time.monotonic() - began), "most": round(section.limits.section)}
        text = words.say("check.waiting", shell.lang, section=section.number, **params)
        sys.stderr.write(f"\r{plain.cut(text, columns() - 1)}")
        sys.stderr.flush()
        patience = _AGAIN
    if patience == _AGAIN:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def afterwards(shell: Shell, section: Section, completed: bool) -> None:
    """What there is to look at, and what to do at the very end."""
    if drawn := shell.draw(section):
        say(shell, "verdict.picture", path=shell.show(drawn))
    if completed:
        say(shell, "recheck.offer")


def agreed(shell: Shell, key: str, **params: Any) -> bool:
    """Asks who sits there; where nobody does, the command itself was the answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    click.echo(fitted(words.say(key, shell.lang, **params)) + " ", nl=False)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")


def judge_again(shell: Shell) -> int:
    """All that was passed, one line each as it comes."""
    verdicts = []
    for section, verdict in shell.recheck():
        verdicts.append(verdict)
        click.echo(fitted(plain.rechecked(section, shell.show(shell.workspace.path(section)), verdict, shell.lang)))
    click.echo(fitted(plain.recheck_ends(verdicts, shell.lang)))
    return PASSED if all(v and v.passed for v in verdicts) else NOT_PASSED


def browse(shell: Shell, name: str, page: str) -> None:
    """Shows the page in a browser, or says where it is. Those that it links to are written while the browser starts."""
    import webbrowser

    from grader import book

    path = shell.write_page(name, page)
    opened = webbrowser.open(path.as_uri())
    say(shell, "page.opened" if opened else "page.written", path=shell.show(path))
    for other, text in book.everything(shell.course, guide.road(shell.course, shell.progress), shell.lang):
        if other != name:
            book.write(path.parent, other, text)


def rendered(*texts: str, then: Sequence[str] = ()) -> Sequence[str]:
    """As a terminal shows them; a pipe gets the Markdown. `then`: see `kept.markdown`."""
    return kept.markdown(texts, columns(), then) if sys.stdout.isatty() else texts
