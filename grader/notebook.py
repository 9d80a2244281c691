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
_CELL = re.compile(r"(?m)^[ \t]*# %%%*(?:[ \t].*)?\n")  # a magic, as in `# %%time`, begins no cell
_NO_CODE = re.compile(r"\s*(#.*|[%!?].*)?")  # a line of a cell that says nothing to the judge
_CELL_MAGIC = re.compile(r"\s*%%(\w+|!)")
_RUNS_HERE = {"time", "timeit", "capture", "prun", "debug"}  # its body is Python of this notebook, right or wrong
_RUNS_ELSEWHERE = {"writefile", "file", "script", "system", "sx", "!", "python", "python2", "python3", "pypy"}
_ASKS = re.compile(r"\s*(?:(?:\?|!|(?:pip|conda|mamba|uv) ).*|[%\w.*\[\]]+\?{1,2}\s*(?:#.*)?)")  # for help, or a shell
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
        made = jupytext.reads(data.decode("utf-8-sig"), fmt="ipynb")
        if made.nbformat >= 4:
            return made
        import nbformat

        return nbformat.convert(made, 4)  # type: ignore[no-untyped-call]


def _text(notebook: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cell in notebook.cells:
            if cell.cell_type == "code":
                _as_python(cell)
        return str(_jupytext().writes(notebook, fmt="py:percent"))


def _as_python(cell: Any) -> None:
    """Makes comments of what is no Python in a cell, where jupytext would not. No line moves."""
    lines = cell.source.split("\n")
    magic = _CELL_MAGIC.match(cell.source)
    if magic and magic[1] not in _RUNS_HERE and (magic[1] in _RUNS_ELSEWHERE or _error(_commented(lines))):
        tags = cell.metadata.setdefault("tags", [])
        cell.metadata["tags"] = [*tags, *({"active-ipynb"} - set(tags))]  # to jupytext: a comment in a file
        return
    if not _error(lines):  # then no line is a magic, though one may begin with a `%`
        if not any(line.lstrip().startswith("%") for line in lines):
            return  # as nearly all: what comes now takes its time
        shown = _commented(lines)
        lines = [re.sub(r"^(\s*%)", r"\1 ", a) if a != b else a for a, b in zip(lines, shown, strict=True)]
    for _ in lines:
        shown = _commented(lines)
        if (error := _error(shown)) is None:
            break
        at = (error.lineno or 1) - 1
        if isinstance(error, IndentationError):  # a block of nothing but magics
            at = next((i for i in range(min(at, len(lines) - 1), 0, -1) if _is_comment(lines[i], shown[i])), -1)
        elif not (at < len(lines) and _ASKS.fullmatch(lines[at])):
            break
        if at < 0:
            break
        bare = lines[at].lstrip()
        lines[at] = f"{lines[at][: len(lines[at]) - len(bare)]}pass  # {bare}"
    cell.source = "\n".join(lines)


def _is_comment(line: str, shown: str) -> bool:
    return line != shown and line.startswith((" ", "\t"))


def _commented(lines: list[str]) -> list[str]:
    """The lines of a cell as jupytext will write them."""
    from jupytext.magics import comment_magic

    return list(comment_magic(list(lines)))


def _error(lines: list[str]) -> SyntaxError | None:
    try:
        ast.parse("\n".join(lines))
    except SyntaxError as e:
        return e
    except (ValueError, RecursionError, MemoryError):  # a NUL, or too deep: not for us to say
        pass
    return None


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
