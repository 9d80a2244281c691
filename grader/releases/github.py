"""A GitHub template repository: the students' folder, a workflow that checks every push, a dev container.

A course of the teacher's own comes along in `.github/course`, as far as the visible tests need it; ours is in the
package that the workflow installs.
"""

from pathlib import Path

from grader.release import Release, write_tree
from grader.releases import bundle, students
from grader.releases.templates import render

OWN = False
COURSE = ".github/course"


def write(release: Release, out: Path) -> None:
    """The repository's files, to be committed and marked as a template."""
    values = students.about(release)
    files = students.files(release, on_github=True) | {
        ".github/workflows/learn.yml": render("github/learn.yml.j2", **values),
        ".github/learn/requirements.txt": f"{release.install}\n".encode(),
        ".github/learn/assignment.yaml": students.was_set(release),
        ".devcontainer/devcontainer.json": render("github/devcontainer.json.j2", **values),
        ".gitignore": render("github/gitignore.j2"),
    }
    if values["own"]:
        files |= {f"{COURSE}/{name}": data for name, data in bundle.course(release, hidden=False).items()}
    write_tree(files, out)
