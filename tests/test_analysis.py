"""The numbers of a class, against other ways of computing them, and against classes whose truth is known."""

from datetime import UTC, datetime
from fractions import Fraction
from itertools import count

import class_of
import numpy as np
import pytest
import tiny_course
from class_of import check
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import assignment
from grader.analysis import Reason, analyse, mistakes_of, spread
from grader.gradebook import Gradebook
from grader.model import Outcome, Sandbox, Student, Tier, Verdict
from grader.scores import totals

_folders = count()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Two sections, 1.1 doubling and 1.2 again, each with a task of two points and one of three."""
    return tiny_course.write(tmp_path_factory.mktemp("course") / "c")


@pytest.fixture(scope="module")
def numbers(course, tmp_path_factory):
    """numbers(answers, people, sections) -> the analysis of a gradebook in which they stand."""

    def made(answers, people=(), sections=("doubling",), change=None):
        place = tmp_path_factory.mktemp("book") / f"{next(_folders)}.sqlite"
        class_of.judged(place, course, answers, {s.id: s for s in people})
        set_ = assignment.of_course(course.chosen(sections))
        with Gradebook(str(place)) as book:
            if change:
                change(book)
            everybody = totals(book.standings(), book.students(), set_)
            stands = [s.standing for t in everybody for s in t.scores if s.standing]
            return analyse({s: course[s] for s in sections}, everybody, book.opened(stands))

    return made


def row(outcomes):
    """A verdict on three tests of task 1 and two of task 2, the last of them one that the learner may read."""
    about = [(1, "a"), (1, "b"), (1, "c"), (2, "d"), (2, "e")]
    return [check(t, n, bool(ok), visible=n == "e") for (t, n), ok in zip(about, outcomes, strict=True)]


@settings(max_examples=25, deadline=None)  # each is a gradebook on a disk
@given(st.lists(st.tuples(*[st.booleans()] * 5), min_size=1, max_size=12))
def test_difficulty_and_discrimination(numbers, matrix):
    """As numpy has them: the mean of each column, and its correlation with the points of the others; nothing where one
    of the two is constant, or for fewer than five answers.
    """
    found = numbers({(f"s{i:02d}", "doubling"): row(r) for i, r in enumerate(matrix)})
    passed = np.array(matrix, dtype=float)
    worth = np.array([2 / 3, 2 / 3, 2 / 3, 3, 0])  # what may be read earns nothing
    assert [t.name for t in found.tests] == list("abcde")
    for i, test in enumerate(found.tests):
        rest = passed @ worth - passed[:, i] * worth[i]
        assert (test.n, test.passed) == (len(matrix), passed[:, i].sum())
        assert float(test.difficulty) == pytest.approx(passed[:, i].mean())
        if len(matrix) < 5 or np.ptp(passed[:, i]) == 0 or np.ptp(rest) < 1e-9:
            assert test.discrimination is None
        else:
            assert test.discrimination == pytest.approx(np.corrcoef(passed[:, i], rest)[0, 1])
    (of_section,) = found.sections
    points = passed @ worth
    assert float(of_section.points.mean) == pytest.approx(points.mean() / 5)
    assert float(of_section.points.median) == pytest.approx(np.median(points) / 5)
    assert [float(t.points.mean) for t in found.tasks] == pytest.approx([passed[:, :3].mean(), passed[:, 3].mean()])
    assert (of_section.seconds, of_section.longest) == (0.25, 0.25)


@given(st.lists(st.fractions(0, 1, max_denominator=60)))
def test_a_spread(shares):
    """Every share is in one of eleven counts, by tenths, and the last has those who have everything."""
    found = spread(shares)
    assert sum(found.tenths) == found.n == len(shares)
    assert found.full == found.tenths[10] == shares.count(1) and found.none == shares.count(0)
    edges = np.histogram([float(s) for s in shares if s < 1], bins=np.arange(11) / 10 - 1e-12)[0]
    assert list(found.tenths[:10]) == list(edges)
    assert (found.mean is None) == (found.median is None) == (not shares)


def test_points_by_hand_above_all_there_is():
    """A bonus counts as everything."""
    assert spread([Fraction(6, 5)]).tenths[10] == 1


def test_a_test_that_right_answers_fail(numbers):
    """It looks broken if answers that pass the others fail it by no known mistake; not if the mistake is known, if the
    answers are wrong elsewhere too, or if it is one or two.
    """
    right, broken, weak = [1] * 5, [1, 1, 1, 0, 1], [0, 0, 1, 0, 1]

    def suspects(rows):
        found = numbers({(f"s{i:02d}", "doubling"): r for i, r in enumerate(rows)})
        return [(t.name, t.strong, t.strong_failed) for t in found.tests if t.suspect]

    known = [*row(broken)[:3], check(2, "d", False, mistake="summed"), check(2, "e")]
    assert suspects([row(right)] * 6 + [row(broken)] * 4 + [row(weak)] * 5) == [("d", 10, 4)]
    assert suspects([row(broken)] * 5) == [("d", 5, 5)], "one that nobody passes"
    assert suspects([row(right)] * 6 + [known] * 4) == []
    assert suspects([row(right)] * 6 + [row(weak)] * 9) == []
    assert suspects([row(right)] * 6 + [row(broken)] * 2) == []
    assert suspects([row(right)] * 40 + [row(broken)] * 3) == [], "few of many"
    waits = [check(1, "a", False), *row(right)[1:3], check(2, "d", outcome=Outcome.SKIPPED), check(2, "e")]
    assert suspects([row(right)] * 6 + [waits] * 4) == [("a", 10, 4)], "what waits for it says nothing"


def test_mistakes_are_counted_by_students(numbers):
    """Each student once for a mistake in a section, whatever number of tests recognise it; of two in a task the one
    that a value gave away; none of a file that cannot be run at all.
    """

    def made(*mistakes):
        return [check(1, "ok"), *(check(t, f"t{i}", False, kind=k, mistake=m) for i, (t, k, m) in enumerate(mistakes))]

    timeout, summed = (2, "timeout", "timeout"), (2, "values", "summed")
    whole = [check(t, n, False, kind="syntax", mistake="syntax", where=3) for t, n in ((1, "a"), (2, "b"))]
    found = numbers(
        {
            ("ann", "doubling"): made(summed, summed),
            ("bob", "doubling"): made(timeout, summed),
            ("cas", "doubling"): made(timeout),
            ("dan", "doubling"): made((1, "values", "summed"), summed),
            ("eve", "doubling"): whole,
            ("eve", "again"): made(summed),
        },
        sections=("doubling", "again"),
    )
    assert [(m.number, m.id, m.tasks, m.students, m.share) for m in found.mistakes] == [
        ("1.1", "summed", (1, 2), ("ann", "bob", "dan"), Fraction(3, 5)),
        ("1.1", "timeout", (2,), ("cas",), Fraction(1, 5)),
        ("1.2", "summed", (2,), ("eve",), Fraction(1)),
    ]


def test_a_mistake_of_a_verdict():
    """The first that was recognised in each task."""
    checks = tuple(check(1, f"t{i}", False, mistake=m) for i, m in enumerate(["", "first", "second"]))
    verdict = Verdict(
        section="s", section_digest="", submission_digest="", checks=checks, points="0", max_points="1",
        sandbox=Sandbox(tier=Tier.T3), versions={},
    )  # fmt: skip
    assert mistakes_of(verdict) == {1: "first"}


def test_who_needs_attention(numbers):
    """Each for every reason that there is, the gravest first; who is well is not named."""
    half = [check(1, "a"), check(2, "b", False)]
    blank = [check(1, "a", outcome=Outcome.NOT_WRITTEN), check(2, "b", outcome=Outcome.NOT_WRITTEN)]
    denied = [check(1, "a", outcome=Outcome.DENIED, kind="denied"), check(2, "b")]
    flagged = [check(1, "a"), check(2, "b", False, flag="forged")]
    well = [check(1, "a"), check(2, "b")]
    answers = {(f"well{i}", s): well for i in range(5) for s in ("doubling", "again")}
    answers |= {("half", "doubling"): half, ("half", "again"): well}
    answers |= {("stops", "doubling"): well, ("stops", "again"): blank}
    answers |= {("missing", "doubling"): well, ("early", "again"): well}
    answers |= {("denied", "doubling"): denied, ("denied", "again"): well}
    answers |= {("flagged", "doubling"): flagged, ("flagged", "again"): flagged}
    answers |= {("weak", "doubling"): blank, ("weak", "again"): half}
    syntax = [check(t, n, outcome=Outcome.CRASHED, kind="syntax") for t, n in ((1, "a"), (2, "b"))]
    wrong = [check(1, "a", False), check(2, "b", False)]
    answers |= {("broken", "doubling"): syntax, ("broken", "again"): well}
    answers |= {("zero", "doubling"): wrong, ("zero", "again"): wrong}
    found = numbers(answers, [Student(id="nobody")], ("doubling", "again"))
    assert {c.student: c.reasons for c in found.concerns} == {
        "nobody": (Reason("nothing"),),
        "denied": (Reason("denied", ("1.1",)),),
        "flagged": (Reason("flagged", ("1.1", "1.2")),),
        "broken": (Reason("unrunnable", ("1.1",)),),
        "zero": (Reason("no_points", ("1.1", "1.2")), Reason("far_below")),
        "weak": (Reason("far_below"),),
        "stops": (Reason("stopped", ("1.2",)),),
        "missing": (Reason("stopped", ("1.2",)),),
    }
    assert [c.student for c in found.concerns] == [
        "nobody", "denied", "flagged", "broken", "zero", "weak", "missing", "stops",
    ]  # fmt: skip
    assert (found.students, found.active, found.totals.n) == (15, 14, 14)


def test_what_was_judged_by_older_tests(numbers, course):
    """It counts for the points, and is told as due; the tests of now are judged by their own answers alone. What is not
    judged at all is nobody's failure.
    """

    def corrected(book):
        from grader.batch import now
        from grader.model import Handed

        tests = [t._replace(digest="another") for t in now([course["doubling"]])]
        new = Handed(student=Student(id="new"), section="doubling", text="x", digest="x", at=datetime.now(UTC))
        book.begin(tests, [new])

    found = numbers({(f"s{i}", "doubling"): row([1] * 5) for i in range(6)}, change=corrected)
    (section,) = found.sections
    assert (section.answers, section.due, section.points.n, found.tests) == (7, 7, 6, ())
    assert found.concerns[0].reasons == (Reason("unjudged", ("1.1",)),)
    assert [t.points.n for t in found.tasks] == [6, 6]


def test_a_class_of_nobody(numbers):
    """Nothing is said, and nothing fails."""
    found = numbers({})
    assert (found.students, found.tests, found.mistakes, found.concerns) == (0, (), (), ())
    assert found.totals.mean is None and found.sections[0].seconds is None
