"""The warm grader: quick, alone, private, up to date, and never missed when it is gone."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from grader import service
from grader.course import Course
from grader.model import Job, Tier
from grader.pool import run

ROOT = Path(__file__).resolve().parent.parent
MINI = ROOT / "tests" / "mini_course"
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text()
WRONG = "def double(x):\n    return x\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose service ends with the test."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LEARN_SERVICE")
    yield tmp_path / "home"
    for process in services(tmp_path / "home"):
        process.kill()
        process.wait(20)


def services(home: Path) -> list[psutil.Process]:
    """The services of that home."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(home) in process.cmdline() and "service.main" in " ".join(process.cmdline()):
                found.append(process)
    return [p for p in found if p.parent() not in found]


def ask(home: Path, text: str = RIGHT, require: Tier | None = None, course: Path = MINI):
    """The service's verdict on that answer."""
    read = Course.at(course)
    section = read["double"]
    return service.judge(read, Job(section="double", section_digest=section.digest, text=text), require, home)


def test_a_warm_verdict_is_the_same_as_a_cold_one(home: Path) -> None:
    """And one process gives them all."""
    for text in (RIGHT, WRONG, RIGHT):
        section = Course.at(MINI)["double"]
        (cold,) = run(Course.at(MINI), [Job(section="double", section_digest=section.digest, text=text)])
        assert ask(home, text).timeless() == cold.timeless()
    assert len(services(home)) == 1


def test_first_checks_at_once_start_one_service(home: Path) -> None:
    """Four callers, one process, four right verdicts (or none, and then the caller judges by itself)."""
    with ThreadPoolExecutor(4) as callers:
        verdicts = list(callers.map(lambda text: ask(home, text), (RIGHT, WRONG, RIGHT, WRONG)))
    assert [v and v.passed for v in verdicts].count(None) < 4
    assert all(v is None or v.passed is (i % 2 == 0) for i, v in enumerate(verdicts))
    assert len(services(home)) == 1


def test_its_socket_is_its_owners(home: Path) -> None:
    """Nobody else can open it, nor is anybody else's believed."""
    assert ask(home).passed
    mode = (home / "service.sock").stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize("sent", [b"", b"\xff\xff\xff\xff", b"\x05\0\0\0hello", os.urandom(100)])
def test_nonsense_does_not_end_it(home: Path, sent: bytes) -> None:
    """A caller that says nothing sensible, or leaves, is forgotten."""
    assert ask(home).passed
    (before,) = services(home)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(home / "service.sock"))
        s.sendall(sent)
    assert ask(home).passed and services(home) == [before]


def test_an_edited_test_is_seen(home: Path, tmp_path: Path) -> None:
    """The course is read anew for each check."""
    course = tmp_path / "course"
    shutil.copytree(MINI, course)
    assert ask(home, course=course).passed
    tests = course / "solutions/01_mini/01_double/test_double.py"
    head = "import torch\nfrom grader.testing import expect, task\n\n@task(1)\ndef test_a(learner):\n"
    tests.write_text(head + "    expect(learner.double(torch.ones(1))).close_to(torch.full((1,), 5.0))\n")
    assert not ask(home, course=course).passed


def test_stop_ends_it(home: Path) -> None:
    """With all that it started; there is nothing to stop afterwards."""
    assert not service.stop(home)
    assert ask(home).passed
    (one,) = services(home)
    family = [one, *one.children(recursive=True)]
    assert service.running(home) and service.stop(home)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == [] and not service.running(home)


def test_it_leaves_when_idle(home: Path) -> None:
    """And takes its socket with it."""
    home.mkdir(parents=True)
    code = "from grader import service; service.IDLE_SECONDS = 0.3; service.main(*__import__('sys').argv[1:])"
    readable, writable = os.pipe()
    subprocess.run(
        [sys.executable, "-c", code, str(home), str(writable)], pass_fds=(writable,), cwd=ROOT, check=True, timeout=60
    )
    os.close(writable)
    assert os.read(readable, 1) == b""
    os.close(readable)
    psutil.wait_procs(services(home), timeout=20)
    assert services(home) == [] and not (home / "service.sock").exists()


def test_a_home_with_a_long_name(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A socket's name is short by the kernel's rule; the home's need not be."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    long = home / ("x" * 150)
    monkeypatch.setenv("LEARN_HOME", str(long))
    assert ask(long).passed
    assert service.stop(long)


def test_what_it_cannot_promise_it_leaves_to_the_caller(home: Path) -> None:
    """Switched off, or under a weaker tier than the one required, there is no verdict from it."""
    assert ask(home, require=Tier.T3).passed
    os.environ["LEARN_SERVICE"] = "off"
    assert ask(home) is None


# -- with the command


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of the program and the mini course, to be changed."""
    copy = tmp_path / "program"
    copy.mkdir()
    shutil.copy(ROOT / "cli.py", copy)
    shutil.copytree(ROOT / "grader", copy / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(MINI, copy / "course")
    return copy


def start(program: Path, path: Path) -> subprocess.Popen[str]:
    """`learn check PATH`."""
    return subprocess.Popen(
        [sys.executable, "cli.py", "--course", "course", "check", str(path)],
        cwd=program,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(program: Path, path: Path) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    process = start(program, path)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_new_code_gets_a_new_service(home: Path, program: Path) -> None:
    """After a change of the program, the old one leaves and another judges."""
    answer = program / "course/solutions/01_mini/01_double/double.py"
    assert check(program, answer)[0] == 0
    (old,) = services(home)
    with (program / "grader" / "judge.py").open("a") as f:
        f.write("\n# changed\n")
    assert check(program, answer)[0] == 0
    (new,) = services(home)
    assert new != old


def _slow(program: Path, marker: str) -> Path:
    folder = program / "01_double"
    folder.mkdir()
    slow = f"import time; time.sleep(0.5)  # {marker}\n    return 2 * x"
    (folder / "double.py").write_text(RIGHT.replace("return 2 * x", slow))
    return folder / "double.py"


def _busy(home: Path) -> psutil.Process:
    """The service, once a cell of its zygote works on an answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in services(home):
            if len(process.children(recursive=True)) >= 3:  # zygote, its inner process, a cell
                return process
        time.sleep(0.05)
    raise AssertionError("no check under way")


def test_killed_in_the_middle_nobody_notices(home: Path, program: Path) -> None:
    """kill -9 of the service during a check: the verdict comes all the same, and nothing scary is said."""
    answer = program / "course/solutions/01_mini/01_double/double.py"
    assert check(program, answer)[0] == 0
    process = start(program, _slow(program, "kill"))
    busy = _busy(home)
    busy.kill()
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "") and "passed" in out
    assert check(program, answer)[0] == 0
    assert services(home) != [busy]


def test_ctrl_c_ends_the_judging_there_too(home: Path, program: Path) -> None:
    """The service is free for the next check at once, and is the same."""
    answer = program / "course/solutions/01_mini/01_double/double.py"
    assert check(program, answer)[0] == 0
    process = start(program, _slow(program, "interrupt"))
    busy = _busy(home)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert check(program, answer)[0] == 0 and services(home) == [busy]
