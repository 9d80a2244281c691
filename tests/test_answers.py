"""Right answers to read: what `learn solution` shows."""

import os
import re

import pytest
import tiny_course
from click.testing import CliRunner

import cli
from grader.answers import answers
from grader.course import Course
from grader.progress import Progress, path_for
from grader.reports import terminal

OTHER = '''"""By shifting.

用移位来做。
"""

import math

ONE = 1


def _shift(x, by):
    return x << by


@staticmethod
def double(x):
    return _shift(x, ONE)


def halve(x):
    return x / 2


print("never shown")
'''


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The tiny course with another right answer."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    course = tiny_course.write(tmp_path / "course")
    also = course["doubling"].hidden / "also"
    also.mkdir()
    (also / "shifted.py").write_text(OTHER, encoding="utf-8")
    return course


@pytest.fixture
def learn(course, tmp_path):
    """learn("solution") -> exit code, stdout, stderr."""

    def run(*arguments):
        done = CliRunner().invoke(cli.learn, ["--course", str(tmp_path / "course"), *arguments])
        return done.exit_code, done.stdout, done.stderr

    return run


def test_the_reference_comes_first_as_it_is_written(course):
    """Each task's region, without the lines that mark it."""
    reference = answers(course["doubling"])[0]
    assert reference.about == [] and set(reference.tasks) == {1, 2}
    assert reference.tasks[1].startswith("def double(x):") and reference.tasks[1].endswith("return y")


def test_another_answer_shows_what_the_task_defines_and_what_that_stands_on(course):
    """Helpers and constants come along, in the order of the file; what no task needs does not."""
    other = answers(course["doubling"])[1]
    assert other.about == ["By shifting.", "用移位来做。"]
    assert other.tasks[1].index("ONE = 1") < other.tasks[1].index("def _shift") < other.tasks[1].index("@staticmethod")
    assert other.tasks[2] == "def halve(x):\n    return x / 2"


def test_the_solution_waits_until_the_section_is_passed(learn):
    """Exit code 2, and how to go on; nothing of the solution is shown."""
    code, out, err = learn("solution", "1.1")
    assert code == 2 and out == "" and "--give-up" in err


def test_giving_up_is_remembered(learn):
    """It is shown then and afterwards, and the list says so; the other section stays closed."""
    code, out, _ = learn("solution", "1.1", "--give-up")
    assert code == 0 and "y = x + x" in out and out.count("By shifting.") == 1 and out.count("# shifted") == 3
    assert out.rstrip().endswith("then `learn check 1.1`.")
    assert learn("solution", "1.1")[0] == 0 and learn("solution", "1.2")[0] == 2
    assert "solution seen" in learn("list")[1]
    with Progress(path_for("tiny", os.environ)) as progress:
        assert progress.given_up() == {"doubling"} and not progress.passed("doubling")


def test_one_task_alone_and_in_chinese(learn):
    """`learn solution 1.1 2` shows that task, and what sets an answer apart in the learner's language."""
    learn("solution", "1.1", "--give-up")
    code, out, _ = learn("solution", "1.1", "2", "--lang", "zh")
    assert code == 0 and "return x / 2" in out and "double" not in out and "用移位来做。" in out
    assert learn("solution", "1.1", "7")[0] == 2


def test_what_is_no_model_is_marked(learn, course):
    """Beside the code that uses what nobody should learn, and only there, stands that it is no model."""
    path = course["doubling"].hidden / "also" / "shifted.py"
    path.write_text(OTHER.replace("return x / 2", "return x.data / 2").replace("ONE = 1", "ONE = self.data"))
    out = learn("solution", "1.1", "--give-up")[1]
    assert out.count("no model") == 1 and out.index("`.data`") > out.index("task 2")
    assert learn("solution", "1.1", "1")[1].count("no model") == 0
    path.write_text(OTHER.replace("return x / 2", "return torch.autograd.Variable(x) / torch.utils.data.x"))
    assert re.findall("no model: `(.*?)`", learn("solution", "1.1")[1]) == ["Variable"]


def test_a_course_without_solutions_says_so(learn, course):
    """A learner's copy has none."""
    course["doubling"].reference.unlink()
    code, _, err = learn("solution", "1.1", "--give-up", "--lang", "en")
    assert code == 2 and "without solutions" in err


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_of_any_width_shows_all_of_it(course, width, monkeypatch):
    """Nothing is cut off: beside each other where there is room, else one after the other."""
    monkeypatch.setenv("COLUMNS", str(width))
    section = course["doubling"]
    text = " ".join(terminal.answers(section, None, answers(section), "en").split())
    for part in ("y = x + x", "return helper(x)", "return _shift(x, ONE)", "By shifting."):
        assert part in text


def test_all_answers_of_our_course_have_something_for_each_task():
    """Every task of every section is written in each of its right answers."""
    for section in Course.ours().sections:
        for answer in answers(section):
            assert set(answer.tasks) == set(section.about.tasks) and all(answer.tasks.values()), answer.path
