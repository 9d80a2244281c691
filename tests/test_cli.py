"""The commands, on a course of two sections; `learn check` end to end is in the tests of the judge."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
import tiny_course
from click.testing import CliRunner
from terminals import OnTerminal

import cli
from grader import guide
from grader.model import Check, Outcome, Sandbox, Tier, Verdict
from grader.progress import VERSION, Progress, path_for
from grader.reports.lines import cells
from grader.reports.words import LANGUAGES, messages

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, and an English locale, for each test."""
    for name in [n for n in os.environ if n.startswith(("LEARN_", "LC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def course(tmp_path):
    """The tiny course."""
    return tiny_course.write(tmp_path / "course")


@pytest.fixture
def learn(course, tmp_path):
    """learn("next") -> exit code, stdout, stderr."""

    def run(*arguments):
        done = CliRunner().invoke(cli.learn, ["--course", str(tmp_path / "course"), *arguments])
        return done.exit_code, done.stdout, done.stderr

    return run


def _record(slug, *outcomes, points="2", worth="5"):
    checks = tuple(Check(name="t", task=i, visible=False, outcome=o) for i, o in enumerate(outcomes, 1))
    verdict = Verdict(
        section=slug, section_digest="s", submission_digest="d", checks=checks, points=points, max_points=worth,
        sandbox=Sandbox(tier=Tier.T3), versions={},
    )  # fmt: skip
    with Progress(path_for("tiny", os.environ)) as progress:
        progress.record(verdict)


PASSED = (Outcome.PASSED, Outcome.PASSED)


def _one_line(stderr, *parts):
    assert stderr.count("\n") == 1 and stderr.startswith("learn") and "Traceback" not in stderr
    assert all(p in stderr for p in parts), stderr


def test_where_am_i(learn):
    """`learn` says how far one is, the current section, and what to do."""
    code, out, _ = learn()
    assert code == 0 and "0 of 2 sections passed" in out and "You are at 1.1 Doubling." in out and "learn next" in out
    _record("doubling", Outcome.PASSED, Outcome.FAILED)
    assert "Last check: 2 of 5 points." in learn()[1]


def test_next_moves_on_once_passed(learn):
    """Number, title, file, tasks with points; the next section after a pass; congratulations after the last."""
    code, out, _ = learn("next")
    assert code == 0 and "1.1  Doubling" in out and "1  double (2 points)" in out
    assert str(Path("course/exercises/01_first/01_doubling/doubling.py")) in out
    _record("doubling", *PASSED)
    assert "1.2  Doubling again" in learn("next")[1]
    _record("again", *PASSED)
    code, out, _ = learn("next")
    assert code == 0 and "Congratulations" in out
    assert "Congratulations" in learn()[1]
    assert "Lesson of again" in learn("read")[1]  # the last one named, rather than an error


def test_next_goes_where_it_is_told(learn):
    """Commands without a section then mean that one; one that is passed has to be named, and is in what they say."""
    assert "1.2  Doubling again" in learn("next", "again")[1]
    assert "Lesson of again" in learn("read")[1] and "You are at 1.2" in learn()[1]
    _record("again", *PASSED)
    out = learn("next", "1.2")[1]
    assert "1.2  Doubling again" in out and "learn check 1.2" in out and "learn read 1.2" in out


def test_all_passed_and_none_named(learn):
    """With nothing open and nothing named, one is asked to name a section."""
    for slug in ("doubling", "again"):
        _record(slug, *PASSED)
    code, _, err = learn("read")
    assert code == 2
    _one_line(err, "every section is passed")


def test_the_section_named_last_is_current(learn):
    """What is worked on is current until it is passed, then the first open one again; who only reads ahead stays."""
    learn("read", "1.2")
    assert "You are at 1.1" in learn()[1]
    with Progress(path_for("tiny", os.environ)) as progress:
        progress.keep("current", "again")
    assert "You are at 1.2" in learn()[1]
    _record("again", *PASSED)
    assert "You are at 1.1" in learn()[1]


def test_list(learn):
    """Every section with its state in a word, points, and what to do first."""
    _, out, _ = learn("list")
    assert re.search(r"· open +1\.1  0/5  Doubling +<- you are here", out) and "after 1.1" in out
    _record("doubling", *PASSED, points="7/2")
    _, out, _ = learn("list")
    assert re.search(r"✓ passed +1\.1  3\.5/5  Doubling", out) and "1 of 2 sections passed · 3.5 of 10 points" in out


def test_list_of_a_section_that_was_worth_something_else(learn):
    """What was earned before an update stays the same share of the points: full stays full."""
    _record("doubling", *PASSED, points="10", worth="10")
    assert re.search(r"✓ passed +1\.1  5/5  Doubling", learn("list")[1])


def test_hints_one_more_each_time(learn):
    """Each call shows one more, remembered; then all with a word that there are no others."""
    assert "hint 1 of 2" in learn("hint")[1]
    code, out, _ = learn("hint")
    assert code == 0 and "First hint, en." in out and "Second hint, en." in out and "all the hints" in out
    assert "hint 2 of 2" in learn("hint", "doubling", "1")[1]


def test_hint_finds_the_task(learn):
    """A bare number is a task of the current section; without one it is the first that is not passed."""
    assert "1.1 task 2 halve" in learn("hint", "2")[1]
    assert "1.2 task 1 double" in learn("hint", "1.2")[1]
    _record("doubling", Outcome.PASSED, Outcome.FAILED)
    assert "1.1 task 2 halve" in learn("hint")[1]
    for wrong in (["7"], ["1.1", "x"]):
        code, _, err = learn("hint", *wrong)
        assert code == 2
        _one_line(err, "has no task", "1, 2")


def test_read(learn):
    """The lesson in the language spoken, as Markdown in a pipe."""
    assert learn("read", "1.2")[1] == "# Lesson of again, en\n\n"
    assert learn("read", "again", "--lang", "zh")[1] == "# Lesson of again, zh\n\n"


def test_reset(learn, course):
    """The file starts over and the copy is named; nothing is done to an untouched file."""
    assert "nothing to do" in learn("reset", "1.1")[1]
    course["doubling"].stub.write_text("mine")
    code, out, _ = learn("reset", "1.1")
    (copy,) = course["doubling"].folder.glob("*.before-reset-*.py")
    assert code == 0 and copy.name in out and copy.read_text() == "mine"
    assert "raise NotImplementedError" in course["doubling"].stub.read_text()


def test_reset_without_a_section_asks(learn, course, tmp_path):
    """On a terminal it says what it will do to which file, and does it only after a yes; then, what is next."""
    course["doubling"].stub.write_text("mine")
    for answer, kept in (("\r", True), ("y\r", False)):
        screen = OnTerminal(
            [sys.executable, str(ROOT / "cli.py"), "--course", "course", "reset"], dict(os.environ), tmp_path
        )
        try:
            screen.until(r"Start 1\.1 over\?[\s\S]*doubling\.py[\s\S]*\[y/N\] ")
            screen.press(answer)
            screen.until("stays as it is" if kept else r"kept:[\s\S]*learn read 1\.1")
            assert screen.end() == 0 and (course["doubling"].stub.read_text() == "mine") is kept
        finally:
            screen.close()


@pytest.mark.parametrize(
    ("command", "end"), [("list", "after 1.1"), ("read", "the end"), ("solution --give-up", "own way")]
)
def test_what_is_longer_than_the_screen_is_paged(learn, course, tmp_path, command, end):
    """By less, with a prompt that says how to go on and nothing that runs programs; by the learner's own pager, if any;
    and what fits is just printed.
    """
    (course["doubling"].folder / "lesson.en.md").write_text("# Long\n\n" + "- a line\n" * 30 + "\nthe end\n")
    environ = {k: v for k, v in os.environ.items() if k not in ("PAGER", "LESS", "LESSSECURE", "LESSCHARSET")}
    own = (
        f"{sys.executable} -c \"import os, sys; print('paged', len(sys.stdin.readlines()), os.environ['LESSSECURE'])\""
    )
    told = {"less": ({}, 6, r"Space: next page"), "own": ({"PAGER": own}, 6, r"paged \d+ 1"), "none": ({}, 60, end)}
    for more, lines, seen in told.values():
        line = [sys.executable, str(ROOT / "cli.py"), "--course", "course", *command.split()]
        screen = OnTerminal(line, environ | more | {"TERM": "xterm"}, tmp_path, lines=lines)
        try:
            screen.until(seen)
            screen.press("q" * (seen.startswith("Space")))
            assert screen.end() == 0
        finally:
            screen.close()


def test_an_error_is_told_in_whole_words(learn, course, tmp_path):
    """On a narrow terminal a line ends between words, and never within a command."""
    line = [sys.executable, str(ROOT / "cli.py"), "--course", "course", "solution", "1.1"]
    screen = OnTerminal(line, dict(os.environ), tmp_path, columns=40)
    try:
        assert screen.end() == 2
        lines = screen.seen.split("\r\n")
        assert len(lines) > 3 and max(map(len, lines)) <= 40
        assert any("`learn solution 1.1 --give-up`" in one for one in lines)
    finally:
        screen.close()


def test_the_last_hint_says_what_is_left(learn):
    """The lesson and the answer."""
    learn("hint", "1.1", "1")
    out = learn("hint", "1.1", "1")[1]
    assert "`learn read 1.1`" in out and "`learn solution 1.1 1 --give-up`" in out


def test_init_is_remembered(learn, tmp_path):
    """The folder is made, and used from then on wherever one stands."""
    code, out, _ = learn("init", "ws")
    assert code == 0 and "files added" in out
    assert str(Path("ws/01_first/01_doubling/doubling.py")) in learn("next")[1]
    assert "nothing was changed" in learn("init", "ws")[1]


def test_init_says_when_the_environment_goes_before_it(learn, tmp_path, monkeypatch):
    """LEARN_WORKSPACE goes before the new folder: told, not found out later."""
    learn("init", "one")
    monkeypatch.setenv("LEARN_WORKSPACE", str(tmp_path / "one"))
    assert "cd" in learn("init", "two")[1]


def test_language_is_remembered(learn):
    """--lang before or after the command, and from then on without it; the last one counts."""
    assert "小课程" in learn("--lang", "zh")[1]
    assert "小课程" in learn()[1]
    assert "A tiny course" in learn("list", "--lang=en")[1]
    assert "A tiny course" in learn()[1]
    assert "小课程" in learn("--lang", "en", "list", "--lang", "zh")[1]


def _walk(command, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _walk(command.get_command(context, name), (*path, name))


def _commands(group):
    return [path for path, _ in _walk(group) if path]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("command", [(), *_commands(cli.learn)])
def test_help_in_both_languages(learn, command, lang):
    """Every command explains itself in each language, and takes --lang."""
    code, out, _ = learn(*command, "--lang", lang, "--help")
    assert code == 0 and "--lang en|zh" in out
    assert out.startswith("Usage: " if lang == "en" else "用法：") and bool(re.search("[一-鿿]", out)) == (lang == "zh")


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_help_fits(learn, lang, width, monkeypatch):
    """No line is wider than the terminal, though a Chinese character takes two columns."""
    monkeypatch.setenv("COLUMNS", str(width))
    for command in [(), *_commands(cli.learn)]:
        out = learn(*command, "--lang", lang, "--help")[1]
        assert all(cells(line) <= width for line in out.splitlines()), out


def test_help_does_not_remember_or_need_a_course(home):
    """Asking for help writes nothing, and works where the course cannot be read."""
    done = CliRunner().invoke(cli.learn, ["--course", "/nowhere", "--lang", "zh", "--help"])
    assert done.exit_code == 0 and "用法" in done.stdout and not home.exists()


def test_version(learn):
    """The version alone."""
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", learn("--version")[1])


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["check", "1.11"], ["no section 1.11", "did you mean 1.1"]),
        (["read", "doublng"], ["no section doublng", "did you mean 1.1"]),
        (["read", "quux"], ["learn list"]),
        (["chek"], ["no command chek", "did you mean check"]),
        (["quux"], ["no command quux", "learn --help"]),
        (["list", "--lagn", "en"], ["no option --lagn"]),
        (["list", "--quux"], ["no option --quux", "learn list --help"]),
        (["init"], ["as in `learn init "]),
        (["1.2"], ["no command 1.2", "`learn next 1.2`"]),
        (["9.9"], ["no section 9.9"]),
        (["next", "9.9"], ["no section 9.9"]),
        (["list", "--lang"], ["--lang is missing"]),
        (["--lang", "fr", "list"], ["no language fr", "en (English), zh (中文)"]),
        (["check", "a", "b", "c"], ["learn check --help"]),
        (["check", "1.1", "x"], ["has no task x", "1, 2"]),
        (["check", "7"], ["1.1, where you are, has no task 7", "1, 2", "`2.2 7`"]),
        (["check", "--require-sandbox", "T4"], ["T4", "T1, T2, T3"]),
        (["check", "--debug", "--json"], ["--debug"]),
        (["check", "--debug", "--require-sandbox", "T1"], ["--debug"]),
        (["check", "thesis.py"], ["thesis.py", "no such file"]),
        (["check", "/dev/null/else.ipynb"], ["no such file"]),
        (["check", __file__], ["which section"]),
    ],
)
def test_bad_usage_is_one_clear_line(learn, arguments, parts):
    """Exit code 2, one line on stderr with what would do, nothing on stdout."""
    for lang in ("en", "zh"):
        code, out, err = learn(*([] if "--lang" in arguments else ["--lang", lang]), *arguments)
        assert code == 2 and out == "", err
        _one_line(err, *(parts if lang == "en" or "--lang" in arguments else []))


@pytest.mark.parametrize(
    ("data", "part"),
    [(None, "no such file"), (b"x = '\xff'\n", "doubling.py:1"), (b"#" * 10**6, "KB"), ("folder", "folder")],
)
def test_a_file_that_cannot_be_judged(learn, course, tmp_path, data, part):
    """Missing, of another encoding, too big, a folder: exit code 2 and one line that names the path."""
    path = tmp_path / "elsewhere" / "doubling.py"
    path.parent.mkdir()
    if isinstance(data, bytes):
        path.write_bytes(data)
    elif data:
        (path / "doubling.py").mkdir(parents=True)
    code, out, err = learn("check", str(path))
    assert code == 2 and out == ""
    _one_line(err, "doubling.py", part)


def test_no_course_there(tmp_path):
    """--course with a folder that has none is the caller's mistake."""
    done = CliRunner().invoke(cli.learn, ["--course", str(tmp_path / "nowhere"), "list"])
    assert done.exit_code == 2
    _one_line(done.stderr, "nowhere", "no course here")


def test_a_home_that_cannot_be_written(learn, tmp_path, monkeypatch):
    """Every command works, and one line says that nothing was kept and names LEARN_HOME."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "file"))
    for command in ("list", "next", "hint", "read"):
        code, out, err = learn(command)
        assert code == 0 and out, command
        assert err.count("\n") == 1 and "LEARN_HOME" in err


def test_a_newer_progress_file(learn):
    """One line that says so, and nothing of it is touched."""
    path = path_for("tiny", os.environ)
    _record("doubling", *PASSED)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for command in ("list", "next", "read"):
        code, _, err = learn(command)
        assert code == 2
        _one_line(err, "99")
    assert path.read_bytes() == before


def test_in_a_folder_that_has_been_deleted(learn, tmp_path, monkeypatch):
    """There is nothing wrong with a list."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    code, out, _ = learn("list")
    assert code == 0 and out


def test_damaged_progress_is_told_once(learn):
    """The command works all the same, and says where the old file is."""
    path = path_for("tiny", os.environ)
    path.parent.mkdir(parents=True)
    path.write_text("garbage" * 100)
    code, _, err = learn("list")
    assert code == 0 and "progress.damaged-" in err
    assert learn("list")[2] == ""


def test_newer_progress_is_refused(learn):
    """Told to update, exit code 2."""
    import sqlite3

    learn("next")
    with sqlite3.connect(path_for("tiny", os.environ)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 5}")
    db.close()
    code, _, err = learn("list")
    assert code == 2
    _one_line(err, "newer version")


def test_our_fault_has_no_traceback(learn, monkeypatch):
    """Exit code 3 and an apology; LEARN_TRACEBACK=1 lets the error through."""

    def fail(*_):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(guide, "places", fail)
    code, _, err = learn("list")
    assert code == 3
    _one_line(err, "our fault", "RuntimeError: two lines")
    monkeypatch.setenv("LEARN_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        CliRunner().invoke(cli.learn, ["list"], catch_exceptions=False)


def test_interrupted(learn, monkeypatch):
    """Ctrl-C ends with 130 and without a word of blame."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(guide, "places", interrupt)
    code, out, err = learn("list")
    assert code == 130 and out == "" and err.strip() == ""


def _python(*arguments, **environ):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environ,
        cwd=Path.cwd(),
        check=False,
    )


HEAVY = {"torch", "pytest", "_pytest", "jupytext", "nbformat", "numpy", "rich", "platformdirs"}


@pytest.mark.parametrize("command", ["", "list", "next", "hint", "read", "reset", "init ws", "--help"])
def test_quick_commands_import_nothing_heavy(course, tmp_path, command):
    """No torch, pytest, jupytext, and in a pipe no rich, in a process of its own."""
    done = _python("-X", "importtime", str(ROOT / "cli.py"), "--course", str(tmp_path / "course"), *command.split())
    assert done.returncode == 0, done.stderr[-500:]
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "click" in imported and not imported & HEAVY


def test_a_terminal_without_unicode(course, tmp_path):
    """An old locale costs a symbol, not a crash."""
    environ = {"PYTHONIOENCODING": "ascii", "LEARN_LANG": "zh"}
    done = _python(str(ROOT / "cli.py"), "--course", str(tmp_path / "course"), "list", **environ)
    assert done.returncode == 0 and "1.1" in done.stdout


def test_a_closed_pipe_is_no_error(course, tmp_path):
    """`learn list | head -0` says nothing of broken pipes."""
    command = f"'{sys.executable}' '{ROOT / 'cli.py'}' --course course list | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "Traceback" not in done.stderr and "fault" not in done.stderr


def test_commands_are_short():
    """A command composes: 15 lines or fewer, without what it takes and its docstring."""
    import ast

    for path in (ROOT / "cli.py", *(ROOT / "grader" / "commands").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                body = node.body[1:] if ast.get_docstring(node) else node.body
                assert node.end_lineno - body[0].lineno < 15, node.name


def test_every_help_text_belongs_to_a_command():
    """No help for what there is not."""
    known = {c.help for _, c in _walk(cli.learn)} | {"usage", "options", "commands"}
    texts = {k.split(".")[1] for k in messages() if k.startswith("help.") and not k.startswith("help.option.")}
    assert texts == known
