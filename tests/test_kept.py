"""Lessons and hints as a terminal shows them, kept for the next command."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.home import home
from grader.reports import kept, terminal
from grader.reports.lines import cells

TEXT = "# 标题\n\nThe *gradient* of `x.sum()` is one, 梯度的形状与张量相同。\n\n```python\nx.sum().backward()\n```\n"


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    for name in kept.HEEDED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")


def _from_the_store(monkeypatch, *texts, width=80):
    """What is shown where nothing can be drawn."""
    with monkeypatch.context() as patch:
        patch.setattr(terminal, "markdown", lambda *_: pytest.fail("it was drawn again"))
        return kept.markdown(texts, width)


def test_what_was_drawn_is_not_drawn_again(monkeypatch):
    """A second command shows the same from what the first has kept; so it does what was only to come then."""
    first = kept.markdown([TEXT], 80, then=["later"])
    assert _from_the_store(monkeypatch, TEXT) == first == [terminal.markdown(TEXT, 80)]
    assert _from_the_store(monkeypatch, "later", TEXT) == [terminal.markdown("later", 80), *first]


@pytest.mark.parametrize("change", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"COLORTERM": "truecolor"}])
def test_another_terminal_gets_a_drawing_of_its_own(monkeypatch, change):
    """Whatever was kept, what is shown is what this terminal would be shown without a store."""
    kept.markdown([TEXT], 80)
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    assert kept.markdown([TEXT], 80) == [terminal.markdown(TEXT, 80)]


@pytest.mark.parametrize("width", [20, 40, 80])
def test_another_width_gets_lines_of_its_own(width):
    """After the window was made narrower or wider, lines end where it ends."""
    for before in (20, 40, 80):
        kept.markdown([TEXT], before)
    (shown,) = kept.markdown([TEXT], width)
    assert shown == terminal.markdown(TEXT, width)
    assert width - 4 <= max(map(cells, shown.splitlines())) <= width


def test_a_changed_library_or_drawing_of_ours_draws_anew(tmp_path, monkeypatch):
    """An upgrade, or an edit of what draws, is seen at once."""
    before = kept._drawn_by()
    root = tmp_path / "site" / "rich"
    root.mkdir(parents=True)
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(root.parent)
    monkeypatch.delitem(sys.modules, "rich")
    installed = kept._drawn_by()
    os.utime(root.parent, ns=(1, 1))  # as pip does, with the folder of the new version's metadata
    assert len({before, installed, kept._drawn_by()}) == 3


def test_all_that_draws_is_watched():
    """Each module of ours that a drawing runs through counts, and so does each library."""
    program = "import sys; from grader.reports import terminal; terminal.markdown('`b`\\n\\n```python\\nx\\n```\\n$y$')"
    listing = "; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program + listing], capture_output=True, text=True, check=True)
    used = done.stdout.split()
    ours = {f"{m.rpartition('.')[2]}.py" for m in used if re.fullmatch(r"grader\.reports\.\w+", m)}
    told = {"sentences.py", "plain.py", "words.py"}  # of verdicts
    assert ours - told == set(kept.OURS)
    assert set(kept.DRAWERS) <= set(used)


def test_all_that_rich_heeds_is_watched():
    """No variable of the environment changes a drawing unseen, but those of sizes, which are given, and notebooks."""
    spec = importlib.util.find_spec("rich.console")
    names = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("environ.get", "getenv")):
            names |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
    sizes = {"COLUMNS", "LINES", "JUPYTER_COLUMNS", "JUPYTER_LINES", "DATABRICKS_RUNTIME_VERSION"}
    assert {"TERM", "NO_COLOR"} <= names <= {*kept.HEEDED, *sizes}


@pytest.mark.parametrize("damage", [b"", b"\x81", b"\xc0", b"nonsense", b"\x81\xc4\x01a\x01"])
def test_a_damaged_store_is_made_anew(monkeypatch, damage):
    """Whatever the store holds, the text is shown, and kept the next time."""
    (home() / "prose.cache").write_bytes(damage)
    assert kept.markdown([TEXT], 80) == [terminal.markdown(TEXT, 80)]
    assert _from_the_store(monkeypatch, TEXT) == [terminal.markdown(TEXT, 80)]


def test_a_store_does_not_grow_for_ever(monkeypatch):
    """Beyond so many texts it is begun anew."""
    monkeypatch.setattr("grader.kept._CAP", 3)
    for n in range(9):
        kept.markdown([f"text {n}"], 80)
        store = home() / "prose.cache"
        assert store.stat().st_size < 1000
    assert kept.markdown(["text 0"], 80) == [terminal.markdown("text 0", 80)]


def test_a_home_that_cannot_be_written_costs_nothing_but_time(tmp_path, monkeypatch):
    """The text is shown, and no folder is made for it."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "none"))
    assert kept.markdown([TEXT], 80) == [terminal.markdown(TEXT, 80)]
    assert not (tmp_path / "none").exists()
