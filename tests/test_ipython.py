"""What only a notebook can run is left out of an answer; nothing that could make a wrong answer right is."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.sandbox.ipython import plain


def left(source):
    """The statements that stay."""
    made = plain(source, "a.py")
    return ast.unparse(made if isinstance(made, ast.Module) else ast.parse(made))


EXPLORES = [
    "_ + 1",
    "print(_, __, _3, In[2], Out[2])",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "ip = get_ipython()\nip.magic('load_ext autoreload')",
    "await fetch()",
    "found = await fetch()\nprint(found)",
    "async with session as s:\n    s.get()",
    "async for row in rows:\n    print(row)",
    "[x async for x in rows]",
    "if get_ipython():\n    print(1)",
    "squares = [0 for _ in range(3)]\n_ + 1",
]


@pytest.mark.parametrize("source", EXPLORES)
def test_what_explores_is_left_out(source):
    """Whatever else the file holds, with its lines: a traceback tells where in the learner's file it was."""
    made = plain(f"x = 1\n{source}\ndef f():\n    return x\n", "a.py")
    names = {}
    exec(compile(made, "a.py", "exec"), names)
    assert names["f"]() == 1 and names["f"].__code__.co_firstlineno == 3 + source.count("\n")


STAYS = [
    "def slope(x):\n    return x\nslope = _",
    "def slope(x):\n    return x\ndel slope, _",
    "from a import slope\n[slope := _]",
    "table = {}\ntable[0] = _",
    "Net.forward = _",
    "@_\ndef f():\n    pass",
    "class A:\n    x = _",
    "if _ > 1:\n    def f():\n        pass",
    "try:\n    get_ipython()\n    inside = True\nexcept NameError:\n    inside = False",
    "for _ in range(3):\n    print(_)\n_ + 1",
    "In = 3\nprint(In)",
    "def f():\n    return _",
    "f = lambda: _",
    "x = (",
    "\0 _",
    "_" + ".a" * 5000,
]


@pytest.mark.parametrize("source", STAYS)
def test_what_the_answer_defines_or_changes_stays(source):
    """As does what Python itself should refuse, and a name that the file has made its own."""
    made = plain(source, "a.py")
    assert made is source or ast.dump(made) == ast.dump(ast.parse(source))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from([*EXPLORES, *STAYS[:6], "x = 1", "_ = 2", "slope = 3", "async def g():\n    await h()"]))
)
def test_what_stays_is_part_of_the_file(statements):
    """Statements are left out, never added or changed, and no definition is among them."""
    source = "\n".join(statements)
    was, now = (ast.parse(text).body for text in (source, left(source)))
    dumped = iter([ast.dump(n) for n in was])
    assert all(ast.dump(n) in dumped for n in now)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ImportFrom)
    assert [ast.dump(n) for n in was if isinstance(n, kinds)] == [ast.dump(n) for n in now if isinstance(n, kinds)]
