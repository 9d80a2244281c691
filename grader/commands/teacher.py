"""What an instructor does: grade a class, read its scores, change one, report on all of it."""

import contextlib
import functools
import getpass
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader import assignment
from grader.collect import Collected, CollectError, collect, finder, there
from grader.commands.booked import (
    assignment_option,
    extended,
    gradebook,
    gradebook_option,
    keep,
    keep_refused,
    kept,
    known,
    of_class,
    refused,
    was_set,
)
from grader.commands.completion import sections
from grader.commands.spoken import NO_SANDBOX, NOT_PASSED, OUR_FAULT, PASSED, Room, language, tier
from grader.course import Section
from grader.model import Student
from grader.reports import classes
from grader.reports.words import say
from grader.roster import Roster, Row
from grader.roster import read as read_roster
from grader.shell import NoSandbox, Shell, Usage
from grader.workspace import readable_errors, write

if TYPE_CHECKING:
    from grader.batch import Progress, Run
    from grader.gradebook import Gradebook
    from grader.reports.similar import Found

room = Room()

roster_option = click.option("--roster", "roster_path", metavar="FILE", type=click.Path(path_type=Path))


@room.command("grade")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@gradebook_option
@assignment_option
@roster_option
@click.option("--jobs", metavar="N", type=click.IntRange(1))
@click.option("--where", metavar="tcp://…", default="processes")
@click.option("--require-sandbox", "require", metavar="T1|T2|T3", callback=tier)
@click.option("--dry-run", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
def grade(
    shell: Shell,
    paths: tuple[Path, ...],
    place: str | None,
    assigned: Path | None,
    roster_path: Path | None,
    jobs: int | None,
    where: str,
    require: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Grade a class."""
    if where != "processes" and "://" not in where:
        raise Usage("bad_value", name="--where", value=where, known="tcp://HOST:8786")
    set_ = assignment.read(assigned, shell.course) if assigned else None
    roster = read_roster(roster_path) if roster_path else None
    for path in paths:
        there(path)  # before a gradebook is begun
    if dry_run:
        _understood(shell, paths, set_, roster, as_json)
        return PASSED
    with gradebook(place, begun=not paths) as book:
        run = _grade(shell, book, paths, set_, roster, assigned, (where, jobs, require), as_json)
        _, totals = of_class(shell, book, None)
        click.echo(classes.as_json(totals, run) if as_json else _summary(shell, book, run, place))
    return NO_SANDBOX if run.unmet else OUR_FAULT if run.unjudged else NOT_PASSED if run.left else PASSED


@room.command("scores")
@gradebook_option
@assignment_option
@click.option("--csv", "as_csv", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
def scores(shell: Shell, place: str | None, assigned: Path | None, as_csv: bool, as_json: bool) -> None:
    """What a class's points come to."""
    with gradebook(place) as book:
        set_, totals = of_class(shell, book, assigned)
        why = refused(book)
    if as_json:
        click.echo(classes.as_json(totals))
    else:
        lines = [*classes.listed(totals, shell.lang), *classes.refused(totals, why, shell.lang)]
        click.echo(classes.as_csv(totals, set_.whole) if as_csv else "\n".join(lines))


@room.command("adjust")
@click.argument("student", metavar="STUDENT")
@click.argument("name", metavar="SECTION")
@click.argument("points", metavar="POINTS|auto")
@click.option("--why", metavar="TEXT", required=True)
@click.option("--who", metavar="NAME")
@click.option("--bonus", is_flag=True)
@gradebook_option
def adjust(
    shell: Shell, student: str, name: str, points: str, why: str, who: str | None, bonus: bool, place: str | None
) -> None:
    """Points that a person gives."""
    section = shell.course[name]
    given, most = _points(points, section), sum(section.points.values())
    if given is not None and given > most and not bonus:
        raise Usage("adjust_above", value=points, section=section.number, most=most)
    with gradebook(place) as book:
        meant = known(book).find(student)
        found = book.adjust(meant.id if meant else student, section.slug, given, who or _me(), why)
    click.echo(classes.adjusted(found, section.number, given, most, shell.lang))


@room.command("report")
@click.argument("folder", metavar="[DIR]", default="report", type=click.Path(path_type=Path))
@gradebook_option
@assignment_option
@roster_option
@click.option("--feedback-lang", "feedback_lang", metavar="en|zh", callback=language)
@click.option("--published", is_flag=True)
def report(
    shell: Shell,
    folder: Path,
    place: str | None,
    assigned: Path | None,
    roster_path: Path | None,
    feedback_lang: str | None,
    published: bool,
) -> None:
    """A class as pages."""
    with gradebook(place) as book:
        roster = read_roster(roster_path) if roster_path else known(book)
        langs = functools.partial(_lang, feedback_lang, roster, shell.lang)
        lines = _report(shell, book, folder, assigned, langs, published)
    click.echo("\n".join(lines))


def _report(
    shell: Shell,
    book: "Gradebook",
    folder: Path,
    assigned: Path | None,
    langs: Callable[[Student], str],
    published: bool,
) -> list[str]:
    from grader import owned
    from grader import report as reports

    made = reports.of(shell.course, book, was_set(shell, book, assigned))
    files = dict(reports.files(made, book, shell.lang, langs, datetime.now(UTC), published=published))
    try:
        owned.write(folder, files)
    except OSError as e:
        raise Usage("cannot_write", path=e.filename or folder, reason=e.strerror or str(e)) from None
    called = functools.partial(made.name, lang=shell.lang)
    return classes.reported(made.numbers, made.totals, called, str(folder / "index.html"), shell.lang)


def _lang(asked: str | None, roster: Roster, default: str, student: Student) -> str:
    """The language of that student's page."""
    found = roster.find(student.id, student.email, student.name)
    return asked or (roster.lang(found) if found else "") or default


@room.command("similar")
@click.argument("names", metavar="[SECTION]...", nargs=-1, shell_complete=sections)
@gradebook_option
@click.option("--least", metavar="0.x", type=click.FloatRange(0, 1), default=0.5)
@click.option("--json", "as_json", is_flag=True)
@click.option("--html", "page", metavar="FILE", type=click.Path(path_type=Path))
def similar(
    shell: Shell, names: tuple[str, ...], place: str | None, least: float, as_json: bool, page: Path | None
) -> None:
    """Where two answers are suspiciously alike."""
    from grader.reports import similar

    chosen = {s.slug for s in shell.course.chosen(names)}
    if page:
        _only_a_page(page)
    found = []
    with gradebook(place) as book:
        for one in _alike(shell, book, chosen, least):
            found.append(one)
            if not as_json:
                click.echo("\n".join(similar.listed(one, shell.lang)) + "\n")
    if page:
        _write(page, similar.page(shell.course.about.title, found, shell.lang))
    note = "similar.note" if found else "similar.nothing"
    click.echo(similar.as_json(found) if as_json else say(note, shell.lang))


def _alike(shell: Shell, book: "Gradebook", chosen: set[str], least: float) -> "Iterator[Found]":
    """Section by section, since each takes some seconds."""
    from grader import likeness
    from grader.reports.similar import Found

    handed = [s for s in book.standings() if s.section in chosen and s.submission_digest]
    for section in (s for s in shell.course.sections if any(h.section == s.slug for h in handed)):
        own = [h for h in handed if h.section == section.slug]
        texts = {h.student.id: book.text(h) for h in own}
        found = likeness.compare(texts, likeness.given(section, shell.course.about.languages), least)
        yield Found(section, found, texts, {h.student.id: h.student for h in own})


def _write(path: Path, page: str) -> None:
    with readable_errors(path):
        write(path, page.encode(errors="replace"))


def _only_a_page(path: Path) -> None:
    """Nothing but an older page is ever written over."""
    with readable_errors(path):
        if path.exists() and not (path.is_file() and _begins(path).lower() == b"<!doctype html"):
            raise Usage("similar_no_page", path=path)


def _begins(path: Path) -> bytes:
    with path.open("rb") as f:
        return f.read(len("<!doctype html"))


def _grade(
    shell: Shell,
    book: "Gradebook",
    paths: tuple[Path, ...],
    set_: assignment.Assignment | None,
    roster: Roster | None,
    assigned: Path | None,
    how: tuple[str, int | None, str | None],
    quiet: bool,
) -> "Run":
    from grader import batch
    from grader.model import Tier

    if assigned:
        book.keep("assignment", assigned.read_text(encoding="utf-8"))
    set_ = set_ or kept(shell, book)
    sections = _sections(shell, set_)
    found = Collected([], [], [], [], Counter())
    if paths:
        found = collect(paths, sections, roster, set_.zone if set_ else None)
        if not quiet:
            click.echo("\n".join(classes.understood(found, sections, shell.lang)) + "\n")
        _something(paths, found, sections)
    handed = found.handed
    known = {s.slug for s in sections}
    answered = {h.section for h in handed} | set(book.sections() if not set_ else known)
    sections = [s for s in sections if s.slug in answered]
    people, find = (roster.students, finder(roster)) if roster else ((), lambda *_: None)
    if roster:
        keep(book, roster)
    keep_refused(book, found)
    if taken := book.begin(batch.now(sections), handed, people, find, found.refused):
        click.echo(classes.taken_over(taken, shell.lang) + "\n", err=quiet)
    where, jobs, require = how
    with _cells(), _line_cleared():
        return batch.grade(
            shell.course,
            book,
            sections,
            where=where,
            workers=jobs,
            require=Tier(require) if require else None,
            tell=lambda p: _rewrite(shell, p),
        )


def _something(paths: tuple[Path, ...], found: Collected, sections: list[Section]) -> None:
    if not found.handed and not found.refused:
        raise CollectError("collect_nothing", path=", ".join(map(str, paths)), example=sections[0].stub.name)


def _understood(
    shell: Shell, paths: tuple[Path, ...], set_: assignment.Assignment | None, roster: Roster | None, as_json: bool
) -> None:
    if not paths:
        raise Usage("grade_nothing")
    sections = _sections(shell, set_)
    found = collect(paths, sections, roster, set_.zone if set_ else None)
    if set_:
        students = {h.student.id: h.student for h in found.handed}.values()
        extended(shell, set_, roster or Roster(Row(s, (s.id, s.name, s.email)) for s in students))
    lines = classes.understood(found, sections, shell.lang)
    click.echo(classes.understood_json(found) if as_json else "\n".join(lines))
    _something(paths, found, sections)


def _summary(shell: Shell, book: "Gradebook", run: "Run", place: str | None) -> str:
    again = f"learn grade --gradebook {book.shown}" if place else "learn grade"
    return "\n".join(classes.ran(run, book.standings(), again, shell.lang))


def _sections(shell: Shell, set_: assignment.Assignment | None) -> list[Section]:
    return shell.course.chosen(set_.sections) if set_ else shell.course.sections


def _rewrite(shell: Shell, progress: "Progress") -> None:
    """The line on how far it is, in the place of the last one. Nothing unless on a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{classes.running(progress, shell.lang)}", err=True, nl=False)


@contextlib.contextmanager
def _line_cleared() -> Iterator[None]:
    """Whatever is said next begins a line."""
    try:
        yield
    finally:
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", err=True, nl=False)


def _points(text: str, section: Section) -> Fraction | None:
    """What was given; more than the section has may be a bonus, less than nothing is not."""
    if text == "auto":
        return None
    try:
        points = Fraction(text) if len(text) < 20 and "e" not in text.lower() else Fraction(-1)
    except (ValueError, ZeroDivisionError):
        points = Fraction(-1)
    if points < 0:
        raise Usage("adjust_points", value=text, section=section.number)
    return points


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextlib.contextmanager
def _cells() -> Iterator[None]:
    from grader.sandbox import warden

    try:
        yield
    except warden.Unavailable as e:
        raise NoSandbox(str(e.asked), str(getattr(e.found, "tier", e.found))) from None
    except ModuleNotFoundError as e:
        if e.name != "distributed":
            raise
        raise Usage("not_installed", what=e.name, extra="cluster") from None
