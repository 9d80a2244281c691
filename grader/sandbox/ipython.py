"""A learner's file without the statements that only a notebook can run: what explores there is no part of the answer.

They are known by what they name, nothing is run to find out. What is left keeps its lines. Nothing that defines a
function or class, nor what changes a name that the answer has, is ever left out.
"""

import ast
import re
from collections.abc import Iterable, Iterator

_NAMES = re.compile(r"_{1,3}|_\d+|_i{1,3}|_i\d+|_[iod]h|_exit_code|In|Out|get_ipython")  # the user's, in IPython
_MAYBE = re.compile(rf"\b(?=[agIO_])(?:await|async|{_NAMES.pattern})\b")
_AWAITS = (ast.Await, ast.AsyncFor, ast.AsyncWith)
_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def plain(source: str, path: str) -> str | ast.Module:
    """What to compile: the source itself, or what was made of it to see whether something is to be left out."""
    if not _MAYBE.search(source):
        return source
    try:
        tree = ast.parse(source, path)
        body = list(_kept(tree.body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # compile says it better
        return source
    return ast.Module(body, type_ignores=[])


def _kept(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    ours: set[str] = set()  # names that the answer has by then
    theirs: set[str] = set()  # names that only what is left out has made
    for statement in body:
        nodes = list(_run(statement))
        inner = [n for c in nodes if isinstance(c, ast.comprehension) for n in ast.walk(c.target)]
        made = set(_made(n for n in nodes if n not in inner))
        awaits = any(isinstance(n, _AWAITS) or getattr(n, "is_async", 0) for n in nodes)
        used = {n.id for n in nodes if isinstance(n, ast.Name)} - ours - made - set(_made(inner))
        if isinstance(statement, ast.Try):  # who asks whether this is a notebook has an answer for both
            used = set()
        needs = awaits or not used.isdisjoint(theirs) or any(map(_NAMES.fullmatch, used))
        if needs and made.isdisjoint(ours) and not any(map(_changes, nodes)):
            theirs |= made
        else:
            ours |= made
            theirs -= made
            yield statement


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what in it runs while the file is loaded."""
    yield node
    inner = node.decorator_list if isinstance(node, _DEFINES) else ast.iter_child_nodes(node)
    for child in () if isinstance(node, ast.Lambda) else inner:
        yield from _run(child)


def _made(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that are bound, or deleted."""
    for n in nodes:
        if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load):
            yield n.id
        elif isinstance(n, ast.alias):
            yield (n.asname or n.name).partition(".")[0]
        elif isinstance(n, (*_DEFINES, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and n.name:
            yield n.name


def _changes(node: ast.AST) -> bool:
    """True of what defines something, or changes something that is there."""
    stored = isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load)
    return stored or isinstance(node, (*_DEFINES, ast.Import, ast.ImportFrom))
