"""docs/quality.md and what it is made of: the course's own page is true, and the command keeps it so."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from grader import quality
from grader.calibrate import Calibration, Quantity
from grader.course import Course, CourseError
from grader.mutants import Measure
from grader.quality import Estimate, Record, digest, with_totals
from grader.reports import quality as report
from tests import tiny_course

ROOT = Path(__file__).resolve().parent.parent


# our own page


def test_every_section_has_a_line():
    """With figures for what stands there now; or it says that they are of something older, or that there are none."""
    course = Course.ours()
    records = quality.read(course)
    lines = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8").splitlines()
    for s in course.sections:
        (line,) = [text for text in lines if text.startswith(f"| {s.number} ")]
        known = records.get(s.slug)
        assert ("not measured yet" in line) is (known is None), s.number
        assert known is None or known.digest == digest(s) or "changed since" in line, f"learn dev quality {s.number}"


def test_page_and_totals_are_made_of_the_figures():
    """Nobody has edited them by hand (`learn dev quality --page` makes them anew)."""
    course = Course.ours()
    records = quality.read(course)
    changed = [s.slug for s in course.sections if "changed since" in _line(s.number)]
    assert (ROOT / "docs" / "quality.md").read_text() == report.page(course.sections, records, changed, "en")
    readme = (ROOT / "README.md").read_text()
    assert all(t in readme for lang in ("en", "zh") for t in report.totals(course.sections, records, lang))


def _line(number):
    lines = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8").splitlines()
    return next(text for text in lines if text.startswith(f"| {number} "))


# the figures


def record(**changes):
    figures = {
        "digest": "d", "tests": 5, "examples": 2, "wrong": 3, "also": 1, "mutants": 300, "killed": 299, "checks": 40,
        "failed": 0, "bound": 0.072, "thresholds": {}, "seconds": 0.25,
    }  # fmt: skip
    return Record(**figures | changes)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return tiny_course.write(tmp_path)


def test_the_digest_names_all_that_was_measured(course):
    """The tests, the reference, and every other answer."""
    section = course["doubling"]
    seen = {digest(section)}
    for name in ("doubling.py", "test_doubling.py", "also/a.py", "wrong/a.py", "equivalent.yaml"):
        path = section.hidden / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("# another\n")
        seen.add(digest(Course.at(course.exercises.parent)["doubling"]))
    shutil.rmtree(section.hidden / "wrong")
    seen.add(digest(Course.at(course.exercises.parent)["doubling"]))
    assert len(seen) == 7
    section.mistakes("en")
    (section.folder / "lesson.en.md").write_text("# Another lesson\n")
    assert digest(Course.at(course.exercises.parent)["doubling"]) in seen


def test_a_record_is_what_was_found_out(course):
    """Percentages leave out the equivalent mutants; estimates go no further than a model can."""
    section = course["doubling"]
    (section.hidden / "wrong").mkdir()
    (section.hidden / "wrong" / "a.py").touch()
    m = Measure(section, 100, 96, 50, 48, 2, [], [], [], [], 1.0)
    q = [Quantity("a", 0.5, True, {"r": [0.9, 0.91, 0.92] * 9}, {}), Quantity("b", 0.5, True, {"r": [1.0] * 9}, {})]
    c = Calibration(section, 20, ["r"], 20, [], [], [], q, 0.123, 7, 2)
    assert quality.record(section, m, c) == record(
        digest=digest(section), tests=7, wrong=1, also=0, mutants=98, killed=96, checks=20, bound=0.14, seconds=0.12,
        thresholds={"a": Estimate(0.5, 1e-9, 1e-9), "b": Estimate(0.5, None, None)},
    )  # fmt: skip


def test_what_is_written_is_read(course):
    """In a fixed order; of a section that is gone nothing is kept."""
    page = quality.write(course, {"doubling": record(), "again": record(tests=9)}, "page\n", "")[1]
    assert page.read_text() == "page\n"
    kept = page.with_suffix(".json")
    text = kept.read_text()
    assert list(json.loads(text)) == ["again", "doubling"]
    assert quality.read(course) == {"doubling": record(), "again": record(tests=9)}
    kept.write_text(text.replace("again", "gone"))
    assert quality.read(course) == {"doubling": record()}
    kept.write_text("{")
    with pytest.raises(CourseError, match=r"quality\.json"):
        quality.read(course)


def test_the_page(course):
    """A line for each section: measured, changed since, or not yet."""
    known = {"doubling": record(thresholds={"acc": Estimate(0.9, 8e-7, 3e-5), "loss": Estimate(0.2, None, None)})}
    text = report.page(course.sections, known, (), "en")
    (line,) = [x for x in text.splitlines() if x.startswith("| 1.1 ")]
    assert [c.strip() for c in line.strip("|").split("|")] == [
        "1.1 Doubling", "5 + 2", "3", "1", "99.6 % of 300", "0 of 40",
        "at most 0.072 by count; acc against 0.9: 8e-07, at most 3e-05; loss against 0.2: nothing to fit", "0.25",
    ]  # fmt: skip
    assert "| 1.2 Doubling again (not measured yet) |" in text
    assert "1.1 Doubling (changed since)" in report.page(course.sections, known, ("doubling",), "en")
    assert len({x.count("|") for x in text.splitlines() if x.startswith("|")}) == 1
    assert "1 of 2 sections" in text and "299 of 300 mutants are killed (99.6 %)" in text


def test_totals_add_up(course):
    """Over all that is known; where nothing is, nothing is said."""
    (total,) = report.totals(course.sections, {"doubling": record(), "again": record(failed=1)}, "en")
    assert "2 of 2" in total and "10 hidden tests" in total and "1 of 80 checks" in total
    assert report.totals(course.sections, {}, "en") == []


def test_the_readme_keeps_the_rest():
    """Only what stands between the marks is replaced, and a README without them stays as it is."""
    text = "a\n<!-- quality -->\nold\n<!-- /quality -->\nb\n"
    assert with_totals(text, "new \\1\n") == "a\n<!-- quality -->\nnew \\1\n<!-- /quality -->\nb\n"
    assert with_totals("a\n", "new\n") == "a\n"


# the command


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Instead of measuring: which sections were asked for."""
    asked: list[str] = []

    def measure(course, names, workers=None):
        for name in names:
            asked.append(name)
            s = course[name]
            fault = "t failed" if s.slug in asked[:-1] else ""
            yield (
                Measure(s, 100, 99, 50, 49, 0, [], [], [], [], 1.0, fault),
                Calibration(s, 20, ["r"], 20, [], [], [], [], 0.1, 7, 2),
            )

    monkeypatch.setattr(quality, "measure", measure)
    return asked


def learn(course: Course, *args: str):
    root = str(course.exercises.parent)
    done = CliRunner().invoke(cli.learn, ["--course", root, "--lang", "zh", "dev", "quality", *args])
    return done.exit_code, done.stdout


def test_only_what_changed_is_measured(course, measured):
    """All at first, then nothing, then the one section that has another test."""
    root = course.exercises.parent
    (root / "README.md").write_text("<!-- quality -->\n<!-- /quality -->\n")
    assert learn(course)[0] == 0 and measured == ["doubling", "again"]
    assert "198 of 200" in (root / "README.md").read_text() and "共 2 节" in (root / "README.md").read_text()
    assert learn(course)[0] == 0 and len(measured) == 2
    course["again"].tests.write_text("# another\n")
    assert learn(course, "--page")[0] == 0 and len(measured) == 2
    assert "Doubling again (changed since)" in (root / "docs" / "quality.md").read_text()
    measured.clear()
    assert learn(course)[0] == 0 and measured == ["again"]
    assert "changed since" not in (root / "docs" / "quality.md").read_text().split("| --- |")[1]


def test_a_section_by_name(course, measured):
    """It alone, changed or not."""
    for _ in range(2):
        measured.clear()
        learn(course, "1.2")
        assert measured == ["1.2"] and list(quality.read(course)) == ["again"]


def test_a_reference_that_fails_leaves_no_figures(course, measured):
    """Nothing is known of its tests; what was known before stays."""
    learn(course, "again")
    before = quality.read(course)
    code, out = learn(course, "again")
    assert code == 1 and "t failed" in out and quality.read(course) == before
