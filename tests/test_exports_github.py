"""What goes to GitHub, GitHub Classroom and Classroom 50: read back as they read it."""

import base64
import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from grader.exports import classroom, classroom50, github
from grader.exports.parts import Answer, parts
from grader.model import Check, Outcome, Sandbox, Tier, Times, Verdict
from grader.reports.words import LANGUAGES

TEXT = st.text(max_size=40)
HOSTILE = "::error::x\n##[error]y | <script>alert(1)</script> [a](https://evil.example) ![b](https://evil.example) `c"
RUNNER = {
    "CLASSROOM": "cs",
    "ASSIGNMENT": "hw1",
    "SUBMISSION_TAG": "submit/1",
    "COMMIT_URL": "https://example.org/c",
    "RELEASE_URL": "https://example.org/r",
}


def check(task, outcome=Outcome.PASSED, visible=False, **more):
    """A check of that task."""
    return Check(name=f"test_{task}", task=task, visible=visible, outcome=outcome, **more)


def verdict(checks, stdout=""):
    """A verdict with these checks."""
    return Verdict(
        section="shapes",
        section_digest="",
        submission_digest="",
        checks=tuple(checks),
        points="0",
        max_points="0",
        sandbox=Sandbox(tier=Tier.T2),
        versions={},
        stdout=stdout,
        times=Times(checks=tuple(0.1 for _ in checks)),
    )


def answer(checks, points=None, **more):
    """An answer to tasks of so many points, by default one each, with a verdict on these checks."""
    tasks = {n: (f"f{n}", p) for n, p in (points or {c.task: 1 for c in checks}).items()}
    about = {"number": "1.2", "slug": "shapes", "title": "Shapes", "file": "exercises/s.py", "why": "gone"}
    return Answer(tasks=tasks, **{"verdict": verdict(checks)} | about | more)


OUTCOMES = st.sampled_from(Outcome)
ANSWERS = st.lists(
    st.builds(
        lambda worth, ends, weight, judged: answer(
            [check(n, o, visible=i == 0) for n, some in enumerate(ends, 1) for i, o in enumerate(some)],
            dict(enumerate(worth, 1)),
            weight=weight,
            **({} if judged else {"verdict": None}),
        ),
        st.lists(st.integers(0, 9), min_size=1, max_size=4),
        st.lists(st.lists(OUTCOMES, min_size=1, max_size=3), min_size=1, max_size=4),
        st.none() | st.fractions(0, 50, max_denominator=7),
        st.booleans(),
    ),
    max_size=3,
)


@settings(deadline=None)
@given(ANSWERS, st.none() | st.integers(1, 200))
def test_points_are_whole_and_only_what_is_right_is_full(answers, whole):
    """Maxima sum up to the whole, no score exceeds its maximum, and it is full where every counting test passed."""
    found = parts(answers, "en", whole)
    most = sum(p.max_score for p in found)
    assert all(0 <= p.score <= p.max_score for p in found)
    if whole and any((p.answer.weight is None or p.answer.weight) and p.answer.tasks[p.task][1] for p in found):
        assert most == whole
    for p in found:
        checks = [c for c in p.answer.verdict.checks if c.task == p.task] if p.answer.verdict else []
        counting = [c for c in checks if not c.visible] or checks
        right = bool(counting) and all(c.outcome is Outcome.PASSED for c in counting)
        broken = p.answer.verdict is not None and p.answer.verdict.broken
        if p.max_score:
            assert (p.score == p.max_score) == (right and not broken)
        assert (p.status == "pass") == (
            bool(checks) and not broken and all(c.outcome is Outcome.PASSED for c in checks)
        )


@settings(deadline=None)
@given(ANSWERS)
def test_the_reporter_can_count_the_result(answers):
    """base64 of JSON in one line; whole numbers; an array; the scores sum up to no more than the maximum."""
    found = parts(answers, "en")
    (name, _, value), *rest = [
        line.partition("=") for line in github.output("result", classroom.encoded(found)).splitlines()
    ]
    read = json.loads(base64.b64decode(value, validate=True))
    assert (name, rest) == ("result", [])
    assert read["version"] == 1 and read["status"] in ("pass", "fail", "error")
    assert isinstance(read["tests"], list) and {type(t["score"]) for t in read["tests"]} <= {int}
    assert sum(t["score"] for t in read["tests"]) <= read["max_score"] == sum(t["max_score"] for t in read["tests"])
    assert {t["test_code"] for t in read["tests"]} <= {""}
    assert all(isinstance(t["line_no"], int) and "\n" not in t["name"] + t["message"] for t in read["tests"])


def test_a_result_fits_into_a_variable():
    """Though all tasks of a course fail with long messages, Linux can hand the result to the reporter."""
    long = [check(n, Outcome.FAILED, kind="raised", params={"message": "错" * 5000}) for n in range(1, 31)]
    data = classroom.encoded(parts([answer(long)] * 10, "zh"))
    assert len(data) < 128 << 10
    assert len(json.loads(base64.b64decode(data))["tests"]) == 300


def test_points_of_a_task_are_partial():
    """Two of three hidden tests of a task of ten points: six, not seven; examples do not count."""
    half = [check(1, visible=True), check(1), check(1), check(1, Outcome.FAILED, kind="shape")]
    (part,) = parts([answer(half, {1: 10})], "en")
    assert (part.score, part.max_score, part.status) == (6, 10, "fail")


def test_a_task_without_an_example_is_not_counted_without_hidden_tests():
    """What no test was run for is neither lost nor won."""
    found = parts([answer([check(1, visible=True)], {1: 2, 2: 5})], "en")
    assert [(p.task, p.score, p.max_score) for p in found] == [(1, 2, 2)]


def test_our_fault_is_an_error():
    """A broken verdict gives no points and blames nobody."""
    broken = answer([Check(name="s", task=0, visible=False, outcome=Outcome.BROKEN, kind="internal")], {1: 2, 2: 5})
    found = parts([broken], "en")
    assert {p.status for p in found} == {"error"} and classroom.result(found)["status"] == "error"
    assert sum(p.max_score for p in found) == 7


def unescaped(text, more=()):
    """As the runner does it."""
    for code, char in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
        text = text.replace(code, char)
    return text


@given(TEXT, TEXT, TEXT)
def test_a_command_comes_out_as_it_went_in(message, file, title):
    """The runner takes one line, splits it at the first `::`, properties at commas, and finds the very texts."""
    line = github.command("error", message, file=file, title=title)
    assert "\n" not in line and "\r" not in line
    m = re.fullmatch(r"::error (.*?)::(.*)", line)
    told = dict(part.split("=", 1) for part in m[1].split(","))
    assert unescaped(m[2]) == message
    assert {k: unescaped(v, (("%3A", ":"), ("%2C", ","))) for k, v in told.items()} == {"file": file, "title": title}


def test_annotations_are_at_the_learners_lines():
    """Each thing once; its own line, else its task's; no more than GitHub shows; nothing for what is unwritten."""
    checks = [
        check(1, Outcome.FAILED, kind="raised", where=7, params={"error": "ValueError"}),
        check(1, Outcome.FAILED, kind="raised", where=7, params={"error": "ValueError"}),
        check(2, Outcome.FAILED, kind="shape"),
        check(3, Outcome.NOT_WRITTEN),
        check(4, Outcome.SKIPPED, kind="needs", params={"task": 1}),
    ]
    found = github.annotations([answer(checks, lines={2: 30})], "en")
    assert [re.search(r"line=(\d+)", c)[1] for c in found] == ["7", "30"]
    many = [check(n, Outcome.FAILED, kind="shape", where=n) for n in range(1, 40)]
    assert len(github.annotations([answer(many)], "en")) == github.ANNOTATIONS


def test_a_notebook_is_told_by_its_cells():
    """The lines of a notebook's text are not those of its file."""
    wrong = [check(1, Outcome.FAILED, kind="shape", where=7)]
    (line,) = github.annotations([answer(wrong, cells={7: "s.ipynb, cell 3, line 1: x"})], "en")
    assert "line=" not in line and "cell 3" in line


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_learner_writes_is_no_markup_in_the_summary(lang):
    """Exception texts and prints cannot make links, pictures, HTML, rows or the end of a block."""
    checks = [check(1, Outcome.FAILED, kind="raised", params={"error": "E", "message": HOSTILE}, where=3)]
    hostile = answer(checks, file=f"exercises/{HOSTILE}.py", verdict=verdict(checks, "```\n</details>\n" + HOSTILE))
    text = github.summary([hostile], parts([hostile], lang), lang, visible=True)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inner = [t for token in tokens for t in (token, *(token.children or []))]
    assert not {"link_open", "image"} & {t.type for t in inner}
    raw = "".join(t.content for t in inner if t.type.startswith("html"))
    assert "script" not in raw
    assert sum(t.type == "tr_open" for t in tokens) == 2
    (fence,) = [t for t in tokens if t.type == "fence"]
    assert "</details>" in fence.content and "evil.example" in fence.content


def test_a_summary_that_is_too_long_is_cut_and_says_so():
    """GitHub refuses more than a mebibyte as a whole."""
    long = answer([check(1, Outcome.FAILED, kind="shape", promise={"en": "word " * 300_000})])
    text = github.summary([long], parts([long], "en"), "en", visible=False)
    assert len(text.encode()) < 1 << 20 and "log" in text.splitlines()[-1]


def test_classroom_50_takes_the_result():
    """The fields and types of its contract; the scores sum up."""
    found = parts([answer([check(1), check(2, Outcome.FAILED, kind="shape")], {1: 2, 2: 3})], "en")
    made = classroom50.result(found, RUNNER, datetime(2026, 9, 1, 14, tzinfo=UTC))
    assert made["schema"] == "classroom50/result/v1" and made["datetime"] == "2026-09-01T14:00:00Z"
    assert all(
        isinstance(made[f], str) and made[f]
        for f in ("classroom", "assignment", "submission", "commit", "release", "review")
    )
    assert (made["score"], made["max-score"]) == (2, 5) and type(made["score"]) is int
    assert [(t["passed"], t["score"], t["max-score"]) for t in made["tests"]] == [(True, 2, 2), (False, 0, 3)]
    assert all(t["test-name"] for t in made["tests"])
    assert classroom50.missing({}) == list(RUNNER) and classroom50.missing(RUNNER) == []


def test_a_badge_says_the_points():
    """As a picture and as data; full marks have a colour of their own."""
    full, half = (parts([answer([check(1), check(2, o)])], "en") for o in (Outcome.PASSED, Outcome.FAILED))
    assert github.badge(full)["message"] == "2/2" and github.badge(half)["message"] == "1/2"
    assert github.badge(full)["color"] != github.badge(half)["color"]
    assert "2/2" in "".join(ET.fromstring(github.badge_svg(full)).itertext())


def test_weights_decide_what_sections_count():
    """An assignment's weights, exact, whatever the tasks are worth; not whole: of a hundred."""
    one, other = answer([check(1)], {1: 8}, weight=Fraction(1, 3)), answer([check(1)], {1: 2}, weight=Fraction(1, 6))
    assert [p.max_score for p in parts([one, other], "en")] == [67, 33]
    assert [p.max_score for p in parts([one, other], "en", 3)] == [2, 1]
