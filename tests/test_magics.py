"""`%check`, `%hint` and `%lesson`, in a real IPython with the real judge."""

import contextlib
import io
import os
import re
import shutil
import time
from pathlib import Path

import pytest

import learn
from grader import service, testing
from grader.notebook import of_text, to_text, with_checks
from grader.progress import Progress, path_for
from grader.workspace import notebook_of

pytest.importorskip("IPython", reason="IPython comes with JupyterLab")

MINI = Path(__file__).parent / "mini_course"
STUB = (MINI / "exercises/01_mini/01_double/double.py").read_text(encoding="utf-8")
CELLS = STUB.replace("# --- task", "# %%\n# --- task")
RIGHT = "# --- task 1 ---\ndef double(x):\n    return 2 * x\n\n\n# --- end ---"
WRONG = RIGHT.replace("2 * x", "3 * x")


class Kernel:
    """An IPython as a kernel has one: cells with ids, and what is displayed kept."""

    def __init__(self, path=None):
        from IPython.core.displaypub import CapturingDisplayPublisher
        from IPython.core.interactiveshell import InteractiveShell

        self.shell = InteractiveShell()
        self.shell.display_pub = self.published = CapturingDisplayPublisher()
        if path:
            self.shell.user_ns["__session__"] = str(path)

    def run(self, source, cell=None):
        """Runs a cell: the text that it showed, and what went to stderr."""
        self.published.outputs.clear()
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            done = self.shell.run_cell(source, store_history=True, cell_id=cell)
        assert done.success, done
        self.shown = [o["data"] for o in self.published.outputs]
        return "".join(d["text/plain"] for d in self.shown) + stderr.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A home with a warm grader of its own, and a copy of the mini course."""
    folder = tmp_path_factory.mktemp("magics")
    shutil.copytree(MINI, folder / "course")
    yield folder
    service.stop(folder / "home")


@pytest.fixture
def notebook(place, monkeypatch):
    """The notebook of the mini course's section, made a while ago and not yet written in."""
    for name in [n for n in os.environ if n.startswith("LEARN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEARN_HOME", str(place / "home"))
    monkeypatch.setenv("LEARN_LANG", "en")
    monkeypatch.setenv("LEARN_COURSE", str(place / "course"))
    file = place / "course/exercises/01_mini/01_double/double.py"
    file.write_text(with_checks(CELLS, "Intro."), encoding="utf-8")
    path = notebook_of(file)
    path.write_bytes(of_text(file.read_text(encoding="utf-8")))
    long_ago = time.time() - 1e6
    for each in (file, path):
        os.utime(each, (long_ago, long_ago))
    return path


@pytest.fixture
def kernel(notebook):
    """Its kernel, with our extension loaded."""
    kernel = Kernel(notebook)
    kernel.run("%load_ext learn")
    return kernel


def test_a_cell_that_was_run_is_judged_without_saving(kernel, notebook):
    """The wrong one is told with its mistake, the right one passes; the notebook on disk was not touched."""
    before = notebook.read_bytes()
    kernel.run("import torch")
    kernel.run(WRONG)
    told = kernel.run("%check 1")
    assert "✗ task 1" in told and "tripled" not in told and "task 2" not in told.partition("→")[0]
    kernel.run(RIGHT)
    told = kernel.run("%check 1")
    assert "✓ task 1" in told and told.rstrip().endswith("→ Next: task 2, then `%check 2`.")
    assert notebook.read_bytes() == before


def test_the_whole_verdict_is_recorded_and_shown_as_html(kernel):
    """`%check` shows all tasks, with tags for a page and signs besides the colours; progress keeps what `learn check`
    would.
    """
    kernel.run(RIGHT)
    told = kernel.run("%check")
    assert "✓ task 1" in told and "· task 2" in told and "1 of 6 points" in told
    html = kernel.shown[0]["text/html"]
    assert html.startswith("<pre") and "✓" in html and re.search(r'<span style="color: #\w+', html)
    with Progress(path_for("mini", os.environ)) as progress:
        assert progress.standings()["double"].points == 1


def test_cells_run_before_the_extension_was_loaded(notebook):
    """They count if the notebook was last saved before the kernel began; else one is asked to save."""
    kernel = Kernel(notebook)
    kernel.run(RIGHT)
    kernel.run("%load_ext learn")
    assert "✓ task 1" in kernel.run("%check 1")
    os.utime(notebook)  # as if it were saved
    late = Kernel(notebook)
    late.run(RIGHT)
    late.run("%load_ext learn")
    said = late.run("%check 1")
    assert "not written yet" in said and "Save (Ctrl+S)" in said


def test_what_was_saved_after_the_run_counts(kernel, notebook):
    """A cell run, changed and saved is judged as saved."""
    kernel.run(WRONG)
    text = to_text(notebook.read_bytes()).replace("raise NotImplementedError", "return 2 * x", 1)
    notebook.write_bytes(of_text(text))
    assert "✓ task 1" in kernel.run("%check 1")


def test_a_newer_file_is_what_counts(kernel, notebook):
    """Edited in another editor since, the file beside the notebook is judged, and named."""
    notebook.with_suffix(".py").write_text(CELLS.replace("raise NotImplementedError", "return 2 * x", 1))
    told = kernel.run("%check 1")
    assert "✓ task 1" in told and "Checked: double.py" in told


def test_an_error_is_placed_in_its_cell(kernel):
    """Cell, line, and the line's text: a notebook has no line numbers that one could go to."""
    kernel.run(RIGHT.replace("2 * x", "x.nothing()"))
    told = kernel.run("%check 1")
    assert re.search(r"double\.ipynb, cell \d+, line 3: return x\.nothing\(\)", told)


def test_nothing_in_the_kernel_decides(kernel, monkeypatch):
    """With the comparison switched off in the kernel a wrong answer fails all the same."""
    monkeypatch.setattr(testing.Expectation, "close_to", lambda *_, **__: None)
    kernel.run(WRONG)
    assert "✗ task 1" in kernel.run("%check 1")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("%check 9", "section 1.1 has no task 9"),
        ("%check 7.7", "no section 7.7"),
        ("%check 1.1 1 1", "as in `2.2 1`"),
        ("%hint x", "no section x"),
        ("%lesson", "lesson.en.md"),
    ],
)
def test_what_goes_wrong_is_one_line(kernel, line, told):
    """No traceback in the notebook."""
    said = kernel.run(line)
    assert told in said and said.count("\n") == 1 and not kernel.shown


def test_hint_and_lesson(kernel, notebook, monkeypatch):
    """As Markdown, in the learner's language; each hint once."""
    folder = notebook.parent
    (folder / "hints.zh.md").write_text("## 1\n先想\n---\n再想\n", encoding="utf-8")
    (folder / "lesson.zh.md").write_text("# 课文\n", encoding="utf-8")
    monkeypatch.setenv("LEARN_LANG", "zh")
    assert "再想" not in kernel.run("%hint 1") and "再想" in kernel.run("%hint 1.1 1")
    assert kernel.run("%lesson").startswith("# 课文") and kernel.shown[0]["text/markdown"] == "# 课文\n"


def test_without_a_notebook_the_file_is_checked(notebook, monkeypatch):
    """In a plain IPython `%check` does what `learn check` does."""
    monkeypatch.chdir(notebook.parent)
    kernel = Kernel()
    kernel.run("%load_ext learn")
    assert "not written yet" in kernel.run("%check 1.1 1")
    assert callable(learn.load_ipython_extension)
