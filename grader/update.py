"""`learn update`: brings a workspace to the installed course, and leaves alone whatever the learner has changed.

Three texts decide about each file: as it was given out (kept in the workspace, `workspace.GIVEN`), as it is, and as
the course has it now. What nobody touched is replaced; what both changed is merged, and a copy kept; where they changed
the same lines, the learner's file stays and the new one is put beside it. Nothing is deleted. Each step is whole or not
done at all, and what was given out is written down last: a run that was killed is simply run again.
"""

import ast
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from merge3 import Merge3

from grader.course import Course
from grader.workspace import GIVEN, dated_copy, give, handed_out, original, readable_errors, write


class Change(NamedTuple):
    """What happens to a file (or, if it moves, to a section's folder)."""

    kind: str  # "new", "replaced", "merged", "conflict", "moved", "left"
    part: Path  # below the workspace
    other: Path | None = None  # the copy of the learner's file, the course's version, or where it moves to


def update(course: Course, root: Path, *, dry: bool = False) -> Iterator[Change]:
    """Does each change, unless `dry`, and then yields it. Raises WorkspaceError."""
    moved: dict[Path, Path] = {}
    with readable_errors(root):
        for old, new in _moves(course, root):
            moved[new] = old
            yield Change("moved", old, new)
            if not dry:
                yield from _move(root, old, new)
        for part in handed_out(course):
            before = moved.get(part.parent, part.parent) / part.name
            here = part if os.path.lexists(root / part) else before  # not moved yet, if dry
            base = _bytes(root / GIVEN / here)
            if (change := _change(root, part, here, base, original(course, part), dry)) is not None:
                yield change


def _change(root: Path, part: Path, here: Path, base: bytes | None, theirs: bytes, dry: bool) -> Change | None:
    mine = _bytes(root / here)
    if mine is None and base is not None:
        return None  # the learner has deleted it
    if mine is None or mine == base != theirs:
        if not dry:
            give(root, part, theirs)
        return Change("new" if mine is None else "replaced", part)
    both = theirs not in (mine, base)
    change = _both_changed(root, part, base, mine, theirs, dry) if both else None
    if not dry and base != theirs:
        write(root / GIVEN / part, theirs)
    return change


def _both_changed(root: Path, part: Path, base: bytes | None, mine: bytes, theirs: bytes, dry: bool) -> Change | None:
    merged = None if base is None else merge(base, mine, theirs)
    if merged == mine:
        return None
    target = root / part
    if merged is not None:
        copy = target if dry else dated_copy(target, "update")
        if not dry:
            write(target, merged)
        return Change("merged", part, copy.relative_to(root))
    aside = target.with_suffix(f".new{target.suffix}")
    if not dry and _bytes(aside) != theirs:
        if os.path.lexists(aside):  # of the update before, perhaps written into since
            dated_copy(aside, "update")
        write(aside, theirs)
    return Change("conflict", part, aside.relative_to(root))


def merge(base: bytes, mine: bytes, theirs: bytes) -> bytes | None:
    """What both have made of `base`, together; None if they changed the same lines, or it would be Python no more."""
    try:
        before, ours, new = (t.decode().splitlines(keepends=True) for t in (base, mine, theirs))
    except UnicodeDecodeError:
        return None
    merging = Merge3(before, ours, new)
    if any(region[0] == "conflict" for region in merging.merge_regions()):
        return None
    merged = "".join(merging.merge_lines())
    return merged.encode() if _parses(merged) or not _parses("".join(ours)) else None


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _moves(course: Course, root: Path) -> list[tuple[Path, Path]]:
    """Sections that have another number now: (folder before, folder now). The slug is what makes them the same."""
    now = {s.slug: s.folder.relative_to(course.exercises) for s in course.sections}
    found = []
    for folder in sorted((root / GIVEN).glob("*/*")):
        old, new = folder.relative_to(root / GIVEN), now.get(folder.name[3:])
        if new is not None and new != old and (root / old).is_dir():
            found.append((old, new))
    return found


def _move(root: Path, old: Path, new: Path) -> Iterator[Change]:
    """Moves the files of a folder, what was given out first. A file that is there already stays if it was changed."""
    for file in sorted(p for p in (root / old).rglob("*") if p.is_file()):
        inner = file.relative_to(root / old)
        target = root / new / inner
        if os.path.lexists(target) and _bytes(target) != _bytes(root / GIVEN / new / inner):
            yield Change("left", old / inner, new / inner)
            continue
        for tree in (root / GIVEN, root):
            if (tree / old / inner).exists():
                (tree / new / inner).parent.mkdir(parents=True, exist_ok=True)
                (tree / old / inner).replace(tree / new / inner)
    for tree in (root / GIVEN, root):
        for folder in sorted((tree / old, *(p for p in (tree / old).rglob("*") if p.is_dir())), reverse=True):
            with contextlib.suppress(OSError):  # what is not empty stays
                folder.rmdir()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
