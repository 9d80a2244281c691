"""`%check`, `%hint` and `%lesson` in a notebook. The kernel only asks: the verdict comes from the judge, as anywhere.
`%points`, in the notebooks that nbgrader takes, runs what a learner may read, here.

What is judged is the notebook as it was saved, with the cells that were run since in the form in which they were run:
nobody has to save before each check. What was neither saved nor run only the browser knows; so the screen says what was
judged.
"""

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil

from grader import guide, notebook
from grader.course import CourseError, Section
from grader.exports.nbgrader import earned
from grader.model import score
from grader.notebook import Run
from grader.reports import plain, remarks, terminal, words
from grader.shell import Shell, Usage, told, unkept
from grader.workspace import is_newer

_SESSIONS = ("__vsc_ipynb_file__", "__session__")  # where VS Code and Jupyter tell a kernel its notebook


class _NoPoints(Exception):
    """Shown as it is: a traceback would only tell of us."""

    def _render_traceback_(self) -> list[str]:  # IPython's way to say so
        return str(self).splitlines()


class Magics:
    """What one kernel knows: the cells that were run."""

    def __init__(self, ipython: Any) -> None:
        self.ipython = ipython
        self.runs: dict[str, Run] = {}  # by cell: the last one counts
        self.places: dict[str, int] = {}  # by cell: in which order they were first run
        now, born = time.time(), psutil.Process().create_time()
        for source in ipython.history_manager.input_hist_raw:  # before it loaded us; when is not known
            self._note(Run("", source, born, now))

    def register(self) -> None:
        """Gives the kernel our commands."""
        for name in ("check", "hint", "lesson", "points"):
            self.ipython.register_magic_function(getattr(self, name), "line", name)
        self.ipython.events.register("pre_run_cell", self.ran)

    def ran(self, info: Any) -> None:
        """IPython is about to run a cell."""
        if info.store_history and not info.silent:
            now = time.time()
            self._note(Run(getattr(info, "cell_id", None) or "", info.raw_cell, now, now))

    def check(self, line: str) -> None:
        """`%check` for all tasks, `%check 1` for one; `%check 2.2`, `%check 2.2 1` for another section."""
        with self._learner() as learner:
            section, task = self._asked(learner, line)
            path = self._path(learner, section)
            text, note, unsure = self._text(learner, section, path)
            verdict = learner.judge_text(section, text)
            learner.record(verdict)
            if unsure and not (verdict.task_passed(task) if task else verdict.passed):
                note += "\n" + words.say("notebook.unsure", learner.lang)
            place = learner.place(path, text if self._is_here(path) else "")
            seen = terminal.Seen(learner.show(path), note, place)
            left = learner.hints_left(section)
            self._show(terminal.for_notebook(verdict, section, seen, learner.lang, task=task, hints_left=left))

    def hint(self, line: str) -> None:
        """`%hint`, `%hint 1`, `%hint 2.2 1`: one more hint each time."""
        with self._learner() as learner:
            section, task = self._asked(learner, line)
            number = task or guide.task_in_hand(section, learner.progress)
            hints, total = learner.hints(section, number)
            heading = plain.hint_heading(section, number, len(hints), total, learner.lang)
            self._show({"text/markdown": "\n\n---\n\n".join([f"**{heading}**", *hints])})

    def lesson(self, line: str) -> None:
        """`%lesson`, `%lesson 2.2`."""
        with self._learner() as learner:
            section, _ = self._asked(learner, line)
            self._show({"text/markdown": section.lesson(learner.lesson_lang)})

    def points(self, line: str) -> float | None:
        """`%points gradients 1 2.0`, in the cells that nbgrader counts: what the tests that one may read give for a
        task of so many points. The notebook's cells run once more, in this kernel; nothing is confined or recorded.
        """
        with self._learner() as learner:
            name, number, worth = line.split()
            section, task = learner.section_and_task(name, number)
            assert task is not None
            text, place = self._run_so_far(learner, section)
            from grader import judge

            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                verdict = judge.debug(section, text, Path(section.stub.name), visible_only=True)
            said = "\n".join(remarks.lines(verdict, section, task, learner.lang, place))
            share = Fraction(score(verdict.checks, {task: 1})[0])
            if not share:
                raise _NoPoints(said)
            self._show({"text/plain": said})
            return earned(share, float(worth))
        return None

    def _run_so_far(self, learner: Shell, section: Section) -> tuple[str, Callable[[int], str]]:
        """The text of this notebook, and how a line of it is told. nbgrader runs every cell once, in order; a session
        that the kernel then knows is somebody else's.
        """
        here = self._here()
        if here and "NBGRADER_EXECUTION" not in os.environ and learner.course.at_path(here) is section:
            text, _, _ = self._text(learner, section, here)
            return text, learner.place(here, text)
        text = notebook.of_cells(self.runs[key].source for key in sorted(self.runs, key=self.places.__getitem__))
        return text, learner.place(Path(f"{section.slug}.ipynb"), text)

    def _note(self, run: Run) -> None:
        self.places.setdefault(notebook.key(run), len(self.places))
        self.runs.pop(notebook.key(run), None)
        self.runs[notebook.key(run)] = run

    def _here(self) -> Path | None:
        """The notebook that this kernel is of, if the editor tells."""
        names = [self.ipython.user_ns.get(name) for name in _SESSIONS]
        path = Path(next((str(n) for n in names if n), ""))
        return path.absolute() if path.suffix in (".ipynb", ".py") and path.is_file() else None

    def _asked(self, learner: Shell, line: str) -> tuple[Section, int | None]:
        """The section and task of a command: those named, else this notebook's section."""
        names = line.split()
        if len(names) > 2:
            raise Usage("magic_usage")
        task = names.pop() if len(names) == 2 or (names and names[0].isdecimal()) else None
        here = self._here()
        own = learner.course.at_path(here) if here else None
        section = learner.section(names[0] if names else own.slug if own else None, remember=True)
        return section, learner.section_and_task(section.slug, task)[1] if task else None

    def _path(self, learner: Shell, section: Section) -> Path:
        """What of the section to judge. Of this notebook's own the notebook, unless the file beside it has something
        newer to say: then that is what one gets to see when it is opened again.
        """
        here = self._here()
        if here is None or learner.course.at_path(here) is not section:
            return learner.workspace.answer(section)
        file = here.with_suffix(".py")
        if here == file or not file.is_file() or not is_newer(file, here):
            return here
        return here if notebook.same(learner.text(section, here), learner.text(section, file)) else file

    def _text(self, learner: Shell, section: Section, path: Path) -> tuple[str, str, bool]:
        """The text to judge, a word on what it is, and whether something may be missing from it."""
        text = learner.text(section, path)
        if not self._is_here(path):
            return text, words.say("notebook.file", learner.lang, path=learner.show(path)), False
        saved = path.stat().st_mtime
        source = path.read_bytes() if path.suffix == ".ipynb" else text
        text, unsure = notebook.with_runs(source, self.runs.values(), saved)
        moment = f"{datetime.fromtimestamp(saved):%H:%M:%S}"
        return text, words.say("notebook.judged", learner.lang, path=path.name, time=moment), unsure

    def _is_here(self, path: Path) -> bool:
        """True of this notebook and the file that it is paired with."""
        here = self._here()
        return here is not None and here.with_suffix("") == path.with_suffix("")

    @contextlib.contextmanager
    def _learner(self) -> Iterator[Shell]:
        """The learner, as for one command. What goes wrong is told in a line."""
        learner = Shell(None, None)
        if here := self._here():
            learner.cwd = here.parent  # whatever the notebook did with os.chdir
        try:
            yield learner
        except Exception as e:
            if os.environ.get("LEARN_TRACEBACK") or isinstance(e, _NoPoints):
                raise
            print(_line(e, learner), file=sys.stderr)
        finally:
            learner.close()
        if notice := unkept(learner):
            print(notice, file=sys.stderr)

    def _show(self, shown: dict[str, str]) -> None:
        shown.setdefault("text/plain", shown.get("text/markdown", ""))
        self.ipython.display_pub.publish(data=shown)


def _line(error: Exception, learner: Shell) -> str:
    try:
        lang = learner.lang
    except words.UnknownLanguage:
        lang = "en"
    if isinstance(error, CourseError):
        return words.say("error.course", lang, reason=error)
    return told(error, lang) or words.say("error.ours", lang, error=f"{type(error).__name__}: {error}")
