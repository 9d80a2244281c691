"""`learn dev calibrate`: many draws, what is counted and what is fitted, and the picture."""

import json
import math
import random
from pathlib import Path
from statistics import NormalDist
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cli
from grader import pool
from grader.calibrate import ANGULAR, LOG, PLAIN, WANTED, Fit, Quantity, at_most, calibrate, scale_for
from grader.course import Course
from grader.model import Check, Measured, Outcome, Sandbox, Tier, Verdict
from grader.reports import quality as report
from tests import tiny_course

# counting


def test_no_failure_excludes_three_of_so_many():
    """The rule of three, and what is known of the rest."""
    assert at_most(0, 60) == pytest.approx(1 - 0.05 ** (1 / 60)) == pytest.approx(3 / 60, rel=0.03)
    assert at_most(1, 20) == pytest.approx(0.2161, abs=1e-4), "Clopper and Pearson's tables"
    assert at_most(20, 20) == at_most(0, 0) == 1


@given(st.integers(0, 80), st.integers(0, 80))
def test_a_bound_is_above_what_was_counted(a, b):
    """And grows with every failure."""
    count, of = sorted((a, b))
    assert not of or count / of <= at_most(count, of) <= 1
    assert count == 0 or at_most(count - 1, of) <= at_most(count, of)


# fitting


def test_the_scale_is_that_of_the_quantity():
    """A share that must be large, a positive number that must be small, and anything else."""
    assert scale_for([0.9, 1.0], least=True) is ANGULAR
    assert scale_for([0.2, 3.0], least=False) is LOG
    assert scale_for([0.9, 1.5], least=True) is scale_for([0.2, 0.0], least=False) is PLAIN


def test_a_perfect_accuracy_is_on_the_scale():
    """And so is one of nothing; there is no way beyond them."""
    assert [ANGULAR.back(ANGULAR.to(p)) for p in (0.0, 0.7, 1.0)] == pytest.approx([0, 0.7, 1])
    assert ANGULAR.back(ANGULAR.to(1.0) + 0.1) == 1 and ANGULAR.back(ANGULAR.to(0.0) - 0.1) == 0


def test_a_counted_share_spreads_alike_everywhere():
    """The scale is chosen for that: of n pictures, half the root of 1/n, whatever the accuracy."""
    draw = random.Random(0)
    for p in (0.7, 0.9, 0.97):
        shares = [sum(draw.random() < p for _ in range(500)) / 500 for _ in range(500)]
        assert Fit.of(shares, 0.5, True, ANGULAR).spread == pytest.approx(0.5 / math.sqrt(500), rel=0.1)


def test_the_estimate_is_that_of_the_normal_distribution():
    """Two standard deviations are 2.3 %, on either side; more values, and the bound comes nearer."""
    values = [-1.0, 0.0, 1.0] * 20
    spread = Fit.of(values, -1.0, True, PLAIN).spread
    low, high = Fit.of(values, -2 * spread, True, PLAIN), Fit.of(values, 2 * spread, False, PLAIN)
    assert low.chance == pytest.approx(high.chance) == pytest.approx(0.02275, rel=1e-3)
    assert low.chance < Fit.of(values * 9, -2 * spread, True, PLAIN).bound < low.bound < 0.1
    assert Fit.of(values, 2 * spread, True, PLAIN).chance > 0.97, "the threshold is on the other side of them"


def test_the_bound_holds_nineteen_times_in_twenty():
    """Of three thousand samples of twenty values, whose true chance is 1 in 10,000."""
    draw = random.Random(0)
    fits = [Fit.of([draw.gauss() for _ in range(20)], -3.719, True, PLAIN) for _ in range(3000)]
    assert 0.93 < sum(f.bound >= WANTED for f in fits) / len(fits) < 0.97


@pytest.mark.parametrize(("least", "scale"), [(True, ANGULAR), (False, LOG), (True, PLAIN)])
def test_the_strictest_threshold_is_just_good_enough(least, scale):
    """There the bound is what is wanted."""
    values = [0.90, 0.93, 0.91, 0.95, 0.92] * 4
    bar = Fit.of(values, 0.5, least, scale).strictest
    assert Fit.of(values, bar, least, scale).bound == pytest.approx(WANTED, rel=1e-3)


def test_where_there_is_nothing_to_fit():
    """Two values, or values that are all alike."""
    assert Fit.of([1.0, 2.0], 0.5, True, PLAIN) is Fit.of([1.0] * 9, 0.5, True, PLAIN) is None


def quantity(right, wrong, bar=0.9, least=True, **more):
    return Quantity("accuracy", bar, least, right, wrong, **more)


SURE = [0.97, 0.975, 0.972, 0.968, 0.974] * 4


def test_the_worse_fit_counts():
    """One answer that varies more than the others is not hidden among them."""
    wild = [0.99, 0.93, 0.98, 0.92, 0.985] * 4
    q = quantity({"reference": SURE, "also/a": SURE, "also/b": wild}, {"wrong/c": [0.5, None, 0.7]})
    assert quantity({"reference": SURE}, {}).good and not q.good
    assert q.least_sure[0] == "also/b" and q.chance == q.least_sure[1].chance > q.fit.chance
    assert q.strictest < 0.9


def test_the_wrong_answers_that_this_threshold_alone_refuses():
    """What another test refuses, too, may be as good as it likes."""
    wrong = {"wrong/a": [0.5, 0.6, 0.7], "wrong/b": [0.8, 0.85, 0.82], "wrong/c": [0.97, 0.98, 0.99], "wrong/d": [None]}
    q = quantity({"reference": SURE}, wrong, caught=frozenset({"wrong/c"}))
    answer, fit = q.lucky
    assert q.nearest_wrong == 0.85 and answer == "wrong/b"
    roots = [math.asin(math.sqrt(v)) for v in wrong["wrong/b"]]
    passes = 1 - NormalDist.from_samples(roots).cdf(math.asin(math.sqrt(0.9)))
    assert fit.chance == pytest.approx(passes) and passes < 1e-3
    assert quantity({"reference": SURE}, {}).lucky is quantity({"reference": SURE}, {}).nearest_wrong is None


# the picture


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=9),
    st.lists(st.none() | st.floats(0, 1), max_size=9),
    st.floats(0.01, 1),
    st.booleans(),
)
def test_no_value_is_drawn_on_the_other_side(right, wrong, bar, least):
    """However near the threshold; every finite value is counted somewhere."""
    drawn = report.picture(quantity({"r": right}, {"w": wrong}, bar, least), 30)
    for values, line in ((right, drawn["r"]), (wrong, drawn["w"])):
        finite = [v for v in values if v is not None]
        above = [v >= bar if least else v > bar for v in finite]
        low, high = line.split("|")
        assert len(line) == 30
        assert [sum(map(int, s.replace(" ", ""))) for s in (low, high)] == [above.count(False), above.count(True)]


def test_what_is_far_away_leaves_the_picture_legible():
    """A loss that went to a thousand millions, or to nothing at all, is drawn at the edge."""
    right = {"reference": [0.05, 0.1, 0.08]}
    q = Quantity("loss", 0.2, False, right, {"wrong/a": [1e9, 2.0], "wrong/b": [0.0, 0.3]})
    drawn = report.picture(q, 40)
    assert q.scale is LOG and drawn["wrong/a"].endswith("1") and drawn["wrong/b"].startswith("1")
    assert len(drawn["reference"].split("|")[0].strip()) >= 5, "three values, apart from each other"


def test_the_picture_in_full():
    """Right and wrong answers beside the threshold, eighty columns wide, in both languages."""
    q = quantity({"reference": SURE}, {"wrong/" + "x" * 40: [0.1, 0.8, None], "wrong/nan": [None]})
    section = SimpleNamespace(number="1.1", slug="s")
    none = {"failed": [], "passed": [], "unjudged": []}
    c = SimpleNamespace(section=section, right=["a"], draws=20, judged=20, bound=0.14, quantities=[q], **none)
    lines = report.calibrated(c, "en")
    reference, wrong, nan = lines[4:7]
    assert reference.startswith("reference ") and reference.endswith(" 0.968…0.975")
    assert wrong.startswith("wrong/xxxxx") and wrong.endswith(" 0.1…0.8…nan") and nan.endswith(" nan")
    assert [line for line in lines if len(line) > 80] == []
    assert len(report.calibrated(c, "zh")) == len(lines)


# the whole


TESTS = '''from grader.testing import expect, task


@task(1)
def test_double(learner, rng, bar):
    """Twice x.

    两倍。
    """
    x = rng.number(1, 2)
    expect(learner.double(x) / x).at_least(bar["ratio"])
    expect(learner.double(x)).close_to(2 * x)
'''
ANSWER = '''# --- task 1 ---
def double(x):
    """2x."""
    return {}


# --- end ---
'''


def write(root: Path) -> Course:
    """The tiny course, whose first section has a threshold."""
    section = tiny_course.write(root)["doubling"]
    yaml = "title: {en: D, zh: 加}\ntasks: {1: {name: double, points: 1}}\nthresholds: {ratio: 1.5}\n"
    (section.folder / "exercise.yaml").write_text(yaml, encoding="utf-8")
    section.tests.write_text(TESTS, encoding="utf-8")
    answers = {"": "x + x", "also/a": "x * 2", "wrong/little": "x * 1.25", "wrong/none": "None"}
    for name, value in answers.items():
        path = section.hidden / f"{name}.py" if name else section.reference
        path.parent.mkdir(exist_ok=True)
        path.write_text(ANSWER.format(value), encoding="utf-8")
    return Course.at(root)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return write(tmp_path)


def test_in_real_cells(course):
    """Each right answer in each draw; a wrong one only if it comes as far as the threshold."""
    (c,) = calibrate(course, ["doubling"], draws=3, workers=1)
    (q,) = c.quantities
    assert (c.judged, c.failed, c.passed, c.unjudged) == (6, [], [], [])
    assert (q.name, q.bar, q.least) == ("ratio", 1.5, True)
    assert {a: len(v) for a, v in q.right.items()} == {"reference": 3, "also/a": 3}
    assert q.wrong == {"wrong/little": pytest.approx([1.25] * 3)}
    assert (c.tests, c.examples) == (1, 0) and c.seconds > 0


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch):
    """Instead of judging: judged(f), f(job) being the outcome and the measured value."""

    def put(result_of) -> None:
        def run(course, jobs, **options):
            for job in jobs:
                outcome, value = result_of(job)
                measured = (Measured("ratio", value, True),) if value is not None else ()
                check = Check(name="t", task=1, visible=False, outcome=outcome, measured=measured)
                yield Verdict(
                    section=job.section, section_digest="", submission_digest="", checks=(check,), points="1",
                    max_points="1", sandbox=Sandbox(tier=Tier.T3), versions={}, job=job.id,
                )  # fmt: skip

        monkeypatch.setattr(pool, "run", run)

    return put


def right(job):
    return "1.25" not in job.text and "None" not in job.text


def learn(course: Course, *args: str):
    root = str(course.exercises.parent)
    done = CliRunner().invoke(cli.learn, ["--course", root, "--lang", "en", "dev", "calibrate", *args])
    return done.exit_code, done.stdout


def as_it_should_be(job):
    return (Outcome.PASSED, 2 + job.draw / 100) if right(job) else (Outcome.FAILED, 1.25 + job.draw / 100)


def test_a_good_section(course, judged):
    """Exit 0, with the fit and the room there is."""
    judged(as_it_should_be)
    code, out = learn(course, "doubling")
    assert code == 0 and "failed: 0 of 40" in out and "ratio: at least 1.5" in out and "good" in out.splitlines()[-1]
    assert "the nearest wrong value was 1.45" in out and "(40 values)" in out


def test_a_right_answer_that_fails_is_named(course, judged):
    """With its draw and the check, so that it can be seen again; exit 1."""
    judged(lambda j: (Outcome.FAILED, 1.4) if right(j) and j.draw == 7 and "*" in j.text else as_it_should_be(j))
    code, out = learn(course, "doubling")
    assert code == 1 and "failed: 1 of 40" in out and "also/a, draw 7: a right answer, yet t failed" in out


def test_a_wrong_answer_that_passes_is_named(course, judged):
    """It may have failed in the first draw only."""
    judged(lambda j: (Outcome.PASSED, 1.6) if not right(j) and j.draw == 3 else as_it_should_be(j))
    code, out = learn(course, "doubling")
    assert code == 1 and "wrong/little, draw 3: a wrong answer, yet it passes" in out


def test_a_threshold_that_is_too_near(course, judged):
    """Nobody has failed yet; exit 1 all the same."""
    judged(lambda j: (Outcome.PASSED, 1.51 + j.draw / 100) if right(j) else as_it_should_be(j))
    code, out = learn(course, "doubling")
    assert code == 1 and "failed: 0 of 40" in out and "not good in 1.1" in out


def test_no_verdict_counts_for_nobody(course, judged):
    """A fault of the grader is neither a right answer's failure nor a wrong one's."""
    judged(lambda j: (Outcome.BROKEN, None) if j.draw == 2 else as_it_should_be(j))
    (c,) = calibrate(course, ["doubling"])
    assert c.judged == 38 and not c.failed and not c.good
    assert {(f.answer, f.draw) for f in c.unjudged} >= {("reference", 2), ("also/a", 2)}


def test_the_worst_of_several_values_counts(course, judged, monkeypatch):
    """A test may hold more than one against the same threshold; one below is enough to fail."""
    judged(as_it_should_be)
    once = pool.run

    def more(*args, **options):
        for v in once(*args, **options):
            m = Measured("ratio", 3.0, True)
            check = Check(name="u", task=1, visible=False, outcome=Outcome.PASSED, measured=(m, m))
            yield Verdict(**{f: getattr(v, f) for f in v.__struct_fields__} | {"checks": (*v.checks, check)})

    monkeypatch.setattr(pool, "run", more)
    (c,) = calibrate(course, ["doubling"], 3)
    assert c.quantities[0].right["reference"] == [2.01, 2.02, 2.03]


def test_for_programs(course, judged):
    """--json gives the same facts, every value among them."""
    judged(as_it_should_be)
    code, out = learn(course, "doubling", "--json", "--draws", "4")
    (told,) = json.loads(out)
    (q,) = told["quantities"]
    assert code == 0 and told["judged"] == 8 and q["scale"] == "plain" and len(q["right"]["also/a"]) == 4
    assert q["wrong"]["wrong/little"] == [1.26, 1.27, 1.28, 1.29] and q["good"] and told["good"]


def test_a_section_without_thresholds(course, judged):
    """Its right answers are counted; its wrong ones are not judged."""
    seen = []
    judged(lambda j: (seen.append(j.id), (Outcome.PASSED, None))[1])
    (c,) = calibrate(course, ["again"])
    assert c.judged == len(seen) == 20 and not c.quantities and c.good


def test_what_another_test_refuses(course, judged, monkeypatch):
    """Is said in brackets: the threshold need not be there for it."""
    judged(as_it_should_be)
    once = pool.run

    def more(*args, **options):
        for v in once(*args, **options):
            check = Check(name="u", task=1, visible=False, outcome=v.checks[0].outcome)
            yield Verdict(**{f: getattr(v, f) for f in v.__struct_fields__} | {"checks": (*v.checks, check)})

    (c,) = calibrate(course, ["doubling"], 3)
    assert c.quantities[0].caught == set()
    monkeypatch.setattr(pool, "run", more)
    (c,) = calibrate(course, ["doubling"], 3)
    assert c.quantities[0].caught == {"wrong/little", "wrong/none"} and c.quantities[0].lucky is None
    assert "(wrong/little) " in "\n".join(report.calibrated(c, "en"))
