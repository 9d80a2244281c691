"""`learn doctor`: what is there, what is missing, what that costs, how to get it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course

from grader import doctor, pool
from grader.course import Course
from grader.doctor import Sign, of_sandbox, remedy, signs
from grader.model import Sandbox, Tier
from grader.reports import plain
from grader.reports.words import LANGUAGES
from grader.sandbox import warden
from grader.sandbox.cell import Lost
from grader.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course as an installed package holds it."""
    return tiny_course.write(tmp_path / "grader" / "_course")


def found(course: Course, home: Path, workspace: Workspace | None = None) -> dict[str, Sign]:
    """The signs by key; each has words in both languages."""
    by_key = {s.key: s for s in signs(course, workspace, home, home / "progress.sqlite")}
    assert all(plain.sign(s.key, s.params, lang) for s in by_key.values() for lang in LANGUAGES)
    return by_key


def test_a_computer_in_order(course: Course, tmp_path: Path) -> None:
    """What is there is good; the first folder is still to be made, and the folder of the progress is made."""
    by_key = found(course, tmp_path / "home")
    assert {"versions", "course", "progress", "disk", "memory", "git"} <= set(by_key)
    assert by_key["versions"].mark == by_key["git"].mark == "good" and by_key["no_workspace"].mark == "lacking"
    assert (tmp_path / "home").is_dir() and list((tmp_path / "home").iterdir()) == []


def test_what_is_missing_is_told(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No git, no editor, no warm grader, a home that is a file: each with what to do."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LEARN_SERVICE", "off")
    for name in ("EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    by_key = found(course, tmp_path / "file")
    assert {"no_git", "no_editor", "service_off", "no_home"} <= set(by_key)
    assert by_key["no_home"].mark == "bad" and by_key["no_git"].mark == "lacking" and "disk" not in by_key
    assert "apt install git" in plain.sign("no_git", {}, "zh") and "LEARN_HOME" in plain.sign(
        *by_key["no_home"][1:], "en"
    )


def test_an_editor_that_is_not_there(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EDITOR may name anything: only what can be started is called good, and another one is told by its name."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "nonesuch --wait")
    sign = found(course, tmp_path / "home")["editor_gone"]
    assert sign.mark == "lacking" and "nonesuch" in plain.sign(sign.key, sign.params, "en")
    monkeypatch.setenv("EDITOR", sys.executable)
    assert found(course, tmp_path / "home")["editor"].mark == "good"


def test_a_folder_that_is_behind(course: Course, tmp_path: Path) -> None:
    """Told once the course is newer, and no more after the update."""
    workspace, _ = Workspace.init(course, tmp_path / "ws")
    assert "workspace_old" not in found(course, tmp_path / "home", workspace)
    course["again"].stub.write_text(tiny_course.STUB + "# more\n")
    assert "workspace_old" in found(course, tmp_path / "home", workspace)


@pytest.mark.parametrize(("tier", "mark"), [(Tier.T3, "good"), (Tier.T2, "lacking"), (Tier.T1, "bad")])
def test_the_sandbox(course: Course, tier: Tier, mark: str) -> None:
    """The tier, found by trying, and below the strongest what would help; in words of both languages."""
    found = pool.survey(course, tier)
    told = list(of_sandbox(found))
    assert told[0] == Sign("good" if found.tier is Tier.T3 else mark, "sandbox", {"tier": found.tier.value})
    assert (told[-1].key.startswith("remedy")) is (found.tier is not Tier.T3)
    assert all(plain.sign(s.key, s.params, lang) for s in told for lang in LANGUAGES)


_STEPS = ["T3: setup: [Errno 1] unshare: Operation not permitted", "T3: could: files,network", "T2: unconfined"]
_STEPS += ["T3: gone", "T2: root", "T2: no_start: Died 70 cell: OSError: [Errno 38] landlock: Function not implemented"]


@pytest.mark.parametrize("what", _STEPS)
def test_why_not_better_is_told_in_the_learners_language(what: str) -> None:
    """The reasons that are ours are words of that language; what the kernel said stays, and so does the tier."""
    (sign,) = (s for s in of_sandbox(Sandbox(tier=Tier.T3, degraded=(what,))) if s.key == "degraded")
    shown = plain.sign(sign.key, sign.params, "zh").removeprefix("这台电脑无法提供：")
    tier, kind, *detail = what.split(": ", 2)
    ours = re.sub(r"（.*）$", "", shown)
    assert shown.startswith(tier) and f": {kind}" not in shown
    assert not set(re.findall("[A-Za-z]{2,}", ours)) - {"root", "nobody", "Python"} and re.search(
        "[\u4e00-\u9fff]", ours
    )
    assert kind == "could" or "".join(detail) in shown


def test_a_reason_of_another_version_is_told_as_it_is() -> None:
    """A verdict may have been made by an older grader, or a newer one."""
    for what in ("debug", "T3: a cell could still: read", "T3: nonesuch: x", ""):
        assert plain.degraded(what, "zh") == what


def test_what_a_host_does_not_give_is_an_id_with_what_the_kernel_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiers that do not hold, and a cell that cannot start at all: the reasons are for machines."""
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setattr(warden, "_ATTEMPTS", "def attempts(*files):\n    return ['files', 'network'] if files else []")
    with warden.Warden() as w:
        assert w.confinement().degraded[:2] == ("T3: could: files,network", "T2: could: files,network")
    monkeypatch.setattr(warden, "_ATTEMPTS", "def attempts(*files):\n    raise OSError('a\\nb')")
    with warden.Warden(at_most="T1") as w, pytest.raises(Lost) as e:
        w.confinement()
    (why,) = e.value.why
    assert why.startswith("T1: no_start: torch: ") and "\n" not in why


@pytest.mark.parametrize(
    ("file", "text", "key"),
    [
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "remedy_switch"),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0\n", "remedy_unknown"),
        ("proc/sys/user/max_user_namespaces", "0\n", "remedy_switch"),
        (".dockerenv", "", "remedy_container"),
        ("etc/hostname", "x", "remedy_unknown"),
    ],
)
def test_why_there_is_no_better_sandbox(tmp_path: Path, file: str, text: str, key: str) -> None:
    """The switch of the kernel that forbids it is named, with the command that turns it."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    sign = remedy(tmp_path, "linux")
    assert sign.key == key
    assert ("sysctl" in plain.sign(sign.key, sign.params, "en")) is (key == "remedy_switch")
    assert remedy(tmp_path, "darwin").key == "remedy_linux"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_line_has_a_mark(course: Course, tmp_path: Path, lang: str) -> None:
    """Not by colour alone, and in a pipe one line for each."""
    environ = os.environ | {"LEARN_HOME": str(tmp_path / "home"), "LEARN_LANG": lang}
    command = [sys.executable, str(ROOT / "cli.py"), "--course", str(course.exercises.parent), "doctor"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == ""
    assert all(re.match("[✓!✗] .", line) for line in done.stdout.splitlines()) and "\x1b" not in done.stdout


def test_every_sign_has_its_mark() -> None:
    """Whatever doctor may yield is one of the three."""
    source = Path(doctor.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'Sign\(\s*"(\w+)"', source)) <= {"good", "lacking", "bad"}
