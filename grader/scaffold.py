"""Begins a section: `learn dev new`. Both folders, with a working pattern that says itself what is still to be written.

The files are in `template/`, named as they will be, SLUG standing for the slug, with `.txt` at the end.
"""

import keyword
import re
import shutil
from pathlib import Path
from string import Template

from grader.course import Course
from grader.workspace import WorkspaceError, is_installed

_TEMPLATE = Path(__file__).resolve().parent / "template"
_NAME = re.compile(r"(?:(\d\d)_)?([a-z][a-z0-9_]*)")
_NUMBER = re.compile(r"(\d{1,2})(?:\.(\d{1,2}))?")
_LAST = 99


class ScaffoldError(WorkspaceError):
    """A section that cannot be begun; `kind` and `params` say why (worded in reports/)."""


def begin(course: Course, place: str, slug: str | None = None) -> list[Path]:
    """Writes a section `02_autograd/06_thing` (without a number: the next one), or 2.6 and `thing`; returns its files.

    Nothing that exists is touched. Raises ScaffoldError.
    """
    if is_installed(course):
        raise ScaffoldError("new_installed")
    chapter, number, name = _parsed(course, place, slug)
    if keyword.iskeyword(name) or name == "probes" or name.startswith("test_"):
        raise ScaffoldError("new_bad_name", name=name)
    folders = [tree / chapter for tree in (course.exercises, course.solutions)]
    taken = {int(p.name[:2]): p for f in folders if f.is_dir() for p in f.iterdir() if re.match(r"\d\d_", p.name)}
    number = number or max(taken, default=0) + 1
    if number > _LAST:
        raise ScaffoldError("new_bad_name", name=place)
    if number in taken:
        raise ScaffoldError("new_taken", name=f"{int(chapter[:2])}.{number}", path=str(taken[number]))
    if other := next((s for s in course.sections if s.slug == name), None):
        raise ScaffoldError("new_taken", name=name, path=str(other.folder))
    return _write([f / f"{number:02d}_{name}" for f in folders], f"{int(chapter[:2])}.{number}", name)


def _parsed(course: Course, place: str, slug: str | None) -> tuple[str, int | None, str]:
    """The chapter's folder, the number in it if one was given, and the slug."""
    if slug is not None:
        number, name = _NUMBER.fullmatch(place), _NAME.fullmatch(slug)
        if not number or not name or name[1] or number[2] == "0":
            raise ScaffoldError("new_bad_name", name=f"{place} {slug}")
        chapters = [c for c in course.about.chapters if c.startswith(f"{int(number[1]):02d}_")]
        asked, within, slug = number[1], number[2], name[2]
    else:
        asked, _, rest = place.strip("/").removeprefix("exercises/").partition("/")
        name = _NAME.fullmatch(rest)
        if not name or name[1] == "00":
            raise ScaffoldError("new_bad_name", name=place)
        chapters = [c for c in course.about.chapters if asked in (c, c[3:])]
        within, slug = name[1], name[2]
    if not chapters:
        known, path = ", ".join(course.about.chapters), str(course.exercises / "course.yaml")
        raise ScaffoldError("new_no_chapter", name=asked, known=known, path=path)
    return chapters[0], int(within) if within else None, slug


def _write(folders: list[Path], number: str, slug: str) -> list[Path]:
    words = {"slug": slug, "number": number, "title": slug.replace("_", " ").capitalize()}
    made: list[Path] = []
    try:
        for tree, folder in zip(("exercises", "solutions"), folders, strict=True):
            for source in sorted((_TEMPLATE / tree).rglob("*.txt")):
                inner = source.relative_to(_TEMPLATE / tree).with_suffix("")
                target = folder / inner.with_name(inner.name.replace("SLUG", slug))
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("x", encoding="utf-8") as f:
                    f.write(Template(source.read_text(encoding="utf-8")).substitute(words))
                made.append(target)
    except OSError as e:
        for folder in folders:  # neither was there before
            shutil.rmtree(folder, ignore_errors=True)
        raise ScaffoldError("cannot_write", path=str(e.filename or folders[0]), reason=e.strerror) from None
    return made
