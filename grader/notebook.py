"""A learner's file as a notebook, by jupytext: cells are the `# %%` of the file, and nothing in them is run."""

import ast
import bisect
import functools
import re
import sys
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

_FORMATS = "ipynb,py:percent"
_KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
_LOADS = "%load_ext learn"
_TASK = re.compile(r"(?m)^[ \t]*# --- task (\d+) ---")
_END = re.compile(r"(?m)^[ \t]*# --- end ---")
_CELL = re.compile(r"(?m)^# %%.*\n")
_NO_CODE = re.compile(r"\s*(#.*|[%!?].*)?")  # a line of a cell that says nothing to the judge
# jsonschema, and jupytext, import these where there is JupyterLab: seconds, for what nobody here uses.
_BARRED = ("rfc3987_syntax", "jupyter_server")


class Run(NamedTuple):
    """A cell that was run."""

    cell: str  # id
    source: str
    at: float  # time.time()


def to_text(data: bytes) -> str:
    """The text of a notebook. Raises many kinds of exceptions for what is none."""
    return _text(_read(data))


def of_text(text: str, intro: str = "", old: bytes = b"") -> bytes:
    """The notebook of a text, paired with it: jupytext, where JupyterLab has it, then saves both.

    With an `intro` (Markdown) it gets a cell that loads our commands, and below each task one that checks it. The
    outputs of `old` stay with the cells that have not changed. Raises many kinds of exceptions, of a header in YAML.
    """
    jupytext = _jupytext()
    made = jupytext.reads(text, fmt="py:percent")
    if intro and not any(_LOADS in c.source for c in made.cells):
        made.cells = _with_checks(made.cells, intro)
    made.metadata.setdefault("kernelspec", _KERNEL)
    made.metadata.setdefault("jupytext", {})["formats"] = _FORMATS
    if old:
        made = jupytext.combine.combine_inputs_with_outputs(made, _read(old))
    return str(jupytext.writes(made, fmt="ipynb")).encode() + b"\n"


def same(one: str, other: str) -> bool:
    """True if the two say the same to Python."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return one == other


def place(text: str, line: int) -> tuple[int, int]:
    """The cell, and the line in it, of a line of a notebook's text. Both from 1."""
    starts = [text.count("\n", 0, m.end()) for m in _CELL.finditer(text)]
    cell = bisect.bisect_left(starts, line)
    return (cell, line - starts[cell - 1]) if cell else (1, line)


def with_runs(source: bytes | str, runs: Iterable[Run], since: float) -> tuple[str, bool]:
    """The text of a notebook (bytes) or file, with the cells as they were run `since` it was saved; and whether
    something was run that has no place in it.

    A cell is known by its id, or by the task that begins in it: not every editor tells ids.
    """
    jupytext = _jupytext()
    notebook = _read(source) if isinstance(source, bytes) else jupytext.reads(source, fmt="py:percent")
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    stray = False
    for run in sorted(runs, key=lambda r: r.at):
        task = _TASK.search(run.source)
        known = next((c for c in cells if c.get("id") == run.cell), None)
        known = known or next((c for c in cells if task and task[0] in c.source), None)
        if run.at <= since or all(_NO_CODE.fullmatch(line) for line in run.source.splitlines()):
            continue
        if known:
            known.source = run.source
        else:
            stray |= run.source not in [c.source for c in cells]
    return _text(notebook), stray


def _with_checks(cells: list[Any], intro: str) -> list[Any]:
    import nbformat

    v4: Any = nbformat.v4  # untyped
    head = int(bool(cells) and cells[0].cell_type == "markdown")  # the title comes first
    made = [*cells[:head], v4.new_markdown_cell(intro), v4.new_code_cell(_LOADS)]
    task = ""
    for cell in cells[head:]:
        made.append(cell)
        if found := _TASK.search(cell.source):
            task = found[1]
        if task and _END.search(cell.source):
            made.append(v4.new_code_cell(f"%check {task}"))
            task = ""
    return made


def _read(data: bytes) -> Any:
    jupytext = _jupytext()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cells without ids, and the like
        return jupytext.reads(data.decode("utf-8-sig"), fmt="ipynb")


def _text(notebook: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(_jupytext().writes(notebook, fmt="py:percent"))


@functools.cache
def _jupytext() -> Any:
    barred = [name for name in _BARRED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(barred))  # type: ignore[arg-type]  # None: "there is no such module"
    try:
        import jupytext
        import jupytext.combine
    finally:
        for name in barred:
            del sys.modules[name]
    return jupytext
