"""What belongs into `source/` of an nbgrader course, a notebook for each section: the stub's cells, and below each task
a locked cell that counts its points. `nbgrader generate_assignment` makes of it what students get.

Nothing of `solutions/` is in it: what nbgrader calls the solution is the stub's own `raise NotImplementedError`. The
locked cells hold a magic, which is a comment to everybody but a kernel: so a notebook that was handed in is an answer
like any other.
"""

import json
import re
from pathlib import Path
from typing import Any

from grader import notebook
from grader.course import Section
from grader.exports.nbgrader import ABOUT, answer_id, grade_id, in_parts, rule_line
from grader.release import Release, handout, write_tree
from grader.reports.words import say
from grader.workspace import original

OWN = False
_UNWRITTEN = re.compile(r"(?m)^([ \t]*)raise NotImplementedError\b.*$")
_SOLUTION = r"\1### BEGIN SOLUTION\n\g<0>\n\1### END SOLUTION"  # else nbgrader would empty the whole cell
_TO_READ = (".md", ".svg")


def write(release: Release, out: Path) -> None:
    """The notebooks, and the lessons beside them as they lie in the course."""
    others = tuple(f".{lang}{kind}" for lang in {*release.course.about.languages} - {release.lang} for kind in _TO_READ)
    files = handout(release).items()  # nbgrader copies them for each student: not more than are read
    texts = {name: data for name, data in files if name.endswith(_TO_READ) and not name.endswith(others)}
    write_tree(texts | {f"{s.slug}.ipynb": _notebook(release, s) for s in release.sections}, out)


def _notebook(release: Release, section: Section) -> bytes:
    stub = original(release.course, section.stub.relative_to(release.course.exercises)).decode()
    made = json.loads(notebook.of_text(stub))
    worth, lang = in_parts(release.assignment.worth(section)), release.lang
    cells: list[dict[str, Any]] = []
    sources = ["".join(cell["source"]) for cell in made["cells"]]
    for cell, source, ended in zip(made["cells"], sources, notebook.tasks_ended(sources), strict=True):
        cells.append(cell)
        if ended and _UNWRITTEN.search(source):
            _mark(cell, answer_id(ended), _UNWRITTEN.sub(_SOLUTION, source), solution=True)
        for task in ended:
            name, points = section.about.tasks[task].name, worth[task]
            about = say("nbgrader.cell", lang, task=task, name=name)
            counts = {"grade": True, "locked": True, "points": points}
            cells.append(_mark({}, grade_id(task), f"# {about}\n%points {section.slug} {task} {points}", **counts))
    part = next(p for p in release.assignment.parts if p.section == section.slug)
    rule = rule_line(part.hidden_tests, release.assignment.due)
    loads = _mark({}, ABOUT, f"# {say('nbgrader.loads', lang)}\n{rule}\n%load_ext learn", locked=True)
    cells.insert(int(cells[0]["cell_type"] == "markdown"), loads)  # the title comes first
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # the same each time
    del made["metadata"]["jupytext"]  # a student's JupyterLab is not to write a second file
    return json.dumps(made | {"cells": cells}, ensure_ascii=False, indent=1).encode() + b"\n"


def _mark(cell: dict[str, Any], name: str, source: str, **kinds: bool | float) -> dict[str, Any]:
    """The code cell with that source, as nbgrader is to know it."""
    known = {"schema_version": 3, "grade_id": name, "grade": False, "locked": False, "solution": False, "task": False}
    cell |= {"cell_type": "code", "execution_count": None, "outputs": [], "source": source}
    cell.setdefault("metadata", {})["nbgrader"] = known | kinds
    return cell
