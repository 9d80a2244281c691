"""`learn ci`: right, partly right, wrong and hostile repositories, judged from within the checkout as a runner does."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import junitparser
import pytest

from grader import ci, submission
from grader.course import Course

ROOT = Path(__file__).resolve().parent.parent
MINI = ROOT / "tests" / "mini_course"
PLACE = Path("exercises/01_mini/01_double/double.py")
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text(encoding="utf-8")
STUB = (MINI / PLACE).read_text(encoding="utf-8")
WRONG = RIGHT.replace("return a[:, None] * b", "return a[:, None] + b")
pytestmark = pytest.mark.slow  # each starts a program that imports torch
TOKENS = {
    "GITHUB_TOKEN": "t0ken-gh",
    "ACTIONS_RUNTIME_TOKEN": "t0ken-rt",
    "MY_SECRET": "t0ken-my",
    "INNOCENT": "t0ken-in",
}
assert WRONG != RIGHT


class Run:
    """What came of one `learn ci`."""

    def __init__(self, done, folder):
        self.code = done.returncode
        self.log = done.stdout
        self.errors = done.stderr
        self.summary = (folder / "summary").read_text(encoding="utf-8")
        self.outputs = dict(line.split("=", 1) for line in (folder / "output").read_text(encoding="utf-8").splitlines())
        self.commands = commands(done.stdout)

    @property
    def result(self):
        """As the reporter reads it."""
        return json.loads(base64.b64decode(self.outputs["result"]))

    @property
    def scores(self):
        """By task."""
        return [t["score"] for t in self.result["tests"]]


def commands(log):
    """The workflow commands that GitHub's runner would carry out: of both syntaxes, none while they are stopped."""
    found, token = [], None
    for line in log.splitlines():
        m = re.match(r"\s*::([^ :]+)( .*?)?::(.*)", line)
        if token:
            token = None if m and m[1] == token else token
        elif m and m[1] == "stop-commands":
            token = m[3]
        elif m or re.search(r"##\[\w+", line):
            found.append(line)
    return found


@pytest.fixture
def checkout(tmp_path):
    """A student's clone."""
    place = tmp_path / "clone" / PLACE
    place.parent.mkdir(parents=True)
    place.write_text(RIGHT, encoding="utf-8")
    return tmp_path / "clone"


@pytest.fixture
def run(tmp_path, checkout):
    """Runs it in the checkout with what GitHub sets."""

    def go(*arguments, course=MINI, **environ):
        for name in ("summary", "output"):
            (tmp_path / name).write_text("", encoding="utf-8")
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LEARN_COURSE", "LEARN_LANG")}
        env |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "LEARN_HOME": str(tmp_path / "home"),
            "LANG": "C.UTF-8",
            **environ,
        }
        command = [sys.executable, str(ROOT / "cli.py"), "ci", "--course", str(course), *map(str, arguments)]
        done = subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)
        return Run(done, tmp_path)

    return go


def test_a_right_answer_has_all_points(run):
    """Exit code 0, nothing to annotate."""
    done = run()
    assert (done.code, done.scores, done.result["status"], done.commands) == (0, [1, 2, 3], "pass", [])
    assert "6 of 6" in done.summary


def test_an_answer_right_in_part_has_part_of_the_points(run, checkout, tmp_path):
    """One task wrong: its line is marked, JUnit and the badge agree, exit code 1."""
    (checkout / PLACE).write_text(WRONG, encoding="utf-8")
    files = {n: tmp_path / "made" / n for n in ("junit.xml", "badge.svg", "result.json", "r50.json")}
    where = dict(zip(("--junit", "--badge", "--json", "--result50"), files.values(), strict=True))
    runner = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
    done = run(*(a for pair in where.items() for a in pair), "--lang", "zh", **{n: f"of {n}" for n in runner})
    assert (done.code, done.scores) == (1, [1, 0, 3])
    line = 1 + WRONG[: WRONG.index("def outer")].count("\n")
    assert done.commands and all(f"::error file={PLACE},line={line},title=1.1 任务 2" in c for c in done.commands)
    assert "4/6 分" in done.summary
    (suite,) = junitparser.JUnitXml.fromfile(str(files["junit.xml"]))
    assert suite.failures == sum("outer" in c.classname for c in suite) and suite.tests > suite.failures
    assert "4/6" in files["badge.svg"].read_text(encoding="utf-8")
    assert json.loads(files["result.json"].read_bytes())["verdicts"][0]["points"] == "4"
    made = json.loads(files["r50.json"].read_bytes())
    assert (made["classroom"], made["score"], made["max-score"]) == ("of CLASSROOM", 4, 6)


def test_the_visible_tests_alone_need_no_solutions(run, checkout, tmp_path):
    """A course without solutions/ judges by examples; without --visible it says that it cannot."""
    shutil.copytree(MINI / "exercises", tmp_path / "course" / "exercises")
    done = run("--visible", "--points", "60", course=tmp_path / "course")
    assert (done.code, done.scores) == (0, [10, 20, 30])
    assert "visible" in done.summary
    done = run(course=tmp_path / "course")
    assert done.code == 2 and "--visible" in done.errors and "Traceback" not in done.errors


def test_nothing_in_the_checkout_is_run_or_believed(run, checkout):
    """Modules, conftest files, settings of Python and pytest, a course, tests: none that a student made is read."""
    mark = checkout.parent / "was-run"
    bomb = f"open({str(mark)!r}, 'a').write(__name__ + '\\n')\n"
    modules = ("conftest", "sitecustomize", "usercustomize", "cli", "learn", "torch", "click", "pytest", "yaml", "json")
    modules += ("msgspec", "random", "grader/__init__", "grader/exports/__init__", "numpy/__init__", "test_examples")
    for folder in (checkout, (checkout / PLACE).parent, checkout / "solutions/01_mini/01_double"):
        for name in modules:
            path = folder / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(bomb, encoding="utf-8")
    settings = "[pytest]\naddopts = --no-such-option\npython_files = *.py\n"
    for name in ("pytest.ini", "tox.ini", "setup.cfg", ".pytest.ini", ".coveragerc"):
        (checkout / name).write_text(
            settings.replace("[pytest]", "[tool:pytest]" if name == "setup.cfg" else "[pytest]")
        )
    (checkout / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--no-such-option"\n')
    (checkout / "bomb.pth").write_text(f"import os; {bomb}")
    (checkout / "exercises" / "course.yaml").write_text("id: [", encoding="utf-8")
    (checkout / PLACE).with_name("exercise.yaml").write_text("tasks: {}", encoding="utf-8")
    (checkout / "solutions/01_mini/01_double/test_double.py").write_text(bomb, encoding="utf-8")
    done = run()
    assert not mark.exists(), mark.read_text(encoding="utf-8")
    assert (done.code, done.scores) == (0, [1, 2, 3]), done.errors
    (checkout / PLACE).write_text(WRONG, encoding="utf-8")
    assert run().scores == [1, 0, 3]


def test_what_an_answer_prints_is_no_command(run, checkout):
    """Neither syntax of GitHub's commands gets through, nor an end of the stop; the outputs are ours alone."""
    evil = (
        '::error file=x::pwned\\n  ::notice title=Autograding report::{"totalPoints":99}\\n'
        "##[error]pwned\\n::stop-commands::x\\n::x::\\n"
    )
    said = f"\nprint('''{evil}''')\nraise ValueError('''{evil}''')\n"
    (checkout / PLACE).write_text(
        WRONG.replace("return a[:, None] + b", f"print('''{evil}'''); raise ValueError('''{evil}''')")
    )
    done = run()
    assert "pwned" in done.log and done.scores == [1, 0, 3]
    assert done.commands and all(c.startswith(f"::error file={PLACE},") for c in done.commands)
    (checkout / PLACE).write_text(RIGHT + said, encoding="utf-8")
    done = run()
    assert done.scores == [0, 0, 0] and all(c.startswith(f"::error file={PLACE},") for c in done.commands)


def test_an_answer_sees_no_token(run, checkout):
    """What stands in the environment of the step is not in that of the answer, nor anywhere that it can read."""
    spy = """
import os, pathlib
print("ENVIRON", sorted(os.environ), dict(os.environ))
for p in pathlib.Path("/proc").glob("*/environ"):
    try:
        print(p.read_bytes().replace(b"\\0", b" ").decode(errors="replace"))
    except OSError:
        pass
"""
    (checkout / PLACE).write_text(RIGHT + spy, encoding="utf-8")
    done = run("--require-sandbox", "T2", **TOKENS)
    everything = done.log + done.summary + done.errors + json.dumps(done.result)
    assert "ENVIRON" in done.log and "t0ken" not in everything
    assert not any(name in done.log for name in (*TOKENS, "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))


def test_a_link_is_not_followed(run, checkout):
    """A link to the reference, wherever it lies on this machine, is no answer."""
    (checkout / PLACE).unlink()
    (checkout / PLACE).symlink_to(MINI / "solutions/01_mini/01_double/double.py")
    done = run()
    assert (done.code, done.scores) == (1, [0, 0, 0]) and "link" in done.summary
    shutil.rmtree(checkout / "exercises")
    shutil.copytree(MINI / "solutions", checkout.parent / "elsewhere")
    (checkout / "exercises").symlink_to(checkout.parent / "elsewhere")
    assert run("--sections", "1.1").scores == [0, 0, 0]


def test_a_missing_answer_is_told_with_its_place(run, checkout):
    """Where sections are named, a file that is not there has no points; where not, there must be one."""
    shutil.rmtree(checkout / "exercises")
    done = run("--sections", "double")
    assert (done.code, done.scores) == (1, [0, 0, 0])
    assert f"::error file={PLACE}" in done.commands[0]
    done = run()
    assert done.code == 2 and PLACE.name in done.errors


@pytest.fixture
def found(checkout):
    """What is found with these files, whatever their dates."""

    def look(**texts):
        for kind, text in texts.items():
            path = (checkout / PLACE).with_suffix(f".{kind}")
            path.write_bytes(submission.as_notebook(text) if kind == "ipynb" else text.encode())
        course = Course.at(MINI)
        (one,) = ci.find(checkout, course, course.sections, "en")
        return one

    return look


def test_of_a_file_and_its_notebook_the_written_one_counts(found):
    """In a clone no file is newer: the one that is no stub; the file, if both say the same."""
    assert found(py=STUB, ipynb=RIGHT).file.endswith(".ipynb")
    assert found(py=RIGHT, ipynb=STUB).file.endswith(".py")
    same = found(py=RIGHT, ipynb=RIGHT)
    assert same.file.endswith(".py") and not same.note


def test_two_different_answers_are_told(found):
    """The file is judged, and its owner is told that the notebook says something else."""
    both = found(py=RIGHT, ipynb=WRONG)
    assert both.file.endswith(".py") and both.text == RIGHT and "double.ipynb" in both.note


def test_an_unreadable_file_does_not_hide_the_notebook(found, checkout):
    """What can be read and is written counts; the other is named."""
    assert found(ipynb=RIGHT) and (checkout / PLACE).write_bytes(b"\xff\xfe")
    one = found(ipynb=RIGHT)
    assert one.file.endswith(".ipynb") and "double.py" in one.note


def test_what_cannot_be_done_is_told_in_a_line(run, tmp_path):
    """Unknown sections, two ways to name them, no folder, Classroom 50's file elsewhere, a bundle that is none: 2."""
    (tmp_path / "broken.zip").write_bytes(b"PK no")
    (tmp_path / "a.yaml").write_text("sections: [1.1]", encoding="utf-8")
    for arguments, course in (
        (("--sections", "9.9"), MINI),
        (("--sections", "1.1", "--assignment", tmp_path / "a.yaml"), MINI),
        (("--checkout", tmp_path / "nowhere"), MINI),
        (("--result50", tmp_path / "r.json"), MINI),
        ((), tmp_path / "broken.zip"),
    ):
        done = run(*arguments, course=course)
        assert done.code == 2, (arguments, done.log, done.errors)
        assert done.errors.startswith("learn: ") and done.errors.count("\n") == 1
        assert done.commands == [] and done.outputs == {}


def test_what_lies_where_a_file_is_to_be_written_gives_way(run, checkout):
    """A link that a student has put there does not lead our text somewhere else."""
    precious = checkout.parent / "precious"
    precious.write_text("mine", encoding="utf-8")
    (checkout / "junit.xml").symlink_to(precious)
    assert run("--junit", checkout / "junit.xml").code == 0
    assert precious.read_text(encoding="utf-8") == "mine"
    assert (checkout / "junit.xml").read_bytes().startswith(b"<?xml")


def test_a_folder_that_is_a_link_is_not_gone_through(checkout, tmp_path, monkeypatch):
    """A repository's link could lead to whatever else is on this machine; one outside of it is the runner's own."""
    away = tmp_path / "away"
    away.mkdir()
    (checkout / "out").symlink_to(away)
    (tmp_path / "own").symlink_to(away)
    monkeypatch.chdir(checkout)
    for path in ("out/x.xml", "out/deep/x.xml", str(checkout / "out/x.xml"), "../clone/out/x.xml"):
        with pytest.raises(ci.CiError) as e:
            ci.write(Path(path), "x", Path())
        assert e.value.kind == "link_on_the_way" and not any(away.iterdir())
    ci.write(Path("../own/x.xml"), "x", Path())
    ci.write(Path("made/x.xml"), "x", Path())
    assert (away / "x.xml").read_text() == (checkout / "made/x.xml").read_text() == "x"
