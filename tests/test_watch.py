"""`learn watch` on a real terminal, with real saves; nothing sleeps, each wait is for what a learner would see."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminals import OnTerminal

from grader import editor, service
from grader.course import Course
from grader.keys import Keys
from grader.model import Check, Outcome, Sandbox, Tier, Verdict
from grader.progress import Progress, path_for
from grader.watch import first_line

ROOT = Path(__file__).resolve().parent.parent
MINI = ROOT / "tests" / "mini_course"
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text()
STUB = (MINI / "exercises/01_mini/01_double/double.py").read_text()
WRONG = re.sub(r"return 2 \* x", "return 3 * x", RIGHT)
SLOW = RIGHT.replace("return 2 * x", "import time; time.sleep(60)\n    return 2 * x")
BROKEN = RIGHT.replace("return 2 * x", "return (2 * x")
assert len({RIGHT, WRONG, SLOW, BROKEN}) == 4
KEYS = "q quit"
FAILED = r"✗ (\x1b\[[0-9;]*m)*task 1"  # the mark and the words have colours of their own


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for all these tests: its warm grader serves each of them."""
    home = tmp_path_factory.mktemp("home")
    yield home
    service.stop(home)


@pytest.fixture
def environ(warm: Path) -> dict[str, str]:
    """The environment of a learner; nothing is passed in it."""
    with contextlib.suppress(FileNotFoundError):
        path_for("mini", {"LEARN_HOME": str(warm)}).unlink()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LEARN", "LC_", "EDITOR", "VISUAL"))}
    return clean | {"LEARN_HOME": str(warm), "LANG": "C.UTF-8", "TERM": "xterm-256color"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The learner's file, in a course of his own; the stub."""
    shutil.copytree(MINI, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "course/exercises/01_mini/01_double"
    (folder / "hints.en.md").write_text("## 1\nThe only hint.\n")
    (folder / "lesson.en.md").write_text("# A lesson\n\nShort.\n")
    return folder / "double.py"


@pytest.fixture
def watch(file: Path, environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., OnTerminal]]:
    """watch("1.1") runs `learn watch 1.1` in the course's folder."""
    started: list[OnTerminal] = []

    def start(*arguments: str, columns: int = 80, lines: int = 24, **more: str) -> OnTerminal:
        command = [sys.executable, str(ROOT / "cli.py"), "--course", "course", "watch", *arguments]
        started.append(OnTerminal(command, environ | more, tmp_path, columns, lines))
        return started[-1]

    yield start
    for one in started:
        one.close()


def attempts(environ: dict[str, str]) -> list[bool]:
    """Whether each kept attempt passed."""
    with Progress(path_for("mini", environ)) as progress:
        return [a.passed for a in progress.attempts("double")]


def below(pid: int) -> list[psutil.Process]:
    """The processes that one has started."""
    return psutil.Process(pid).children(recursive=True)


# -- saves


def test_each_save_is_judged_and_kept(watch, file: Path, environ) -> None:
    """The stub, a wrong answer and a right one, each as it is saved; the section is named beside the failure."""
    screen = watch()
    screen.until("Each save of .*double.py is checked")
    screen.until("Nothing is written yet")
    screen.until("checked: .*double.py")
    file.write_text(WRONG)
    screen.until(FAILED)
    screen.until("checked: .*double.py")
    file.write_text(RIGHT)
    screen.until("Passed: all tests")
    screen.until("press n")
    screen.until("checked: .*double.py")
    screen.press("q")
    assert screen.end() == 0 and attempts(environ) == [False, False, True]


def _rename(path: Path, text: str) -> None:
    new = path.with_name(".double.py.new")
    new.write_text(text)
    new.replace(path)


def _backup(path: Path, text: str) -> None:
    path.rename(path.with_name("double.py~"))
    path.write_text(text)


def _emptied_first(path: Path, text: str) -> None:
    with path.open("w") as f:
        f.flush()
        f.write(text)


def _as_notebook(path: Path, text: str) -> None:
    import jupytext

    path.with_suffix(".ipynb").write_text(jupytext.writes(jupytext.reads(text, fmt="py:percent"), fmt="ipynb"))
    os.utime(path, (1, 1))


@pytest.mark.parametrize("save", [_rename, _backup, _emptied_first, _as_notebook])
def test_however_an_editor_saves(save, watch, file: Path, environ) -> None:
    """Another file in its place, the old one moved away first, emptied first, a notebook: judged, and once."""
    screen = watch()
    screen.until("checked: ")
    save(file, RIGHT)
    screen.until("Passed: all tests")
    screen.until("checked: ")
    screen.press("q")
    assert screen.end() == 0 and attempts(environ) == [False, True]


def test_a_touch_is_no_save(watch, file: Path, environ) -> None:
    """The same text once more is not judged; r judges it all the same."""
    screen = watch()
    screen.until("checked: ")
    os.utime(file)
    file.write_text(STUB)
    _rename(file, STUB)
    file.write_text(RIGHT)
    screen.until("Passed: all tests")
    screen.until("checked: ")
    screen.press("r")
    screen.until("Passed: all tests")
    screen.press("q")
    assert screen.end() == 0 and attempts(environ) == [False, True, True]


def test_of_an_older_save_nothing_is_shown_or_kept(watch, file: Path, environ, warm: Path) -> None:
    """A save in the middle of a check that would take a minute: the verdict on the newer text comes at once."""
    screen = watch()
    screen.until("checked: ")
    file.write_text(SLOW)
    screen.until("Checking 1.1")
    file.write_text(RIGHT)
    screen.until("Passed: all tests")
    screen.until("checked: ")
    screen.press("q")
    assert screen.end() == 0 and attempts(environ) == [False, True]


def test_many_saves_in_a_row(watch, file: Path, environ) -> None:
    """Whatever was abandoned, at whatever moment, the last text gets its verdict, from the same warm grader."""
    screen = watch()
    screen.until("checked: ")
    for i in range(12):
        file.write_text(f"{WRONG}# {i}\n")
        screen._more(0.03 * i)  # its own output sets the pace: more of it, more time
    file.write_text(f"{RIGHT}# the last\n")
    screen.until("Passed: all tests")
    screen.press("r")
    screen.until("Passed: all tests")
    screen.press("q")
    assert screen.end() == 0 and attempts(environ)[-2:] == [True, True]


def test_a_file_that_is_away_for_a_while(watch, file: Path, environ) -> None:
    """Deleted or empty, it is waited for, and no stub is put in its place."""
    screen = watch()
    screen.until("checked: ")
    file.unlink()
    screen.until("double.py is not there; waiting")
    assert not file.exists()
    file.write_text("")
    screen.until("double.py is empty; waiting")
    file.write_bytes(b"x = '\xff'\n")
    screen.until("double.py:1: not UTF-8")
    file.write_text(RIGHT)
    screen.until("Passed: all tests")
    screen.press("q")
    assert screen.end() == 0 and attempts(environ) == [False, True]


def test_a_folder_that_is_replaced(watch, file: Path) -> None:
    """As git does when a branch is changed: no event tells of it, and the next look finds it."""
    screen = watch()
    screen.until("checked: ")
    file.parent.rename(file.parent.with_name("old"))
    screen.until("waiting for it")
    shutil.copytree(file.parent.with_name("old"), file.parent)
    file.write_text(RIGHT)
    screen.until("Passed: all tests")


def test_a_syntax_error_on_the_way(watch, file: Path) -> None:
    """It is one thing to mend, with a link to its line for terminals that take one."""
    screen = watch()
    screen.until("checked: ")
    file.write_text(BROKEN)
    line = BROKEN[: BROKEN.index("return (2")].count("\n") + 1
    link = screen.until(r"\x1b\]8;[^;]*;(file://[^\x1b]*)\x1b\\[^\n]*double\.py:(\d+)")
    assert link[1] == f"{file.as_uri()}#L{line}" and int(link[2]) == line
    screen.until(rf"Mend .*double.py:{line} and save")


def test_a_file_elsewhere(watch, tmp_path: Path) -> None:
    """A path that is no part of the workspace can be followed as well; one that does not exist is refused."""
    other = tmp_path / "elsewhere" / "double.py"
    other.parent.mkdir()
    missing = watch("elsewhere/double.py")
    assert missing.end() == 2 and "no such file" in missing.seen
    other.write_text(WRONG)
    screen = watch("elsewhere/double.py")
    screen.until(FAILED)
    other.write_text(RIGHT)
    screen.until("Passed: all tests")


# -- keys


def test_keys(watch, file: Path) -> None:
    """Hint, list, lesson, back, and nothing for any other key; the arrows and a full-width q are understood."""
    screen = watch()
    screen.until("checked: ")
    screen.press("\x1b[A\x1b[Bzh")
    screen.until("The only hint.")
    screen.until("Enter: back")
    screen.press("\n")
    screen.until("Nothing is written yet")
    screen.press("s")
    screen.until("Short.")
    screen.until("Enter: back")
    screen.press("l")
    screen.until(r"begun +1\.1 ")
    screen.until("Enter: back")
    screen.press("\uff51")
    assert screen.end() == 0


def test_it_never_goes_on_by_itself(watch, file: Path) -> None:
    """n says that the section is not passed; once it is, n goes on, here to the end of the course."""
    screen = watch()
    screen.until("checked: ")
    screen.press("n")
    screen.until("1.1 is not passed yet")
    file.write_text(RIGHT)
    screen.until("Passed: all tests")
    screen.until("checked: ")
    file.write_text(WRONG)
    screen.until(FAILED)
    screen.until("checked: ")
    screen.press("n")
    screen.until("every section")


def test_a_verdict_with_too_little_room_is_shown_whole_by_enter(watch, file: Path) -> None:
    """On few lines the screen says how much is left out, and the pager shows it."""
    file.write_text(RIGHT.replace("return 2 * x", "return None").replace("return a[:, None] * b", "return a"))
    screen = watch(lines=12, PAGER=f"{sys.executable} -c \"import sys; print('paged', len(sys.stdin.readlines()))\"")
    left = int(screen.until(r"… (\d+) more lines: Enter shows all")[1])
    screen.until("checked: ")
    screen.press("\r")
    assert int(screen.until(r"paged (\d+)")[1]) > left > 0
    screen.press("q")
    assert screen.end() == 0


def test_a_long_text_goes_to_the_pager(watch, file: Path) -> None:
    """What does not fit on the screen is shown by $PAGER, which has the terminal to itself."""
    lesson = file.with_name("lesson.en.md")
    lesson.write_text("# Long\n\n" + "\n\n".join(f"Paragraph {i}." for i in range(40)))
    screen = watch(PAGER=f"{sys.executable} -c \"import sys; n = len(sys.stdin.readlines()); print('paged', n > 40)\"")
    screen.until("checked: ")
    screen.press("s")
    screen.until("paged True")
    screen.press("q")
    assert screen.end() == 0


def test_the_editor_is_opened_at_the_failure(watch, file: Path, tmp_path: Path) -> None:
    """It gets the terminal as it was, and the line; what it saves is judged when it is done."""
    script = tmp_path / "bin" / "nano"
    script.parent.mkdir()
    script.write_text(
        f"#!{sys.executable}\n"
        "import sys, termios\n"
        "from pathlib import Path\n"
        "cooked = bool(termios.tcgetattr(0)[3] & termios.ICANON)\n"
        "line, path = sys.argv[1:]\n"
        "print('editing', line, cooked, flush=True)\n"
        "input()\n"
        f"Path(path).write_text({RIGHT!r})\n"
    )
    script.chmod(0o755)
    file.write_text(WRONG)
    screen = watch(EDITOR=str(script))
    screen.until("checked: ")
    screen.press("e")
    line = WRONG[: WRONG.index("# --- task 1 ---")].count("\n") + 1
    screen.until(rf"editing \+{line} True")
    screen.press("\x03")  # Ctrl-C is the editor's
    screen.until("Traceback")  # which did not expect it
    screen.until("Stuck on task 1")
    screen.press("e")
    screen.until("editing")
    screen.press("\n")
    screen.until("Passed: all tests")


def test_no_editor(watch) -> None:
    """Said in one line, and nothing ends."""
    screen = watch(EDITOR="/no/such/editor --wait")
    screen.until("checked: ")
    screen.press("e")
    screen.until("the editor /no/such/editor cannot be started: No such file")
    screen.press("q")
    assert screen.end() == 0


# -- the terminal, and ends


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("busy", [False, True])
def test_the_terminal_is_given_back(number: int, busy: bool, watch, file: Path, warm: Path) -> None:
    """After any of these signals, with or without a check under way: its modes are as before, no process is left."""
    screen = watch()
    screen.until("checked: ")
    assert screen.modes() != screen.before
    if busy:
        file.write_text(SLOW)
        screen.until("Checking 1.1")
    family = below(screen.process.pid)
    assert bool(family) == busy
    screen.process.send_signal(number)
    assert screen.end() == 128 + number
    assert screen.modes() == screen.before and "Traceback" not in screen.seen
    assert psutil.wait_procs(family, timeout=20)[1] == []
    assert screen.seen.endswith("\n")


def test_ctrl_c_is_a_key_of_the_terminal(watch) -> None:
    """Typed, it ends the watch with 130."""
    screen = watch()
    screen.until("checked: ")
    screen.press("\x03")
    assert screen.end() == 130 and screen.modes() == screen.before and "Traceback" not in screen.seen


def test_a_crash_gives_the_terminal_back(watch, file: Path, environ) -> None:
    """Whatever goes wrong inside, here a course that disappears."""
    screen = watch(LEARN_TRACEBACK="1")
    screen.until("checked: ")
    shutil.rmtree(file.parents[3])
    screen.press("h")
    screen.until("h|E")
    screen.process.send_signal(signal.SIGTERM)
    screen.end()
    assert screen.modes() == screen.before


def test_ctrl_z_and_fg(file: Path, environ, tmp_path: Path) -> None:
    """Stopped, the terminal is the shell's; after fg it is ours again, and a save meanwhile is judged."""
    prompt = {"PS1": "at your service> "}  # a virtual environment that was entered brings one of its own
    screen = OnTerminal(["bash", "--norc", "--noprofile", "-i"], environ | prompt, tmp_path)
    try:
        screen.press(f"{sys.executable} {ROOT / 'cli.py'} --course course watch; echo e''nded $?\n")
        screen.until("checked: ")
        screen.press("\x1a")
        screen.until("Stopped")
        screen.press("stty -a | grep -o '.icanon'; stty -a | grep -o ' echo '\n")
        screen.until(r"(?<!stty) icanon\s+echo ")
        file.write_text(RIGHT)
        screen.press("fg\n")
        screen.until("Passed: all tests")
        screen.until("checked: ")
        screen.press("q")
        screen.until(prompt["PS1"])
    finally:
        screen.close()


def test_a_terminal_that_is_resized(watch, file: Path) -> None:
    """Drawn anew, and the keys stay whole in the lines they now need."""
    screen = watch()
    screen.until("checked: ")
    screen.resize(40, 15)
    screen.until(r"h hint · s lesson · e edit\r\nr check again")
    screen.resize(120, 30)
    screen.until(KEYS)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_small_and_in_both_languages(watch, file: Path, lang: str) -> None:
    """At 40 columns no line but a path is wider than the screen."""
    from rich.cells import cell_len

    file.write_text(WRONG)
    screen = watch(columns=40, lines=15, LEARN_LANG=lang)
    screen.until("task 1" if lang == "en" else "任务 1")
    screen.until("checked: " if lang == "en" else "已检查：")
    screen.press("q")
    screen.end()
    plain = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\|\x1b\[[0-9;?]*[A-Za-z]", "", screen.seen)
    wide = [x for part in plain.split("\r\n") for x in part.split("\r") if cell_len(x) > 40 and "double.py" not in x]
    assert wide == []


def test_in_a_pipe(file: Path, environ, tmp_path: Path) -> None:
    """Verdicts as they come, no keys, no escape sequences, no clearing of the screen."""
    command = [sys.executable, str(ROOT / "cli.py"), "--course", "course", "watch"]
    with subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        seen = []

        def until(part: str) -> None:
            for line in process.stdout or ():
                seen.append(line)
                if part in line:
                    return
            raise AssertionError(seen)

        until("checked: ")
        file.write_text(WRONG)
        until("✗ task 1")
        until("checked: ")
        file.write_text(RIGHT)
        until("Passed: all tests")
        until("learn next")
        process.send_signal(signal.SIGINT)
        seen += process.stdout.readlines()
        assert process.wait() == 130
    assert "\x1b" not in "".join(seen) and KEYS not in "".join(seen) and "Checking" not in "".join(seen)


# -- parts


@given(st.binary(max_size=40))
def test_no_bytes_from_a_terminal_do_harm(data: bytes) -> None:
    """Whatever is typed or pasted, there are keys or none; sequences of arrows are none, and an end is an end."""
    ours, theirs = os.openpty()
    try:
        keys = Keys(theirs, lambda: None)
        with keys:
            modes = termios.tcgetattr(theirs)
            modes[3] &= ~termios.ISIG  # no signals for a test's own process
            termios.tcsetattr(theirs, termios.TCSANOW, modes)
            os.write(ours, data + b"\nqq")  # the first two may end a sequence
            read = ""
            while not read.endswith("q"):
                read += keys.read()
    finally:
        os.close(ours)
        os.close(theirs)
    assert read == read.lower()


@pytest.mark.parametrize(
    ("environ", "expected", "windowed"),
    [
        ({"EDITOR": "vim"}, ["vim", "+7", "a b.py"], False),
        ({"VISUAL": "/usr/bin/nvim -p", "EDITOR": "nano"}, ["/usr/bin/nvim", "-p", "+7", "a b.py"], False),
        ({"EDITOR": "code --wait"}, ["code", "--goto", "a b.py:7"], True),
        ({"EDITOR": "hx"}, ["hx", "a b.py:7"], False),
        ({"EDITOR": "kate -b"}, ["kate", "--line", "7", "a b.py"], True),
        ({"EDITOR": "my-editor -w"}, ["my-editor", "-w", "a b.py"], False),
        ({"EDITOR": "'"}, None, False),
        ({"EDITOR": " "}, None, False),
    ],
)
def test_how_editors_take_a_line(environ, expected, windowed: bool) -> None:
    """Each in its own form; one that is not known gets the path alone; a window's --wait would only hold us up."""
    found = editor.find(environ | {"PATH": "/nonexistent"})
    if expected is None:
        assert found is None
    else:
        assert found is not None and (found.at(Path("a b.py"), 7), found.windowed) == (expected, windowed)
        assert found.at(Path("a b.py"), None)[-1] == "a b.py"


def _verdict(*checks: Check) -> Verdict:
    return Verdict(
        section="double", section_digest="s", submission_digest="d", checks=checks, points="0", max_points="5",
        sandbox=Sandbox(tier=Tier.T3), versions={},
    )  # fmt: skip


def test_where_to_look_first() -> None:
    """The line of the first failure; where it has none, the head of its task; nothing when nothing failed."""
    text = "import torch\n# --- task 1 ---\nx\n# --- end ---\n\n# --- task 2 ---\ny\n# --- end ---\n"

    def check(task: int, outcome: Outcome, where: int | None = None) -> Check:
        return Check(name="t", task=task, visible=False, outcome=outcome, where=where)

    passed = check(1, Outcome.PASSED)
    assert first_line(_verdict(passed), text) is None and first_line(None, text) is None
    assert first_line(_verdict(passed, check(2, Outcome.FAILED)), text) == 6
    assert first_line(_verdict(check(2, Outcome.FAILED, 7), check(1, Outcome.NOT_WRITTEN)), text) == 2
    assert first_line(_verdict(check(1, Outcome.FAILED), check(1, Outcome.FAILED, 3)), text) == 3
    assert first_line(_verdict(check(1, Outcome.FAILED)), "nothing here") is None


def test_a_stub_is_made_only_at_the_start(tmp_path: Path) -> None:
    """What the loop asks for never writes."""
    from grader.workspace import Workspace

    shutil.copytree(MINI, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    course = Course.at(tmp_path / "course")
    workspace = Workspace(course, course.exercises)
    section = course["double"]
    workspace.path(section).unlink()
    assert workspace.present(section) is None and not workspace.path(section).exists()
