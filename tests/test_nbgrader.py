"""nbgrader, the real one: an assignment goes out and comes back, by its own way, by our judge in it, and by export."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import get_args

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("nbgrader", reason="nbgrader is of the extra `instructor`")

from class_of import MINI
from nbgrader.api import Gradebook, MissingEntry

from cli import learn
from grader import gradebook, nbgraded, pool, submission
from grader.assignment import Shown
from grader.course import REGION, Course
from grader.exports.nbgrader import in_parts, rule_line, rule_of
from grader.model import Handed, Job, Outcome, Student, score
from grader.nbgraded import Restored
from grader.notebook import tasks_ended, to_text
from grader.reports import remarks

ROOT = Path(__file__).resolve().parent.parent
CONFIG = "from grader.nbgraded import configure\nconfigure(c)\n"
SET = "title: Homework 2\nsections: {1.1: 12, 2.2: 6, '3.1': 7}\n"  # 2.2 and 3.1 weigh half of their points
SLUGS = ("first_contact", "gradients", "activations")
TASKS = (1, 2, 3)
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by name
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text(encoding="utf-8")
WRONG = RIGHT.replace("2 * x", "3 * x").replace("x * 2", "x * 3").replace("x + x", "x + x + x")
RIGHT_TWO = "def outer(a, b):\n    return a[:, None] * b\n"


def run(folder, *arguments, code=0):
    """The real `nbgrader`, in that folder; what it said."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "LEARN_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, said[-4000:]
    return said


def given_out(folder, sections, *arguments, config=""):
    """A course of nbgrader's in that folder, its assignment `hw` released by us and made by nbgrader."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hw.yaml").write_text(sections, encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(f"c = get_config()\n{config}", encoding="utf-8")
    release = ["release", str(folder / "hw.yaml"), "--to", "nbgrader", "--out", str(folder / "source" / "hw")]
    with pytest.raises(SystemExit) as end:
        learn.main([*arguments, *release])
    assert end.value.code == 0


def kind(cell, name):
    """True of a cell of that kind."""
    return cell["metadata"].get("nbgrader", {}).get(name, False)


def answered(notebook, text):
    """The notebook with the tasks of that text written in it; a text without regions goes into the first cell."""
    regions = {int(m[1]): m[0].rstrip() for m in REGION.finditer(text)}
    for cell in notebook["cells"]:
        if kind(cell, "solution"):
            (ended,) = tasks_ended(["".join(cell["source"])])
            cell["source"] = "\n\n".join(regions[task] for task in ended) if regions else text
            text = text if regions else ""
    return notebook


def hand_in(folder, student, slug, notebook):
    """A file, from a notebook or from bytes."""
    path = folder / "submitted" / student / "hw" / f"{slug}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())
    return path


def released(folder, slug):
    """The notebook that students get."""
    return json.loads((folder / "release" / "hw" / f"{slug}.ipynb").read_text(encoding="utf-8"))


def scores(folder, student, name="hw", url=""):
    """What nbgrader's database says: notebook -> cell -> automatic score."""
    with Gradebook(url or f"sqlite:///{folder / 'gradebook.db'}") as book:
        found = book.find_submission(name, student)
        return {n.name: {g.name: g.auto_score for g in n.grades} for n in found.notebooks}


def exported(folder, *arguments):
    """The rows of `nbgrader export`, by student."""
    run(folder, "export", *arguments)
    with (folder / "grades.csv").open(encoding="utf-8") as f:
        return {row["student_id"]: row for row in csv.DictReader(f)}


# -- three sections of the course


@pytest.fixture(scope="module")
def homework(tmp_path_factory):
    """Three sections given out, and handed in right, wrong and untouched."""
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    given_out(folder, SET, config=CONFIG)
    run(folder, "generate_assignment", "hw")
    course = Course.ours()
    for slug in SLUGS:
        section = course[slug]
        texts = {"right": section.reference, "wrong": section.bank("wrong")[0]}
        for student, path in texts.items():
            hand_in(folder, student, slug, answered(released(folder, slug), path.read_text(encoding="utf-8")))
        hand_in(folder, "stub", slug, released(folder, slug))
    return folder


@pytest.mark.slow
def test_what_goes_out_is_an_assignment_of_nbgraders(homework):
    """Each section is a notebook, each task a cell to write and a locked one that counts; together they weigh what the
    assignment says; no right answer is in it; it is the same each time.
    """
    course = Course.ours()
    weights = {"first_contact": 12, "gradients": 6, "activations": 7}
    for slug in SLUGS:
        cells = released(homework, slug)["cells"]
        counted = [c for c in cells if kind(c, "grade")]
        assert [c["metadata"]["nbgrader"]["grade_id"] for c in counted] == [f"task-{n}" for n in course[slug].points]
        assert all(kind(c, "locked") for c in counted)
        assert sum(c["metadata"]["nbgrader"]["points"] for c in counted) == pytest.approx(weights[slug])
        assert sum(kind(c, "solution") for c in cells) == len(counted)
        text = (homework / "release" / "hw" / f"{slug}.ipynb").read_text(encoding="utf-8")
        assert "NotImplementedError" in text and "BEGIN SOLUTION" not in text
        assert (homework / "source" / "hw" / f"{slug}.ipynb").read_text(encoding="utf-8").count("BEGIN SOLUTION")
    given_out(homework.parent / "again", SET)
    for path in (homework / "source" / "hw").glob("*.ipynb"):
        assert path.read_bytes() == (homework.parent / "again" / "source" / "hw" / path.name).read_bytes()


@pytest.mark.slow
def test_validate_tells_a_right_answer_from_an_empty_one(homework):
    """A right one succeeds; of an empty one each task is named, with why."""
    right = run(homework, "validate", "submitted/right/hw/gradients.ipynb")
    assert "Success" in right
    stub = run(homework, "validate", "submitted/stub/hw/gradients.ipynb")
    assert "FAILED ON 4 CELL" in stub and stub.count("still to be written") == 4
    assert all(f"%points gradients {task}" in stub for task in (1, 2, 3, 4))


@pytest.mark.slow
def test_nbgrader_alone_counts_the_visible_tests(homework, tmp_path):
    """Without our judge, nbgrader's own autograde, feedback and export run, and count what a student may read."""
    shutil.copytree(homework, tmp_path / "plain", ignore=shutil.ignore_patterns("autograded", "feedback"))
    (tmp_path / "plain" / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
    plain = tmp_path / "plain"
    for student in ("right", "stub"):
        for slug in SLUGS[1:]:  # a kernel for each notebook takes its time
            (plain / "submitted" / student / "hw" / f"{slug}.ipynb").unlink()
    shutil.rmtree(plain / "submitted" / "wrong")
    run(plain, "autograde", "hw")
    assert scores(plain, "right")["first_contact"] == {"task-1": 2, "task-2": 2, "task-3": 3, "task-4": 2, "task-5": 3}
    assert set(scores(plain, "stub")["first_contact"].values()) == {0}
    run(plain, "generate_feedback", "hw")
    assert "Score: 12.0 / 12.0" in (plain / "feedback/right/hw/first_contact.html").read_text(encoding="utf-8")
    assert float(exported(plain)["right"]["score"]) == 12


def by_our_judge(course, folder):
    """The share of each task by our judge, as any other way in would say: (student, slug) -> task -> share."""
    jobs = []
    for path in sorted((folder / "submitted").rglob("*.ipynb")):
        section = course[path.stem]
        name = f"{path.parts[-3]} {path.stem}"
        text = submission.read(path).text
        jobs.append(Job(section=section.slug, section_digest=section.digest, text=text, id=name))
    found = {}
    for verdict in pool.run(course, sorted(jobs, key=lambda j: j.section)):
        shares = {n: Fraction(score(verdict.checks, {n: 1})[0]) for n in course[verdict.section].points}
        found[tuple(verdict.job.split())] = shares
    return found


@pytest.mark.slow
def test_three_sections_come_back_with_the_same_scores(homework, tmp_path):
    """Our judge inside `nbgrader autograde`, and `learn grade` with `learn export nbgrader`, come to the points that
    our judge gives the files as they were handed in, to two decimals; feedback names the mistake.
    """
    course = Course.ours()
    run(homework, "autograde", "hw")
    inside = {student: scores(homework, student) for student in ("right", "wrong", "stub")}
    shares = by_our_judge(course, homework)
    for (student, slug), by_task in shares.items():
        cells = {
            c["metadata"]["nbgrader"]["grade_id"]: c for c in released(homework, slug)["cells"] if kind(c, "grade")
        }
        for task, share in by_task.items():
            points = cells[f"task-{task}"]["metadata"]["nbgrader"]["points"]
            assert inside[student][slug][f"task-{task}"] == pytest.approx(float(share) * points, abs=0.00501)
    partial = [s for (student, _), by_task in shares.items() if student == "wrong" for s in by_task.values()]
    assert any(0 < s < 1 for s in partial) and set(shares["right", "gradients"].values()) == {1}

    rows = exported(homework)
    assert float(rows["right"]["score"]) == 25 == float(rows["right"]["max_score"])
    run(homework, "generate_feedback", "hw", "--student", "wrong")
    page = (homework / "feedback" / "wrong" / "hw" / "gradients.html").read_text(encoding="utf-8")
    assert "Your function moved the caller" in page.partition("Comments:")[2]

    book, url = str(tmp_path / "book.sqlite"), f"sqlite:///{tmp_path / 'exported.db'}"
    told("grade", str(homework / "submitted"), "--assignment", str(homework / "hw.yaml"), "--gradebook", book)
    told("export", "nbgrader", url, "--name", "hw", "--gradebook", book)
    for student, by_notebook in inside.items():
        assert scores(None, student, url=url) == {
            slug: {name: pytest.approx(points, abs=0.00501) for name, points in cells.items()}
            for slug, cells in by_notebook.items()
        }


def told(*arguments, code=0):
    """Runs `learn`, which ends so."""
    with pytest.raises(SystemExit) as end:
        learn.main(list(arguments))
    assert end.value.code == code


# -- forgeries, one section


def forged_output(nb):
    """Outputs that would be full points, if anybody believed them; and megabytes of others."""
    for cell in nb["cells"]:
        if kind(cell, "grade"):
            result = {"output_type": "execute_result", "data": {"text/plain": "3.0"}, "metadata": {}}
            cell["outputs"] = [result | {"execution_count": 1}]
        elif cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 5_000_000}]
    return nb


def changed_points(nb):
    """A thousand points for each task."""
    for cell in nb["cells"]:
        if kind(cell, "grade"):
            cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "checksum": "0" * 32}
            cell["source"] = "1000.0"
    return nb


def deleted(nb):
    """No cell that counts."""
    return nb | {"cells": [c for c in nb["cells"] if not kind(c, "grade")]}


def doubled(nb):
    """Every cell that counts, three times."""
    cells = [copy for c in nb["cells"] for copy in ([c, c, c] if kind(c, "grade") else [c])]
    return nb | {"cells": json.loads(json.dumps(cells))}


def renamed(nb):
    """The student's own cell says that it is the one that counts."""
    for cell in nb["cells"]:
        if kind(cell, "solution"):
            cell["metadata"]["nbgrader"] |= {"grade": True, "grade_id": "task-1", "points": 1, "solution": True}
    return nb


def to_markdown(nb):
    """The cells that count are text."""
    for cell in nb["cells"]:
        if kind(cell, "grade"):
            cell |= {"cell_type": "markdown"}
            del cell["outputs"], cell["execution_count"]
    return nb


def crafted(nb):
    """Metadata that is none, of a version to come, and with names that lead elsewhere."""
    odd = [[], "task-1", {"grade_id": ["task-1"], "grade": True}, {"schema_version": 99, "grade": True}]
    odd += [{"grade_id": "../../task-1", "grade": True, "locked": True, "solution": False, "points": 5}, {"grade": 1}]
    for cell, about in zip(nb["cells"] * 2, odd, strict=False):
        cell["metadata"]["nbgrader"] = about
    return nb


def shouting(nb):
    """Magics and prints between the lines, for whoever would run them."""
    code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    return nb | {"cells": [code | {"source": "%config InteractiveShell.ast_node_interactivity='none'"}, *nb["cells"]]}


FORGERIES = [forged_output, changed_points, deleted, doubled, renamed, to_markdown, crafted, shouting]
BROKEN_FILES = {"latin": "£".encode("latin-1"), "no_json": b"{", "no_notebook": b"[1, 2]"}


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    """The mini course with a notebook of the teacher's own beside ours, handed in by right, wrong and forging students,
    and graded once.
    """
    root = tmp_path_factory.mktemp("forged")
    shutil.copytree(MINI, root / "course")
    folder = root / "class"
    config = f"{CONFIG}c.Learn.course = {str(root / 'course')!r}\n"
    given_out(folder, "sections: [1.1]\n", "--course", str(root / "course"), config=config)
    v4 = nbformat.v4
    own = {"schema_version": 3, "grade": True, "locked": True, "solution": False, "grade_id": "own", "points": 4}
    cells = [v4.new_code_cell("x = 2"), v4.new_code_cell("assert x == 2", metadata={"nbgrader": own})]
    nbformat.write(v4.new_notebook(cells=cells), folder / "source" / "hw" / "essay.ipynb")
    run(folder, "generate_assignment", "hw")
    for student, text in {"right": RIGHT, "wrong": WRONG, "two": RIGHT_TWO}.items():
        hand_in(folder, student, "double", answered(released(folder, "double"), text))
    hand_in(folder, "right", "essay", released(folder, "essay"))
    for forge in FORGERIES:
        hand_in(folder, forge.__name__, "double", forge(released(folder, "double")))
    for student, data in BROKEN_FILES.items():
        hand_in(folder, student, "double", data)
    (folder / "submitted" / "file" / "hw").mkdir(parents=True)
    (folder / "submitted" / "file" / "hw" / "double.py").write_text(RIGHT, encoding="utf-8")
    return folder, run(folder, "autograde", "hw", code=1)


@pytest.mark.slow
def test_partial_credit_and_the_mistake_come_back(mini):
    """Each task has its share; the author's words on the mistake are the comment on the cell; a notebook of the
    teacher's own is run as nbgrader does.
    """
    folder, _ = mini
    assert scores(folder, "right") == {"double": {"task-1": 1, "task-2": 2, "task-3": 3}, "essay": {"own": 4}}
    assert scores(folder, "wrong")["double"] == {"task-1": 0, "task-2": 2, "task-3": 0}
    assert scores(folder, "two")["double"] == {"task-1": 0, "task-2": 2, "task-3": 0}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        (comment,) = book.find_submission_notebook("double", "hw", "wrong").comments
        explained = Course(folder.parent / "course/exercises", folder.parent / "course/solutions")["double"]
        assert comment.auto_comment == explained.mistakes("en")["tripled"]


@pytest.mark.slow
@pytest.mark.parametrize("forge", FORGERIES, ids=lambda f: f.__name__)
def test_a_forgery_gets_no_point(mini, forge):
    """Whatever else is in the file, each task counts once, for what its text is worth: nothing."""
    folder, said = mini
    assert scores(folder, forge.__name__)["double"] == {"task-1": 0, "task-2": 0, "task-3": 0}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        assert book.find_submission("hw", forge.__name__).max_score == 10
    assert f"for student '{forge.__name__}'" not in said


@pytest.mark.slow
@pytest.mark.parametrize("student", BROKEN_FILES)
def test_a_file_that_is_no_notebook_fails_alone(mini, student):
    """nbgrader says that it failed, gives no points, and goes on with the others."""
    folder, said = mini
    assert f"error processing assignment 'hw' for student '{student}'" in said
    assert set(scores(folder, student)["double"].values()) == {None}
    assert not (folder / "autograded" / student / "hw").exists()


@pytest.mark.slow
def test_a_python_file_is_not_taken(mini):
    """As docs/nbgrader.md says: nbgrader sees notebooks alone."""
    folder, said = mini
    assert "No notebooks were matched" in said
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book, pytest.raises(MissingEntry):
        book.find_submission("hw", "file")


@pytest.mark.slow
def test_a_persons_grades_and_comments_stay(mini):
    """`autograde --force` writes the automatic score alone; points of an earlier answer do not outlive it, though the
    cells that count are gone.
    """
    folder, _ = mini
    url = f"sqlite:///{folder / 'gradebook.db'}"
    with Gradebook(url) as book:
        grade = book.find_grade("task-2", "double", "hw", "two")
        grade.manual_score, grade.extra_credit = 1.5, 0.25
        book.find_submission_notebook("double", "hw", "two").comments[0].manual_comment = "By hand."
        book.db.commit()
    hand_in(folder, "two", "double", deleted(released(folder, "double")))
    run(folder, "autograde", "hw", "--student", "two", "--force")
    with Gradebook(url) as book:
        grade = book.find_grade("task-2", "double", "hw", "two")
        assert (grade.auto_score, grade.manual_score, grade.extra_credit, grade.score) == (0, 1.5, 0.25, 1.75)
        assert grade.needs_manual_grade
        assert book.find_submission_notebook("double", "hw", "two").comments[0].comment == "By hand."


@pytest.mark.slow
def test_without_a_verdict_there_is_no_score(mini, tmp_path):
    """A test of ours that is broken fails the submission, as nbgrader calls it, and writes no score, not even a zero;
    what is graded again later is graded as ever.
    """
    folder, _ = mini
    again = tmp_path / "again"
    shutil.copytree(folder.parent, again)
    config = again / "class" / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8").replace(str(folder.parent), str(again)), encoding="utf-8")
    tests = again / "course/solutions/01_mini/01_double/test_double.py"
    whole = tests.read_text(encoding="utf-8")
    tests.write_text("raise RuntimeError('ours')\n", encoding="utf-8")
    hand_in(again / "class", "late", "double", answered(released(folder, "double"), RIGHT))
    said = run(again / "class", "autograde", "hw", "--student", "late", code=1)
    assert "through no fault of the student's" in said
    assert set(scores(again / "class", "late")["double"].values()) == {None}
    tests.write_text(whole, encoding="utf-8")
    run(again / "class", "autograde", "hw", "--student", "late")
    assert scores(again / "class", "late")["double"] == {"task-1": 1, "task-2": 2, "task-3": 3}


@pytest.mark.slow
def test_tests_of_somebody_else_among_ours_are_not_full_points(mini, tmp_path):
    """A cell with tests that nobody would run stops the submission, instead of counting as passed."""
    folder, _ = mini
    shutil.copytree(folder, tmp_path / "class")
    with Gradebook(f"sqlite:///{tmp_path / 'class' / 'gradebook.db'}") as book:
        book.add_grade_cell("extra", "double", "hw", max_score=5, cell_type="code")
    said = run(tmp_path / "class", "autograde", "hw", "--student", "right", "--force", code=1)
    assert "tests that are not ours, extra" in said


# -- what is restored, whatever was handed in


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """nbgrader's database of the mini course, and the notebook that students get; without running anything."""
    folder = tmp_path_factory.mktemp("known")
    given_out(folder, "sections: [1.1]\n", "--course", str(MINI))
    url = f"sqlite:///{folder / 'gradebook.db'}"
    notebook = nbformat.read(folder / "source" / "hw" / "double.ipynb", as_version=4)
    with Gradebook(url) as book:
        book.add_assignment("hw")
        book.add_notebook("double", "hw")
        for cell in notebook.cells:
            if about := cell.metadata.get("nbgrader"):
                name, place = about["grade_id"], ("double", "hw")
                if about["grade"]:
                    book.add_grade_cell(name, *place, max_score=about["points"], cell_type="code")
                if about["solution"]:
                    book.add_solution_cell(name, *place)
                book.add_source_cell(name, *place, cell_type="code", locked=about["locked"], source=cell.source)
    return url, notebook


names = st.one_of(st.sampled_from(["task-1", "task-2", "task-3", "answer-1-2-3", "learn", ""]), st.text(max_size=5))
claims = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "grade_id": st.one_of(names, st.lists(names, max_size=2)),
            "grade": st.booleans(),
            "solution": st.booleans(),
            "locked": st.one_of(st.booleans(), st.integers()),
            "points": st.one_of(st.integers(), st.text(max_size=3)),
            "schema_version": st.integers(-1, 100),
        },
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["code", "markdown", "raw"]), st.text(max_size=20), claims), max_size=8))
def test_the_cells_that_count_are_always_the_same(known, cells):
    """After any handed-in cells, each task's cell is there once, locked, with its own points and text; no other counts;
    no other code is lost.
    """
    url, notebook = known
    make = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    handed = nbformat.v4.new_notebook()
    for kind_, source, claim in cells:
        handed.cells.append(make[kind_](source))
        if claim is not None:
            handed.cells[-1].metadata["nbgrader"] = claim
    about = {"nbgrader": {"db_url": url, "notebook": "double", "assignment": "hw"}}
    restored, _ = Restored(course=str(MINI)).preprocess(json_copy(handed), about)
    wanted = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if kind(c, "grade")}
    counted = [c for c in restored.cells if kind(c, "grade")]
    assert sorted(c.metadata.nbgrader.grade_id for c in counted) == sorted(wanted)
    for cell in counted:
        original = wanted[cell.metadata.nbgrader.grade_id]
        assert (cell.source, cell.cell_type) == (original.source, "code")
        assert cell.metadata.nbgrader.points == original.metadata.nbgrader.points and cell.metadata.nbgrader.locked
    locked = {*wanted, "learn"}
    kept = [s for _, s, c in cells if not (isinstance(c, dict) and str(c.get("grade_id")) in locked)]
    left = [c.source for c in restored.cells]
    assert all(left.count(s) >= kept.count(s) for s in kept)


def json_copy(notebook):
    return nbformat.from_dict(json.loads(json.dumps(notebook)))


def test_the_locked_cells_say_nothing_to_python(known):
    """A notebook that was handed in is an answer like any other: what counts in nbgrader is a comment to the judge."""
    _, notebook = known
    text = to_text(nbformat.writes(notebook).encode())
    assert text.count("# %points double") == 3 and "# %load_ext learn" in text
    compile(text, "double.py", "exec")


def test_a_kernel_tells_the_points_of_what_was_run(monkeypatch):
    """`%points` takes the notebook's cells in their order, the last run of each, and gives a share of the points it is
    told; what gives none says why, in place of a traceback.
    """
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setenv("LEARN_COURSE", str(MINI))
    shell = InteractiveShell()
    task = "# --- task {} ---\ndef {}"
    cells = {"a": "import torch\nT = torch.Tensor", "b": f"{task.format(1, 'double(x: T):')}\n    return 3 * x"}
    cells["c"] = f"{task.format(2, 'outer(a: T, b: T):')}\n    return a[:, None] * b"
    shell.run_cell("%load_ext learn", store_history=True)
    for name, source in (*cells.items(), ("b", cells["b"].replace("3", "2")), ("a", cells["a"])):
        assert shell.run_cell(source, store_history=True, cell_id=name).success
    done = shell.run_cell("%points double 1 2.5", store_history=True)
    assert done.success and done.result == 2.5
    shell.run_cell(cells["b"], store_history=True, cell_id="b")
    done = shell.run_cell("%points double 1 2.5", store_history=True)
    assert not done.success and "✗" in str(done.error_in_exec) and done.result is None


def test_points_are_what_nbgrader_reads(known):
    """Any share of any points is read back by nbgrader as that to two decimals, never as more, and all as all."""
    from nbgrader.utils import determine_grade

    for share in ("0", "1", "1/3", "2/3", "999/1000"):
        for points in (0.0, 1.0, 1 / 3, 7.5):
            about = {"grade": True, "solution": False, "locked": True, "points": points}
            cell = nbformat.v4.new_code_cell("", metadata={"nbgrader": about})
            cell.outputs = nbgraded._outputs("words", share, points)
            got, most = determine_grade(cell)
            assert got == pytest.approx(float(Fraction(share)) * points, abs=0.00501) and got <= most == points
            assert share != "1" or got == points


@given(st.dictionaries(st.integers(1, 20), st.fractions(0, 1000, max_denominator=120), min_size=1))
def test_points_add_up_exactly(worth):
    """What the cells count is the section's weight to the nearest 64th, in whatever order it is added up; a task is off
    by less than one part, or by a tenth.
    """
    parts = in_parts(worth)
    whole = sum(map(Fraction, parts.values()))
    assert sum(parts.values()) == sum(reversed(parts.values())) == whole
    assert all(abs(Fraction(parts[t]) - worth[t]) <= max(worth[t] / 10, Fraction(1, 64)) for t in worth)
    assert abs(whole - sum(worth.values())) <= Fraction(1, 8)


@pytest.mark.parametrize("shown", get_args(Shown))
@pytest.mark.parametrize("due", [None, datetime(2026, 5, 3, tzinfo=UTC)])
def test_the_rule_on_hidden_tests_comes_back(shown, due):
    """What a release writes is read as that; what says nothing, or is spoilt, hides."""
    line = f"# Run this\n{rule_line(shown, due)}\n%load_ext learn"
    assert rule_of(line) == (shown, due if shown == "after_due_date" else None)
    assert rule_of("%load_ext learn") == ("hidden", None)
    assert rule_of("# hidden_tests: after_due_date, due soon") == ("after_due_date", None)


def test_hidden_tests_are_counted_and_not_named():
    """Unless they are shown, neither what hidden tests check nor what came back is in the remarks; the mistake is."""
    section = Course.at(MINI)["double"]
    with pool.Judge(Course.at(MINI)) as judge:
        job = Job(section="double", section_digest=section.digest, text=WRONG)
        (verdict,) = judge.grade([job])
    hidden = [c for c in verdict.checks if c.task == 1 and not c.visible]
    assert any(c.kind for c in hidden)

    def said(shown):
        return " ".join(remarks.lines(verdict, section, 1, "en", str, hidden=shown))

    assert all(" ".join(c.promise["en"].split()) not in said(False) for c in hidden)
    assert all(" ".join(c.promise["en"].split()) in " ".join(said(True).split()) for c in hidden)
    failed = sum(c.outcome is not Outcome.PASSED for c in hidden)
    assert f"{failed} of {len(hidden)} hidden tests failed." in said(False)
    assert section.mistakes("en")["tripled"].split()[0] in said(False)


# -- a gradebook into nbgrader's


DUE = datetime(2026, 5, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A gradebook of the mini course: right on time, wrong two days late, one by hand, one who is not judged yet. And
    an empty database of nbgrader's, which takes its time.
    """
    folder = tmp_path_factory.mktemp("judged")
    course = Course.at(MINI)
    section = course["double"]
    with gradebook.Gradebook(str(folder / "book.sqlite")) as book:
        now = [gradebook.SectionNow("double", "1.1", section.digest, Fraction(6))]
        texts = {"right": RIGHT, "late": WRONG, "hand": WRONG, "due": "x = 1\n"}
        handed = []
        for name, text in texts.items():
            at = DUE + timedelta(days=2 if name == "late" else -1)
            answer = submission.of_text(text)
            who = Student(id=name, name=f"N. {name}")
            handed.append(Handed(student=who, section="double", text=text, digest=answer.digest, at=at))
        book.begin(now, handed, [Student(id="nobody")])
        with pool.Judge(course) as judge:
            for verdict in judge.grade([j for j in book.jobs() if "def" in j.text]):
                book.record(verdict)
        book.adjust("hand", "double", Fraction(3), "Li Hua", "a fair reading")
    (folder / "hw.yaml").write_text(
        "sections: [1.1]\ndue: 2026-05-03T00:00:00+00:00\nlate: {percent_per_day: 10}\n"
        "extensions: {hand: 2026-05-04T12:00:00+00:00}\n",
        encoding="utf-8",
    )
    with Gradebook(f"sqlite:///{folder / 'nbgrader.db'}"):
        return folder


@pytest.fixture
def graded(judged, tmp_path):
    """A copy of that: the folder, and the address of nbgrader's database."""
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    return tmp_path, f"sqlite:///{tmp_path / 'nbgrader.db'}"


def export(graded, *more, code=0):
    folder, url = graded
    put = ["--gradebook", str(folder / "book.sqlite"), "--assignment", str(folder / "hw.yaml")]
    told("--course", str(MINI), "export", "nbgrader", *(more or (url,)), *put, code=code)


def rows(url):
    """Everything that an export writes, without the keys that nbgrader draws."""
    with Gradebook(url) as book:
        found = {}
        for s in book.assignment_submissions("hw"):
            (n,) = s.notebooks
            grades = {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in n.grades}
            found[s.student.id] = (s.timestamp, n.late_submission_penalty, grades, [c.comment for c in n.comments])
        return found


def test_export_writes_what_counts(graded):
    """Points by task, lateness as a penalty, a person's points with who and why; nothing for what is not judged; the
    sum in nbgrader is what `learn scores` says.
    """
    _, url = graded
    export(graded)
    found = rows(url)
    assert set(found) == {"right", "late", "hand", "due"}
    when, penalty, grades, _ = found["right"]
    assert (when, penalty) == (datetime(2026, 5, 2), None)
    assert grades == {"task-1": (1, None, False), "task-2": (2, None, False), "task-3": (3, None, False)}
    _, penalty, grades, comments = found["late"]
    assert [g[0] for g in grades.values()] == [0, 2, 0] and penalty == pytest.approx(0.4)
    assert Course.at(MINI)["double"].mistakes("en")["tripled"] in comments
    _, penalty, grades, comments = found["hand"]
    assert [g[0] for g in grades.values()] == [0.5, 1, 1.5] and penalty is None
    assert all("Li Hua: a fair reading" in c for c in comments)
    assert [g[0] for g in found["due"][2].values()] == [None, None, None]
    with Gradebook(url) as book:
        late = book.find_submission("hw", "late")
        assert late.score - late.late_submission_penalty == pytest.approx(1.6)
        assert book.find_submission("hw", "hand").extension == timedelta(days=1, hours=12)
        assert book.find_student("nobody") and book.find_assignment("hw").duedate == datetime(2026, 5, 3)


def test_names_are_first_and_last(graded):
    """A name is split at its last space; somebody without a name has none."""
    export(graded)
    with Gradebook(graded[1]) as book:
        names = {s.id: (s.first_name, s.last_name) for s in book.students}
    assert names["right"] == ("N.", "right") and names["nobody"] == (None, None)


def test_export_needs_no_activated_environment(graded, monkeypatch):
    """Called by its path, as `/venv/bin/learn`, it makes nbgrader's database all the same."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (graded[0] / "nbgrader.db").unlink()
    export(graded)
    assert set(rows(graded[1])) == {"right", "late", "hand", "due"}


def test_export_again_changes_nothing(graded):
    """Twice is as once; and what a person gave in nbgrader stays."""
    _, url = graded
    export(graded)
    with Gradebook(url) as book:
        grade = book.find_grade("task-1", "double", "hw", "right")
        grade.manual_score, grade.needs_manual_grade = 0.5, False
        book.update_or_create_student("right", last_name="Hua", first_name="Li")
        book.db.commit()
    before = rows(url)
    export(graded)
    assert rows(url) == before and before["right"][2]["task-1"] == (1, 0.5, False)
    with Gradebook(url) as book:
        assert book.find_student("right").last_name == "Hua"


def test_export_counts_by_the_points_of_nbgrader(graded):
    """Where the teacher has given a task other points in nbgrader, its share of these is written."""
    _, url = graded
    with Gradebook(url) as book:
        book.add_assignment("hw")
        book.add_notebook("double", "hw")
        for task in TASKS:
            book.add_grade_cell(f"task-{task}", "double", "hw", max_score=10, cell_type="code")
    export(graded)
    assert [g[0] for g in rows(url)["late"][2].values()] == [0, 10, 0]


def test_export_finds_who_is_there_by_another_name(graded):
    """A student who is there by e-mail or login is that one, and nobody is there twice; a course of others is refused,
    and so is an assignment that is not there where others are.
    """
    folder, url = graded
    with gradebook.Gradebook(str(folder / "book.sqlite")) as book:
        ids = [s.id for s in book.students()]
        book.keep("roster", json.dumps({"right": [["right", "li.hua"], ""], "late": [["late", "late@x.edu"], ""]}))
    with Gradebook(url) as book:
        book.add_student("li.hua")
        book.add_student("x7", email="late@x.edu")
    export(graded)
    with Gradebook(url) as book:
        assert {s.id for s in book.students} == {*ids, "li.hua", "x7"} - {"right", "late"}
    assert rows(url).keys() == {"li.hua", "x7", "hand", "due"}
    export(graded, url, "--name", "typo", code=2)
    with Gradebook(url) as book:
        assert [a.name for a in book.assignments] == ["hw"]
    other = f"sqlite:///{folder / 'other.db'}"
    with Gradebook(other) as book:
        book.add_student("stranger")
    export(graded, other, code=2)
    with Gradebook(other) as book:
        assert [s.id for s in book.students] == ["stranger"] and book.assignments == []


def test_export_waits_its_turn(graded, capsys):
    """While somebody else writes, one line says so, and nothing is written; afterwards it is as if nothing had been."""
    folder, url = graded
    writer = sqlite3.connect(folder / "nbgrader.db")
    writer.execute("BEGIN IMMEDIATE")
    export(graded, code=2)
    assert "locked" in capsys.readouterr().err
    writer.rollback()
    writer.close()
    with Gradebook(url) as book:
        assert book.assignments == book.students == []
    export(graded)
    assert set(rows(url)) == {"right", "late", "hand", "due"}


@pytest.mark.parametrize("there", ["other_cells", "ours", "nowhere", "nonsense"])
def test_export_refuses_what_it_would_spoil(graded, there, capsys):
    """An assignment with submissions to other cells, a gradebook of ours, and addresses of nothing: one line, and
    nothing is written.
    """
    folder, url = graded
    places = {"ours": f"sqlite:///{folder / 'book.sqlite'}", "nowhere": f"sqlite:///{folder / 'no' / 'x.db'}"}
    if there == "other_cells":
        with Gradebook(url) as book:
            book.add_assignment("hw")
            book.add_notebook("double", "hw")
            book.add_student("right")
            book.add_submission("hw", "right")
    before = {p: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    export(graded, places.get(there, url if there == "other_cells" else "nonsense"), code=2)
    said = capsys.readouterr().err
    assert said.startswith("learn:") and said.count("\n") == 1
    assert there == "other_cells" or {p: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    if there == "other_cells":
        assert rows(url)["right"][2] == {}
