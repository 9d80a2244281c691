"""The visible tests under plain pytest, as editors run them, and the debugger in a learner's file."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect", reason="pexpect comes with JupyterLab")

pytestmark = pytest.mark.slow  # each starts a pytest that imports torch
ROOT = Path(__file__).resolve().parents[1]
MINI = ROOT / "tests" / "mini_course"
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text(encoding="utf-8")
STUB = (MINI / "exercises/01_mini/01_double/double.py").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """The mini course, with what ours has for pytest."""
    shutil.copytree(MINI, tmp_path / "course")
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(ROOT / "exercises" / name, tmp_path / "course" / "exercises")
    return tmp_path / "course" / "exercises" / "01_mini" / "01_double"


@pytest.fixture
def environ(tmp_path):
    """Nobody's own progress, and English."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LEARN", "PYTEST"))}
    more = {"LEARN_HOME": str(tmp_path / "home"), "LEARN_LANG": "en", "LEARN_SERVICE": "off", "PYTHONPATH": str(ROOT)}
    return clean | more


def _pytest(environ, *arguments, **more):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)]
    return subprocess.run(command, env=environ | more, capture_output=True, text=True, timeout=200, check=False)


def _outcomes(done):
    return {k: int(n) for n, k in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout.splitlines()[-1])}


def test_a_right_answer_passes(folder, environ):
    """Every visible test, without anything being recorded."""
    (folder / "double.py").write_text(RIGHT)
    done = _pytest(environ, folder)
    assert _outcomes(done) == {"passed": 3} and done.returncode == 0, done.stdout
    assert not list(Path(environ["LEARN_HOME"]).rglob("*.sqlite"))


@pytest.mark.parametrize(("lang", "said"), [("en", "Twice 3 is 6."), ("zh", "3 的两倍是 6。")])
def test_a_failure_reads_like_our_feedback(folder, environ, lang, said):
    """The promise, the difference, what came and what was wanted, in the learner's language; no traceback of ours. What
    stands on a failed task waits.
    """
    (folder / "double.py").write_text(RIGHT.replace("2 * x", "3 * x"))
    done = _pytest(environ, folder, LEARN_LANG=lang)
    assert _outcomes(done) == {"passed": 1, "failed": 1, "skipped": 1} and done.returncode == 1
    assert said in done.stdout and "tensor([9.])" in done.stdout and "tensor([6.])" in done.stdout
    assert "grader/testing.py" not in done.stdout and "Traceback" not in done.stdout


def test_an_unwritten_task_is_no_pass(folder, environ):
    """The untouched stub fails."""
    done = _pytest(environ, folder)
    assert _outcomes(done) == {"failed": 2, "skipped": 1} and "still to be written" in done.stdout


def test_an_exception_is_placed_where_an_editor_can_go(folder, environ):
    """The learner's file and line."""
    (folder / "double.py").write_text("def double(x):\n    return x.nothing\n")
    done = _pytest(environ, folder)
    assert f"{folder / 'double.py'}:2" in done.stdout and "AttributeError" in done.stdout


def test_what_is_swallowed_fails(folder, environ):
    """A wrong value or an exit counts, even if the test itself did not notice."""
    (folder / "double.py").write_text(RIGHT.replace("return 2 * x", "raise SystemExit(0)"))
    done = _pytest(environ, folder)
    assert _outcomes(done) == {"passed": 1, "failed": 1, "skipped": 1} and done.returncode == 1


def test_a_file_that_cannot_be_read_is_one_line(folder, environ):
    """Not UTF-8, or not there: said once for each test, and nothing else."""
    (folder / "double.py").write_bytes(b"x = '\xff'")
    done = _pytest(environ, folder)
    assert "double.py:1" in done.stdout and "UTF-8" in done.stdout and "Traceback" not in done.stdout


def test_all_sections_in_one_run(environ):
    """Their test files have one name: collected together, none hides another."""
    done = _pytest(environ, "--collect-only", "-q", ROOT / "exercises")
    found = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    assert len(found) == len(list((ROOT / "exercises").glob("*/*/test_examples.py"))) and done.returncode == 0


def test_other_runs_do_not_pay(tmp_path, environ):
    """A pytest run outside of the course imports nothing of ours, and no torch."""
    (tmp_path / "test_other.py").write_text(
        "import sys\ndef test_other():\n    assert not {'torch', 'grader'} & set(sys.modules)\n"
    )
    assert _outcomes(_pytest(environ, tmp_path)) == {"passed": 1}


STOPPING = RIGHT.replace("    return 2 * x", "    breakpoint()\n    return 2 * x")
COMMANDS = {
    "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "exercises/01_mini/01_double"],
    "learn": [str(ROOT / "cli.py"), "--course", ".", "check", "1.1", "--debug"],
}


@pytest.fixture
def terminal(folder, environ):
    """terminal("learn"): that command in a terminal of its own, in the course's folder."""
    (folder / "double.py").write_text(STOPPING)

    def start(command):
        return pexpect.spawn(
            sys.executable, COMMANDS[command], cwd=str(folder.parents[2]), env=environ, encoding="utf-8", timeout=120
        )

    return start


@pytest.mark.parametrize(("command", "least"), [("pytest", 2), ("learn", 4)])
def test_breakpoint_stops_in_the_learners_file(terminal, command, least):
    """In a real terminal: in visible tests under pytest, in hidden ones too with --debug; variables can be seen, and
    the run goes on to its verdict.
    """
    child = terminal(command)
    stops = 0
    while child.expect_exact(["(Pdb) ", pexpect.EOF]) == 0:
        assert "double()" in child.before and "double.py" in child.before
        child.sendline("p type(x).__name__")
        child.expect_exact("(Pdb) ")
        assert "'Tensor'" in child.before
        child.sendline("c")
        stops += 1
    assert stops >= least and ("3 passed" if command == "pytest" else "nothing was recorded") in child.before
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_leaving_the_debugger_ends_the_run(terminal, command):
    """`q` is no answer of the learner's: no verdict, no next breakpoint."""
    child = terminal(command)
    child.expect_exact("(Pdb) ")
    child.sendline("q")
    child.expect(pexpect.EOF)
    assert "(Pdb)" not in child.before and "points" not in child.before and "Traceback" not in child.before
    child.close()
    assert child.exitstatus in (2, 130)
