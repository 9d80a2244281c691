"""Of the tests themselves."""

import ast
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_test_says_what_it_checks(path: Path) -> None:
    """A test's docstring is the promise it checks."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    assert tests
    assert [t.name for t in tests if not ast.get_docstring(t)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_nothing_is_skipped_without_a_reason(path: Path) -> None:
    """Every skip says why."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("mark.skipif", "mark.skip", "pytest.skip")):
            assert any(k.arg == "reason" for k in node.keywords) or ast.unparse(node.func) == "pytest.skip"
