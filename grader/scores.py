"""What a class's points come to: weights and lateness over the gradebook's standings, as exact fractions."""

from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from grader.assignment import Assignment
from grader.model import Student

if TYPE_CHECKING:
    from grader.gradebook import Standing


class Score(NamedTuple):
    """One student's mark for one section."""

    number: str
    section: str  # slug
    points: Fraction | None  # that count, lateness taken off; None: handed in, and not judged yet
    max_points: Fraction
    late: timedelta
    share: Fraction  # of the points that lateness leaves
    standing: "Standing | None"  # None: nothing was handed in


class Total(NamedTuple):
    """One student's marks."""

    student: Student
    scores: list[Score]  # in the assignment's order
    share: Fraction  # of all that could be had, by weight: 0 to 1
    due: bool  # something of it is not judged by the tests of now


def totals(standings: "Iterable[Standing]", students: Iterable[Student], assignment: Assignment) -> list[Total]:
    """Everybody's marks, by id. What was not handed in is worth nothing; a person's points are not cut for lateness."""
    found: dict[str, dict[str, Standing]] = {}
    everybody = {s.id: s for s in students}
    for standing in standings:
        found.setdefault(standing.student.id, {})[standing.section] = standing
        everybody.setdefault(standing.student.id, standing.student)
    return [_total(student, found.get(student.id, {}), assignment) for _, student in sorted(everybody.items())]


def _total(student: Student, stands: "dict[str, Standing]", assignment: Assignment) -> Total:
    scores, share = [], Fraction(0)
    weights = sum((p.weight for p in assignment.parts), Fraction(0))
    for part in assignment.parts:
        s = stands.get(part.section)
        late = assignment.lateness(s.handed_at, student.id) if s else timedelta()
        adjusted = s is not None and s.adjustment is not None
        left = Fraction(1) if adjusted else assignment.share(late)
        points = Fraction(0) if s is None else None if s.points is None else s.points * left
        most = s.max_points if s else Fraction(0)
        scores.append(Score(part.number, part.section, points, most, late, left, s))
        if points and most and weights:
            share += points / most * part.weight / weights
    due = any(s.due and not s.adjustment for s in stands.values())
    return Total(student, scores, share, due)
