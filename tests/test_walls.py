"""The walls of the design, as data: what each module may import, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FAR = ("zygote", "jail", "runner", "rootfs", "landlock", "seccomp", "kernel", "pages", "ipython")
LOW = ("grader.model", "grader.home", "grader.kept", "grader.yamls")
STORES = ("grader.progress", "grader.gradebook", "grader.reports", "grader.exports")


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    _name(p): p
    for p in (ROOT / "cli.py", ROOT / "learn.py", *(ROOT / "grader").rglob("*.py"))
    if "_course" not in p.parts
}


def _nodes(tree, lazy):
    """All nodes but those under `if TYPE_CHECKING:` and, unless `lazy`, those inside functions."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from (n for part in child.orelse for n in (part, *_nodes(part, lazy)))
        elif lazy or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _nodes(child, lazy)


def _targets(node, module, is_package):
    if isinstance(node, ast.Import):
        return [a.name for a in node.names]
    if isinstance(node, ast.ImportFrom):
        parts = module.split(".")
        above = parts[: len(parts) + is_package - node.level] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        return [f"{base}.{a.name}" for a in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
        return [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
    return []


def _imports(source, module, is_package=False, lazy=True):
    """What this source imports, dotted: `from a.b import c` is a.b.c, whatever c is."""
    return {t for node in _nodes(ast.parse(source), lazy) for t in _targets(node, module, is_package)}


def imports_of(module, lazy=True):
    """What a module of ours imports."""
    path = FILES[module]
    return _imports(path.read_text(encoding="utf-8"), module, path.name == "__init__.py", lazy)


def within(target, *packages):
    """True if the dotted name is one of these or lies inside one."""
    return any(f"{target}.".startswith(f"{p}.") for p in packages)


def outside(modules, *allowed):
    """The imports of those modules that are neither the standard library's nor allowed."""
    found = {m: imports_of(m) for m in modules}
    stdlib = sys.stdlib_module_names
    return [f"{m} imports {t}" for m in found for t in found[m] if not within(t, *stdlib, *allowed)]


def strangers(modules, *allowed):
    """The imports of those modules from this project that are not allowed; the version always is."""
    ours = ("grader", "cli", "learn")
    return [
        f"{m} imports {t}"
        for m in modules
        for t in imports_of(m)
        if within(t, *ours) and t != "grader.__version__" and not within(t, *allowed)
    ]


def users_of(library):
    """The modules that import the library."""
    return {m for m in FILES if any(within(t, library) for t in imports_of(m))}


def part_of(*packages):
    """The modules of those packages, and those modules."""
    return [m for m in FILES if within(m, *packages)]


HIDING_PLACES = {
    "import click": {"click"},
    "import click.core as c": {"click.core"},
    "from click import core": {"click.core"},
    "def f():\n    import click": {"click"},
    "class A:\n    def f(self):\n        from click import core": {"click.core"},
    "try:\n    import click\nexcept ImportError: pass": {"click"},
    "import importlib\nimportlib.import_module('click')": {"importlib", "click"},
    "f = lambda: __import__('click')": {"click"},
    "if TYPE_CHECKING:\n    import click": set(),
    "if typing.TYPE_CHECKING:\n    import click\nelse:\n    import rich": {"rich"},
    "from . import b": {"grader.x.b"},
    "from .b import c": {"grader.x.b.c"},
    "from ..b import c": {"grader.b.c"},
}


@pytest.mark.parametrize("source", HIDING_PLACES)
def test_no_import_is_overlooked(source):
    """The walls see an import wherever it hides; what only type checkers see does not count."""
    assert _imports(source, "grader.x.a") == HIDING_PLACES[source]


def test_an_import_in_a_package_is_of_that_package():
    """In `__init__.py` one dot is the package itself."""
    assert _imports("from . import b\nfrom .. import c", "grader.x", is_package=True) == {"grader.x.b", "grader.c"}


def test_only_lazy_imports_are_left_out_when_asked():
    """What runs when the module is imported is told from what runs later."""
    source = "import a\nif x:\n    import b\nclass C:\n    import c\n    def f(self):\n        import d"
    assert _imports(source, "m", lazy=False) == {"a", "b", "c"}


def test_all_files_are_seen():
    """The walls stand around the whole project."""
    assert {"cli", "grader", "grader.model", "grader.sandbox", "grader.sandbox.wire", "grader.reports.words"} <= set(
        FILES
    )


@pytest.mark.parametrize("part", FAR)
def test_the_far_side_knows_only_itself(part):
    """What shares a process with the learner's code imports the standard library, msgspec, torch and the sandbox."""
    assert outside([f"grader.sandbox.{part}"], "msgspec", "torch", "grader.sandbox") == []


@pytest.mark.parametrize("part", FAR)
def test_the_far_side_does_not_import_the_near_side(part):
    """The warden stays with the judge."""
    assert not any(within(t, "grader.sandbox.warden") for t in imports_of(f"grader.sandbox.{part}"))


def test_the_sandbox_knows_nothing_else_of_the_grader():
    """No test language, no course, no verdict in sandbox/."""
    assert strangers(part_of("grader.sandbox"), "grader.sandbox") == []


def test_the_package_itself_is_empty():
    """`grader/__init__.py`, which the zygote imports, is a docstring and a version."""
    body = ast.parse(FILES["grader"].read_text(encoding="utf-8")).body
    assert [type(n) for n in body] == [ast.Expr, ast.Assign]


@pytest.mark.parametrize("module", part_of(*STORES))
def test_stores_and_reports_know_only_the_nouns(module):
    """progress, gradebook, reports and exports import the lowest, and their own package."""
    own = next(s for s in STORES if within(module, s))
    assert strangers([module], *LOW, "grader.reports", own) == []


def test_the_nouns_know_nobody():
    """model stands on nothing of ours."""
    assert strangers(["grader.model"]) == []


def test_the_changes_of_a_text_know_nobody():
    """operators is pure: text in, texts out, by the standard library alone."""
    assert outside(["grader.operators"]) == []


def test_nobody_imports_the_commands():
    """cli is the top, and under it only the commands know each other."""
    assert users_of("cli") == users_of("learn") == set()
    assert users_of("grader.commands") <= {"cli", *part_of("grader.commands")}


OWNERS = {
    "click": {"cli", *part_of("grader.commands")},
    "rich": {"grader.reports.terminal", "grader.reports.prose"},
    "jinja2": {"grader.reports.pages", "grader.releases.templates"},
    "pygments": {"grader.reports.markdown", "grader.likeness"},
    "sklearn": {"grader.likeness"},
    "latex2mathml": {"grader.reports.markdown"},
    "pytest": {"grader.judge", "grader.testing", "grader.examples"},
    "_pytest": set(),  # public hooks only
    "jupytext": {"grader.notebook", "grader.exports.notebook"},
    "markdown_it": {"grader.lessons", "grader.reports.markdown", "grader.reports.prose"},
    "IPython": set(),  # grader.magics is handed one
    "jupyter_server": {"grader.lab"},
    "distributed": {"grader.cluster"},
    "dask": {"grader.cluster"},
    "sqlalchemy": {"grader.gradebook"},
    "sqlite3": {"grader.progress"},
    "nbgrader": {"grader.exports.nbgrader", "grader.nbgraded"},
    "watchfiles": {"grader.watch"},
    "merge3": {"grader.update"},
    "termios": {"grader.keys"},
    "pickle": set(),  # nothing is ever unpickled
}


@pytest.mark.parametrize("library", OWNERS)
def test_each_library_has_its_room(library):
    """A library is imported where the design says, and nowhere else."""
    assert users_of(library) <= OWNERS[library]


def test_only_authors_draw():
    """What draws pictures needs the standard library alone, and nothing on the way of a learner's check imports it."""
    assert outside(["grader.drawing"]) == []
    assert users_of("grader.drawing") == {"grader.pictures"}
    assert users_of("grader.pictures") == {"grader.rules", "grader.commands.dev"}
    assert not any(within(t, "grader.pictures") for t in imports_of("grader.commands.dev", lazy=False))


@pytest.mark.parametrize(
    "library",
    [
        "click",
        "rich",
        "pytest",
        "jupytext",
        "markdown_it",
        "sqlite3",
        "jinja2",
        "sqlalchemy",
        "distributed",
        "nbgrader",
        "sklearn",
    ],
)
def test_the_rooms_are_not_empty(library):
    """The wall before it watches something: the library is in use."""
    assert users_of(library)


def _cycle(graph):
    """A circle in the graph, as a list of its nodes, or None."""
    done = set()

    def visit(node, path):
        if node in path:
            return path[path.index(node) :]
        if node in done:
            return None
        done.add(node)
        return next((c for n in graph[node] if (c := visit(n, [*path, node]))), None)

    return next((c for n in graph if (c := visit(n, []))), None)


def _module_of(target):
    """The file behind a dotted name: itself, or the module it is a name in."""
    while target and target not in FILES:
        target = target.rpartition(".")[0]
    return target


def test_circles_are_found():
    """The search below can find one."""
    assert _cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c"]
    assert _cycle({"a": ["b", "c"], "b": ["c"], "c": []}) is None


@pytest.mark.parametrize("lazy", [False, True])
def test_imports_point_down(lazy):
    """No module imports, directly or through others, itself; neither at once nor later."""
    graph = {m: sorted({_module_of(t) for t in imports_of(m, lazy)} - {"", m}) for m in FILES}
    assert _cycle(graph) is None


@pytest.mark.parametrize(
    "module",
    [
        "grader.pool",
        "grader.course",
        "grader.sandbox.warden",
        "grader.submission",
        "grader.cache",
        "grader.proof",
        "grader.mutants",
        "grader.calibrate",
        "grader.quality",
        "grader.batch",
        "grader.analysis",
        "grader.commands.teacher",
        "grader.commands.ci",
        "grader.guide",
        "grader.commands.learner",
        "cli",
    ],
)
def test_commands_that_judge_nothing_do_not_wait_for_torch(module):
    """Importing it imports neither torch nor pytest, so that `learn list` answers at once."""
    late = ("torch", "pytest", "jupytext", "markdown_it", "rich", "jinja2")
    code = f"import sys, {module}; print([m for m in {late} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
