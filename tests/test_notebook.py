"""A learner's file and its notebook: one says what the other says, and neither is ever lost."""

import json
import os
import time

import jupytext
import nbformat
import pytest
import tiny_course
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import cli
from grader import notebook, workspace
from grader.course import Course
from grader.notebook import Run, of_text, place, same, to_text, with_checks, with_runs
from grader.reports.words import LANGUAGES, say
from grader.workspace import Workspace, notebook_of

STUBS = [s.stub.read_text(encoding="utf-8") for s in Course.ours().sections]
INTRO = say("notebook.intro", "en")
TEXT = "# %% [markdown]\n# # Title\n\n# %%\nimport math\n\n# %%\n# --- task 1 ---\nx = 1\n\n# --- end ---\n"
LINES = st.lists(
    st.sampled_from(["x = 1", "", "# %%", "# %% [markdown]", "# text", "def f():", "    return 2", "%time f()"])
)


# -- text and notebook


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_section_can_be_done_as_a_notebook(lang):
    """Each stub becomes a paired notebook with a cell that loads our commands and one that checks each task; back as a
    text it says the same to Python.
    """
    for stub in STUBS:
        full = with_checks(stub, say("notebook.intro", lang))
        made = nbformat.reads(of_text(full).decode(), as_version=4)
        sources = [c.source for c in made.cells]
        checks = [s for s in sources if s.startswith("%check")]
        assert made.metadata.jupytext.formats == "ipynb,py:percent" and sources[2] == "%load_ext learn"
        assert checks == [f"%check {n}" for n in range(1, stub.count("# --- task ") + 1)]
        assert to_text(of_text(full)) == full and same(full, stub)


def test_the_cells_are_added_once():
    """A text that has them stays as it is, in whatever language they were added."""
    full = with_checks(TEXT, INTRO)
    assert full != TEXT and with_checks(full, say("notebook.intro", "zh")) == full


@settings(deadline=None)
@given(LINES)
def test_adding_cells_changes_no_code(lines):
    """Whatever the text, broken or not, every line of code stays, and none is new."""

    def code(text):
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    text = "\n".join(lines) + "\n"
    assert code(with_checks(text, INTRO)) == code(to_text(of_text(text)))


def test_plain_jupytext_takes_the_pair_for_one(tmp_path):
    """`jupytext --sync` finds the notebook's file by our metadata, and writes no header into it."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(of_text(TEXT))
    (tmp_path / "a.py").write_text(TEXT.replace("x = 1", "x = 2"))
    os.utime(path, (1, 1))
    from jupytext.cli import jupytext as command

    command(["--sync", str(path), "--quiet"])
    assert "x = 2" in to_text(path.read_bytes()) and (tmp_path / "a.py").read_text() == TEXT.replace("x = 1", "x = 2")


def test_outputs_stay_with_the_cells_that_have_not_changed():
    """Made anew of the text, the notebook keeps what was printed below the other cells."""
    old = nbformat.reads(of_text(TEXT).decode(), as_version=4)
    for cell in old.cells[1:]:
        cell.outputs = [nbformat.v4.new_output("stream", text=f"of {cell.source}")]
    made = json.loads(of_text(TEXT.replace("x = 1", "x = 22"), nbformat.writes(old).encode()))
    assert made["cells"][1]["outputs"][0]["text"] == ["of import math"]


@settings(deadline=None)
@given(LINES, st.data())
def test_a_line_has_its_place_in_a_cell(lines, data):
    """The line of that number in that cell is the line of the text."""
    text = to_text(of_text("\n".join(lines) + "\n"))
    cells = jupytext.reads(text, fmt="py:percent").cells
    code = [n for n, line in enumerate(text.splitlines(), 1) if line == "x = 1"]
    for line in [data.draw(st.sampled_from(code))] if code else []:
        number, within = place(text, line)
        assert cells[number - 1].cell_type == "code"
        assert cells[number - 1].source.splitlines()[within - 1] == text.splitlines()[line - 1]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("x = 1\n", "# %%\nx = 1  # one\n", True),
        ("x = 1\n", "x = 2\n", False),
        ("x = '# a'\n", "x = '# b'\n", False),
        ("x = (\n", "x = (\n", True),
        ("x = (\n", "x = (\n\n# more\n", True),
        ("x = (\n", "x = ((\n", False),
        ("\0", "\0", True),
    ],
)
def test_when_two_texts_say_the_same(one, other, equal):
    """Comments and cells make no difference; what Python cannot read is compared line by line."""
    assert same(one, other) is equal


# -- cells that were run since the notebook was saved


def _saved():
    data = of_text(TEXT)
    return data, nbformat.reads(data.decode(), as_version=4).cells[2].id


def test_a_cell_counts_as_it_was_run_since():
    """By its id, or by its task where the editor tells no id."""
    data, cell = _saved()
    for known in (cell, "", "of-vscode"):
        text, unsure = with_runs(data, [Run(known, "# --- task 1 ---\nx = 2", 11, 11)], saved=10)
        assert "x = 2" in text and "x = 1" not in text and not unsure
    assert "x = 2" in with_runs(TEXT, [Run(cell, "# --- task 1 ---\nx = 2", 11, 11)], saved=10)[0]


def test_what_was_saved_later_counts_more():
    """A run before the last save says nothing any more."""
    data, cell = _saved()
    assert with_runs(data, [Run(cell, "x = 2", 9, 9)], saved=10) == (to_text(data), False)


def test_a_run_of_unknown_time_is_not_taken_for_newer():
    """Neither it nor the saved text can be trusted then: we are unsure, unless both say the same."""
    data, cell = _saved()
    assert with_runs(data, [Run(cell, "x = 2", 5, 15)], saved=10) == (to_text(data), True)
    known = nbformat.reads(data.decode(), as_version=4).cells[2].source
    assert with_runs(data, [Run(cell, known, 5, 15)], saved=10) == (to_text(data), False)


@pytest.mark.parametrize(("source", "unsure"), [("y = 3", True), ("%check 1\n# so", False), ("!ls\n\n?print", False)])
def test_a_new_cell_has_no_place_yet(source, unsure):
    """Code in it makes us unsure; commands do not."""
    data, _ = _saved()
    assert with_runs(data, [Run("new", source, 11, 11)], saved=10) == (to_text(data), unsure)


# -- the pair on disk


@pytest.fixture
def course(tmp_path):
    """A course as an installed package holds it."""
    return tiny_course.write(tmp_path / "site-packages" / "grader" / "_course")


@pytest.fixture
def work(course, tmp_path):
    """A workspace for it."""
    return Workspace.init(course, tmp_path / "ws")[0]


@pytest.fixture
def pair(course, work):
    """The file and notebook of the first section, just made."""
    made = work.notebook(course["doubling"], INTRO)
    return work.file(course["doubling"]), made.notebook


WRITTEN = tiny_course.STUB.replace("    raise NotImplementedError", "    return 2 * x", 1)


def _write(path, text, later=0.0):
    path.write_bytes(of_text(text) if path.suffix == ".ipynb" else text.encode())
    moment = time.time() + later
    os.utime(path, (moment, moment))


def _says(path):
    return to_text(path.read_bytes()) if path.suffix == ".ipynb" else path.read_text()


def test_a_notebook_is_made_once(course, work, pair):
    """Both say the same, at the same time; asked again nothing is changed, and nothing copied."""
    file, made = pair
    before = file.read_bytes(), made.read_bytes()
    assert same(_says(file), tiny_course.STUB) and _says(made) == _says(file)
    assert file.stat().st_mtime_ns == made.stat().st_mtime_ns
    again = work.notebook(course["doubling"], INTRO)
    assert (file.read_bytes(), made.read_bytes()) == before and again.copies == {} and again.lost is None


def test_work_in_the_file_is_kept_when_cells_are_added(course, work):
    """A file that is written in gets the cells, and a copy of it stays as it was."""
    file = work.file(course["doubling"])
    _write(file, WRITTEN)
    made = work.notebook(course["doubling"], INTRO)
    assert same(_says(made.notebook), WRITTEN) and made.copies[file].read_text() == WRITTEN


@pytest.mark.parametrize("newer", [".py", ".ipynb"])
def test_the_newer_one_wins_and_the_other_is_kept(course, work, pair, newer):
    """After `learn notebook` both say what the newer said, and a dated copy of the older remains."""
    file, made = pair
    older = made if newer == ".py" else file
    _write(older, WRITTEN.replace("2 * x", "9 * x"), later=5)
    before = older.read_bytes()
    _write(file.with_suffix(newer), with_checks(WRITTEN, INTRO), later=10)
    done = work.notebook(course["doubling"], INTRO)
    assert all("2 * x" in _says(p) and "9 * x" not in _says(p) for p in pair)
    assert done.lost == older and list(done.copies) == [older] and done.copies[older].read_bytes() == before
    assert file.stat().st_mtime_ns >= made.stat().st_mtime_ns  # or jupytext would refuse to open them


def test_a_stub_that_came_back_does_not_hide_work(course, work, pair):
    """git may write the stub again, newer than the notebook with the answer: the answer is judged, and kept."""
    file, made = pair
    _write(made, WRITTEN, later=5)
    _write(file, tiny_course.STUB, later=10)
    assert work.answer(course["doubling"]) == made
    work.notebook(course["doubling"], INTRO)
    assert same(_says(file), WRITTEN) and same(_says(made), WRITTEN)


def test_a_lost_file_is_made_of_the_notebook(course, work, pair):
    """Not of the stub: the work is in the notebook."""
    file, made = pair
    _write(made, WRITTEN)
    file.unlink()
    assert same(work.file(course["doubling"]).read_text(), WRITTEN)


@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff\x00", b"[" * 9999])
def test_a_broken_notebook_is_kept(course, work, pair, garbage):
    """Whatever stands in the older notebook, a copy of it remains and the pair is whole again."""
    file, made = pair
    made.write_bytes(garbage)
    os.utime(made, (1, 1))
    done = work.notebook(course["doubling"], INTRO)
    assert _says(made) == _says(file) and done.copies[made].read_bytes() == garbage


@pytest.mark.parametrize("fails_at", range(4))
def test_an_interruption_loses_nothing(course, work, pair, monkeypatch, fails_at):
    """Stopped at any step, what was written is still there in one of the files, and the next run completes the pair."""
    file, made = pair
    _write(file, WRITTEN.replace("2 * x", "9 * x"), later=5)
    _write(made, with_checks(WRITTEN, INTRO), later=10)
    steps = iter(range(9))

    def stumble(name):
        true = getattr(workspace, name)

        def maybe(*arguments):
            if next(steps) == fails_at:
                raise KeyboardInterrupt
            return true(*arguments)

        monkeypatch.setattr(workspace, name, maybe)

    for name in ("dated_copy", "write", "_date_alike"):
        stumble(name)
    try:
        work.notebook(course["doubling"], INTRO)
    except KeyboardInterrupt:
        said = [_says(p) for p in file.parent.glob("doubling*") if p.suffix in (".py", ".ipynb")]
        assert any("9 * x" in s for s in said) and any("2 * x" in s for s in said)
    monkeypatch.undo()
    work.notebook(course["doubling"], INTRO)
    assert same(_says(file), WRITTEN) and same(_says(made), WRITTEN)


def test_reset_starts_both_over(course, work, pair):
    """File and notebook are as just made, copies of both remain; again there is nothing to do."""
    file, made = pair
    fresh = _says(file)
    _write(file, WRITTEN)
    _write(made, WRITTEN.replace("2 * x", "3 * x"))
    copies = [work.reset(course["doubling"], INTRO), work.reset_notebook(course["doubling"])]
    assert ["2 * x" in _says(copies[0]), "3 * x" in _says(copies[1])] == [True, True]
    assert _says(file) == _says(made) == fresh
    assert [work.reset(course["doubling"], INTRO), work.reset_notebook(course["doubling"])] == [None, None]


# -- the commands


@pytest.fixture
def learn(tmp_path, monkeypatch):
    """learn("notebook", "1.1") -> exit code, stdout, stderr; in the tiny course, as a clone."""
    tiny_course.write(tmp_path / "course")
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LEARN_LANG", "en")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        done = CliRunner().invoke(cli.learn, ["--course", str(tmp_path / "course"), *arguments])
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def mine(tmp_path):
    """The file of section 1.1."""
    return tmp_path / "course" / "exercises" / "01_first" / "01_doubling" / "doubling.py"


def test_learn_notebook_says_what_it_did(learn, mine):
    """Where the notebook is; of two that differed which gave way, and where its copy is."""
    code, out, _ = learn("notebook", "1.1", "--no-open")
    assert code == 0 and out.split() == ["Your", "notebook:", "course/exercises/01_first/01_doubling/doubling.ipynb"]
    _write(notebook_of(mine), WRITTEN, later=5)
    code, out, _ = learn("notebook", "1.1", "--no-open", "--lang", "zh")
    (copy,) = mine.parent.glob("*.before-sync-*")
    assert code == 0 and copy.name in out and "doubling.py 较旧" in out


def test_a_newer_notebook_that_is_none_is_one_clear_line(learn, mine):
    """Exit code 2, and the file stays as it was."""
    before = mine.read_bytes()
    notebook_of(mine).write_text("no notebook")
    os.utime(mine, (1, 1))
    for command in ("notebook", "check"):
        code, out, err = learn(command, "1.1")
        assert (code, out, err.count("\n")) == (2, "", 1) and "doubling.ipynb" in err and "Traceback" not in err
    assert mine.read_bytes() == before


def test_code_that_a_notebook_would_lose_is_refused(learn, mine):
    """Without `# %%` between text and code jupytext takes the code for text: told, and no file is touched."""
    lost = tiny_course.STUB.replace("# %%\n", "")
    mine.write_text(lost)
    code, out, err = learn("notebook", "1.1", "--no-open")
    assert (code, out, err.count("\n")) == (2, "", 1) and "doubling.py" in err and "`# %%`" in err
    assert mine.read_text() == lost and not notebook_of(mine).exists() and not list(mine.parent.glob("*.before-*"))


def test_learn_reset_names_both_copies(learn, mine):
    """One line, with the copies of file and notebook."""
    learn("notebook", "1.1", "--no-open")
    _write(mine, WRITTEN)
    _write(notebook_of(mine), WRITTEN)
    out = learn("reset", "1.1")[1]
    assert all(p.name in out for p in mine.parent.glob("*.before-reset-*")) and out.count("before-reset") == 2


def test_which_of_the_two_was_checked(learn, mine):
    """Nothing is said of one, or of two that are alike; else one line names the newer, or why it was not."""
    from grader.shell import Shell

    shell, section = Shell(str(mine.parents[3]), "en"), Course.at(mine.parents[3])["doubling"]
    assert shell.which(section, mine) == ""
    learn("notebook", "1.1", "--no-open")
    made = notebook_of(mine)
    assert shell.which(section, mine) == shell.which(section, made) == ""
    _write(made, WRITTEN, later=5)
    assert shell.which(section, made) == "Checked: doubling.ipynb, which is newer than doubling.py."
    assert "as asked" in shell.which(section, mine)
    _write(mine, tiny_course.STUB, later=10)
    assert "nothing is written in it" in shell.which(section, made)


def test_a_place_in_a_notebook_is_a_cell(learn, mine):
    """The cell, the line in it, and the line itself, since JupyterLab numbers neither."""
    from grader.shell import Shell

    learn("notebook", "1.1", "--no-open")
    shell = Shell(str(mine.parents[3]), "en")
    made = notebook_of(mine)
    line = 1 + _says(made).splitlines().index('    """Twice x."""')
    assert shell.place(mine)(line).endswith(f"doubling.py:{line}")
    assert shell.place(made)(line).endswith('line 6: """Twice x."""')


def test_jupyterlab_makes_no_check_slower():
    """What JupyterLab installs for jupytext to import stays out of a process that only reads a notebook."""
    import subprocess
    import sys

    code = (
        "import sys; from grader import notebook; notebook.to_text(notebook.of_text('x = 1\\n')); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "jupytext" in loaded and not set(notebook._BARRED) & set(loaded)


# -- what is no Python


def _cells(*sources):
    """The text of a notebook with these cells, and what it defines."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    text = to_text(nbformat.writes(made).encode())
    names = {}
    exec(compile(text, "answer", "exec"), names)
    return text, names


@pytest.mark.parametrize(
    "cell",
    [
        "if True:\n    %matplotlib inline",
        "if True:\n    !ls\n    slope?\ny = 2",
        "for i in range(2):\n\n    # a remark\n    %time slope(i)",
        "??slope",
        "slope?  # what was it?",
        "torch.nn.*?",
        "!!ls",
        "pip install torch",
        "%%writefile gradients.py\ndef slope(x):\n    return 0",
        "%%python3\nslope = 0",
        "%%script false\nslope = (",
        "%%anything of mine\nslope (",
    ],
)
def test_what_only_ipython_reads_is_a_comment(cell):
    """The answer loads, defines what it defines, and no line moves; back as a notebook nothing has gone."""
    text, names = _cells("def slope(x):\n    return x", cell, "last = 1 / 1")
    assert names["slope"](3) == 3
    line = text.splitlines().index("last = 1 / 1") + 1
    assert place(text, line) == (3, 1)
    back = nbformat.reads(of_text(text).decode(), as_version=4).cells[1].source
    assert [a.strip() in b for a, b in zip(cell.splitlines(), back.splitlines(), strict=True)].count(False) == 0


def test_a_line_may_begin_with_a_remainder():
    """What only looks like a magic, in an expression over several lines, stays code."""
    assert _cells("a, b = 7, 4\nx = (a\n  %b)")[1]["x"] == 3


@pytest.mark.parametrize(
    "cell", ["def slope(x:\n    return x", "%%time\ndef slope(x:\n    pass", "return x?", "x = y ?", "%time f(1,\n  2)"]
)
def test_a_mistake_in_a_cell_stays_one(cell):
    """What neither Python nor IPython can read, or IPython reads as Python, is told as before."""
    with pytest.raises(SyntaxError):
        _cells("x = 1", cell)


def test_a_notebook_of_ipython_2_is_read():
    """With worksheets, as before 2015: its cells become those of today."""
    v3 = nbformat.v3
    cells = [v3.new_code_cell("def slope(x):\n    return x"), v3.new_heading_cell("Title"), v3.new_code_cell("%time 1")]
    old = v3.new_notebook(worksheets=[v3.new_worksheet(cells=cells)])
    text = to_text(v3.writes_json(old).encode())
    assert "def slope(x):\n    return x\n" in text and "# # Title" in text and "# %time 1" in text
