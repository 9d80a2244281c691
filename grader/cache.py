"""Which proofs of `learn dev check` still hold: kept beside the progress, by a digest of all that they depend on.

Kept are only proofs in which nothing was found. A file that is damaged, or cannot be written, costs time and no more.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Iterable
from pathlib import Path

import msgspec

from grader import progress, rules
from grader.course import Course, Section
from grader.home import write
from grader.sandbox import warden

_ENGINE = Path(__file__).resolve().parent
_LIBRARIES = ("torch", "pytest", "jupytext", "markdown-it-py", "msgspec")


class Kept(msgspec.Struct, frozen=True):
    """A proof in which nothing was found."""

    digest: str
    judged: int
    seconds: float
    beside: list[str] = []  # files elsewhere in the course that the section's texts link to, from its folder


class Cache:
    """The proofs of one course that were kept."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._path = progress.path_for(course.about.id).with_name("proofs.json")
        self._proofs: dict[str, Kept] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._proofs = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Kept])

    def digest(self, section: Section) -> str:
        """Of all that the section's proof depends on."""
        own = [*rules.files(section.folder), *rules.files(section.hidden)]
        return _hash([self._common, section.slug], own, self._course.exercises.parent)

    def holding(self, section: Section, digest: str) -> Kept | None:
        """The section's proof, if nothing that it depends on has changed."""
        kept = self._proofs.get(section.slug)
        if kept is None or kept.digest != digest:
            return None
        return kept if all((section.folder / p).exists() for p in kept.beside) else None

    def keep(self, section: Section, digest: str, judged: int, seconds: float) -> None:
        """Nothing was found in the section as it was when it had this digest."""
        beside = [os.path.relpath(p, section.folder) for p in rules.beside(section)]
        self._proofs[section.slug] = Kept(digest, judged, seconds, beside)
        with contextlib.suppress(OSError):  # a full disk, a home that is not ours
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write(self._path, msgspec.json.format(msgspec.json.encode(self._proofs)))

    @functools.cached_property
    def _common(self) -> str:
        """What all sections of a course depend on."""
        course = self._course
        engine = (p for p in _ENGINE.rglob("*.py") if not p.is_relative_to(_ENGINE / "reports"))
        shared = [course.exercises / name for name in ("course.yaml", "glossary.yaml")]
        versions = [f"{name} {_version(name)}" for name in (*_LIBRARIES, *course.about.packages)]
        surroundings = [platform.python_version(), *versions, *warden.signs()]
        own = [p for p in engine if "_course" not in p.relative_to(_ENGINE).parts]
        return _hash([*surroundings, _hash([], own, _ENGINE)], shared, course.exercises)


def _hash(words: Iterable[str], paths: Iterable[Path], root: Path) -> str:
    h = hashlib.sha256()
    for word in words:
        h.update(f"{word}\0".encode())
    for path in sorted(paths):
        data = path.read_bytes() if path.is_file() else b""
        h.update(f"{os.path.relpath(path, root)}\0{len(data)}\0".encode() + data)
    return h.hexdigest()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "-"
