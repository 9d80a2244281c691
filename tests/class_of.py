"""A small class for tests, with the mini course: right, wrong, empty and hostile answers."""

import shutil
from fractions import Fraction
from pathlib import Path

from grader.course import Course
from grader.gradebook import Gradebook

MINI = Path(__file__).parent / "mini_course"
FULL = Fraction(6)


def course(root: Path) -> Course:
    """The mini course (one section, `double`, six points) in a folder of its own, so that its tests can be changed."""
    shutil.copytree(MINI, root)
    return Course.at(root)


def write(folder: Path, made: Course, count: int) -> dict[str, Fraction]:
    """A folder for each student, and the truth: right, wrong in one task, empty and hostile answers in turn."""
    right = made["double"].reference.read_text(encoding="utf-8")
    wrong = right.replace("2 * x", "3 * x").replace("x * 2", "x * 3").replace("x + x", "x + x + x")
    assert wrong != right
    kinds = [(right, FULL), (wrong, None), ("", Fraction(0)), (right, FULL), ("import os\nos._exit(0)\n", Fraction(0))]
    truth: dict[str, Fraction] = {}
    for i in range(count):
        text, points = kinds[i % len(kinds)]
        path = folder / f"s{i:02d}" / "double.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"{text}\n# {i}\n", encoding="utf-8")
        if points is not None:
            truth[f"s{i:02d}"] = points
    return truth


def points(place: Path | str) -> dict[str, Fraction | None]:
    """What the gradebook says, nobody twice and nothing due."""
    with Gradebook(str(place)) as book:
        standings = book.standings()
        assert book.due() == 0 and not any(s.due for s in standings)
    assert len({s.student.id for s in standings}) == len(standings)
    return {s.student.id: s.points for s in standings}
