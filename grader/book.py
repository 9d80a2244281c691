"""A course as pages in a folder: its lessons, and the road that a learner has come. They link to each other."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from grader import guide, home
from grader.course import Course, Section
from grader.reports import charts, markdown, pages, plain
from grader.reports.words import LANGUAGES, say

ROAD = "the-road.html"  # the file that shows it; no slug is like that
_LARGEST = 1 << 20  # bytes of a picture


def address(section: Section) -> str:
    """The name of a lesson's file."""
    return f"{section.slug}.html"


def lesson(course: Course, section: Section, lang: str) -> str:
    """One lesson as a page, `lang` first; a language that has no lesson is left out. Raises CourseError if none has."""
    langs = [one for one in LANGUAGES if (section.folder / f"lesson.{one}.md").is_file()]
    first = lang if lang in langs or not langs else langs[0]
    at = course.sections.index(section)
    return pages.page(
        "lesson",
        first,
        langs,
        home=ROAD,
        course=course.about.title,
        number=section.number,
        titles=section.about.title,
        lessons={one: _html(course, section, one) for one in langs or [first]},
        before=_neighbour(course, at - 1),
        after=_neighbour(course, at + 1),
    )


def write(folder: Path, name: str, page: str) -> Path:
    """Puts the page there, at once or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    home.write(folder / name, page.encode())
    return folder / name


def road(of: guide.Road, lang: str) -> str:
    """The road so far as a page, `lang` first."""
    told = {one: _road_in(of, one) for one in LANGUAGES}
    addresses = {p.section.slug: address(p.section) for p in of.whole.places}
    return pages.page("road", lang, course=of.whole.title, road=of, told=told, addresses=addresses)


def everything(course: Course, of: guide.Road, lang: str) -> Iterator[tuple[str, str]]:
    """The road, and every lesson that there is: the name of each one's file, and the page."""
    yield ROAD, road(of, lang)
    for section in course.sections:
        if any((section.folder / f"lesson.{one}.md").is_file() for one in LANGUAGES):
            yield address(section), lesson(course, section, lang)


def _road_in(of: guide.Road, lang: str) -> dict[str, Any]:
    """What the page says in that language."""
    stops = [
        charts.Stop(p.section.number, p.state, float(p.points / (p.possible or 1)), p.here) for p in of.whole.places
    ]
    words = {state: say(f"list.{state}", lang) for state in ("passed", "started", "open", "waits")}
    summary = plain.summary(of.whole, lang)
    told: dict[str, Any] = {"summary": summary, "spent": plain.time(of.whole.spent, lang), "picture": "", "curve": ""}
    if stops:
        told["picture"] = Markup(charts.svg([charts.road(stops, words)], summary))
    if of.history:
        told["when"] = plain.when(of, lang)
        first = of.history[0][0]
        climb = [(0.0, 0.0)]
        for at, points in of.history:  # a step at each check
            moment = (at - first).total_seconds()
            climb += [(moment, climb[-1][1]), (moment, float(points))]
        ends = (f"{first.astimezone():%Y-%m-%d}", f"{of.history[-1][0].astimezone():%Y-%m-%d}")
        curve = charts.plot([charts.Line("", climb)], ends=ends)
        climbed = say("page.climb", lang, first=ends[0], last=ends[1], points=climb[-1][1])
        told["curve"] = Markup(charts.svg([charts.heading(say("page.points", lang)), curve], climbed))
    return told


def _html(course: Course, section: Section, lang: str) -> Markup:
    def lead(target: str) -> str | None:
        return target if _documentation(target, course) else _to_lesson(course, section, target, lang)

    return markdown.to_html(section.lesson(lang), lead, lambda name: _picture(section, name))


def _documentation(url: str, course: Course) -> bool:
    """True for a page of one of the hosts that the course names."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host, hosts = parts.hostname or "", course.about.hosts
    return parts.scheme == "https" and bool(host) and (not hosts or any(f".{host}".endswith(f".{h}") for h in hosts))


def _to_lesson(course: Course, section: Section, target: str, lang: str) -> str | None:
    """Another section's lesson, if the link is to its file."""
    path = Path(os.path.normpath(section.folder / target.partition("#")[0]))
    found = next((s for s in course.sections if s.folder == path.parent), None)
    return f"{address(found)}#{lang}" if found and path.name.startswith("lesson.") else None


def _picture(section: Section, name: str) -> bytes | None:
    """An SVG file beside the lesson."""
    path = section.folder / Path(name).name
    if path.suffix != ".svg" or path.name != name or not path.is_file() or path.stat().st_size > _LARGEST:
        return None
    return path.read_bytes()


def _neighbour(course: Course, at: int) -> dict[str, Any] | None:
    if not 0 <= at < len(course.sections):
        return None
    other = course.sections[at]
    return {"number": other.number, "titles": other.about.title, "address": address(other)}
