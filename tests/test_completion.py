"""Tab, in the shells that are there: commands, sections by number and slug, tasks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_course
from terminals import OnTerminal

from grader.commands.completion import SHELLS

ROOT = Path(__file__).resolve().parent.parent
STARTS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which `learn` is a command, for the tiny course."""
    tiny_course.write(tmp_path / "course")
    program = tmp_path / "bin" / "learn"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "cli.py"}" "$@"\n')
    program.chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LEARN", "LC_"))}
    clean |= {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "xterm"}
    return clean | {"LEARN_HOME": str(tmp_path / "home"), "LANG": "C.UTF-8"}


@pytest.fixture
def complete(environ: dict[str, str]) -> Callable[..., list[str]]:
    """complete("learn ch") -> what Tab would offer."""

    def run(line: str, **more: str) -> list[str]:
        words = line.split()
        asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - (not line.endswith(" ")))}
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py")],
            env=environ | asked | {"_LEARN_COMPLETE": "bash_complete"} | more,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return [x.partition(",")[2] for x in done.stdout.splitlines() if x]

    return run


def test_what_is_offered(complete, tmp_path: Path) -> None:
    """Commands; sections by number or slug; tasks of the section named, else of the current one; files."""
    course = f"learn --course {tmp_path / 'course'}"
    assert complete("learn ch") == ["check"] and {"watch", "update", "dev"} <= set(complete("learn "))
    assert complete(f"{course} read ") == ["1.1", "doubling", "1.2", "again"]
    assert complete(f"{course} check 1.") == ["1.1", "1.2"] and complete(f"{course} watch ag") == ["again"]
    assert complete(f"{course} check ./m") == ["./m"]  # bash then completes files
    assert complete(f"{course} hint ") == ["1", "2", "1.1", "doubling", "1.2", "again"]
    assert complete(f"{course} hint again ") == ["1", "2"] and complete(f"{course} hint no_such ") == []
    assert complete(f"{course} check again ") == ["1", "2"] and complete("learn completion z") == ["zsh"]


def test_tab_does_nothing_else(complete, tmp_path: Path) -> None:
    """A course that cannot be read is no news for somebody who types; --lang and --version are not carried out."""
    assert complete("learn --course /nowhere read ") == []
    assert "1.1" in complete(f"learn --course {tmp_path / 'course'} --lang zh --version read ")
    assert not (tmp_path / "home").exists()


def test_it_is_quick(environ: dict[str, str]) -> None:
    """No torch, rich, pytest, jupytext or watchfiles for a Tab."""
    asked = {"COMP_WORDS": "learn check 2", "COMP_CWORD": "2", "_LEARN_COMPLETE": "bash_complete"}
    command = [sys.executable, "-X", "importtime", str(ROOT / "cli.py")]
    done = subprocess.run(command, env=environ | asked, capture_output=True, text=True, check=False)
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "plain,2.2" in done.stdout and not imported & {"torch", "rich", "pytest", "jupytext", "watchfiles", "numpy"}


@pytest.fixture(params=sorted(STARTS))
def shell(request: pytest.FixtureRequest, environ: dict[str, str], tmp_path: Path) -> Iterator[OnTerminal]:
    """A shell that was told what `learn completion` says."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    # `zsh -f` asks about folders of other owners, which a learner's own configuration has settled
    line = SHELLS[request.param][1].replace("compinit &&", "compinit -u &&")
    on = OnTerminal(STARTS[request.param], environ, tmp_path, lines=60)
    on.press(f"{line}; echo rea''dy\n")
    on.until("ready")
    yield on
    on.close()


def test_a_real_tab(shell: OnTerminal) -> None:
    """A command and a slug are completed in each shell; what is then run is the whole command."""
    shell.press("learn li\t--lang en\n")
    shell.until(r"sections passed")
    shell.press("learn hint gan\t1\n")
    shell.until(r"9\.1 task 1 ")
