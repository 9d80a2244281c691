"""A learner's repository, judged by a machine: GitHub Actions and its kin."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from grader import assignment, ci
from grader.commands.spoken import NO_SANDBOX, NOT_PASSED, OUR_FAULT, PASSED, Room, tier
from grader.exports import classroom, classroom50, github, junit
from grader.exports.parts import Answer, Part, parts
from grader.model import Tier
from grader.shell import NoSandbox, Shell, Usage

room = Room()
file = click.Path(path_type=Path)


@room.command("ci")
@click.option("--course", metavar="DIR|ZIP", expose_value=False)
@click.option("--checkout", metavar="DIR", type=file, default=".")
@click.option("--sections", metavar="1.1,2.2")
@click.option("--assignment", "assigned", metavar="FILE", type=file)
@click.option("--visible", is_flag=True)
@click.option("--points", "whole", metavar="N", type=click.IntRange(1, 1_000_000))
@click.option("--require-sandbox", "require", metavar="T1|T2|T3", callback=tier)
@click.option("--junit", metavar="FILE", type=file)
@click.option("--json", "as_data", metavar="FILE", type=file)
@click.option("--result50", metavar="FILE", type=file)
@click.option("--badge", metavar="FILE", type=file)
def ci_(
    shell: Shell,
    checkout: Path,
    sections: str | None,
    assigned: Path | None,
    visible: bool,
    whole: int | None,
    require: str | None,
    **files: Path | None,
) -> int:
    """Judge a learner's repository."""
    if sections and assigned:
        raise Usage("ci_sections_twice")
    with ci.without_tokens() as environ, ci.unpacked(shell.course_dir) as shell.course_dir:
        _possible(files, environ)
        with ci.no_commands(on_github=_on_github(environ)):
            answers = _judged(shell, checkout, sections, assigned, visible, require)
        found = parts(answers, shell.lang, whole)
        _write(files, answers, found, shell.lang, environ, checkout)
        if _on_github(environ):
            _tell(environ, answers, found, shell.lang, visible)
        return _code(answers, found)


def _on_github(environ: Mapping[str, str]) -> bool:
    return environ.get("GITHUB_ACTIONS") == "true"


def _possible(files: Mapping[str, Path | None], environ: Mapping[str, str]) -> None:
    """Says what is missing before anything is judged."""
    if files["result50"] and (names := classroom50.missing(environ)):
        raise Usage("ci_no_runner", names=", ".join(names))


def _judged(
    shell: Shell, checkout: Path, sections: str | None, assigned: Path | None, visible: bool, require: str | None
) -> list[Answer]:
    """The answers with their verdicts, each shown as `learn check` would."""
    from grader.reports import terminal
    from grader.sandbox import warden

    set_ = assignment.read(assigned, shell.course) if assigned else None
    names = [n.strip() for n in (sections or "").split(",") if n.strip()]
    chosen = shell.course.chosen(set_.sections if set_ else names)
    found = ci.find(checkout, shell.course, chosen, shell.lang)
    if not (names or set_):
        found = [f for f in found if f.there]
    if not found:
        raise Usage("ci_nothing", path=checkout, example=chosen[0].stub.relative_to(shell.course.exercises.parent))
    try:
        verdicts = ci.judge(shell.course, found, visible=visible, require=Tier(require) if require else None)
    except warden.Unavailable as e:
        raise NoSandbox(str(e.asked), str(getattr(e.found, "tier", e.found))) from None
    answers = ci.answers(found, verdicts, set_, shell.lang)
    for f, answer in zip(found, answers, strict=True):
        if answer.verdict:
            seen = terminal.Seen(answer.file)
            section = msgspec.structs.replace(f.section, homework=True)  # a log is no place to offer solutions
            click.echo(terminal.screen(answer.verdict, section, seen, shell.lang), nl=False)
        else:
            click.echo(f"{answer.number} {answer.title}\n{answer.why}")
        click.echo()
    return answers


def _write(
    files: Mapping[str, Path | None],
    answers: Sequence[Answer],
    found: Sequence[Part],
    lang: str,
    environ: Mapping[str, str],
    checkout: Path,
) -> None:
    """What was asked for, each in its own form."""
    if path := files["junit"]:
        ci.write(path, junit.xml(ci.suites(answers), lang), checkout)
    if path := files["as_data"]:
        data = classroom.result(found) | {"verdicts": [a.verdict for a in answers if a.verdict]}
        ci.write(path, msgspec.json.format(msgspec.json.encode(data)) + b"\n", checkout)
    if path := files["result50"]:
        ci.write(path, json.dumps(classroom50.result(found, environ, datetime.now(UTC)), indent=2) + "\n", checkout)
    if path := files["badge"]:
        ci.write(path, github.badge_svg(found) if path.suffix == ".svg" else github.badge_json(found), checkout)


def _tell(
    environ: Mapping[str, str], answers: Sequence[Answer], found: Sequence[Part], lang: str, visible: bool
) -> None:
    """The summary, the outputs, and what is shown at the learner's lines."""
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        ci.append(path, github.summary(answers, found, lang, visible=visible))
    if path := environ.get("GITHUB_OUTPUT"):
        result = classroom.result(found)
        outputs = {
            "result": classroom.encoded(found),
            "score": str(sum(t["score"] for t in result["tests"])),
            "max-score": str(result["max_score"]),
            "status": result["status"],
        }
        ci.append(path, "".join(github.output(*o) for o in outputs.items()))
    for command in github.annotations(answers, lang):
        click.echo(command)


def _code(answers: Sequence[Answer], found: Sequence[Part]) -> int:
    verdicts = [a.verdict for a in answers if a.verdict]
    if any(v.unmet for v in verdicts):
        return NO_SANDBOX
    if any(p.status == "error" for p in found):
        return OUR_FAULT
    return NOT_PASSED if any(p.status == "fail" for p in found) else PASSED
