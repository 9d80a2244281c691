"""A folder for students to work in."""

from pathlib import Path

from grader.release import Release, handout, write_tree

OWN = False


def write(release: Release, out: Path) -> None:
    """The handout as a folder."""
    write_tree(handout(release), out)
