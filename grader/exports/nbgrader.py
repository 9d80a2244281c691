"""A gradebook into nbgrader's database, through its own API: so its formgrader, feedback and export know the points.

What is written is the automatic score of each task, the comment on it and the penalty for lateness. What a person gave
in nbgrader (`manual_score`, `extra_credit`, `manual_comment`) is never touched, and goes before ours there. Writing the
same twice changes nothing. SQLite has one writer at a time.
"""

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from grader.model import Mendable, Student, Verdict, score
from grader.reports import remarks
from grader.reports.words import say

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.course import Section
    from grader.gradebook import Standing
    from grader.scores import Score, Total

_RULE = re.compile(r"(?m)^# hidden_tests: (\w+)(?:, due (\S+))?$")
ABOUT = "learn"  # the locked cell above the tasks
_SQLITE = "sqlite:///"
_OURS = b"learn_version"  # a table of our gradebooks


class NbgraderError(Mendable):
    """That database cannot be written."""


def grade_id(task: int) -> str:
    """The cell that counts a task's points."""
    return f"task-{task}"


def answer_id(tasks: Sequence[int]) -> str:
    """The cell in which these tasks are written."""
    return "-".join(("answer", *map(str, tasks)))


def tasks_of(answer: str) -> list[int]:
    """The tasks that are written in such a cell; none for a cell with another name."""
    kind, *tasks = answer.split("-")
    return [int(t) for t in tasks if t.isdecimal()] if kind == "answer" else []


def rule_line(shown: str, due: datetime | None) -> str:
    """The comment in a notebook's first locked cell on when a student may see how the hidden tests went."""
    return f"# hidden_tests: {shown}" + (f", due {due.isoformat()}" if due and shown == "after_due_date" else "")


def rule_of(source: str) -> tuple[str, datetime | None]:
    """What such a cell says: `hidden` if it says nothing."""
    if not (said := _RULE.search(source)):
        return "hidden", None
    try:
        due = datetime.fromisoformat(said[2]) if said[2] else None
    except ValueError:  # of somebody's own hand
        due = None
    return said[1], due if due and due.tzinfo else None


def in_parts(worth: Mapping[int, Fraction]) -> dict[int, float]:
    """What each task is worth, in quarters of a point, or in 64ths where a quarter would be off by more than a tenth:
    such numbers add up exactly in binary, so that a full score is full. What rounding leaves goes to whoever lost most.
    """
    for grain in (4, 64):
        parts = {task: int(points * grain) for task, points in worth.items()}
        left = round(sum(worth.values()) * grain) - sum(parts.values())
        for task in sorted(worth, key=lambda t: parts[t] - worth[t] * grain)[:left]:
            parts[task] += 1
        if all(abs(Fraction(parts[t], grain) - points) * 10 <= points for t, points in worth.items()):
            break
    return {task: part / grain for task, part in parts.items()}


def earned(share: str | Fraction, points: float) -> float:
    """That share of a cell's points, to two decimals; of all of them, all."""
    whole = Fraction(points)
    return points if Fraction(share) == 1 else float(min(whole, round(Fraction(share) * whole, 2)))


class Place(NamedTuple):
    """Where it goes."""

    url: str  # sqlite:///gradebook.db, postgresql://…
    course: str  # as nbgrader's course_id
    assignment: str  # the name of its folder in source/

    @property
    def shown(self) -> str:
        """The address, without a password."""
        return re.sub(r"://[^/]*@", "://", self.url)


def write(
    place: Place,
    assigned: "Assignment",
    sections: "Sequence[Section]",
    totals: "Sequence[Total]",
    find: "Callable[..., Student | None]",
    verdict: "Callable[[Standing], Verdict | None]",
    lang: str,
) -> int:
    """Everybody's points; how many students that were. What is not judged yet has no score there. `find`: whom of
    ours these names mean, for the students that are there. Raises NbgraderError.
    """
    with _told(place), _opened(place) as book:
        ids = _ids(book, place, totals, find)
        _prepare(book, place, assigned, sections)
        for total in totals:
            there = ids.get(total.student.id, total.student.id)
            _student(book, there, total.student)
            if any(s.standing for s in total.scores):  # else nbgrader knows by itself that it is nothing
                _submission(book, place.assignment, assigned, there, total)
                for section, mark in zip(sections, total.scores, strict=True):
                    _notebook(book, place.assignment, section, there, mark, verdict, lang)
        book.db.commit()
    return len(totals)


@contextlib.contextmanager
def _told(place: Place) -> Iterator[None]:
    """Raises NbgraderError for whatever is wrong with the database; nbgrader's own warnings of SQLAlchemy are nobody's
    business here.
    """
    try:
        from nbgrader.api import InvalidEntry, StatementError
    except ModuleNotFoundError as e:
        raise NbgraderError("not_installed", what=e.name, extra="instructor") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (InvalidEntry, StatementError) as e:
        raise NbgraderError("nbgrader_unusable", path=place.shown, reason=_reason(e)) from None


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]


def _opened(place: Place) -> Any:
    from nbgrader.api import Gradebook

    if "://" not in place.url:
        raise NbgraderError("nbgrader_prefix", path=place.shown)
    file = Path(place.url.removeprefix(_SQLITE))
    # It would put its tables into any database.
    if place.url.startswith(_SQLITE) and file.is_file() and _OURS in file.read_bytes():
        raise NbgraderError("nbgrader_ours", path=place.shown)
    # For a new database nbgrader calls alembic by its name, which need not be on the path of whoever calls us.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    try:
        return Gradebook(place.url, place.course)
    except Exception as e:  # of an address, of a driver that is missing
        raise NbgraderError("nbgrader_unusable", path=place.shown, reason=_reason(e)) from None


def _prepare(book: Any, place: Place, assigned: "Assignment", sections: "Sequence[Section]") -> None:
    """The assignment with its notebooks and cells: what is there stays, since a submission mirrors them once."""
    name = place.assignment
    there = [a for a in book.assignments if a.name == name]
    if not there and book.assignments:
        found = ", ".join(a.name for a in book.assignments)
        raise NbgraderError("nbgrader_assignment", name=name, found=found)
    cells = {(n.name, cell.name) for a in there for n in a.notebooks for cell in n.grade_cells}
    missing = [
        (section.slug, task, worth)
        for section in sections
        for task, worth in in_parts(assigned.worth(section)).items()
        if (section.slug, grade_id(task)) not in cells
    ]
    if missing and any(a.submissions for a in there):
        slug, task, _ = missing[0]
        raise NbgraderError("nbgrader_cells", name=name, notebook=slug, cell=grade_id(task))
    book.update_or_create_assignment(name, **({"duedate": _utc(assigned.due)} if assigned.due else {}))
    for slug, task, worth in missing:
        book.update_or_create_notebook(slug, name)
        book.add_grade_cell(grade_id(task), slug, name, max_score=worth, cell_type="code")
        book.update_or_create_solution_cell(answer_id([task]), slug, name)


def _ids(book: Any, place: Place, totals: "Sequence[Total]", find: "Callable[..., Student | None]") -> dict[str, str]:
    """By our id, that of whoever is there already. Raises NbgraderError if somebody is, and none of them is ours."""
    ours = {t.student.id for t in totals}
    people = book.students
    found = {s.id: who.id for s in people if (who := find(*filter(None, (s.id, s.email)))) and who.id in ours}
    ids = {mine: there for there, mine in found.items()} | {s.id: s.id for s in people if s.id in ours}
    if people and ours and not ids:
        raise NbgraderError("nbgrader_students", path=place.shown, course=place.course)
    return ids


def _student(book: Any, id_: str, student: Student) -> None:
    """Who is there stays as somebody wrote it."""
    from nbgrader.api import MissingEntry

    try:
        book.find_student(id_)
    except MissingEntry:
        first, _, last = " ".join(student.name.split()).rpartition(" ")
        book.add_student(id_, first_name=first or None, last_name=last or None, email=student.email or None)


def _submission(book: Any, name: str, assigned: "Assignment", student: str, total: "Total") -> None:
    handed = [s.standing.handed_at for s in total.scores if s.standing and s.standing.handed_at]
    told: dict[str, Any] = {"timestamp": _utc(max(handed))} if handed else {}
    if assigned.due and (extended := assigned.extensions.get(total.student.id)):
        told["extension"] = extended - assigned.due
    book.update_or_create_submission(name, student, **told)


def _notebook(
    book: Any,
    name: str,
    section: "Section",
    student: str,
    mark: "Score",
    verdict: "Callable[[Standing], Verdict | None]",
    lang: str,
) -> None:
    judged = verdict(mark.standing) if mark.standing else None
    shares = _shares(mark, judged, section)
    earned = Fraction(0)
    for task in section.points:
        grade = book.find_grade(grade_id(task), section.slug, name, student)
        points = shares[task] * Fraction(grade.cell.max_score) if shares else None
        earned += points or 0
        auto = None if points is None else float(points)
        if auto is None or auto != grade.auto_score:  # else whoever looked at it need not do so again
            grade.auto_score, grade.needs_manual_grade = auto, auto is None or grade.manual_score is not None
    notebook = book.find_submission_notebook(section.slug, name, student)
    notebook.late_submission_penalty = float(earned * (1 - mark.share)) or None
    for comment in notebook.comments:
        if tasks := tasks_of(comment.name):
            comment.auto_comment = _comment(mark, judged, section, tasks, lang) or None


def _shares(mark: "Score", judged: Verdict | None, section: "Section") -> Mapping[int, Fraction] | None:
    """The share of each task's points, lateness aside; None: not judged yet. What a person gave for the section is
    spread evenly.
    """
    standing = mark.standing
    if standing is None:
        return dict.fromkeys(section.points, Fraction(0))
    if standing.adjustment:
        return dict.fromkeys(section.points, (standing.points or Fraction(0)) / (mark.max_points or 1))
    if judged is None:
        return None
    return {task: Fraction(score(judged.checks, {task: 1})[0]) for task in section.points}


def _comment(mark: "Score", judged: Verdict | None, section: "Section", tasks: Sequence[int], lang: str) -> str:
    if mark.standing and (given := mark.standing.adjustment):
        return say("nbgrader.by_hand", lang, who=given.who, why=given.why)
    return "\n\n".join(filter(None, (remarks.comment(judged, section, t, lang) for t in tasks))) if judged else ""


def _utc(moment: datetime) -> datetime:
    """As nbgrader keeps times: UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
