"""A GitHub template repository: the handout, a README, a workflow that checks every push, a dev container.

A course of the teacher's own comes along in `.github/course`, as far as the visible tests need it; ours is in the
package that the workflow installs.
"""

import ast
from pathlib import Path
from typing import Any

from grader.course import Course, Section
from grader.release import Release, handout, write_tree
from grader.releases.templates import render
from grader.reports.plain import title

OWN = False
COURSE = ".github/course"


def write(release: Release, out: Path) -> None:
    """The repository's files, to be committed and marked as a template."""
    values = about(release)
    files = handout(release) | {
        ".github/workflows/learn.yml": render("github/learn.yml.j2", **values),
        ".github/learn/requirements.txt": f"{release.install}\n".encode(),
        ".devcontainer/devcontainer.json": render("github/devcontainer.json.j2", **values),
        ".gitignore": render("github/gitignore.j2"),
        "README.md": render(f"github/README.{release.lang}.md.j2", **values),
    }
    if values["own"]:
        files |= {f"{COURSE}/{name}": data for name, data in handout(release).items()}
        files |= {f"{COURSE}/{name}": data for name, data in _probes(release).items()}
    write_tree(files, out)


def about(release: Release) -> dict[str, Any]:
    """What the templates ask for."""
    exercises = release.course.exercises
    parts = [
        {
            "number": s.number,
            "title": title(s.about.title, release.lang),
            "points": sum(s.points.values()),
            "path": f"exercises/{s.stub.relative_to(exercises).as_posix()}",
        }
        for s in release.sections
    ]
    return {
        "title": release.assignment.title or release.name,
        "lang": release.lang,
        "own": exercises != Course.ours().exercises,
        "parts": parts,
        "sections": ",".join(s.number for s in release.sections),
    }


def _probes(release: Release) -> dict[str, bytes]:
    """The probes of the sections whose visible tests call them: they run beside an answer, and hold no secret."""
    found = {}
    for section in release.sections:
        if section.probes.is_file() and _asks_for_probes(section):
            name = section.probes.relative_to(release.course.solutions)
            found[f"solutions/{name.as_posix()}"] = section.probes.read_bytes()
    return found


def _asks_for_probes(section: Section) -> bool:
    if not section.examples.is_file():
        return False
    tree = ast.parse(section.examples.read_text(encoding="utf-8"))
    return any(isinstance(n, ast.arg) and n.arg == "probe" for n in ast.walk(tree))
