"""Our judge inside nbgrader: `nbgrader autograde` asks it, instead of running a student's notebook in a kernel.

    from grader.nbgraded import configure   # in nbgrader_config.py
    configure(c)

It concerns the notebooks that `learn release --to nbgrader` made; any other is run as nbgrader does. Which cells count
and for how much is taken from nbgrader's database, what is judged is the text, and nothing else of a notebook that was
handed in is believed: no output, no metadata. One judge stays warm over all submissions. Where it gives no verdict,
the submission fails to autograde, as nbgrader calls it, and no score is written. Manual grades are nbgrader's business,
and stay.
"""

import os
import threading
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, get_args

import nbformat
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_grade
from traitlets import Enum, Unicode

from grader import notebook, submission
from grader.assignment import Assignment, Part, Shown
from grader.bench import About, Bench, grade, secret
from grader.course import Course, Section
from grader.exports.nbgrader import ABOUT, earned, grade_id, rule_of, tasks_of
from grader.model import Job, Tier, Verdict, score
from grader.reports import remarks
from grader.reports.words import language, say

_IDLE = 60.0  # seconds after which the judge goes: formgrader's process may stay for weeks
_COMMENTS = "learn_comments"
_v4: Any = nbformat.v4  # untyped


class Unjudged(Exception):
    """There is no verdict: no score is written."""


def configure(c: Any) -> None:
    """Puts our judge into nbgrader's configuration."""
    traits = Autograde.class_traits()
    ours = {Execute: Judged, SaveAutoGrades: Commented}
    c.Autograde.sanitize_preprocessors = [Restored, *traits["sanitize_preprocessors"].default()]
    c.Autograde.autograde_preprocessors = [ours.get(p, p) for p in traits["autograde_preprocessors"].default()]


class Learn(NbGraderPreprocessor):  # type: ignore[misc]  # untyped
    """What can be set in nbgrader_config.py, as `c.Learn.lang = "zh"`."""

    course = Unicode("", help="The folder of the course; by default the one that came with `learn`.").tag(config=True)
    lang = Unicode("", help="The language of what is said: en or zh; by default the environment's.").tag(config=True)
    hidden_tests = Enum(
        ["", *get_args(Shown)], "", help="When students see how hidden tests went, in place of what the notebook says."
    ).tag(config=True)
    require = Unicode("", help="The sandbox without which nothing is judged: T1, T2 or T3.").tag(config=True)


class _Known(NamedTuple):
    """A cell as it was given out."""

    type: str
    source: str
    points: float | None  # None: it counts for nothing
    nbgrader: dict[str, Any]  # its metadata

    @staticmethod
    def of(notebook: Any, cell: Any) -> "_Known":
        """That cell of a notebook in nbgrader's database."""
        grades, tasks = ({c.name: c.max_score for c in cs} for cs in (notebook.grade_cells, notebook.task_cells))
        points = (grades | tasks).get(cell.name)
        about = {
            "schema_version": 3,
            "grade_id": cell.name,
            "grade": cell.name in grades,
            "solution": cell.name in {c.name for c in notebook.solution_cells},
            "locked": cell.locked,
            "task": cell.name in tasks,
            "cell_type": cell.cell_type,
            "checksum": cell.checksum,
        }
        return _Known(cell.cell_type, cell.source, points, about if points is None else about | {"points": points})

    def restored(self, cell: Any = None) -> Any:
        """With what a student wrote in it, if that is what it is for."""
        if cell is None or self.nbgrader["locked"]:
            cell = (_v4.new_code_cell if self.type == "code" else _v4.new_markdown_cell)(self.source)
        cell.metadata.nbgrader = _v4.nbbase.NotebookNode(self.nbgrader)
        return cell


class Restored(Learn):
    """Gives a notebook the cells that count as nbgrader's database has them, whatever became of them."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """See nbgrader. The last cell that claims to be one is taken for it; those that are missing come last."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as book:
            source = book.find_notebook(about["notebook"], about["assignment"])
            if _section(self, source) is None:
                return nb, resources
            known = {c.name: _Known.of(source, c) for c in source.source_cells}
            cells: list[Any] = []
            left = dict.fromkeys(known)
            for cell in reversed(nb.cells):
                claims = cell.metadata.pop("nbgrader", None)
                name = claims.get("grade_id") if isinstance(claims, dict) else None
                if isinstance(name, str) and name in left:
                    del left[name]
                    cell = known[name].restored(cell)
                cells.append(cell)
            nb.cells = [*reversed(cells), *(known[name].restored() for name in left if known[name].points is not None)]
            if nb.nbformat_minor < 5:  # ids came with 4.5
                for cell in nb.cells:
                    cell.pop("id", None)
        return nb, resources


class Judged(Execute, Learn):  # type: ignore[misc]  # untyped
    """Writes into each cell that counts what our judge says of its task; nothing is run here."""

    def preprocess(self, nb: Any, resources: Any, *more: Any, **named: Any) -> tuple[Any, Any]:
        """See nbgrader. Raises Unjudged."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as book:
            source = book.find_notebook(about["notebook"], about["assignment"])
            section = _section(self, source)
            due = book.find_submission(about["assignment"], about["student"]).duedate  # with an extension
            shown = section is not None and _shown(self, section, source, due)
        if section is None:
            ran: tuple[Any, Any] = super().preprocess(nb, resources, *more, **named)
            return ran
        lang = _lang(self)
        path = Path(f"{section.slug}.ipynb")
        try:
            text = submission.of_bytes(str(_v4.writes(nb)).encode(), path).text
        except submission.Unreadable as e:
            raise Unjudged(say(f"error.unreadable_{e.kind}", lang, **e.params)) from None
        verdict = _warm.verdict(_course(self.course), section, text, self.require)
        if verdict.broken:
            what = str(verdict.checks[0].params.get("what") or verdict.checks[0].kind)
            raise Unjudged(say("nbgrader.unjudged", lang, section=section.number, what=what))

        def place(line: int) -> str:
            cell, within = notebook.place(text, line)
            code = text.splitlines()[line - 1].strip()
            return say("place.cell", lang, path=path.name, cell=cell, line=within, code=code)

        counting = {grade_id(task): task for task in section.points}
        for cell in nb.cells:
            if is_grade(cell) and (task := counting.get(cell.metadata.nbgrader["grade_id"])):
                share = score(verdict.checks, {task: 1})[0]
                said = remarks.lines(verdict, section, task, lang, place, hidden=shown)
                cell.outputs = _outputs("\n".join(said), share, float(cell.metadata.nbgrader["points"]))
        resources[_COMMENTS] = {task: remarks.comment(verdict, section, task, lang) for task in section.points}
        return nb, resources


class Commented(SaveAutoGrades):  # type: ignore[misc]  # untyped
    """nbgrader's own way of saving what the cells say; and the explanations of mistakes as comments."""

    def _add_comment(self, cell: Any, resources: Any) -> None:
        super()._add_comment(cell, resources)
        name = cell.metadata.nbgrader["grade_id"]
        comments = resources.get(_COMMENTS, {})
        if text := "\n\n".join(filter(None, (comments.get(task, "") for task in tasks_of(name)))):
            where = (self.notebook_id, self.assignment_id, self.student_id)
            self.gradebook.find_comment(name, *where).auto_comment = text
            self.gradebook.db.commit()


def _outputs(text: str, share: str, points: float) -> list[Any]:
    """What nbgrader's `determine_grade` reads as that share of the points, and what people read."""
    return [
        _v4.new_output("stream", name="stdout", text=text + "\n"),
        _v4.new_output("execute_result", data={"text/plain": repr(earned(share, points))}, execution_count=None),
    ]


def _course(folder: str) -> Course:
    return Course.at(Path(folder).expanduser()) if folder else Course.ours()


def _lang(about: Learn) -> str:
    return language(about.lang or None, None, os.environ)


def _section(about: Learn, source: Any) -> Section | None:
    """The section of a notebook that we made; None for any other. By its name and cells in nbgrader's database, which
    no student can change. Raises Unjudged for a cell with tests of somebody else among ours: nobody would run them.
    """
    section = next((s for s in _course(about.course).sections if s.slug == source.name), None)
    written = {c.name for c in source.solution_cells}
    tests = {c.name for c in source.grade_cells if c.cell_type == "code" and c.name not in written}
    ours = {grade_id(task) for task in section.points} if section else set()
    if section is None or not tests & ours:
        return None
    if strange := sorted(tests - ours):
        raise Unjudged(say("nbgrader.strange_cell", _lang(about), section=section.number, cell=strange[0]))
    return section


def _shown(about: Learn, section: Section, source: Any, due: datetime | None) -> bool:
    """Whether a student may see how the hidden tests went, by the notebook in nbgrader's database, which no student can
    change. `due`: what nbgrader knows of it, in UTC; that goes first.
    """
    rule, written = rule_of("".join(c.source for c in source.source_cells if c.name == ABOUT))
    known: dict[str, Shown] = {word: word for word in get_args(Shown)}
    part = Part(section.slug, section.number, Fraction(1), known.get(about.hidden_tests or rule, "hidden"))
    at = due.replace(tzinfo=UTC) if due else written
    return Assignment((part,), due=at).shows(section.slug, datetime.now(UTC), published=False)


class _Warm:
    """A judge in a process of its own, kept from one submission to the next, and not for ever."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bench: Bench | None = None
        self._about: About | None = None
        self._leaving = threading.Timer(_IDLE, self.close)

    def verdict(self, course: Course, section: Section, text: str, require: str) -> Verdict:
        """The verdict on that answer."""
        about = About(str(course.exercises), str(course.solutions), Tier(require) if require else None, Tier.T3)
        job = Job(section=section.slug, section_digest=section.digest, text=text)
        with self._lock:
            self._leaving.cancel()
            verdict = self._asked(about, job)
            if verdict.checks[0].kind == "other_section":  # it began before the tests were changed
                self._end()
                verdict = self._asked(about, job)
            self._leaving = threading.Timer(_IDLE, self.close)
            self._leaving.daemon = True
            self._leaving.start()
            return verdict

    def close(self) -> None:
        """Ends it; the next answer begins another."""
        with self._lock:
            self._end()

    def _asked(self, about: About, job: Job) -> Verdict:
        if self._bench is None or about != self._about:
            self._end()
            self._bench, self._about = Bench(about, secret()), about
        (answer,) = self._bench.do(grade, [job])
        return Verdict.from_json(answer)

    def _end(self) -> None:
        if self._bench:
            self._bench.close()
        self._bench = None


_warm = _Warm()
