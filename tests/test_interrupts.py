"""Ctrl-C at any moment of a command: no traceback, and nothing is left behind."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
MINI = ROOT / "tests" / "mini_course"
ANSWER = MINI / "solutions/01_mini/01_double/double.py"
# Until this first import it is Python's to end, and not ours: a few milliseconds, in which it prints a traceback.
START = """
import sys
sys.path[:0] = sys.argv[1].split(":")
del sys.argv[1]
from grader import interrupts
interrupts.silence()
print("here", flush=True)
import cli
cli.main()
"""


def interrupted(arguments: list[str], seconds: float, environ: dict[str, str]) -> tuple[int, str]:
    """Exit code and stderr of a command that gets SIGINT so many seconds after its first import."""
    path = ":".join([str(ROOT), *(p for p in sys.path if p)])
    with subprocess.Popen(
        [sys.executable, "-I", "-c", START, path, "--course", str(MINI), *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stdout.readline() == "here\n"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert psutil.wait_procs(family, timeout=20)[1] == [], seconds
        return process.returncode, err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "longest"), [("list", 0.4), ("next", 0.4), ("list --lang zh", 0.4), ("check", 4.0)]
)
def test_ctrl_c_at_any_moment(command: str, longest: float, tmp_path: Path) -> None:
    """Ended by the signal or with 130, or done; stderr has no line; no process, no temporary file is left."""
    (tmp_path / "scratch").mkdir()
    environ = os.environ | {"LEARN_HOME": str(tmp_path / "home"), "LEARN_SERVICE": "off", "LEARN_LANG": "en"}
    environ |= {"TMPDIR": str(tmp_path / "scratch"), "LEARN_WORKSPACE": str(MINI / "exercises")}
    arguments = [*command.split(), *([str(ANSWER)] if command == "check" else [])]
    draw = random.Random(command)
    codes = set()
    for _ in range(12):
        seconds = draw.uniform(0, longest)
        code, err = interrupted(arguments, seconds, environ)
        codes.add(code)
        assert code in (0, 130, -signal.SIGINT) and err.strip() == "", (seconds, code, err)
    assert codes & {130, -signal.SIGINT}
    assert list((tmp_path / "scratch").iterdir()) == []
    assert [p.name for p in (tmp_path / "home").rglob(".*") if p.suffix != ".lock" and "lock" not in p.name] == []


def test_an_import_is_finished_first() -> None:
    """Ctrl-C in the middle of what may not be interrupted comes right after it, and the next one at once again."""
    code = """
        import os, signal
        from grader import interrupts
        interrupts.heed()
        try:
            with interrupts.Held():
                os.kill(os.getpid(), signal.SIGINT)
                print("done", end=" ")
        except KeyboardInterrupt:
            print("then", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "done then True\n"


def test_in_the_background_it_stays_deaf(tmp_path: Path) -> None:
    """Where a shell has us ignore Ctrl-C, as after `&`, importing the commands does not change that."""
    code = "import signal; signal.signal(2, signal.SIG_IGN); import cli; print(signal.getsignal(2) is signal.SIG_IGN)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
