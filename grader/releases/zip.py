"""The folder for students, packed."""

from pathlib import Path

from grader.release import Release, write_zip
from grader.releases import students

OWN = False


def write(release: Release, out: Path) -> None:
    """The students' files as an archive."""
    write_zip({f"{release.name}/{name}": data for name, data in students.files(release).items()}, out)
