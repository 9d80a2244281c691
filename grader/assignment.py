"""What a class was set: which sections count how much, when they are due, what being late costs (`assignment.yaml`).

All sums are exact fractions; rounding is the reports' business.
"""

import difflib
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta, tzinfo
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from grader.course import Course, Section, UnknownSection
from grader.model import Mendable, Student

_DAY = timedelta(days=1)
Shown = Literal["hidden", "after_due_date", "after_published", "visible"]  # Gradescope's words


class AssignmentError(Mendable):
    """A file that sets nothing that can be marked."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    weight: str = ""
    hidden_tests: Shown | None = None


class _Late(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    grace_minutes: Annotated[float, msgspec.Meta(ge=0)] = 0
    percent_per_day: str = "0"
    at_most_percent: str = "100"
    refused_after_days: Annotated[float, msgspec.Meta(ge=0)] | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sections: list[str] | dict[str, str | _Entry]
    title: str = ""
    due: str = ""
    timezone: str = ""
    late: _Late = _Late()
    hidden_tests: Shown = "hidden"
    extensions: dict[str, str] = {}


class Part(msgspec.Struct, frozen=True):
    """One section of an assignment."""

    section: str  # slug
    number: str
    weight: Fraction  # of the whole, against the sum of all weights
    hidden_tests: Shown  # when a student may see how the hidden tests went


class Late(msgspec.Struct, frozen=True):
    """What being late costs."""

    grace: timedelta = timedelta()  # so late is not late
    per_day: Fraction = Fraction(0)  # the share lost for each day begun
    at_most: Fraction = Fraction(1)  # the share lost, at most
    refused_after: timedelta | None = None  # then nothing is left; None: it is never too late

    @property
    def costs(self) -> bool:
        """True if being late ever takes anything off."""
        return bool(self.per_day and self.at_most) or self.refused_after is not None


class Assignment(msgspec.Struct, frozen=True):
    """What was set."""

    parts: tuple[Part, ...]
    title: str = ""
    due: datetime | None = None  # with a time zone; None: nothing is late
    zone: tzinfo | None = None  # of times that say none
    late: Late = Late()
    extensions: dict[str, datetime] = {}  # student's id -> another due date

    @property
    def sections(self) -> list[str]:
        """The slugs."""
        return [p.section for p in self.parts]

    @property
    def whole(self) -> Fraction:
        """The sum of the weights: what all of it is worth where points are only added up."""
        return sum((p.weight for p in self.parts), Fraction(0))

    def worth(self, section: Section) -> dict[int, Fraction]:
        """What each task of one of its sections is worth where points are only added up: together its weight."""
        weight = next(p.weight for p in self.parts if p.section == section.slug)
        whole = sum(section.points.values()) or 1
        return {task: points * weight / whole for task, points in section.points.items()}

    def extended(self, find: Callable[[str], Student | None]) -> "Assignment":
        """The same with extensions by id. `find`: who goes by a name; that of nobody stays as it is, and is nobody's
        id. Of two for one student the later one counts.
        """
        extensions: dict[str, datetime] = {}
        for name, when in self.extensions.items():
            student = find(name)
            id_ = student.id if student else name
            extensions[id_] = max(when, extensions.get(id_, when))
        return msgspec.structs.replace(self, extensions=extensions)

    def lateness(self, at: datetime | None, student: str = "") -> timedelta:
        """How late that is, without the grace: zero if it is not, or if nobody knows. `at` has a time zone."""
        due = self.extensions.get(student, self.due)
        late = at - due if at and due else timedelta()
        return late if late > self.late.grace else timedelta()

    def shows(self, section: str, now: datetime, published: bool, student: str = "") -> bool:
        """Whether that student may see, by now, what the hidden tests of a section (its slug) check and how each went.

        What says `after_due_date` and is never due stays hidden. `now` has a time zone.
        """
        rule = next((p.hidden_tests for p in self.parts if p.section == section), "hidden")
        due = self.extensions.get(student, self.due)
        after = {"after_due_date": due is not None and now > due, "after_published": published}
        return rule == "visible" or after.get(rule, False)

    def share(self, late: timedelta) -> Fraction:
        """The share of the points that is left after being that late: 1 to 0."""
        if late <= timedelta():
            return Fraction(1)
        if self.late.refused_after is not None and late > self.late.refused_after:
            return Fraction(0)
        days = -(-late // _DAY)
        return 1 - min(days * self.late.per_day, self.late.at_most, Fraction(1))


def of_course(sections: "list[Section]") -> Assignment:
    """These sections, each with the weight of its points, never due."""
    return Assignment(tuple(Part(s.slug, s.number, Fraction(sum(s.points.values())), "hidden") for s in sections))


def read(path: Path, course: Course) -> Assignment:
    """The assignment in that file. Raises AssignmentError."""
    try:
        return parse(path.read_text(encoding="utf-8"), course, str(path))
    except (OSError, UnicodeDecodeError) as e:
        reason = e.strerror if isinstance(e, OSError) else str(e)
        raise AssignmentError("assignment_unreadable", path=str(path), reason=reason) from None


def parse(text: str, course: Course, path: str = "assignment.yaml") -> Assignment:
    """The assignment in this text; `path` is for messages. Raises AssignmentError."""
    import yaml

    try:
        # Every scalar stays text: YAML's own rules make 2.1 of section 2.10, and a sum of 23:59.
        raw = yaml.load(text, yaml.BaseLoader)
        _spelt(raw, path)
        file = msgspec.convert(raw, _File, strict=False)
    except (yaml.YAMLError, msgspec.ValidationError, ValueError, RecursionError) as e:
        reason = " ".join(str(e).split())
        raise AssignmentError("assignment_invalid", path=path, reason=reason) from None
    zone = _zone(file.timezone, path)
    parts = tuple(_parts(file, course, path))
    if not parts:
        raise AssignmentError("assignment_empty", path=path)
    percent = {
        "percent_per_day": _number(file.late.percent_per_day, path, 100) / 100,
        "at_most_percent": _number(file.late.at_most_percent, path, 100) / 100,
    }
    after = file.late.refused_after_days
    return Assignment(
        parts=parts,
        title=file.title,
        due=_moment(file.due, zone, path) if file.due else None,
        zone=zone,
        late=Late(
            grace=_days(file.late.grace_minutes / 1440, path),
            per_day=percent["percent_per_day"],
            at_most=percent["at_most_percent"],
            refused_after=None if after is None else _days(after, path),
        ),
        extensions={student: _moment(when, zone, path) for student, when in file.extensions.items()},
    )


def dump(set_: Assignment) -> str:
    """A file that says the same: `parse` reads it."""
    import yaml

    late = set_.late
    after = {} if late.refused_after is None else {"refused_after_days": late.refused_after / _DAY}
    file = {
        "title": set_.title,
        "sections": {p.section: {"weight": str(p.weight), "hidden_tests": p.hidden_tests} for p in set_.parts},
        "due": set_.due.isoformat() if set_.due else "",
        "timezone": str(set_.zone or ""),
        "late": {
            "grace_minutes": late.grace / timedelta(minutes=1),
            "percent_per_day": str(late.per_day * 100),
            "at_most_percent": str(late.at_most * 100),
            **after,
        },
        "extensions": {student: when.isoformat() for student, when in set_.extensions.items()},
    }
    return str(yaml.safe_dump(file, allow_unicode=True, sort_keys=False))


def _spelt(raw: object, path: str) -> None:
    """Words that a person easily gets wrong, told as a person would."""
    if not isinstance(raw, dict):
        return
    for key in raw:
        if key not in _File.__struct_fields__:
            near = difflib.get_close_matches(str(key), _File.__struct_fields__, 1)
            known = ", ".join(_File.__struct_fields__)
            raise AssignmentError("assignment_key", path=path, value=key, near=", ".join(near), known=known)
    sections = raw.get("sections")
    entries = list(sections.values()) if isinstance(sections, dict) else []
    for entry in [raw, *(e for e in entries if isinstance(e, dict))]:
        if (value := entry.get("hidden_tests", "hidden")) not in get_args(Shown):
            raise AssignmentError("assignment_shown", path=path, value=value, known=", ".join(get_args(Shown)))


def _parts(file: _File, course: Course, path: str) -> "list[Part]":
    entries: Mapping[str, str | _Entry] = (
        file.sections if isinstance(file.sections, dict) else dict.fromkeys(file.sections, "")
    )
    parts: dict[str, Part] = {}
    for name, value in entries.items():
        entry = value if isinstance(value, _Entry) else _Entry(value)
        try:
            section = course[name]
        except UnknownSection as e:
            near = ", ".join(e.suggestions)
            raise AssignmentError("assignment_section", path=path, name=name, near=near) from None
        if section.slug in parts:
            raise AssignmentError("assignment_twice", path=path, name=name)
        weight = _number(entry.weight, path) if entry.weight else Fraction(sum(section.points.values()))
        shown = entry.hidden_tests or file.hidden_tests
        parts[section.slug] = Part(section.slug, section.number, weight, shown)
    return list(parts.values())


def _number(text: str, path: str, most: int = 1_000_000) -> Fraction:
    """Exact: 10, 7.5, 1/3."""
    try:
        number = Fraction(text if len(text) < 50 and "e" not in text.lower() else "")
    except (ValueError, ZeroDivisionError):
        number = Fraction(-1)
    if not 0 <= number <= most:
        raise AssignmentError("assignment_number", path=path, value=text, most=most)
    return number


def _days(days: float, path: str) -> timedelta:
    try:
        return timedelta(days=days)
    except (OverflowError, ValueError):
        raise AssignmentError("assignment_number", path=path, value=str(days), most=36_500) from None


def _zone(name: str, path: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, LookupError):  # no such zone; a name that is a path
        raise AssignmentError("assignment_zone", path=path, value=name) from None


def _moment(text: str, zone: tzinfo | None, path: str) -> datetime:
    """A day alone means its last minute."""
    try:
        when = datetime.fromisoformat(text)
        if len(text) <= len("2026-05-03"):
            when = datetime.combine(when, time(23, 59, 59))
    except ValueError:
        raise AssignmentError("assignment_time", path=path, value=text) from None
    if when.tzinfo is None:
        if zone is None:
            raise AssignmentError("assignment_no_zone", path=path, value=text)
        when = when.replace(tzinfo=zone)
    return when
