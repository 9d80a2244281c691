"""A folder for students to work in."""

from pathlib import Path

from grader.release import Release, write_tree
from grader.releases import students

OWN = False


def write(release: Release, out: Path) -> None:
    """The students' files as a folder."""
    write_tree(students.files(release), out)
