"""A GitHub template repository: the handout, a README, a workflow that checks every push, a dev container.

A course of the teacher's own comes along in `.github/course`, as far as the visible tests need it; ours is in the
package that the workflow installs.
"""

from pathlib import Path
from typing import Any

from grader.course import Course
from grader.release import Release, handout, write_tree
from grader.releases import bundle
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
        files |= {f"{COURSE}/{name}": data for name, data in bundle.course(release, hidden=False).items()}
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
