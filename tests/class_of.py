"""A small class for tests, with the mini course: right, wrong, empty and hostile answers."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grader import batch
from grader.course import Course
from grader.gradebook import Gradebook
from grader.model import Check, Handed, Outcome, Sandbox, Student, Tier, Times, Verdict, score
from grader.submission import of_text

MINI = Path(__file__).parent / "mini_course"
FULL = Fraction(6)
AT = datetime(2026, 5, 3, 12, tzinfo=UTC)  # when everybody handed in

# a test whose judge never comes back, if the answer says so
HANGING = """

@task(1)
def test_hanging(learner, rng, source):
    import ctypes, signal

    if "# hang" in source.text:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        ctypes.CDLL(None).pause()
    expect(learner.double(rng.normal(5)).shape[0]).equal_to(5)
"""


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


def judged(
    place: Path | str,
    made: Course,
    answers: Mapping[tuple[str, str], Sequence[Check]],
    people: Mapping[str, Student] = MappingProxyType({}),
    text: str = "",
) -> None:
    """A gradebook in which nothing was judged, and everything is known: (student's id, slug) -> the checks.

    `people`: by id, also those who handed in nothing; `text`: everybody's answer, but for a last line.
    """
    sections = list({slug: made[slug] for _, slug in answers}.values()) or made.sections
    handed, verdicts = [], []
    for (id_, slug), checks in answers.items():
        answer = of_text(f"{text}\n# {id_}\n")
        student = people.get(id_, Student(id=id_))
        handed.append(Handed(student=student, section=slug, text=answer.text, digest=answer.digest, at=AT))
        points, most = score(tuple(checks), made[slug].points)
        verdicts.append(
            Verdict(
                section=slug, section_digest=made[slug].digest, submission_digest=answer.digest, checks=tuple(checks),
                points=points, max_points=most, sandbox=Sandbox(tier=Tier.T3), versions={}, times=Times(total=0.25),
            )
        )  # fmt: skip
    with Gradebook(str(place)) as book:
        book.begin(batch.now(sections), handed, people.values())
        for verdict in verdicts:
            book.record(verdict)
        book.finish()


def check(task: int, name: str = "test", ok: bool = True, *, visible: bool = False, **more: Any) -> Check:
    """One that passed or, with what came of it, did not."""
    outcome = more.pop("outcome", Outcome.PASSED if ok else Outcome.FAILED)
    promise = {"en": f"Promise of {name}.", "zh": f"{name} 的承诺。"}
    kind = more.pop("kind", "" if outcome is Outcome.PASSED else "values")
    return Check(name=name, task=task, visible=visible, outcome=outcome, promise=promise, kind=kind, **more)
