"""JUnit XML: what independent readers understand is what the verdicts say."""

import itertools
import xml.etree.ElementTree as ET
from collections import Counter
from fractions import Fraction

import junitparser
from hypothesis import given, settings
from hypothesis import strategies as st
from test_model import VERDICTS

from grader.exports import junit
from grader.model import Check, Outcome, Sandbox, Student, Tier, Times, Verdict
from grader.reports.words import LANGUAGES

ANY_TEXT = st.text()  # surrogates and control characters too
SUITES = st.builds(
    junit.Suite,
    name=ANY_TEXT,
    verdict=st.none() | VERDICTS,
    file=ANY_TEXT,
    tasks=st.dictionaries(st.integers(0, 5), ANY_TEXT, max_size=2),
    missing=ANY_TEXT,
)
TAGS = {Outcome.PASSED: None, Outcome.SKIPPED: junitparser.Skipped, Outcome.BROKEN: junitparser.Error}


def verdict(*checks, stdout=""):
    """A verdict with these checks."""
    return Verdict(
        section="gradients",
        section_digest="",
        submission_digest="",
        checks=checks,
        points="7/2",
        max_points="6",
        sandbox=Sandbox(tier=Tier.T3),
        versions={},
        stdout=stdout,
        times=Times(total=2.5, checks=(0.25,)),
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(SUITES, max_size=3), st.sampled_from(LANGUAGES))
def test_another_reader_finds_every_check_with_its_outcome(suites, lang):
    """Whatever stands in verdicts, the document is XML, and holds each check once, in order, as what it is."""
    read = list(junitparser.JUnitXml.fromstring(junit.xml(suites, lang)))
    assert len(read) == len(suites)
    for suite, found in zip(suites, read, strict=True):
        if suite.verdict is None:
            (case,) = found
            assert isinstance(case.result[0], junitparser.Failure)
            continue
        want = [TAGS.get(c.outcome, junitparser.Failure) for c in suite.verdict.checks]
        assert [type(case.result[0]) if case.result else None for case in found] == [t or None for t in want]


@settings(deadline=None, max_examples=60)
@given(st.lists(SUITES, max_size=3))
def test_the_counts_are_those_of_the_cases(suites):
    """What a suite and the whole say of themselves is what counting gives."""
    root = ET.fromstring(junit.xml(suites, "en"))
    for element in (root, *root):
        found = Counter(c.tag for c in itertools.chain(*element.iter("testcase")))
        assert int(element.get("tests")) == len(list(element.iter("testcase")))
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(element.get(name)) == found[tag]


def test_a_failure_says_what_where_and_why():
    """A viewer has the line, the mistake's id, the sentence, the promise and the author's words."""
    check = Check(
        name="test_mean",
        task=2,
        visible=False,
        outcome=Outcome.FAILED,
        kind="shape",
        mistake="summed",
        where=12,
        promise={"en": "The mean.", "zh": "平均值。"},
        params={"got": "(3,)", "want": "()"},
    )
    suite = junit.Suite("2.2 Gradients", verdict(check), "exercises/g.py", {2: "mean"}, {"summed": "Divide by `n`."})
    (found,) = junitparser.JUnitXml.fromstring(junit.xml([suite], "zh"))
    (case,) = found
    assert (case.classname, case.name, case.time) == ("gradients.mean", "test_mean", 0.25)
    assert case._elem.get("file") == "exercises/g.py"
    assert case._elem.get("line") == "12"
    assert case.result[0].type == "summed"
    assert case.result[0].message
    assert "平均值。" in case.result[0].text
    assert "Divide by `n`." in case.result[0].text


def test_whose_it_is_and_what_counts():
    """The student, and the points that count (as decimals): lateness and points by hand are in them."""
    who = Student(id="1004", name="Li Hua")
    late = junit.Suite("x", verdict(), student=who, points=Fraction(31, 3), max_points=Fraction(12))
    missing = junit.Suite("x", None, student=who, points=Fraction(0), max_points=Fraction(12))
    found = ET.fromstring(junit.xml([late, missing, junit.Suite("x", verdict())], "en"))
    told = [{p.get("name"): p.get("value") for p in suite.iter("property")} for suite in found]
    about = {"student": "1004", "name": "Li Hua", "max_points": "12.00"}
    assert told[0] == about | {"points": "10.33"} and told[1] == about | {"points": "0.00"}
    assert told[2] == {"points": "3.50", "max_points": "6.00"}


def test_what_was_printed_cannot_leave_its_place():
    """Markup and control characters that a learner prints stay text."""
    hostile = "</system-out><testcase/>]]>\x1b[31m\x00"
    found = ET.fromstring(junit.xml([junit.Suite("1.1", verdict(stdout=hostile))], "en"))
    assert found.find("testsuite/system-out").text == "</system-out><testcase/>]]>"
    assert found.find(".//testcase") is None
