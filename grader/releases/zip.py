"""The folder for students, packed."""

from pathlib import Path

from grader.release import Release, handout, write_zip

OWN = False


def write(release: Release, out: Path) -> None:
    """The handout as an archive."""
    write_zip({f"{release.name}/{name}": data for name, data in handout(release).items()}, out)
