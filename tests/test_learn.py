"""`learn` as a person runs it: real processes, the real course, a workspace of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.course import Course
from grader.model import Verdict, schema

ROOT = Path(__file__).parents[1]
COURSE = Course.ours()
WRONG = sorted(COURSE.solutions.glob("*/*/wrong/*.py"))


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing was ever learned."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LEARN") and k not in ("LC_ALL", "LANGUAGE")}
    return clean | {"LEARN_HOME": str(tmp_path / "home"), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}


def learn(home: dict[str, str], *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "cli.py"), *args]
    return subprocess.run(command, env=home, cwd=cwd, capture_output=True, text=True, timeout=200, check=False)


def test_from_stub_to_passed(home: dict[str, str], tmp_path: Path) -> None:
    """A new workspace: 2.2 fails politely, then passes with the reference, and `learn next` has moved on."""
    work = tmp_path / "work"
    assert learn(home, "init", str(work), cwd=tmp_path).returncode == 0
    first = learn(home, "next", cwd=tmp_path)
    assert first.returncode == 0 and COURSE.in_order()[0].number in first.stdout

    section = COURSE["2.2"]
    mine = work / section.stub.relative_to(COURSE.exercises)
    unwritten = learn(home, "check", "2.2", cwd=tmp_path)
    assert unwritten.returncode == 1 and "Traceback" not in unwritten.stdout + unwritten.stderr

    shutil.copy(section.reference, mine)
    passed = learn(home, "check", "2.2", cwd=tmp_path)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "2.2" not in learn(home, "next", cwd=tmp_path).stdout.splitlines()[0]

    told = learn(home, "check", "2.2", "--json", cwd=tmp_path)
    verdict = Verdict.from_json(told.stdout)
    assert verdict.passed and verdict.points == verdict.max_points == "12"
    assert json.loads(told.stdout)["schema"] == "learn/verdict/v1"


def test_a_known_mistake_is_named_in_both_languages(home: dict[str, str], tmp_path: Path) -> None:
    """With a wrong answer in the stub's place, the screen explains that very mistake; exit 1."""
    section = COURSE["gradients"]
    answer = tmp_path / "gradients.py"
    shutil.copy(section.hidden / "wrong" / "summed_not_averaged.py", answer)
    for lang in ("en", "zh"):
        seen = learn(home, "check", str(answer), "--lang", lang)
        assert seen.returncode == 1
        words = section.mistakes(lang)["summed_not_averaged"].replace("*", "").split()
        assert words[0][:4] in seen.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["check", "2.22"], 2),
        (["check", "no/such/gradients.py"], 2),
        (["chekc"], 2),
        (["check", "--lang", "fr"], 2),
        (["--course", "/nonexistent", "list"], 2),
        (["hint", "2.2", "9"], 2),
    ],
)
def test_bad_commands(home: dict[str, str], args: list[str], code: int) -> None:
    """One clear line on stderr, nothing on stdout, exit 2."""
    seen = learn(home, *args)
    assert seen.returncode == code
    assert len(seen.stderr.strip().splitlines()) == 1 and not seen.stdout


def test_did_you_mean(home: dict[str, str]) -> None:
    """A section that is nearly right is suggested."""
    assert "did you mean 2.2?" in learn(home, "check", "2.22").stderr


def test_an_answer_that_is_no_text(home: dict[str, str], tmp_path: Path) -> None:
    """Bytes that are no UTF-8: the line is named, exit 2, no traceback."""
    answer = tmp_path / "gradients.py"
    answer.write_bytes(b"import torch\nx = '\xb5\xd8'\n")
    seen = learn(home, "check", str(answer))
    assert seen.returncode == 2 and "2" in seen.stderr and "Traceback" not in seen.stderr


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs util-linux to take user namespaces away")
def test_a_sandbox_that_cannot_be_had(home: dict[str, str], tmp_path: Path) -> None:
    """Where user namespaces are forbidden, --require-sandbox T3 exits with 4 and judges nothing; T2 still works."""
    answer = tmp_path / "gradients.py"
    shutil.copy(COURSE["gradients"].reference, answer)
    forbid = "echo 0 > /proc/sys/user/max_user_namespaces && exec "
    outcomes = []
    for tier in ("T3", "T2"):
        program = f"{forbid} {sys.executable} {ROOT / 'cli.py'} check {answer} --require-sandbox {tier}"
        command = ["unshare", "--user", "--map-root-user", "sh", "-c", program]
        seen = subprocess.run(command, env=home, capture_output=True, text=True, timeout=200, check=False)
        outcomes.append(seen.returncode)
    assert outcomes == [4, 0]


def test_the_published_schema_is_current() -> None:
    """docs/verdict.schema.json is what the code writes (`python -m grader.model > docs/verdict.schema.json`)."""
    assert json.loads((ROOT / "docs" / "verdict.schema.json").read_text()) == json.loads(json.dumps(schema()))
