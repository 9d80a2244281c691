"""The pictures in a section's lessons: drawn by the functions of its `pictures.py`, kept as SVG beside the lessons.

`def NAME() -> Drawing` draws NAME.svg, in the course's first language; NAME.zh.svg and the like are its translations.
"""

import inspect
import math
import runpy
import traceback
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from grader import lessons
from grader.course import Course, Section
from grader.drawing import WIDTH, Drawing
from grader.model import Finding

_SUFFIX = ".svg"


class Svg(NamedTuple):
    """One picture in one language."""

    text: str
    line: int  # of its function


class Drawn(NamedTuple):
    """What `pictures.py` draws now."""

    svgs: dict[Path, Svg]  # by the file where it belongs
    findings: list[Finding]  # what it does not draw, or too wide


class Written(NamedTuple):
    """What `learn dev pictures` did for one section."""

    drawn: int  # how many files there are
    changed: list[Path]
    findings: list[Finding]


def draw(section: Section, languages: Sequence[str]) -> Drawn:
    """Calls every function of the section's pictures.py, if it has one; names with _ in front are its own affair."""
    drawn = Drawn({}, [])
    source = section.pictures
    if not source.is_file():
        return drawn
    try:
        names = runpy.run_path(str(source), run_name="pictures")
    except Exception as e:
        drawn.findings.append(_raised(source, e, 1))
        return drawn
    for name, function in names.items():
        if not inspect.isfunction(function) or function.__module__ != "pictures" or name.startswith("_"):
            continue
        line = function.__code__.co_firstlineno
        try:
            picture = function()
            if not isinstance(picture, Drawing):
                drawn.findings.append(Finding(source, "picture_none", {"name": name}, line))
                continue
            for lang in languages if picture.speaks else languages[:1]:
                ending = _SUFFIX if lang == languages[0] else f".{lang}{_SUFFIX}"
                drawn.svgs[section.folder / f"{name}{ending}"] = Svg(picture.svg(lang), line)
                if (width := math.ceil(picture.extent(lang).w)) > WIDTH:
                    params = {"name": name, "lang": lang, "width": width, "most": WIDTH}
                    drawn.findings.append(Finding(source, "picture_wide", params, line))
        except Exception as e:
            drawn.findings.append(_raised(source, e, line))
    return drawn


def write(course: Course, names: Sequence[str]) -> Iterator[Written]:
    """Draws the pictures of these sections (by default all), and writes those that changed. Raises UnknownSection,
    OSError.
    """
    for section in course.chosen(names):
        drawn = draw(section, course.about.languages)
        changed = [p for p, svg in drawn.svgs.items() if not p.is_file() or p.read_bytes() != svg.text.encode()]
        for path in changed:
            path.write_bytes(drawn.svgs[path].text.encode())
        yield Written(len(drawn.svgs), changed, drawn.findings)


def check(section: Section, languages: Sequence[str], linked: Sequence[tuple[Path, lessons.Link]]) -> Iterator[Finding]:
    """What is wrong with the section's pictures; `linked` are the links in its texts, each with its file."""
    drawn = draw(section, languages)
    yield from drawn.findings
    shown: set[Path] = set()
    for path, link in linked:
        if link.alt is None:
            continue
        target = link.leads_to(path)
        params = {"target": link.target, "section": section.number}
        if not link.alt.strip():
            yield Finding(path, "picture_alt", params, link.line)
        if target and not target.exists():
            yield Finding(path, "picture_missing", params, link.line)
        if target:
            shown.add(target)
    for path in sorted({*section.folder.glob(f"*{_SUFFIX}"), *drawn.svgs}):
        params = {"name": path.name, "section": section.number}
        svg = drawn.svgs.get(path)
        if path not in shown:
            place = (path, 1) if svg is None or path.exists() else (section.pictures, svg.line)
            yield Finding(place[0], "picture_unshown", params, place[1])
        elif svg is None and not drawn.findings:  # else its function may be there, and fail
            yield Finding(path, "picture_undrawn", params, 1)
        elif svg and path.exists() and (line := _differs(path.read_bytes(), svg.text.encode())):
            yield Finding(path, "picture_changed", params, line)


def _differs(a: bytes, b: bytes) -> int:
    """The first line that differs; 0 if none does."""
    pairs = zip_longest(a.splitlines(keepends=True), b.splitlines(keepends=True))
    return next((n for n, (x, y) in enumerate(pairs, 1) if x != y), 0)


def _raised(source: Path, error: Exception, line: int) -> Finding:
    """With the last line of the file on the way to the error; `line` if the file was left before."""
    places = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(source)]
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return Finding(source, "picture_raises", {"error": what}, [line, *places][-1])
