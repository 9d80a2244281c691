"""`learn dev new`: a section that works at once, says what is still to be written, and touches nothing that exists."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sound_course
import tiny_course
from click.testing import CliRunner

import cli
from grader import proof, rules, scaffold
from grader.course import Course
from grader.scaffold import ScaffoldError, begin

ROOT = Path(__file__).resolve().parent.parent
HONEST = {"to_write", "few_wrong", "no_also"}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The tiny course: 1.1 doubling and 1.2 again."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    return tiny_course.write(tmp_path / "course")


PLACES = {
    ("01_first/06_thing",): "06_thing",
    ("01_first/thing",): "03_thing",
    ("first/thing",): "03_thing",
    ("exercises/01_first/06_thing/",): "06_thing",
    ("1.6", "thing"): "06_thing",
    ("1.12", "a2_b"): "12_a2_b",
    ("1", "thing"): "03_thing",
}


@pytest.mark.parametrize("place", PLACES)
def test_where_a_section_is_begun(course, place):
    """By chapter and slug, with a number or the next free one, or by number and slug."""
    made = begin(course, *place)
    folder = PLACES[place]
    assert {p.relative_to(course.exercises.parent).parts[:3] for p in made} == {
        (tree, "01_first", folder) for tree in ("exercises", "solutions")
    }
    again = Course.at(course.exercises.parent)
    assert again[folder[3:]].number == f"1.{int(folder[:2])}"


REFUSED = {
    ("1.1", "thing"): "new_taken",
    ("01_first/02_thing",): "new_taken",
    ("1.6", "doubling"): "new_taken",
    ("09_last/01_thing",): "new_no_chapter",
    ("9.1", "thing"): "new_no_chapter",
    ("thing",): "new_bad_name",
    ("01_first/",): "new_bad_name",
    ("01_first/../x",): "new_bad_name",
    ("01_first/06_Thing",): "new_bad_name",
    ("01_first/06-thing",): "new_bad_name",
    ("01_first/00_thing",): "new_bad_name",
    ("01_first/class",): "new_bad_name",
    ("01_first/probes",): "new_bad_name",
    ("01_first/test_x",): "new_bad_name",
    ("1.0", "thing"): "new_bad_name",
    ("1.6", "06_thing"): "new_bad_name",
    ("x", "thing"): "new_bad_name",
}


@pytest.mark.parametrize("place", REFUSED)
def test_what_cannot_be_begun_is_refused(course, place):
    """A number or slug that is taken, a chapter that there is not, a name that would not do; nothing is written."""
    before = sorted(course.exercises.parent.rglob("*"))
    with pytest.raises(ScaffoldError) as e:
        begin(course, *place)
    assert e.value.kind == REFUSED[place]
    assert sorted(course.exercises.parent.rglob("*")) == before


def test_nothing_that_exists_is_overwritten(course):
    """Not even a folder that only solutions/ has, or one with nothing in it."""
    for tree in (course.exercises, course.solutions):
        (tree / "01_first" / "05_lost").mkdir(exist_ok=True)
    for place in ("01_first/05_lost", "01_first/05_thing"):
        with pytest.raises(ScaffoldError, match="new_taken"):
            begin(course, place)
    assert begin(course, "01_first/lost")[0].parent.name == "06_lost"


def test_a_full_disk_leaves_nothing_half_made(course, monkeypatch):
    """What was written is taken back; the error names the reason."""

    def fail(self, *_):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(scaffold.Template, "substitute", fail)
    with pytest.raises(ScaffoldError, match="cannot_write"):
        begin(course, "01_first/06_thing")
    assert not list(course.exercises.parent.rglob("06_*"))


def test_what_is_begun_breaks_no_rule_but_says_what_is_to_be_written(course):
    """Every finding is an honest one; the linters find nothing at all."""
    made = begin(course, "01_first/06_on")
    again = Course.at(course.exercises.parent)
    findings = list(rules.structure(again, again["on"]))
    assert {f.kind for f in findings} == HONEST
    texts = {f.path for f in findings if f.kind == "to_write"}
    assert texts >= {p for p in made if p.suffix == ".md"}
    root = course.exercises.parent
    shutil.copy(ROOT / "pyproject.toml", root)  # its rules are for paths below it
    for command in (["check"], ["format", "--check"]):
        run = [sys.executable, "-m", "ruff", *command, *(str(p) for p in made if p.suffix == ".py")]
        seen = subprocess.run(run, cwd=root, capture_output=True, text=True, check=False)
        assert seen.returncode == 0, seen.stdout


def test_the_command_lists_the_files(course):
    """And says what to do next; a refusal is one line, and exit 2."""

    def learn(*arguments):
        return CliRunner().invoke(
            cli.learn, ["--course", str(course.exercises.parent), "--lang", "en", "dev", "new", *arguments]
        )

    done = learn("1.6", "thing")
    assert done.exit_code == 0 and "06_thing/lesson.zh.md" in done.stdout and "`learn dev check 1.6`" in done.stdout
    again = learn("1.6", "other")
    assert again.exit_code == 2 and again.stderr.count("\n") == 1 and "1.6 is taken by" in again.stderr
    assert "09_x" in learn("09_x/y").stderr and "01_first" in learn("09_x/y").stderr


@pytest.mark.slow
def test_what_is_begun_works(tmp_path, monkeypatch):
    """In truth: the stub is not written yet, the reference passes, the wrong answer is recognised, the lesson runs."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    sound_course.write(tmp_path / "course")
    begin(Course.at(tmp_path / "course"), "1.6", "thing")
    (proven,) = proof.check(Course.at(tmp_path / "course"), ["thing"])
    assert {f.kind for f in proven.findings} == HONEST and proven.judged == 3
