"""What goes out to a class: the files of an assignment as students get them, and nothing of `solutions/`.

Where they go, and what else is put beside them there, is the business of the modules in `releases/`.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from grader.assignment import Assignment
from grader.course import Course, Section
from grader.model import Mendable
from grader.workspace import handed_out, original, readable_errors, write

_DATE = (1980, 1, 1, 0, 0, 0)  # of what is in an archive: the same assignment is the same bytes


class ReleaseError(Mendable):
    """It cannot go out like this."""


class Release(NamedTuple):
    """An assignment on its way out."""

    course: Course
    assignment: Assignment
    sections: list[Section]  # in the assignment's order
    lang: str  # of what is written for students
    name: str  # of the assignment, for files: `homework-2`
    source: str = ""  # the text of assignment.yaml
    install: str = ""  # what pip installs this package by: a requirement in one line
    hints: bool = False  # whether they go out too


def handout(release: Release) -> dict[str, bytes]:
    """Of `exercises/` what these sections need, by its path in a student's folder. Hints are half an answer, and go out
    only if that was asked for.
    """
    course, folders = release.course, {s.folder.relative_to(release.course.exercises) for s in release.sections}
    chosen = [p for p in handed_out(course) if len(p.parts) == 1 or p.parent in folders or folders & set(p.parents)]
    chosen = [p for p in chosen if release.hints or not p.match("hints.*.md")]
    return {f"exercises/{part.as_posix()}": original(course, part) for part in chosen}


def write_tree(files: Mapping[str, bytes], out: Path) -> None:
    """Puts the files into a folder that is new or empty. Raises ReleaseError if it is neither."""
    with readable_errors(out):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ReleaseError("release_there", path=str(out))
        for name, data in files.items():
            write(out / name, data)
            if data.startswith(b"#!"):
                (out / name).chmod(0o755)


def write_zip(files: Mapping[str, bytes], out: Path) -> None:
    """Puts the files into a new archive; the same files are the same bytes. Raises ReleaseError if there is one."""
    with readable_errors(out):
        if out.exists():
            raise ReleaseError("release_there", path=str(out))
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(out, "x", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted(files.items()):
                info = zipfile.ZipInfo(name, _DATE)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = (0o755 if data.startswith(b"#!") else 0o644) << 16
                archive.writestr(info, data)
