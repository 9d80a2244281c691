"""A learner's file as text: for rules on how a task is done."""

import ast
import functools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

LENGTH_CAP = 100_000  # characters: Python itself takes minutes over some longer texts
# With these, any name can be used unseen: as variables, as attributes, ...
_HIDING = ("exec", "eval", "compile", "vars", "globals", "builtins", "importlib", "pkgutil", "runpy")
_HIDING_IN = ("__import__", "__builtins__", "__dict__", "__getattribute__", "getattr_static")
_LOOKING_UP = ("getattr", "attrgetter", "methodcaller")  # ... and with these, unless the name is written out
_TABLES = ("modules", "__dict__")  # of names; any other dictionary's keys are the learner's own
_REACHING = ("grader", "_getframe", "f_back", "f_globals", "get_objects", "get_referrers", "ctypes")
# With these, a function can be come by that is named nowhere.
_FINDING = ("locals", "f_locals", "__globals__", "modules", "inspect", "gc", "pickle", "marshal", "learner")


class Use(NamedTuple):
    """A name used in the file. `hidden`: it is one that could stand for any other."""

    line: int
    hidden: bool = False


class Source:
    """The learner's file as text: for constraints on how a task is done. Never the sole ground of a pass.

    `unused`: functions of the file that are not looked into, see `for_tasks`.
    """

    def __init__(self, text: str, unused: frozenset[str] = frozenset()) -> None:
        self.text = text
        self.unused = unused

    def for_tasks(self, *tasks: str) -> "Source":
        """The same without the functions to which no way leads from these names, nor from what runs when the file is
        loaded: a check of one's own may use what a task may not. Where a way could be unseen, nothing is left out.
        """
        tree = _tree(self.text)
        if tree is None or tree is _TOO_DEEP:
            return self
        functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
        unused = {f.name for f in functions if f.name not in tasks} - {f.name for f in functions if not _plain(f)}
        while found := unused & _mentioned(_reached(tree, unused)):
            unused -= found
        less = Source(self.text, frozenset(unused))
        unseen = {_ANY, *_HIDING, *_HIDING_IN, *_REACHING, *_FINDING}
        return self if any(name in unseen for name, _ in _uses(less.text, less.unused)) else less

    def use_of(self, *names: str) -> Use | None:
        """The first use of one of these names (of a variable, attribute, import or keyword), or None; else the first
        place where any name could be used unseen, as with `exec` or `getattr` with a computed name.

        A name may be a pair, as in `torch.func`, where one half alone is innocent. Names are compared after NFKC, as
        Python does. What the file itself defines is no use: a method called `backward` is the learner's own. Neither is
        what stands under `if __name__ == "__main__":`, which never runs here. A file too long or too deeply nested to
        be looked at hides what it uses.
        """
        found = _uses(self.text, self.unused)
        lines = [line for name, line in found if name in names]
        if lines:
            return Use(min(lines))
        hidden = [line for name, line in found if name == _ANY]
        return Use(min(hidden), hidden=True) if hidden else None

    def reaches_around(self) -> bool:
        """True if the file names what only serves to meddle with the process that it runs in: worth a person's look."""
        plain = unicodedata.normalize("NFKC", self.text)
        if not any(name in plain for name in _REACHING):
            return False  # as of nearly every file; parsing it would take milliseconds
        return any(name in _REACHING for name, _ in _uses(self.text, frozenset()))


_ANY = "any name"


@functools.lru_cache(4)
def _uses(text: str, unused: frozenset[str]) -> tuple[tuple[str, int], ...]:
    tree = _tree(text)
    if tree is None:
        return ()  # the cell says so, better
    if tree is _TOO_DEEP:
        return ((_ANY, 1),)
    nodes = list(_reached(tree, unused))
    own = _Own(nodes)
    return tuple(use for node in nodes for use in _names(node, own))


_TOO_DEEP = ast.Module([], [])


@functools.lru_cache(4)
def _tree(text: str) -> ast.Module | None:
    """None for what is no Python, _TOO_DEEP for what is too long or too deeply nested to be looked at."""
    if len(text) > LENGTH_CAP:
        return _TOO_DEEP
    with ThreadPoolExecutor(1) as shallow:  # Python's limit on nesting counts the calls that we are in
        return shallow.submit(_parse, text).result()


def _parse(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (RecursionError, MemoryError):
        return _TOO_DEEP
    except (SyntaxError, ValueError):
        return None


def _plain(function: ast.FunctionDef) -> bool:
    """True if its definition runs nothing, and nobody but its caller runs it."""
    around = (function.args, *filter(None, [function.returns]))
    calm = not any(isinstance(n, ast.Call | ast.NamedExpr) for a in around for n in ast.walk(a))
    return calm and not function.decorator_list and not function.name.startswith("__")


def _mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Every word that could name a function: of names, attributes, imports, and of texts that are not docstrings."""
    words: set[str] = set()
    notes: set[int] = set()
    for node in nodes:  # an expression comes before its parts
        if isinstance(node, ast.Expr):
            notes.add(id(node.value))
        elif isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.alias):
            words.update(node.name.split("."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in notes:
            words.update(re.findall(r"\w+", str(node.value)))
    return words


def _reached(tree: ast.Module, unused: Collection[str]) -> Iterator[ast.AST]:
    """Every node that can run in a cell, but for the functions that are not used."""
    renamed = any(
        isinstance(n, ast.Name) and n.id == "__name__" and not isinstance(n.ctx, ast.Load) for n in ast.walk(tree)
    )
    todo: list[ast.AST] = [n for n in tree.body if not (isinstance(n, ast.FunctionDef) and n.name in unused)]
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


class _Own:
    """What the file defines itself, and so may use. Where it imports everything of a module, nothing is sure."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        self.imported: set[str] = set()
        self.names: set[str] = set()  # functions, classes, variables, parameters
        self.members: set[str] = set()  # methods, functions, classes, fields: what can be an attribute
        self.looked_up: set[int] = set()  # the names `getattr` in `getattr(x, "written out")`
        star = False
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.members.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.names.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                self.members.add(node.attr)  # self.backward = lambda grad: ...
            elif isinstance(node, ast.arg):
                self.names.add(node.arg)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.imported |= {(a.asname or a.name).split(".")[0] for a in node.names}
                from_torch = getattr(node, "module", None) or ""
                star |= from_torch.split(".")[0] == "torch" and any(a.name == "*" for a in node.names)
            elif isinstance(node, ast.Call) and _looks_up(node) and _written_out(node):
                self.looked_up.add(id(node.func))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("namedtuple", "make_dataclass"):
                texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
                self.members |= {word for text in texts for word in text.replace(",", " ").split()}
            if isinstance(node, ast.ClassDef):  # the fields of a dataclass
                targets = [t for n in node.body if isinstance(n, ast.AnnAssign | ast.Assign) for t in _targets(n)]
                self.members |= {t.id for t in targets if isinstance(t, ast.Name)}
        self.names = set() if star else (self.names | self.members) - self.imported

    def looks_up_unseen(self, name: str, node: ast.AST) -> bool:
        """True of `getattr` and the like, but where the name that it looks up is written out."""
        return name in _LOOKING_UP and id(node) not in self.looked_up

    def attribute(self, node: ast.Attribute) -> bool:
        """True if that is the file's own: a method of that name is, unless it is asked of something imported."""
        root: ast.expr = node
        while isinstance(root, ast.Attribute | ast.Call | ast.Subscript):
            root = root.func if isinstance(root, ast.Call) else root.value
        imported = isinstance(root, ast.Name) and root.id in self.imported
        return node.attr in self.members and not imported


def _targets(node: ast.AnnAssign | ast.Assign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _looks_up(node: ast.Call) -> bool:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return name in _LOOKING_UP


def _written_out(node: ast.Call) -> bool:
    """True of `getattr(x, "name")`, and of a method's `getattr(self, whatever)`: its own layers."""
    getting = getattr(node.func, "id", "") == "getattr"
    named = node.args[1:2] if getting else node.args
    on_self = getting and isinstance(node.args[0], ast.Name) and node.args[0].id == "self" if node.args else False
    texts = [isinstance(a, ast.Constant) and isinstance(a.value, str) for a in named]
    return on_self or (bool(texts) and all(texts))


def _names(node: ast.AST, own: _Own) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Name):
        if node.id not in own.names:
            yield node.id, node.lineno
        if (node.id in (*_HIDING, *_HIDING_IN) and node.id not in own.names) or own.looks_up_unseen(node.id, node):
            yield _ANY, node.lineno
    elif isinstance(node, ast.Attribute):
        line = node.end_lineno or node.lineno
        if not own.attribute(node):
            yield node.attr, line
        if isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno
        if node.attr in _HIDING_IN or own.looks_up_unseen(node.attr, node):
            yield _ANY, line
    elif isinstance(node, ast.keyword) and node.arg and node.arg not in own.names:
        yield node.arg, node.value.lineno
    elif isinstance(node, ast.Import | ast.ImportFrom):
        module = (node.module or "").split(".") if isinstance(node, ast.ImportFrom) else []
        for name in (*module, *(part for a in node.names for part in a.name.split("."))):
            yield name, node.lineno
            if name in (*_HIDING, *_HIDING_IN):
                yield _ANY, node.lineno
        for alias in node.names:
            whole = ".".join([*module, *alias.name.split(".")]).split(".")
            yield from ((f"{a}.{b}", node.lineno) for a, b in pairwise(whole))
    elif isinstance(node, ast.Call):  # getattr(torch, "autograd"), attrgetter("autograd.grad")
        yield from (use for a in node.args if _looks_up(node) for use in _spelt(a))
    elif (
        isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") in _TABLES
    ):  # sys.modules["torch.autograd"]
        yield from _spelt(node.slice)


def _spelt(node: ast.expr) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from ((part, node.lineno) for part in node.value.split("."))
