"""assignment.yaml: what counts how much, when it is due, what being late costs; every error with file and reason."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
import tiny_course
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import Assignment, AssignmentError, Late, of_course, parse, read

FULL = """
title: Homework 2
sections:
  1.1: 7.5
  again: {weight: 1/3, hidden_tests: visible}
due: 2026-05-03 23:59
timezone: Europe/Berlin
late: {grace_minutes: 15, percent_per_day: 10, at_most_percent: 50, refused_after_days: 7}
hidden_tests: after_due_date
extensions: {li.hua: 2026-05-05}
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Two sections: 1.1 doubling and 1.2 again, five points each."""
    return tiny_course.write(tmp_path_factory.mktemp("course") / "c")


def test_all_of_it(course):
    """Sections by number or slug with exact weights; times in the file's zone; a day means its last second."""
    a = parse(FULL, course)
    assert [(p.section, p.number, p.weight, p.hidden_tests) for p in a.parts] == [
        ("doubling", "1.1", Fraction(15, 2), "after_due_date"),
        ("again", "1.2", Fraction(1, 3), "visible"),
    ]
    berlin = ZoneInfo("Europe/Berlin")
    assert a.due == datetime(2026, 5, 3, 23, 59, tzinfo=berlin) == datetime(2026, 5, 3, 21, 59, tzinfo=UTC)
    assert a.extensions == {"li.hua": datetime(2026, 5, 5, 23, 59, 59, tzinfo=berlin)}
    assert a.late == Late(timedelta(minutes=15), Fraction(1, 10), Fraction(1, 2), timedelta(days=7))


def test_the_least(course):
    """A list of sections is enough: they weigh what their points are, and nothing is ever late."""
    a = parse("sections: [1.1, 1.2]", course)
    assert [p.weight for p in a.parts] == [5, 5] and a.due is None
    assert a.share(a.lateness(datetime.now(UTC))) == 1
    assert a.parts == of_course(course.sections).parts


@pytest.mark.parametrize(
    ("minutes", "left"),
    [(-9999, 1), (0, 1), (15, 1), (16, "9/10"), (1440, "9/10"), (1441, "8/10"), (6 * 1440, "1/2"), (7 * 1440 + 1, 0)],
)
def test_what_being_late_costs(course, minutes, left):
    """Nothing within the grace, then a tenth for each day begun, at most a half; after a week nothing is left."""
    a = parse(FULL, course)
    assert a.due and a.share(a.lateness(a.due + timedelta(minutes=minutes))) == Fraction(left)


def test_an_extension_is_one_students(course):
    """It moves the due date of whom it names, and nobody else's; who has no time is not late."""
    a = parse(FULL, course)
    at = datetime(2026, 5, 5, 12, tzinfo=UTC)
    assert not a.lateness(at, "li.hua") and a.lateness(at, "ann") == at - a.due and not a.lateness(None, "ann")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)), st.fractions(0, 1), st.fractions(0, 1))
def test_later_never_pays(late, per_day, at_most):
    """The share lies between 0 and 1 and does not grow with time."""
    a = Assignment((), late=Late(per_day=per_day, at_most=at_most))
    assert 0 <= a.share(late + timedelta(hours=7)) <= a.share(late) <= 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sections: [9.9]", "assignment_section"),
        ("sections: [1.1, doubling]", "assignment_twice"),
        ("sections: []", "assignment_empty"),
        ("sections: {1.1: -2}", "assignment_number"),
        ("sections: {1.1: 1/0}", "assignment_number"),
        ("sections: {1.1: 1e9999999}", "assignment_number"),
        ("sections: [1.1]\nlate: {percent_per_day: 101}", "assignment_number"),
        ("sections: [1.1]\nlate: {refused_after_days: 1e300}", "assignment_number"),
        ("sections: [1.1]\ndue: 2026-05-03 23:59", "assignment_no_zone"),
        ("sections: [1.1]\ndue: next week", "assignment_time"),
        ("sections: [1.1]\ntimezone: Mars/Base", "assignment_zone"),
        ("sections: [1.1]\ntimezone: ../../etc/passwd", "assignment_zone"),
        ("sections: [1.1]\nhidden_tests: never", "assignment_shown"),
        ("sections: {1.1: {hidden_tests: [x]}}", "assignment_shown"),
        ("section: [1.1]", "assignment_key"),
        ("sections: [1.1]\ndeu: 2026-05-03", "assignment_key"),
        ("sections: [1.1", "assignment_invalid"),
        ("- 1.1", "assignment_invalid"),
        ("", "assignment_invalid"),
    ],
)
def test_what_is_wrong_is_said(course, text, kind):
    """With the file and what is in it."""
    with pytest.raises(AssignmentError) as e:
        parse(text, course, "hw2.yaml")
    assert e.value.kind == kind and e.value.params["path"] == "hw2.yaml"


@given(text=st.text(max_size=80) | st.text("sections: [1.2]{}\n-due&*!", max_size=60))
def test_any_text_is_an_assignment_or_refused(course, text):
    """No other error comes of whatever is written there."""
    try:
        assert parse(text, course).parts
    except AssignmentError as e:
        assert e.kind.startswith("assignment_")


def test_a_file_that_cannot_be_read(course, tmp_path):
    """Is refused with the reason."""
    (tmp_path / "a.yaml").write_bytes(b"\xff")
    for path in (tmp_path / "a.yaml", tmp_path / "none.yaml"):
        with pytest.raises(AssignmentError) as e:
            read(path, course)
        assert e.value.kind == "assignment_unreadable"


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("days", [-3, 0, 1, 3])
@pytest.mark.parametrize("rule", ["hidden", "after_due_date", "after_published", "visible"])
def test_who_may_see_the_hidden_tests_when(course, rule, days, published):
    """Never, once the student's own due date is past, once it is published, or always; a section that was not set, and
    one that is never due, show nothing.
    """
    text = f"sections: [1.1]\nhidden_tests: {rule}\n"
    due = parse(f"{text}due: 2026-05-03\ntimezone: UTC\nextensions: {{li.hua: 2026-05-05}}", course)
    now = datetime(2026, 5, 3, 23, 59, 59, tzinfo=UTC) + timedelta(days=days)
    expected = {"after_due_date": days > 0, "after_published": published, "visible": True}.get(rule, False)
    assert due.shows("doubling", now, published) == expected
    assert due.shows("doubling", now, published, "li.hua") == (days > 2 if rule == "after_due_date" else expected)
    assert not due.shows("again", now, published)
    never = parse(text, course)
    assert never.shows("doubling", now, published) == (expected and rule != "after_due_date")
