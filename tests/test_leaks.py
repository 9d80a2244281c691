"""Of hidden tests nothing is told but what is meant to be: every wrong answer of every section is judged and read."""

import ast
import json
import re
from io import StringIO
from pathlib import Path

import pytest

from grader import errors, pool
from grader.course import Course
from grader.model import Job, Verdict
from grader.reports import terminal
from grader.reports.words import LANGUAGES, messages

COURSE = Course.ours()
SECTIONS = COURSE.sections
_NUMBER = re.compile(r"(?<![\w.])-?(\d+\.?\d*(?:e[-+]?\d+)?)(?![\w.])")


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list[Verdict]]:
    """The stub and all of wrong/, judged."""
    jobs = [
        Job(section=s.slug, section_digest=s.digest, text=path.read_text(encoding="utf-8"), id=path.name)
        for s in SECTIONS
        for path in (s.stub, *sorted((s.hidden / "wrong").glob("*.py")))
    ]
    found: dict[str, list[Verdict]] = {s.slug: [] for s in SECTIONS}
    for verdict in pool.run(COURSE, jobs, where="processes"):
        found[verdict.section].append(verdict)
    return found


def seen(verdict: Verdict) -> str:
    """Everything that a learner sees of a verdict: both languages on the screen, and the JSON without times."""
    section = COURSE[verdict.section]
    name = section.stub.name
    screens = [terminal.screen(verdict.timeless(), section, name, lang, file=StringIO()) for lang in LANGUAGES]
    return "".join(screens) + verdict.timeless().to_json().decode()


def _code(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])


def _shown(section) -> str:
    """What the learner may read anyway."""
    files = [*section.folder.glob("*"), *section.hidden.glob("mistakes.*.md")]
    return "\n".join(p.read_text(encoding="utf-8") for p in files if p.is_file())


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.slug)
def test_no_line_of_what_is_hidden_is_told(section, verdicts) -> None:
    """No line of the hidden tests, the probes or the reference stands in what a learner sees, but for the promises."""
    open_to_all = " ".join(_shown(section).split())
    promises = {
        n for f in ast.walk(_code(section.tests)) if isinstance(f, ast.FunctionDef) for n in [ast.get_docstring(f)]
    }
    told = " ".join(" ".join((p or "").split()) for p in promises)
    for path in (section.tests, section.probes, section.reference):
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        hidden = {" ".join(x.split()) for x in lines if len(x.strip()) >= 20}
        hidden = {x for x in hidden if x not in open_to_all and x.strip('"') not in told}
        for verdict in verdicts[section.slug]:
            text = " ".join(seen(verdict).split())
            assert [x for x in hidden if x in text] == [], (verdict.job, path.name)


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.slug)
def test_no_literal_of_a_hidden_test_is_told(section, verdicts) -> None:
    """No text constant of a hidden test, and no number of three digits or more, but what a learner may read anyway."""
    tree = _code(section.tests)
    for node in ast.walk(tree):  # promises are meant to be read
        if isinstance(node, ast.FunctionDef | ast.Module) and ast.get_docstring(node):
            node.body = node.body[1:]
    constants = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    anyway = _shown(section)
    limits = {str(v) for v in json.loads(json.dumps(section.about.thresholds)).values()}
    texts = {c for c in constants if isinstance(c, str) and len(c) >= 6 and c not in anyway and not _is_id(c, section)}
    numbers = {repr(c) for c in constants if isinstance(c, int | float) and not isinstance(c, bool) and abs(c) >= 100}
    for verdict in verdicts[section.slug]:
        told = _params(verdict)
        assert [t for t in texts if t in told] == [], verdict.job
        assert [n for n in numbers - limits if re.search(rf"(?<![\w.]){re.escape(n)}(?![\w.])", told)] == [], (
            verdict.job
        )


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.slug)
def test_no_number_is_told_to_more_than_four_digits(section, verdicts) -> None:
    """An input or an expected value would need more: told of hidden tests are sizes, counts and rough figures."""
    for verdict in verdicts[section.slug]:
        for number in _NUMBER.findall(_params(verdict)):
            digits = number.split("e")[0].replace(".", "").strip("0")
            assert len(digits) <= 4, (verdict.job, number)


def _params(verdict: Verdict) -> str:
    """What is told of the hidden tests of a verdict, without what is meant to be told: sizes, counts, names of
    keys, and errors' own texts of known forms."""
    told = [
        [c.kind, c.mistake, {k: v for k, v in c.params.items() if not _is_form(k, v)}, c.flag]
        for c in verdict.checks
        if not c.visible
    ]
    return json.dumps(told, ensure_ascii=False)


def _is_form(name: str, value: object) -> bool:
    of_whole = isinstance(value, int) or (isinstance(value, list) and all(isinstance(v, int) for v in value))
    return name in ("missing", "extra", "at", "message") or (
        name in ("wrong", "total", "count", "got", "want") and of_whole
    )


def _is_id(text: str, section) -> bool:
    """True of the name of a mistake or of a kind of difference."""
    return text in section.mistakes("en") or f"kind.{text}" in messages()


def test_what_a_hidden_check_tells_is_a_closed_set(verdicts) -> None:
    """Each parameter has a name that this test knows: a new one is to be thought about first."""
    known = {
        "at", "bar", "by", "code", "count", "error", "extra", "factor", "got", "job", "message", "method", "missing",
        "name", "offset", "origin", "path", "seconds", "signal", "task", "tasks", "total", "type", "want", "what",
        "wrong",
    }  # fmt: skip
    told = {p for vs in verdicts.values() for v in vs for c in v.checks if not c.visible for p in c.params}
    assert told <= known, told - known
    said = {c.params.get("message", "") for vs in verdicts.values() for v in vs for c in v.checks if not c.visible}
    assert "" in said and all(errors.known(m, lambda name: True) for m in said - {""}), "only what has a known form"


def test_the_scan_finds_what_it_looks_for() -> None:
    """It would see a leak: a line, a number."""
    section = COURSE["gradients"]
    line = next(x for x in section.tests.read_text(encoding="utf-8").splitlines() if "close_to(" in x)
    assert len(line.strip()) >= 20 and line.strip() not in _shown(section)
    assert _NUMBER.findall('{"a": 0.123456, "b": [12345]}') == ["0.123456", "12345"]
