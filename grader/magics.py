"""`%check`, `%hint` and `%lesson` in a notebook. The kernel only asks: the verdict comes from the judge, as anywhere.

What is judged is the notebook as it was saved, with the cells that were run since in the form in which they were run:
nobody has to save before each check. What was neither saved nor run only the browser knows; so the screen says what was
judged.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from grader import notebook
from grader.course import CourseError, Section
from grader.notebook import Run
from grader.reports import plain, terminal, words
from grader.shell import Shell, Usage, told, unkept
from grader.workspace import is_newer

_SESSIONS = ("__vsc_ipynb_file__", "__session__")  # where VS Code and Jupyter tell a kernel its notebook


class Magics:
    """What one kernel knows: the cells that were run since it loaded us."""

    def __init__(self, ipython: Any) -> None:
        self.ipython = ipython
        self.runs: dict[str, Run] = {}  # by cell: the last one counts

    def register(self) -> None:
        """Gives the kernel our commands."""
        for name in ("check", "hint", "lesson"):
            self.ipython.register_magic_function(getattr(self, name), "line", name)
        self.ipython.events.register("pre_run_cell", self.ran)

    def ran(self, info: Any) -> None:
        """IPython is about to run a cell."""
        if info.store_history and not info.silent:
            key = getattr(info, "cell_id", None) or info.raw_cell  # not every editor tells ids
            self.runs[key] = Run(key, info.raw_cell, time.time())

    def check(self, line: str) -> None:
        """`%check` for all tasks, `%check 1` for one; `%check 2.2`, `%check 2.2 1` for another section."""
        with self._learner() as learner:
            section, task = self._asked(learner, line)
            path = self._path(learner, section)
            text, note = self._text(learner, section, path)
            verdict = learner.judge_text(section, text)
            learner.record(verdict)
            place = learner.place(path, text) if self._here() else learner.place(path)
            seen = terminal.Seen(learner.show(path), note, place)
            left = learner.hints_left(section)
            self._show(terminal.for_notebook(verdict, section, seen, learner.lang, task=task, hints_left=left))

    def hint(self, line: str) -> None:
        """`%hint`, `%hint 1`, `%hint 2.2 1`: one more hint each time."""
        with self._learner() as learner:
            section, task = self._asked(learner, line)
            section, number = learner.section_and_task(section.slug, str(task) if task else None)
            hints, total = learner.hints(section, number)
            heading = plain.hint_heading(section, number, len(hints), total, learner.lang)
            self._show({"text/markdown": "\n\n---\n\n".join([f"**{heading}**", *hints])})

    def lesson(self, line: str) -> None:
        """`%lesson`, `%lesson 2.2`."""
        with self._learner() as learner:
            section, _ = self._asked(learner, line)
            self._show({"text/markdown": section.lesson(learner.lesson_lang)})

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
        return here if notebook.same(learner.read(section, here), learner.read(section, file)) else file

    def _text(self, learner: Shell, section: Section, path: Path) -> tuple[str, str]:
        """The text to judge, and a word on what it is."""
        text, here = learner.read(section, path), self._here()
        if here is None or here.with_suffix("") != path.with_suffix(""):
            return text, words.say("notebook.file", learner.lang, path=learner.show(path))
        saved = path.stat().st_mtime
        source = path.read_bytes() if path.suffix == ".ipynb" else text
        text, stray = notebook.with_runs(source, self.runs.values(), saved)
        moment = f"{datetime.fromtimestamp(saved):%H:%M:%S}"
        note = words.say("notebook.judged", learner.lang, path=path.name, time=moment)
        return text, f"{note}\n{words.say('notebook.stray', learner.lang)}" if stray else note

    @contextlib.contextmanager
    def _learner(self) -> Iterator[Shell]:
        """The learner, as for one command. What goes wrong is told in a line."""
        learner = Shell(None, None)
        if here := self._here():
            learner.cwd = here.parent  # whatever the notebook did with os.chdir
        try:
            yield learner
        except Exception as e:
            if os.environ.get("LEARN_TRACEBACK"):
                raise
            print(_line(e, learner), file=sys.stderr)
        finally:
            learner.close()
        if notice := unkept(learner):
            print(notice, file=sys.stderr)

    def _show(self, shown: dict[str, str]) -> None:
        from IPython.display import display

        shown.setdefault("text/plain", shown.get("text/markdown", ""))
        display(shown, raw=True)  # type: ignore[no-untyped-call]


def _line(error: Exception, learner: Shell) -> str:
    try:
        lang = learner.lang
    except words.UnknownLanguage:
        lang = "en"
    if isinstance(error, CourseError):
        return words.say("error.course", lang, reason=error)
    return told(error, lang) or words.say("error.ours", lang, error=f"{type(error).__name__}: {error}")
