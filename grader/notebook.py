"""A learner's file as a notebook, by jupytext: cells are the `# %%` of the file, and nothing in them is run."""

import ast
import bisect
import functools
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

_FORMATS = "ipynb,py:percent"
_KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
_LOADS = "%load_ext learn"
_TASK = re.compile(r"(?m)^[ \t]*# --- task (\d+) ---")
_END = re.compile(r"(?m)^[ \t]*# --- end ---")
_CELL = re.compile(r"(?m)^[ \t]*# %%.*\n")
_NO_CODE = re.compile(r"\s*(#.*|[%!?].*)?")  # a line of a cell that says nothing to the judge
# jsonschema, and jupytext, import these where there is JupyterLab: seconds, for what nobody here uses.
_BARRED = ("rfc3987_syntax", "jupyter_server", "jupyter_client", "tornado")


class Run(NamedTuple):
    """A cell that was run, some time between two."""

    cell: str  # id; "" if it is not known
    source: str
    after: float  # time.time()
    before: float


def to_text(data: bytes) -> str:
    """The text of a notebook. Raises many kinds of exceptions for what is none."""
    return _text(_read(data))


def of_text(text: str, old: bytes = b"") -> bytes:
    """The notebook of a text, paired with it: jupytext, where JupyterLab has it, then shows the text's cells with the
    notebook's outputs, and saves both. The outputs of `old` stay with the cells that have not changed.

    Raises many kinds of exceptions, of a header in YAML.
    """
    jupytext = _jupytext()
    made = jupytext.reads(text, fmt="py:percent")
    made.metadata.setdefault("kernelspec", _KERNEL)
    made.metadata.setdefault("jupytext", {})["formats"] = _FORMATS
    if old:
        made = jupytext.combine.combine_inputs_with_outputs(made, _read(old))
    return str(jupytext.writes(made, fmt="ipynb")).encode() + b"\n"


def with_checks(text: str, intro: str) -> str:
    """The text with a cell that loads our commands, below an `intro` (Markdown), and after each task one that checks
    it; to Python they are comments. As it is, if it has them. Raises as `of_text` does.
    """
    import nbformat

    v4: Any = nbformat.v4  # untyped
    made = _jupytext().reads(text, fmt="py:percent")
    if any(_LOADS in c.source for c in made.cells):
        return text
    head = int(bool(made.cells) and made.cells[0].cell_type == "markdown")  # the title comes first
    cells = [*made.cells[:head], v4.new_markdown_cell(intro), v4.new_code_cell(_LOADS)]
    for cell, ended in zip(made.cells[head:], tasks_ended(c.source for c in made.cells[head:]), strict=True):
        cells += [cell, *(v4.new_code_cell(f"%check {task}") for task in ended)]
    made.cells = cells
    return _text(made)


def tasks_ended(sources: Iterable[str]) -> Iterator[list[int]]:
    """Of each cell, the tasks that are complete with it."""
    begun: list[int] = []
    for source in sources:
        begun += map(int, _TASK.findall(source))
        yield begun if _END.search(source) else []
        if _END.search(source):
            begun = []


def of_cells(sources: Iterable[str]) -> str:
    """The text of a notebook with these code cells."""
    import nbformat

    v4: Any = nbformat.v4  # untyped
    return _text(v4.new_notebook(cells=[v4.new_code_cell(s) for s in sources], metadata={"kernelspec": _KERNEL}))


def same(one: str, other: str) -> bool:
    """True if the two say the same to Python."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _code(one) == _code(other)


def _code(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def place(text: str, line: int) -> tuple[int, int]:
    """The cell, and the line in it, of a line of a notebook's text. Both from 1."""
    starts = [text.count("\n", 0, m.end()) for m in _CELL.finditer(text)]
    cell = bisect.bisect_left(starts, line)
    return (cell, line - starts[cell - 1]) if cell else (1, line)


def with_runs(source: bytes | str, runs: Iterable[Run], saved: float) -> tuple[str, bool]:
    """The text of a notebook (bytes) or file that was `saved` then, with its cells as they were run since, the last run
    of each; and whether something was run of which we cannot tell where it stands, or whether it is the newer.

    A cell is known by its id, or by the task that begins in it: not every editor tells ids.
    """
    jupytext = _jupytext()
    notebook = _read(source) if isinstance(source, bytes) else jupytext.reads(source, fmt="py:percent")
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    unsure = False
    for run in runs:
        if run.before <= saved or all(_NO_CODE.fullmatch(line) for line in run.source.splitlines()):
            continue
        task = _TASK.search(run.source)
        known = [c for c in cells if run.cell and c.get("id") == run.cell]
        known = known or [c for c in cells if task and task[0] in c.source]
        if known and run.after > saved:
            known[0].source = run.source
        else:
            unsure |= run.source not in [c.source for c in cells]
    return _text(notebook), unsure


def key(run: Run) -> str:
    """Equal for two runs of one cell, if that can be known."""
    task = _TASK.search(run.source)
    return run.cell or (task[0] if task else run.source)


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
