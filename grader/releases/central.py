"""The teacher's private repository on GitHub: the hidden tests, and the workflows that grade by them."""

from pathlib import Path

from grader.release import Release, write_tree
from grader.releases import bundle, students
from grader.releases.templates import render

OWN = True
_FILES = {
    ".github/workflows/grade.yml": "grade.yml",
    ".github/workflows/learn.yml": "learn.yml",
    "student-workflow.yml": "student-workflow.yml",
    "classroom50/autograder.py": "autograder.py",
}


def write(release: Release, out: Path) -> None:
    """The repository's files."""
    values = students.about(release)
    files = {name: render(f"central/{template}.j2", **values) for name, template in _FILES.items()}
    files |= {f"course/{name}": data for name, data in bundle.course(release, hidden=True).items()}
    files["README.md"] = render(f"central/README.{release.lang}.md.j2", **values)
    files["requirements.txt"] = f"{release.install}\nsqlalchemy>=2.0\n".encode()
    files["assignment.yaml"] = release.source.encode()
    write_tree(files, out)
