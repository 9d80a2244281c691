"""`learn dev`: for authors of a course. The course proves itself."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.commands.spoken import NOT_PASSED, PASSED, Room, SpokenGroup, with_lang
from grader.course import Course
from grader.reports import plain, words
from grader.reports import quality as quality_report
from grader.shell import Shell, Usage

if TYPE_CHECKING:
    from grader.proof import Progress
    from grader.quality import Record

dev = Room()
room = Room(dev=with_lang(SpokenGroup("dev", commands=dev, help="dev")))


@dev.command("check", "dev-check")
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


@dev.command("new", "dev-new")
@click.argument("place", metavar="CHAPTER/SLUG")
@click.argument("slug", metavar="[SLUG]", required=False)
def dev_new(shell: Shell, place: str, slug: str | None) -> None:
    """A section is begun."""
    from grader import scaffold

    made = scaffold.begin(shell.course, place, slug)
    section = Course.at(shell.course.exercises.parent)[made[0].parent.name[3:]]
    click.echo(plain.begun(section, made, shell.show, shell.lang))


@dev.command("mutants", "dev-mutants")
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


@dev.command("calibrate", "dev-calibrate")
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


@dev.command("quality", "dev-quality")
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


@dev.command("pictures", "dev-pictures")
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
