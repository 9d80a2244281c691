"""A course of these sections alone, packed, for `learn ci --course BUNDLE`: with the hidden tests, so for nobody's eyes
but the teacher's. The right answers stay at home: no verdict needs them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import yaml

from grader.course import Section
from grader.release import Release, handout, write_zip

OWN = True


def write(release: Release, out: Path) -> None:
    """The archive."""
    write_zip(course(release, hidden=True), out)


def course(release: Release, *, hidden: bool) -> dict[str, bytes]:
    """The files of that course: `exercises/` as it is handed out, of `solutions/` what judges. Not `hidden`: no more of
    that than the visible tests call, probes that run beside an answer and hold no secret.
    """
    files = handout(release)
    slugs = {s.slug for s in release.sections}
    for section in release.sections:
        name = f"exercises/{section.folder.relative_to(release.course.exercises).as_posix()}/exercise.yaml"
        files[name] = _alone(files[name], slugs)
    return files | judging(release, hidden=hidden)


def judging(release: Release, *, hidden: bool) -> dict[str, bytes]:
    """Of `solutions/` what judges, and no right answer."""
    paths = [p for s in release.sections for p in (_hidden(s) if hidden else _called(s))]
    root = release.course.solutions
    return {f"solutions/{p.relative_to(root).as_posix()}": p.read_bytes() for p in paths}


def _alone(data: bytes, slugs: set[str]) -> bytes:
    """An `exercise.yaml` that requires nothing which is not there."""
    about = yaml.safe_load(data)
    if set(about.get("requires", ())) <= slugs:
        return data
    about["requires"] = [r for r in about["requires"] if r in slugs]
    return yaml.safe_dump(about, allow_unicode=True, sort_keys=False).encode()


def _hidden(section: Section) -> Iterator[Path]:
    for pattern in (section.tests.name, section.probes.name, "mistakes.*.md"):
        yield from sorted(section.hidden.glob(pattern))


def _called(section: Section) -> Iterator[Path]:
    """The probes, if a visible test asks for the fixture."""
    if section.probes.is_file() and section.examples.is_file():
        tree = ast.parse(section.examples.read_text(encoding="utf-8"))
        if any(isinstance(n, ast.arg) and n.arg == "probe" for n in ast.walk(tree)):
            yield section.probes
