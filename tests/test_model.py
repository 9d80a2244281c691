"""Verdicts are frozen, travel as JSON without loss, and count points exactly."""

from fractions import Fraction

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import SCHEMA, Check, Job, Limits, Measured, Outcome, Sandbox, Tier, Times, Verdict, schema, score

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
CHECKS = st.builds(
    Check,
    name=TEXT,
    task=st.integers(0, 20),
    visible=st.booleans(),
    outcome=st.sampled_from(Outcome),
    promise=st.dictionaries(TEXT, TEXT, max_size=2),
    kind=TEXT,
    mistake=TEXT,
    where=st.none() | st.integers(1, 10**6),
    params=st.dictionaries(TEXT, VALUES, max_size=3),
    flag=TEXT,
    measured=st.lists(
        st.builds(Measured, TEXT, st.none() | st.floats(allow_nan=False, allow_infinity=False), st.booleans())
    ).map(tuple),
)
POINTS = st.fractions(min_value=0).map(str)
VERDICTS = st.builds(
    Verdict,
    section=TEXT,
    section_digest=TEXT,
    submission_digest=TEXT,
    checks=st.lists(CHECKS, max_size=4).map(tuple),
    points=POINTS,
    max_points=POINTS,
    sandbox=st.builds(
        Sandbox,
        tier=st.sampled_from(Tier),
        landlock_abi=st.integers(0, 20),
        seccomp=st.booleans(),
        userns=st.booleans(),
        memory=TEXT,
        degraded=st.lists(TEXT).map(tuple),
    ),
    versions=st.dictionaries(TEXT, TEXT, max_size=3),
    job=TEXT,
    stdout=TEXT,
    times=st.builds(Times, total=NUMBERS, start=NUMBERS, checks=st.lists(NUMBERS).map(tuple)),
)


def check(task=1, outcome=Outcome.PASSED, visible=False):
    """A check of which nothing else matters."""
    return Check(name="test", task=task, visible=visible, outcome=outcome)


def verdict(*checks, points="0"):
    """A verdict of which nothing else matters."""
    return Verdict(
        section="s",
        section_digest="d",
        submission_digest="e",
        checks=checks,
        points=points,
        max_points="1",
        sandbox=Sandbox(tier=Tier.T3),
        versions={},
    )


# JSON


@given(VERDICTS)
def test_a_verdict_comes_back_from_json_as_it_was(v):
    """Every field, every type."""
    assert Verdict.from_json(v.to_json()) == v
    assert Verdict.from_json(v.to_json().decode()) == v


@given(VERDICTS)
def test_equal_verdicts_have_equal_json(v):
    """Byte for byte, so that verdicts can be compared as files."""
    assert Verdict.from_json(v.to_json()).to_json() == v.to_json()


VALIDATOR = jsonschema.Draft202012Validator(schema())


@given(VERDICTS)
def test_every_verdict_is_valid_by_the_published_schema(v):
    """What others read is what we say we write."""
    VALIDATOR.validate(msgspec.json.decode(v.to_json()))


def test_the_schema_is_one():
    """By the rules of JSON Schema; it requires what a verdict cannot do without."""
    jsonschema.Draft202012Validator.check_schema(schema())
    assert not VALIDATOR.is_valid({"section": "s"})


def test_a_verdict_names_its_schema():
    """So that a reader knows its version."""
    assert msgspec.json.decode(verdict().to_json())["schema"] == SCHEMA == "learn/verdict/v1"


def test_the_form_of_a_verdict():
    """The published form, in full: a change here is a new version of the schema."""
    v = msgspec.structs.replace(verdict(check(outcome=Outcome.FAILED)), versions={"torch": "2"})
    assert msgspec.json.decode(v.to_json()) == {
        "schema": "learn/verdict/v1",
        "section": "s",
        "section_digest": "d",
        "submission_digest": "e",
        "checks": [{"name": "test", "task": 1, "visible": False, "outcome": "failed"}],
        "points": "0",
        "max_points": "1",
        "sandbox": {
            "tier": "T3",
            "landlock_abi": 0,
            "seccomp": False,
            "userns": False,
            "memory": "rlimit+watchdog",
            "degraded": [],
        },
        "versions": {"torch": "2"},
        "job": "",
        "stdout": "",
        "times": {"total": 0.0, "start": 0.0, "checks": []},
    }


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[]", b'{"section": 1}', b"\xff", verdict().to_json()[:-1]])
def test_what_is_no_verdict_is_a_decode_error(data):
    """One kind of error for all of it."""
    with pytest.raises(msgspec.DecodeError):
        Verdict.from_json(data)


@pytest.mark.parametrize("change", [{"schema": "learn/verdict/v2"}, {"points": "many"}, {"points": "1/0"}])
def test_a_verdict_that_we_do_not_understand_is_refused(change):
    """Another version of the schema, or points that are no number, are not read as if they were ours."""
    data = msgspec.json.encode(msgspec.json.decode(verdict().to_json()) | change)
    with pytest.raises(msgspec.DecodeError):
        Verdict.from_json(data)


@pytest.mark.parametrize("noun", [Limits(), Times(), check(), verdict(), Sandbox(tier=Tier.T1)], ids=type)
def test_nouns_are_frozen(noun):
    """Nothing changes a verdict once it is reached."""
    name = noun.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(noun, name, None)


@given(TEXT, TEXT)
def test_a_job_travels(text, name):
    """It carries the learner's text, and nothing of the tests."""
    job = Job(section="s", section_digest="d", text=text, id=name)
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job
    fields = {"section", "section_digest", "text", "id", "visible_only", "until_loud", "draw"}
    assert set(Job.__struct_fields__) == fields


# what a verdict says

ONE_OF_EACH = [o for o in Outcome if o is not Outcome.PASSED]


@pytest.mark.parametrize("outcome", ONE_OF_EACH)
def test_only_passed_passes(outcome):
    """One check that did not is enough to spoil it; no check at all is no pass."""
    assert verdict(check(), check()).passed
    assert not verdict(check(), check(outcome=outcome)).passed
    assert not verdict().passed


@pytest.mark.parametrize("outcome", Outcome)
def test_broken_is_broken_alone(outcome):
    """Everything else is a verdict on the learner."""
    assert verdict(check(), check(outcome=outcome)).broken == (outcome is Outcome.BROKEN)


def test_tasks_are_in_order():
    """By number, each with its checks in the order they came."""
    a, b, c = check(2), check(1), check(2, Outcome.FAILED)
    v = verdict(a, b, c)
    assert list(v.tasks().items()) == [(1, (b,)), (2, (a, c))]
    assert v.task_passed(1)
    assert not v.task_passed(2)


def test_a_task_without_checks_has_not_passed():
    """Nothing was shown of it."""
    assert not verdict(check(1)).task_passed(7)


def test_timeless_verdicts_are_equal():
    """Whenever and for whomever they were reached."""
    v = verdict(check(), points="1/3")
    other = msgspec.structs.replace(v, times=Times(total=3.0, checks=(1.0,)), job="42")
    assert v != other
    assert v.timeless() == other.timeless()


# points


def test_thirds_are_thirds():
    """Three tests worth one point together are worth one point, never 0.999."""
    three = tuple(check() for _ in range(3))
    assert score(three, {1: 1}) == ("1", "1")
    assert score((*three[:2], check(outcome=Outcome.FAILED)), {1: 1}) == ("2/3", "1")
    assert verdict(points="2/3").earned == Fraction(2, 3)


def test_an_answer_for_the_examples_alone_earns_nothing():
    """Visible checks do not count where there are hidden ones, for good or ill."""
    shown, hidden = check(visible=True), check(outcome=Outcome.FAILED)
    assert score((shown, shown, hidden), {1: 5}) == ("0", "5")
    assert score((check(visible=True, outcome=Outcome.FAILED), check()), {1: 5}) == ("5", "5")


def test_examples_count_where_there_is_nothing_else():
    """A task without hidden tests."""
    assert score((check(visible=True), check(visible=True, outcome=Outcome.FAILED)), {1: 5}) == ("5/2", "5")


def test_hidden_tests_of_one_task_say_nothing_of_another():
    """Each task for itself."""
    assert score((check(1, visible=True), check(2)), {1: 1, 2: 2}) == ("3", "3")


def test_a_task_without_checks_earns_nothing():
    """Its points are possible all the same; a check of no task of ours adds none."""
    assert score((check(9),), {1: 3}) == ("0", "3")
    assert score((), {1: 3}) == ("0", "3")
    assert score((), {}) == ("0", "0")


@pytest.mark.parametrize("outcome", ONE_OF_EACH)
def test_only_passed_earns(outcome):
    """Least of all BROKEN."""
    assert score((check(outcome=outcome),), {1: 3}) == ("0", "3")


@given(st.lists(CHECKS), st.dictionaries(st.integers(0, 20), st.integers(0, 100)))
def test_points_are_exact_and_within_what_is_possible(checks, points):
    """Fractions between nothing and all; all exactly if every counted check passed."""
    earned, possible = map(Fraction, score(tuple(checks), points))
    assert 0 <= earned <= possible == sum(points.values())
    done = [check(t) for t in points]
    assert score(tuple(done), points) == (str(possible), str(possible))
    assert score(tuple(reversed(checks)), points)[0] == str(earned)


@pytest.mark.parametrize(
    ("outcome", "kind", "loud"),
    [
        (Outcome.PASSED, "", False),
        (Outcome.SKIPPED, "needs", False),
        (Outcome.FAILED, "values", False),
        (Outcome.FAILED, "unsendable", False),
        (Outcome.FAILED, "raised", True),
        (Outcome.FAILED, "import_raised", True),
        (Outcome.CRASHED, "died", True),
        (Outcome.TIMED_OUT, "timeout", True),
        (Outcome.OUT_OF_MEMORY, "memory", True),
    ],
)
def test_what_is_loud(outcome, kind, loud):
    """What raised, crashed, hung or took all memory; a wrong value is not."""
    assert Check(name="t", task=1, visible=True, outcome=outcome, kind=kind).loud is loud
