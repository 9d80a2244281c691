"""Where an assignment can go: one module each, with `write(release, out)`."""

import importlib
from pathlib import Path
from typing import Protocol

from grader.release import Release


class Target(Protocol):
    """What each module here is."""

    OWN: bool  # True: for the teacher's eyes; False: nothing of `solutions/` may be in it

    def write(self, release: Release, out: Path) -> None:
        """Writes it there. Raises release.ReleaseError if something is there."""


NAMES = ("folder", "zip", "github", "central", "bundle", "nbgrader", "gradescope")


def target(name: str) -> Target:
    """The module of that name, imported when it is wanted."""
    found: Target = importlib.import_module(f"grader.releases.{name}")
    return found
