"""Gradescope: what each test is worth, and what the autograder does when something is wrong with us."""

import json
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from cli import learn
from grader import assignment, autograder
from grader.assignment import Assignment, Late, Part
from grader.course import Course
from grader.exports import gradescope
from grader.model import Check, Outcome, Sandbox, Tier, Verdict, score
from grader.release import ReleaseError
from grader.releases.gradescope import requirements
from grader.reports.words import LANGUAGES
from grader.scores import totals

SET = """title: Homework 2
sections: {1.1: 10, 2.2: {weight: 7.5, hidden_tests: visible}, 3.1: {weight: 1/3, hidden_tests: after_due_date}}
due: 2026-05-03 23:59
timezone: Europe/Berlin
late: {grace_minutes: 15, percent_per_day: 10, at_most_percent: 50, refused_after_days: 7}
extensions: {li.hua@x.edu: 2026-05-05 23:59}
"""


@pytest.fixture(scope="module")
def course():
    """Ours."""
    return Course.ours()


CHECK = st.builds(
    lambda task, visible, passed: Check(
        name="t", task=task, visible=visible, outcome=Outcome.PASSED if passed else Outcome.FAILED
    ),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)


FAILED = [Check(name="t", task=n, visible=False, outcome=Outcome.FAILED) for n in (1, 2, 3)]


@given(
    st.lists(CHECK, max_size=12).map(lambda checks: [*checks, *FAILED]),
    st.fixed_dictionaries(dict.fromkeys((1, 2, 3), st.integers(1, 7))),
    st.fractions(0, 40, max_denominator=100) | st.fractions(0, 3, max_denominator=9),
)  # fmt: skip
def test_the_tests_together_are_worth_the_section(checks, points, weight):
    """To the hundredth: all of them its weight, those that passed what was earned, and none less than nothing."""
    worth = gradescope._points(checks, points, weight)
    assert sum(worth) == Fraction(round(weight * 100), 100)
    assert all(w >= 0 and (w * 100).denominator == 1 for w in worth)
    earned = Fraction(score(tuple(checks), points)[0]) / sum(points.values()) * weight
    got = sum((w for w, c in zip(worth, checks, strict=True) if c.outcome is Outcome.PASSED), Fraction(0))
    assert abs(got - earned) <= Fraction(1, 100) and (earned < weight or got == sum(worth))


def verdict(section, outcomes):
    """A verdict by hand: a visible and two hidden tests of each task, of which so many passed."""
    checks = [
        Check(
            name=f"test_{task}_gives_4711[3-{i}]",
            task=task,
            visible=not i,
            outcome=Outcome.PASSED if next(outcomes, True) else Outcome.FAILED,
            kind="values",
            promise={"en": f"Promise `a*b` *{task}*.", "zh": f"承诺 {task}。"},
        )
        for task in section.points
        for i in range(3)
    ]
    earned, possible = score(tuple(checks), section.points)
    return Verdict(
        section=section.slug, section_digest="d", submission_digest="s", checks=tuple(checks), points=earned,
        max_points=possible, sandbox=Sandbox(tier=Tier.T3), versions={}, stdout="<b>\n# loud",
    )  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_of_hidden_tests_tell_nothing(course, lang):
    """Neither the function's name nor its parameters; they are shown when the assignment says, examples always."""
    set_ = assignment.parse(SET, course)
    sections = {s.slug: s for s in course.chosen(set_.sections)}
    verdicts = {"gradients": verdict(sections["gradients"], iter([True, False]))}
    (total,) = totals([], [autograder.Student(id="s")], set_)
    told = gradescope.results(total, set_, sections, verdicts, lang, ["a *note*"])
    text = json.dumps(told, ensure_ascii=False)
    assert "4711" not in text and r"a \*note\*" in told["output"] and "    # loud" in told["output"]
    tests = {t["number"]: t for t in told["tests"]}
    assert tests["2.2.2"]["visibility"] == "visible" and tests["2.2.2"]["status"] == "failed"
    assert {t["visibility"] for t in told["tests"]} == {"visible"}, "what is missing is no secret"
    assert (r"Promise `a*b` \*1\*." if lang == "en" else "承诺") in tests["2.2.2"]["output"]
    assert tests["1.1"]["max_score"] == 10 and tests["3.1"]["max_score"] == 0.33
    assert sum(Decimal(str(t["max_score"])) for t in told["tests"]) == Decimal("17.83")
    assert {t["output_format"] for t in told["tests"]} == {"md", "text"}


@pytest.mark.parametrize("shown", ["hidden", "after_due_date", "after_published", "visible"])
def test_hidden_tests_show_when_the_assignment_says(course, shown):
    """Gradescope's own words, per section."""
    set_ = assignment.parse(f"sections: [2.2]\nhidden_tests: {shown}", course)
    sections = {s.slug: s for s in course.chosen(set_.sections)}
    (total,) = totals([], [autograder.Student(id="s")], set_)
    made = verdict(sections["gradients"], iter([]))
    told = gradescope.results(total, set_, sections, {"gradients": made}, "en")
    assert [t["visibility"] for t in told["tests"]] == ["visible", shown, shown] * 4


ZONES = [UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-7))]
MAY = datetime(2026, 5, 3, tzinfo=UTC)


@given(
    st.builds(
        Late,
        grace=st.integers(0, 10_000).map(lambda m: timedelta(minutes=m)),
        per_day=st.fractions(0, 1, max_denominator=1000),
        at_most=st.fractions(0, 1, max_denominator=1000),
        refused_after=st.none() | st.integers(0, 90).map(lambda d: timedelta(days=d)),
    ),
    st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.sampled_from(ZONES)),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12),
    st.dictionaries(st.emails() | st.sampled_from(["0123", "true", "李华", "a: b", "#1"]), st.just(MAY), max_size=3),
    st.fractions(0, 1000, max_denominator=1000),
)  # fmt: skip
def test_an_assignment_goes_along_whole(late, due, title, extensions, weight):
    """What the archive says of the assignment is what was set, whatever is in it."""
    parts = (
        Part("gradients", "2.2", weight, "after_published"),
        Part("first_contact", "1.1", Fraction(1, 3), "hidden"),
    )
    set_ = Assignment(parts, title, due, ZoneInfo("Europe/Berlin"), late, extensions)
    assert assignment.parse(assignment.dump(set_), Course.ours()) == set_


def test_what_pip_is_asked_for(course):
    """Every line is a requirement with one exact version, and torch is the one for processors."""
    first, *lines = requirements(course.about.packages).splitlines()
    assert first.startswith("--extra-index-url https://download.pytorch.org/whl/cpu")
    found = {r.name: r for r in map(Requirement, lines)}
    assert {"torch", "torchvision", "numpy", "msgspec", "pytest", "sqlalchemy"} <= set(found)
    assert all(len(r.specifier) == 1 and str(r.specifier).startswith("==") for r in found.values())
    assert str(found["torch"].specifier).endswith("+cpu")


def test_what_cannot_be_packed(course, tmp_path, capsys):
    """A course without its solutions, and a package that is not here: one clear line, exit 2, no archive."""
    shutil.copytree(course.exercises, tmp_path / "exercises")
    (tmp_path / "hw.yaml").write_text("sections: [1.1]", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        given = ["release", str(tmp_path / "hw.yaml"), "--to", "gradescope", "--out", str(tmp_path / "a.zip")]
        learn.main([*given, "--course", str(tmp_path), "--lang", "en"])
    assert end.value.code == 2 and capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "a.zip").exists()
    with pytest.raises(ReleaseError) as e:
        requirements(["no-such-package-here"])
    assert e.value.kind == "not_installed"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The archive of three sections, unpacked as Gradescope does it, with its script where Gradescope puts it."""
    root = tmp_path_factory.mktemp("autograder")
    (root / "assignment.yaml").write_text(SET, encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        out = str(root / "a.zip")
        learn.main(["release", str(root / "assignment.yaml"), "--to", "gradescope", "--out", out, "--lang", "en"])
    assert end.value.code == 0
    with zipfile.ZipFile(root / "a.zip") as archive:
        archive.extractall(root / "source")
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
    assert modes["run_autograder"] & 0o111 and modes["setup.sh"] & 0o111
    return root


def test_no_right_answer_is_in_the_archive(packed, course):
    """Hidden tests are, of these sections only; references, other right answers and wrong ones are not."""
    solutions = packed / "source" / "solutions"
    assert {p.parent.name[3:] for p in solutions.rglob("test_*.py")} == {"first_contact", "gradients", "activations"}
    assert not [p for p in solutions.rglob("*") if p.stem == p.parent.name[3:] or p.parent.name in ("also", "wrong")]
    assert (packed / "a.zip").stat().st_size < 1 << 20
    for section in Course.at(packed / "source").sections:
        assert section.digest == course[section.slug].digest, "the same tests"


def test_the_scripts_are_scripts(packed):
    """bash can read them."""
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", str(packed / "source" / name)], check=False).returncode == 0


@pytest.mark.parametrize("damage", ["settings.json", "assignment.yaml", "secret", "exercises/course.yaml"])
def test_a_fault_of_ours_is_no_zero(packed, tmp_path, capsys, damage):
    """Where the autograder itself is damaged there is no results.json, nor an older one; it is told, with exit 1."""
    for name in ("results", "submission", "source/exercises"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "results" / "results.json").write_text('{"score": 3}')
    for name in ("settings.json", "assignment.yaml", "secret"):
        (tmp_path / "source" / name).write_bytes((packed / "source" / name).read_bytes())
    (tmp_path / "source" / damage).unlink(missing_ok=True)
    assert autograder.main(tmp_path) == 1
    assert list((tmp_path / "results").iterdir()) == []
    said = capsys.readouterr().err
    assert "could not be judged" in said and "Traceback" in said


@pytest.mark.parametrize("require", ["T9", None])
def test_the_sandbox_is_asked_for(packed, tmp_path, capsys, require):
    """T2 at least, as the archive says: with less an answer of root's could read the hidden tests. What is no tier
    leaves no score.
    """
    settings = json.loads((packed / "source" / "settings.json").read_text(encoding="utf-8"))
    assert settings == {"lang": "en", "require": "T2"}
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "settings.json").write_text(json.dumps({"lang": "en", "require": require}))
    assert autograder.main(tmp_path) == 1 and "not a valid Tier" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_who_and_when_and_until_when(course):
    """The assignment's own due date goes first, else Gradescope's; of a group, whoever has most time counts."""
    set_ = assignment.parse(SET, course)
    due, told = set_.due, "2026-05-09T23:00:00.000000-07:00"
    about = {
        "created_at": "2026-05-04T14:22:32.365935-07:00",
        "assignment": {"due_date": told},
        "users": [{"email": "ann@x.edu", "id": 1, "name": "Ann"}, {"email": "li.hua@x.edu", "id": 2, "name": "Li"}],
    }
    given, who, at = autograder._handed(set_, about)
    assert (given.due, who.id, at.isoformat()) == (due, "li.hua@x.edu", "2026-05-04T14:22:32.365935-07:00")
    given, who, _ = autograder._handed(msgspec.structs.replace(set_, due=None, extensions={}), about)
    assert given.due == datetime.fromisoformat(told) and who.id == "ann@x.edu"
    _, who, at = autograder._handed(set_, {})
    assert (who.id, at) == ("student", None)
