"""Right answers to read, task by task: the reference, and other ones from `also/` beside it."""

import ast
import textwrap
from pathlib import Path

import msgspec

from grader.course import REGION, Section, paragraphs


class Answer(msgspec.Struct, frozen=True):
    """One right answer."""

    path: Path
    tasks: dict[int, str]  # what it writes for each task, and what that stands on in the same file
    about: list[str] = []  # how it goes about it: a paragraph for each language; of the reference, none

    def old(self, task: int) -> list[str]:
        """What it uses for a task that works, but that nobody should learn: "data" (`x.data`), "Variable"."""
        names = {_old(node) for node in ast.walk(ast.parse(textwrap.dedent(self.tasks.get(task, ""))))}
        return sorted(names - {""})


def answers(section: Section) -> list[Answer]:
    """The reference, then the others. Raises OSError where the course has no solutions."""
    text = section.reference.read_text(encoding="utf-8")
    own = {int(m[1]): m[2].strip() for m in REGION.finditer(text)}
    wanted = {task: [name for s in ast.parse(body).body for name in _names(s)] for task, body in own.items()}
    return [Answer(section.reference, own), *(_other(path, wanted) for path in section.bank("also"))]


def _old(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and node.attr == "data":  # but not of one's own object, nor torch.utils.data
        return "" if ast.unparse(node.value) in ("self", "torch.utils") else "data"
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name if name == "Variable" else ""


def _other(path: Path, wanted: dict[int, list[str]]) -> Answer:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    defined = {name: s for s in tree.body for name in _names(s)}
    lines = text.splitlines()
    tasks: dict[int, str] = {}
    for task, names in wanted.items():
        found = _needed(names, defined)
        tasks[task] = "\n\n\n".join("\n".join(lines[_first(s) - 1 : s.end_lineno]) for s in found)
    return Answer(path, tasks, paragraphs(ast.get_docstring(tree)))


def _needed(names: list[str], defined: dict[str, ast.stmt]) -> list[ast.stmt]:
    """The statements that define these names, and whatever those use, in the order of the file."""
    found: dict[int, ast.stmt] = {}
    waiting = list(names)
    while waiting:
        statement = defined.get(waiting.pop())
        if statement is not None and statement.lineno not in found:
            found[statement.lineno] = statement
            waiting += [n.id for n in ast.walk(statement) if isinstance(n, ast.Name)]
    return [found[line] for line in sorted(found)]


def _names(statement: ast.stmt) -> list[str]:
    """What a statement of a file defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    return []


def _first(statement: ast.stmt) -> int:
    """The line that it begins with, decorators and all."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])
