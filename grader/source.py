"""A learner's file as text: for rules on how a task is done."""

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

_WAYS_ROUND = ("exec", "eval", "__import__", "__builtins__")  # with these, any name can be used unseen
_ANY = "any name"


class Source:
    """The learner's file as text: for constraints on how a task is done. Never the sole ground of a pass."""

    def __init__(self, text: str) -> None:
        self.text = text

    def line_of(self, *names: str) -> int | None:
        """The first line that uses one of these names (of a variable, attribute, import or keyword), or None.

        A name may be a pair, as in `torch.func`, where one half alone is innocent.

        Names are compared after NFKC, as Python does; `exec`, `eval` and the like count as using any. What stands under
        `if __name__ == "__main__":` does not count: it never runs here. A file too deeply nested to be looked at breaks
        the rule on its first line.
        """
        with ThreadPoolExecutor(1) as shallow:  # Python's limit on nesting counts the calls that we are in
            tree = shallow.submit(_parse, self.text).result()
        if tree is None:
            return None  # the cell says so, better
        if tree is _TOO_DEEP:
            return 1
        used = (use for node in _reached(tree) for use in _names(node))
        return min((line for name, line in used if name in (*names, _ANY)), default=None)


_TOO_DEEP = ast.Module([], [])


def _parse(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (RecursionError, MemoryError):
        return _TOO_DEEP
    except (SyntaxError, ValueError):
        return None


def _reached(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that can run in a cell."""
    renamed = any(
        isinstance(n, ast.Name) and n.id == "__name__" and not isinstance(n.ctx, ast.Load) for n in ast.walk(tree)
    )
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.If) and not renamed and _is_main(node.test):
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)


def _is_main(test: ast.expr) -> bool:
    """Exactly `__name__ == "__main__"`."""
    match test:
        case ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]):
            return True
        case ast.Compare(ast.Constant("__main__"), [ast.Eq()], [ast.Name("__name__")]):
            return True
    return False


def _names(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Name):
        yield node.id, node.lineno
        if node.id in _WAYS_ROUND:
            yield _ANY, node.lineno
    elif isinstance(node, ast.Attribute):
        yield node.attr, node.end_lineno or node.lineno
        if isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.lineno
    elif isinstance(node, ast.Import | ast.ImportFrom):
        module = (node.module or "").split(".") if isinstance(node, ast.ImportFrom) else []
        for name in (*module, *(part for a in node.names for part in a.name.split("."))):
            yield name, node.lineno
        for alias in node.names:
            whole = ".".join([*module, *alias.name.split(".")]).split(".")
            yield from ((f"{a}.{b}", node.lineno) for a, b in pairwise(whole))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
        parts = node.value.split(".")  # getattr(torch, "autograd"), attrgetter("autograd.grad")
        if all(p.isidentifier() for p in parts):
            yield from ((p, node.lineno) for p in parts)
