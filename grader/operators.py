"""Small changes of a program's text, each one slip that an author of tests must have thought of.

Pure: a text in, texts out. The changes are made by position in the text, so that a diff shows the change alone. (The
libraries that know such operators, mutmut and cosmic-ray, are programs that run a whole test suite; they bring a
user interface, a web client and a database along, and know nothing of `dim` or `detach`.)
"""

import ast
import builtins
import io
import json
import tokenize
import warnings
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

Edit = tuple[int, int, str]  # these characters are replaced by that text
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SPACE = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER)


class Mutant(NamedTuple):
    """A text with one change. Comments are not part of the changed lines."""

    operator: str
    line: int
    within: str  # function or class, dotted; "" in the module itself
    was: str  # the changed lines, stripped
    becomes: str
    text: str


def mutants(text: str) -> Iterator[Mutant]:
    """Every small change of this program, in the order of the text; no two, and none and the text, mean the same tree.

    Docstrings, annotations, imports and what stands under `if __name__ == "__main__":` stay as they are. Raises
    SyntaxError for a text that is no program.
    """
    source = _Text(text)
    found: list[tuple[int, int, str, ast.AST, list[Edit]]] = []
    for node in source.nodes:
        for rank, (name, operator) in enumerate(OPERATORS.items()):
            for edits in operator(source, node):
                found.append((min(e[0] for e in edits), rank, name, node, sorted(edits)))
    seen = {ast.dump(source.tree)}
    for _, _, name, node, edits in sorted(found, key=lambda f: f[:2]):  # stable: an operator keeps its own order
        changed = source.changed(edits)
        shape = _shape(changed)
        if shape is None or shape in seen:
            continue
        seen.add(shape)
        yield source.mutant(name, node, changed)


def _shape(text: str) -> str | None:
    """What the text means, however it is written; None if it means nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `0 is x`, and the like
            compile(text, "mutant", "exec", dont_inherit=True)  # sees a `break` without a loop, which parse does not
            return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return None


class _Text:
    """A program as text, tokens and tree, and the places of one in the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self.lines = _lines(text)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.tokens: list[tuple[int, int, str]] = []
        self.comments: dict[int, str] = {}
        for t in tokenize.generate_tokens(io.StringIO(text).readline):
            if t.type == tokenize.COMMENT:
                self.comments[t.start[0]] = t.string
            if t.type not in _SPACE:
                begins = self.starts[t.start[0] - 1] + t.start[1]
                self.tokens.append((begins, self.starts[t.end[0] - 1] + t.end[1], t.string))
        self.parent: dict[ast.AST, ast.AST] = {}
        self.field: dict[ast.AST, str] = {}
        self.nodes = list(self._walk(self.tree))
        self.imported = {
            (a.asname or a.name).split(".")[0]
            for n in ast.walk(self.tree)
            if isinstance(n, ast.Import | ast.ImportFrom)
            for a in n.names
        }

    def _walk(self, node: ast.AST) -> Iterator[ast.AST]:
        """What may be changed, in the order of the text."""
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
                continue
            children = value if isinstance(value, list) else [value]
            for i, child in enumerate(children):
                if not isinstance(child, ast.AST) or _left_alone(child):
                    continue
                if name == "body" and i == 0 and _is_text(child):
                    continue  # a docstring
                self.parent[child] = node
                self.field[child] = name
                yield child
                yield from self._walk(child)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where the node begins and ends. The tree counts bytes."""
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword)
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def _at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def outer(self, node: ast.AST) -> tuple[int, int]:
        """The node with the brackets around it. Not for the only argument of a call, whose brackets are the call's."""
        begins, ends = self.span(node)
        while True:
            before, after = self._before(begins), self._after(ends)
            if before is None or after is None or (before[2], after[2]) != ("(", ")"):
                return begins, ends
            begins, ends = before[0], after[1]

    def _before(self, place: int) -> tuple[int, int, str] | None:
        i = bisect_left(self.tokens, (place, 0, ""))
        return self.tokens[i - 1] if i else None

    def _after(self, place: int) -> tuple[int, int, str] | None:
        i = bisect_left(self.tokens, (place, 0, ""))
        return self.tokens[i] if i < len(self.tokens) else None

    def between(self, left: ast.AST, right: ast.AST) -> list[tuple[int, int, str]]:
        """The tokens between two nodes, brackets aside: an operator."""
        begins, ends = self.span(left)[1], self.span(right)[0]
        return [t for t in self.tokens if begins <= t[0] and t[1] <= ends and t[2] not in "()"]

    def of(self, node: ast.AST) -> str:
        """The node's text."""
        begins, ends = self.span(node)
        return self.text[begins:ends]

    def whole(self, node: ast.expr) -> str:
        """The node's text as it may stand anywhere: in brackets if it is not one thing."""
        one = ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript | ast.List | ast.Dict | ast.Set
        text = self.of(node)
        return text if isinstance(node, one) or (isinstance(node, ast.Tuple) and text[0] == "(") else f"({text})"

    def put(self, node: ast.AST, new: str | ast.expr) -> list[Edit]:
        """This text, or this part of the node, in the node's place."""
        if isinstance(new, ast.expr):
            apart = isinstance(self.parent[node], ast.stmt) or self.outer(node) != self.span(node)
            new = self.of(new) if apart else self.whole(new)
        return [(*self.span(node), new)]

    def swap(self, one: ast.AST, other: ast.AST) -> list[Edit]:
        """Each in the other's place."""
        return [(*self.span(one), self.of(other)), (*self.span(other), self.of(one))]

    def without(self, node: ast.AST, among: Sequence[ast.AST]) -> list[Edit]:
        """One of several that commas (or operators) part is dropped."""
        if len(among) == 1:
            after = self._after(self.span(node)[1])
            comma = after[1] if after and after[2] == "," else self.span(node)[1]
            return [(self.span(node)[0], comma, "")]
        i = among.index(node)
        if i:
            return [(self.outer(among[i - 1])[1], self.outer(node)[1], "")]
        return [(self.outer(node)[0], self.outer(among[1])[0], "")]

    def tail(self, node: ast.Attribute, ends: int) -> list[Edit]:
        """`.name` and what follows, up to there, is dropped."""
        name = self.span(node)[1] - len(node.attr)
        dot = self._before(name)
        assert dot is not None
        return [(dot[0], ends, "")]

    def is_module(self, node: ast.expr) -> bool:
        """`torch`, `nn.functional`: something imported, or inside it."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.imported

    def function(self, node: ast.AST) -> ast.AST:
        """The function that the node stands in, or the module."""
        while node in self.parent:
            node = self.parent[node]
            if isinstance(node, _Function):
                return node
        return self.tree

    def bound_elsewhere(self, node: ast.Assign | ast.AnnAssign) -> bool:
        """True if, without this assignment, its names may still mean something."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        own = {n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        scope = self.function(node)
        others = {n.arg for n in ast.walk(scope) if isinstance(n, ast.arg)}
        others |= {
            n.id for n in ast.walk(scope) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n not in own
        }
        return {n.id for n in own} <= others

    def changed(self, edits: Sequence[Edit]) -> str:
        """The text after these edits, which do not overlap and come in order."""
        parts, last = [], 0
        for begins, ends, new in edits:
            parts += [self.text[last:begins], new]
            last = ends
        return "".join([*parts, self.text[last:]])

    def mutant(self, operator: str, node: ast.AST, text: str) -> Mutant:
        """What is to be known of a change."""
        names = []
        while node in self.parent:
            node = self.parent[node]
            if isinstance(node, _Function | ast.ClassDef):
                names.append(node.name)
        new = _lines(text)
        same = 0
        while same < min(len(self.lines), len(new)) and self.lines[same] == new[same]:
            same += 1
        rest = 0
        while rest < min(len(self.lines), len(new)) - same and self.lines[-1 - rest] == new[-1 - rest]:
            rest += 1
        comments = tuple(c for line, c in self.comments.items() if same < line <= len(self.lines) - rest)
        was, becomes = (_bare(part[same : len(part) - rest], comments) for part in (self.lines, new))
        return Mutant(operator, same + 1, ".".join(reversed(names)), was, becomes, text)


def _lines(text: str) -> list[str]:
    """With their ends. `splitlines` would also end a line where Python does not, at a form feed for one."""
    return list(io.StringIO(text))


def _bare(lines: Sequence[str], comments: tuple[str, ...]) -> str:
    """Stripped, without those comments."""
    bare = []
    for line in lines:
        line = line.rstrip("\r\n")
        comment = next((c for c in comments if line.endswith(c)), "")
        bare.append(line.removesuffix(comment).strip())
    return "\n".join(filter(None, bare))


def _left_alone(node: ast.AST) -> bool:
    """What no operator looks into. Inside an f-string, Python 3.11 does not know where anything stands."""
    if isinstance(node, ast.If):
        return "__name__" in ast.unparse(node.test)
    return isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr | ast.Global | ast.Nonlocal)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


# -- the operators: each gives, for a node, the ways in which it may be changed

Operator = Callable[[_Text, ast.AST], Iterator[list[Edit]]]
OPERATORS: dict[str, Operator] = {}


def _operator(f: Operator) -> Operator:
    OPERATORS[f.__name__] = f
    return f


@_operator
def drop_statement(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """A statement that the program can do without: `optimizer.zero_grad()`, `w -= lr * g`, `x = x.detach()`."""
    match node:
        case ast.Expr(ast.Call(ast.Attribute(ast.Call(ast.Name("super"))))):
            return
        case ast.Expr() | ast.AugAssign() | ast.Assert() | ast.Raise() | ast.Delete() | ast.Break() | ast.Continue():
            yield t.put(node, "pass")
        case ast.Assign() | ast.AnnAssign(value=ast.expr()) if t.bound_elsewhere(node):
            yield t.put(node, "pass")
        case ast.Return() if not isinstance(t.parent[node], _Function):
            yield t.put(node, "pass")


_IDIOM = ("zero_grad", "backward", "step")


@_operator
def swap_statements(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """Clear, backward, step in another order."""
    for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
        if isinstance(body, list):
            for one, other in pairwise(body):
                match one, other:
                    case (
                        ast.Expr(ast.Call(ast.Attribute(attr=first))),
                        ast.Expr(ast.Call(ast.Attribute(attr=second))),
                    ) if first in _IDIOM and second in _IDIOM:
                        yield t.swap(one, other)


@_operator
def unwrap_with(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`with torch.no_grad():` is not there, what it holds is."""
    if not isinstance(node, ast.With):
        return
    managers = [i.context_expr for i in node.items]
    for item in node.items:
        if item.optional_vars is not None:
            continue
        if len(managers) > 1:
            yield t.without(item.context_expr, managers)
        else:
            yield [(t.span(node)[0], t.outer(managers[0])[1], "if True")]


@_operator
def drop_decorator(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`@torch.no_grad()` is not there."""
    if isinstance(node, _Function | ast.ClassDef):
        for decorator in node.decorator_list:
            begins, ends = t.span(decorator)
            at = next(place for place, _, text in reversed(t.tokens) if text == "@" and place < begins)
            yield [(at, ends, "")]


@_operator
def drop_method(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`.detach()`, `.clone()`, `.contiguous()`, `.sqrt()` and the like: the value before it is taken."""
    match node:
        case ast.Call(ast.Attribute(value=value) as method) if not isinstance(t.parent[node], ast.Expr):
            of_object = isinstance(value, ast.Name) and value.id in ("self", "cls")
            if not t.is_module(value) and not of_object:
                yield t.tail(method, t.span(node)[1])


@_operator
def drop_call(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`copy.deepcopy(x)`, `F.relu(x)`, `self.layer(x)`: x itself is taken."""
    match node:
        case ast.Call(func, [ast.expr() as only], []) if not isinstance(only, ast.Starred):
            if isinstance(t.parent[node], ast.Expr) or ast.unparse(func) in ("len", "range", "super", "type"):
                return
            inside = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "self"
            if inside or isinstance(func, ast.Name) or t.is_module(func):
                yield t.put(node, only)


@_operator
def drop_attribute(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`.T` and its kin."""
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT", "H", "mH", "data"):
        yield t.tail(node, t.span(node)[1])


@_operator
def requires_grad(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`requires_grad_()` with False."""
    match node:
        case ast.Call(ast.Attribute(attr="requires_grad_"), [], []):
            ends = t.span(node)[1]
            yield [(ends - 1, ends - 1, "False")]


_DIMS = ("dim", "dims", "axis", "start_dim", "end_dim")
_BY_DIM = [
    "sum", "mean", "std", "var", "max", "min", "argmax", "argmin", "amax", "amin", "softmax", "log_softmax",
    "logsumexp", "cumsum", "cumprod", "sort", "argsort", "flip", "unsqueeze", "squeeze", "norm", "prod", "any", "all",
    "median", "split", "chunk", "unbind", "size", "flatten",
]  # fmt: skip


@_operator
def dim(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """Along another dimension: `dim=1` → 0, `.sum(0)` → 1 and -1; `dim=(0, 2)` without one of them."""
    match node:
        case ast.Call(func, args, keywords):
            places = [k.value for k in keywords if k.arg in _DIMS]
            if isinstance(func, ast.Attribute) and func.attr in _BY_DIM:
                places += [a for a in args if _integer(a) is not None]
            for place in places:
                if isinstance(place, ast.Tuple) and len(place.elts) > 1:
                    for e in place.elts:
                        rest = [t.of(o) for o in place.elts if o is not e]
                        yield t.put(place, f"({', '.join(rest)}{',' * (len(rest) == 1)})")
                    continue
                k = _integer(place)
                if k is not None:
                    others = (1, -1) if k == 0 else (k - 1, k + 1) if k > 0 else (0, k - 1)
                    yield from (t.put(place, str(o)) for o in others)


def _integer(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(int(value)) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int(value))) if not isinstance(value, bool):
            return -value
    return None


_TWINS = [
    "sum mean", "max min", "argmax argmin", "amax amin", "cummax cummin", "std var", "any all", "exp log", "sin cos",
    "zeros ones", "zeros_like ones_like", "rand randn", "rand_like randn_like", "tanh sigmoid", "floor ceil",
    "cat stack", "softmax log_softmax", "logical_and logical_or", "eval train", "float double", "float32 float64",
    "int64 int32", "long int", "mse_loss l1_loss", "MSELoss L1Loss", "nll_loss cross_entropy", "SGD Adam",
    "triu tril", "binary_cross_entropy binary_cross_entropy_with_logits", "RandomCrop CenterCrop", "deepcopy copy",
    "relu sigmoid", "maximum minimum", "lt le", "gt ge", "add sub", "mul div", "unsqueeze squeeze",
]  # fmt: skip
_TWIN: dict[str, list[str]] = {}
for _pair in _TWINS:
    for _one, _other in (_pair.split(), reversed(_pair.split())):
        _TWIN.setdefault(_one, []).append(_other)


@_operator
def twin(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """The name's opposite or neighbour: `sum` and `mean`, `argmax` and `argmin`, `zeros` and `ones`."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        ends = t.span(node)[1]
        yield from ([(ends - len(node.attr), ends, other)] for other in _TWIN.get(node.attr, ()))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        known = t.imported | set(dir(builtins))
        yield from (t.put(node, other) for other in _TWIN.get(node.id, ()) if node.id in known and other in known)


_FAMILIES = [("mean", "sum", "none"), ("float32", "float64", "int64"), ("inf", "-inf"), ("ij", "xy")]


@_operator
def string(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`"mean"` → `"sum"`, `"none"`; any other text: another text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        family = next((f for f in _FAMILIES if node.value in f), (f"{node.value}_",))
        yield from (t.put(node, json.dumps(s, ensure_ascii=False)) for s in family if s != node.value)


@_operator
def constant(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """True and False, n ± 1, twice a float (1.0 for 0.0)."""
    match node:
        case ast.Constant(bool(flag)):
            yield t.put(node, str(not flag))
        case ast.Constant(int(n)):
            yield t.put(node, str(n + 1))
            yield t.put(node, str(n - 1))
        case ast.Constant(float(x)):
            yield t.put(node, repr(x * 2 if x else 1.0))


_INSTEAD = {
    "+": "- *", "-": "+", "*": "/ +", "/": "* //", "//": "/", "%": "//", "**": "*", "@": "*",
    "&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<",
    "<": "<= >=", "<=": "< >", ">": ">= <=", ">=": "> <", "==": "!=", "!=": "==", "and": "or", "or": "and",
    "is": "is_not", "in": "not_in", "is not": "is", "not in": "in",
}  # fmt: skip


@_operator
def arithmetic(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """Another operator: `+` → `-`, `@` → `*`, `&` → `|`."""
    if isinstance(node, ast.BinOp):
        yield from _instead(t, node.left, node.right)


@_operator
def comparison(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """Another comparison: at its edge (`<` → `<=`), and its opposite."""
    if isinstance(node, ast.Compare):
        for one, other in pairwise([node.left, *node.comparators]):
            yield from _instead(t, one, other)


@_operator
def boolean(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`and` → `or`, and either of them alone."""
    if isinstance(node, ast.BoolOp):
        for one, other in pairwise(node.values):
            yield from _instead(t, one, other)
        for value in node.values:
            yield t.without(value, node.values)


def _instead(t: _Text, left: ast.AST, right: ast.AST) -> Iterator[list[Edit]]:
    tokens = t.between(left, right)
    operator = " ".join(text for _, _, text in tokens)
    for other in _INSTEAD.get(operator, "").split():
        yield [(tokens[0][0], tokens[-1][1], other.replace("_", " "))]


@_operator
def swap_operands(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`a - b` → `b - a`, where it matters."""
    match node:
        case ast.BinOp(left, ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Mod() | ast.Pow() | ast.MatMult(), right):
            yield [(*t.outer(left), t.whole(right)), (*t.outer(right), t.whole(left))]


@_operator
def drop_operand(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`a + b` → `a`, and `b`."""
    if isinstance(node, ast.BinOp):
        yield t.put(node, node.left)
        yield t.put(node, node.right)


@_operator
def drop_sign(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`-x`, `~x` and `not x` → `x`."""
    if isinstance(node, ast.UnaryOp):
        yield t.put(node, node.operand)


@_operator
def condition(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """Always, never, and the other way round."""
    tests: list[ast.expr] = []
    match node:
        case ast.If(test) | ast.IfExp(test) | ast.While(test):
            tests = [test]
        case ast.comprehension():
            tests = node.ifs
    for test in tests:
        if not isinstance(node, ast.While):  # that would only cost time
            yield t.put(test, "True")
        yield t.put(test, "False")
        compared = isinstance(test, ast.Compare) and len(test.ops) == 1  # `comparison` turns it round
        if not compared and not isinstance(test, ast.UnaryOp):
            yield t.put(test, f"not {t.whole(test)}")


@_operator
def jump(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`break` and `continue`."""
    if isinstance(node, ast.Break | ast.Continue):
        yield t.put(node, "continue" if isinstance(node, ast.Break) else "break")


@_operator
def loop(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """The first, or the last, is left out."""
    match node:
        case ast.For(iter=ast.Call(ast.Name("range"))) | ast.comprehension(iter=ast.Call(ast.Name("range"))):
            return  # `bounds` does that
        case ast.For(iter=source) | ast.comprehension(iter=source):
            yield t.put(source, f"list({t.of(source)})[1:]")
            yield t.put(source, f"list({t.of(source)})[:-1]")


@_operator
def bounds(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """One more and one less: `range(n)`, `x[:n]`; and `x[1:]` without its bound."""
    places: list[ast.expr] = []
    match node:
        case ast.Call(ast.Name("range"), args):
            places = args
            if len(args) == 1:
                yield [(t.span(args[0])[0], t.span(args[0])[0], "1, ")]
        case ast.Slice():
            places = [b for b in (node.lower, node.upper) if b is not None]
            yield from (t.put(b, "") for b in places)
            if node.lower is None and node.upper is not None:
                yield [(t.span(node)[0], t.span(node)[0], "1")]
    for place in places:
        if _integer(place) is None and not isinstance(place, ast.Starred):  # `constant` changes numbers
            yield t.put(place, f"{t.whole(place)} + 1")
            yield t.put(place, f"{t.whole(place)} - 1")


@_operator
def index(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`x[:, None]` → `x[None, :]`, and without None."""
    match node:
        case ast.Subscript(slice=ast.Tuple(parts)):
            yield from (t.swap(one, other) for one, other in pairwise(parts))
            for part in parts:
                if isinstance(part, ast.Constant) and part.value is None:
                    yield t.without(part, parts)


@_operator
def assignment(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """`+=` → `-=` and `=`."""
    if isinstance(node, ast.AugAssign):
        ((begins, ends, sign),) = t.between(node.target, node.value)
        for other in _INSTEAD.get(sign[:-1], "").split()[:1]:
            yield [(begins, ends, f"{other}=")]
        yield [(begins, ends, "=")]


@_operator
def order(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """The values of a tuple that is returned, or its names where it is unpacked, in another order."""
    match node:
        case ast.Return(ast.Tuple(parts)) | ast.Yield(ast.Tuple(parts)):
            yield from (t.swap(one, other) for one, other in pairwise(parts))
        case ast.Assign([ast.Tuple(parts)], value):
            yield from (t.swap(one, other) for one, other in pairwise(parts))
            if isinstance(value, ast.Tuple):
                yield from (t.swap(one, other) for one, other in pairwise(value.elts))


@_operator
def drop_element(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """A list without one of its elements."""
    if isinstance(node, ast.List) and isinstance(node.ctx, ast.Load):
        yield from (t.without(e, node.elts) for e in node.elts)


@_operator
def swap_arguments(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """Two neighbours among the arguments in each other's place."""
    if isinstance(node, ast.Call):
        for one, other in pairwise(node.args):
            if not isinstance(one, ast.Starred) and not isinstance(other, ast.Starred):
                yield t.swap(one, other)


@_operator
def drop_argument(t: _Text, node: ast.AST) -> Iterator[list[Edit]]:
    """Without an argument that may have a default: a keyword, the last one; any one where objects are put together."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) in ("super", "range", "len"):
        return
    given = [*node.args, *node.keywords]
    built = (node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func))[:1].isupper()
    for arg in given:
        last = bool(node.args) and arg is node.args[-1]
        if isinstance(arg, ast.keyword) or last or (built and len(given) > 1):
            yield t.without(arg, given)
