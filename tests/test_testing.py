"""The language of the tests: what `expect` demands, which mistake it names, what `source` sees, what `rng` draws."""

import contextlib
import dataclasses
import inspect
import math
import threading

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import tensor

from grader.model import Measured
from grader.testing import Bar, Failure, Far, Fixtures, LearnerRaised, NotYet, Rng, Source, TaskMark, expect, task

ONES, TWOS = torch.ones(3), torch.full((3,), 2.0)


def failure(check, *args, **kwargs):
    """The failure that this expectation raises."""
    with pytest.raises(Failure) as e:
        check(*args, **kwargs)
    return e.value


# close_to, equal_to


def test_what_agrees_raises_nothing():
    """And returns nothing."""
    assert expect(ONES + 1e-6).close_to(ONES) is None
    assert expect([1, "a", {"b": True}]).equal_to([1, "a", {"b": True}]) is None
    assert expect(ONES).close_to(ONES.double(), dtype=torch.float32) is None


def test_equal_to_leaves_no_room():
    """close_to does."""
    expect(ONES + 1e-6).close_to(ONES)
    assert failure(expect(ONES + 1e-6).equal_to, ONES).kind


def test_tolerances_are_passed_on():
    """rtol and atol."""
    expect(ONES * 1.05).close_to(ONES, rtol=0.1)
    expect(ONES * 1.05).close_to(ONES, atol=0.1)
    assert failure(expect(ONES * 1.05).close_to, ONES, rtol=0.01, atol=0.01).kind == "factor"


def test_a_failure_is_an_assertion_with_kind_and_parameters():
    """So that pytest and the judge both know it."""
    e = failure(expect(torch.ones(2)).close_to, ONES)
    assert isinstance(e, AssertionError)
    assert (e.kind, e.mistake, e.where, e.params) == ("shape", "", None, {"got": [2], "want": [3]})


def test_a_failure_keeps_what_was_seen_for_visible_tests():
    """Got and wanted, apart from the parameters."""
    e = failure(expect(TWOS).close_to, ONES)
    assert e.shown == (TWOS, ONES)


def test_only_the_entry_that_differs_is_kept():
    """However long the list; and nothing where no exact value is wanted."""
    assert failure(expect({"a": [1, 2], "b": 3}).equal_to, {"a": [1, 5], "b": 3}).shown == (2, 5)
    assert failure(expect(3.0).at_most, 2).shown is failure(expect(None).at_least, 1).shown is None


# mistaken_for


def test_a_recognised_mistake_is_named():
    """With the kind of the difference."""
    e = failure(expect(TWOS).close_to, ONES, mistaken_for={"other": TWOS + 1, "doubled": TWOS})
    assert (e.kind, e.mistake) == ("factor", "doubled") or (e.kind, e.mistake) == ("offset", "doubled")


def test_the_first_of_several_mistakes_is_named():
    """In the order in which the test lists them."""
    for order in (("a", "b"), ("b", "a")):
        assert failure(expect(2).equal_to, 1, mistaken_for=dict.fromkeys(order, 2)).mistake == order[0]


def test_a_mistake_that_equals_the_right_answer_is_not_named():
    """A right answer is right."""
    expect(ONES).close_to(ONES, mistaken_for={"nothing_done": ONES})


def test_no_mistake_is_named_for_another_value():
    """None of them."""
    assert failure(expect(5).equal_to, 1, mistaken_for={"a": 2, "b": lambda: 3}).mistake == ""


def test_a_mistake_may_be_a_function_called_only_when_needed():
    """It is not called for a right answer, nor once another is recognised."""
    calls = []
    mistakes = {"a": 2, "b": lambda: calls.append("b")}
    expect(1).equal_to(1, mistaken_for=mistakes)
    failure(expect(2).equal_to, 1, mistaken_for=mistakes)
    assert calls == []
    failure(expect(3).equal_to, 1, mistaken_for=mistakes)
    assert calls == ["b"]


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (True, False),
        ([1, 2], [2, 1]),
        ({"a": ONES}, {"a": TWOS}),
        ("x", "y"),
        (None, ONES),
        (torch.ones(2, 3), torch.ones(3, 2)),
        (ONES.double(), TWOS),
    ],
)
def test_a_mistake_may_be_any_value(got, want):
    """Booleans, lists, dicts, None; shape and type may differ from what is wanted."""
    assert failure(expect(got).close_to, want, mistaken_for={"that": got}).mistake == "that"
    assert failure(expect(got).equal_to, want, mistaken_for={"that": lambda: got}).mistake == "that"


def test_a_mistake_is_recognised_whatever_its_dtype():
    """The oracle is float64, the answer need not be."""
    e = failure(expect(TWOS).close_to, ONES.double(), dtype=torch.float32, mistaken_for={"doubled": TWOS.double()})
    assert e.mistake == "doubled"


def test_nan_is_no_recognised_mistake():
    """Two NaNs have nothing in common."""
    nan = torch.full((3,), math.nan)
    e = failure(expect(nan).close_to, ONES, mistaken_for={"that": nan})
    assert (e.kind, e.mistake) == ("nan", "")


# at_least, at_most


@pytest.mark.parametrize("value", [0.9, 1, tensor(0.95), tensor([0.9]), tensor([[1.0]])], ids=str)
def test_at_least(value):
    """A number or one element, not below the bar."""
    expect(value).at_least(0.9 - 1e-6)
    assert failure(expect(value).at_least, 1.5).kind == "below"


@pytest.mark.parametrize("value", [0.9, 1, tensor(0.95), tensor([0.9])], ids=str)
def test_at_most(value):
    """A number or one element, not above the bar."""
    expect(value).at_most(1)
    assert failure(expect(value).at_most, 0.5).kind == "above"


def test_the_bar_itself_is_enough():
    """For both."""
    expect(0.5).at_least(0.5)
    expect(0.5).at_most(0.5)


@pytest.mark.parametrize(
    "value", [True, None, "0.9", [0.9], 1j, tensor(True), tensor([1.0, 1.0]), torch.empty(0)], ids=str
)
def test_what_is_no_number_reaches_no_bar(value):
    """A boolean, text, several elements, none at all."""
    for check in (expect(value).at_least, expect(value).at_most):
        assert failure(check, 0.5).kind in ("type", "none")


@pytest.mark.parametrize("value", [math.nan, tensor(math.nan)], ids=str)
def test_nan_reaches_no_bar(value):
    """Neither from below nor from above."""
    failure(expect(value).at_least, 0.0)
    failure(expect(value).at_most, 0.0)


def test_a_bar_names_the_mistake():
    """An accuracy of guessing, say."""
    e = failure(expect(0.1).at_least, 0.9, mistaken_for={"guessed": 0.1})
    assert (e.kind, e.mistake, e.params) == ("below", "guessed", {"got": 0.1, "bar": 0.9})


@pytest.mark.parametrize("value", [10**400, -(10**400)], ids=["huge", "-huge"])
def test_a_number_beyond_all_floats_is_above_or_below(value):
    """An integer that no float can hold is a number all the same."""
    check = expect(value).at_most if value > 0 else expect(value).at_least
    assert failure(check, 0.5).kind in ("above", "below")


NUMBERS = st.floats() | st.integers() | st.floats(width=32).map(tensor)


@given(NUMBERS, st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_bar_says_survives_json(value, bar):
    """A verdict from another process says the same as one from this: no NaN, no infinity in the parameters."""
    for check in (expect(value).at_least, expect(value).at_most):
        try:
            check(bar)
        except Failure as e:
            assert msgspec.json.decode(msgspec.json.encode(e.params)) == e.params


# shape, tracks_gradient, true, avoids


def test_shape():
    """The sizes, exactly."""
    expect(torch.ones(2, 3)).shape(2, 3)
    expect(tensor(1.0)).shape()
    e = failure(expect(torch.ones(2, 3)).shape, 3, 2, mistaken_for={"transposed": (2, 3), "flat": (6,)})
    assert (e.kind, e.mistake, e.params) == ("shape", "transposed", {"got": [2, 3], "want": [3, 2]})
    assert failure(expect(torch.ones(1, 3)).shape, 3).mistake == ""


@pytest.mark.parametrize(("value", "kind"), [(None, "none"), ([1, 2], "type"), (1.0, "type")])
def test_only_a_tensor_has_a_shape_and_a_gradient(value, kind):
    """Anything else is told as such."""
    assert failure(expect(value).shape, 2).kind == kind
    assert failure(expect(value).tracks_gradient).kind == kind
    assert failure(expect(value).tracks_gradient, False).kind == kind


def test_tracks_gradient():
    """Or does not, as the test wants."""
    followed = torch.ones(1, requires_grad=True)
    expect(followed).tracks_gradient()
    expect(ONES).tracks_gradient(False)
    e = failure(expect(ONES).tracks_gradient, mistake="detached")
    assert (e.kind, e.mistake) == ("no_gradient", "detached")
    assert failure(expect(followed).tracks_gradient, False).kind == "tracks_gradient"


@pytest.mark.parametrize("value", [1, "True", tensor(True), None, [True], False], ids=str)
def test_only_true_is_true(value):
    """Nothing that merely counts as true."""
    expect(True).true("kind")
    e = failure(expect(value).true, "not_shuffled", "unshuffled", seen=3)
    assert (e.kind, e.mistake, e.params) == ("not_shuffled", "unshuffled", {"seen": 3})


def test_avoids():
    """A name that must not be used is reported with its line and the mistake."""
    source = Source("import torch\n\ny = torch.relu(x)\n")
    expect(source).avoids("softmax", mistake="used_softmax")
    e = failure(expect(source).avoids, "softmax", "relu", mistake="used_relu")
    assert (e.kind, e.mistake, e.where, e.params) == ("rule", "used_relu", 3, {"name": "used_relu"})


# raises


def raiser(bases, kind="MyError", line=3, loading=False):
    """A learner's function that raises, as the desk tells it."""

    def function(*_, **__):
        error = LearnerRaised(kind, bases, "no", line, "learner")
        error.loading = loading
        raise error

    return function


def test_raises_is_not_met_by_a_call_that_does_not_fit():
    """Asked for a TypeError, wrong parameters are no answer: Python raises one by itself then."""

    def misfit(*_, **__):
        raise LearnerRaised(
            "TypeError", ["TypeError"], "f() takes 1 positional argument but 2 were given", None, "probe"
        )

    with pytest.raises(LearnerRaised):
        expect.raises(TypeError, misfit, 1)


def test_raises_accepts_the_error_and_its_kinds():
    """By the names of the built-in errors that it is one of."""
    expect.raises(ValueError, raiser(["ValueError", "Exception"]))
    expect.raises(ArithmeticError, raiser(["ZeroDivisionError", "ArithmeticError"]), 1, key=2)


def test_raises_refuses_another_error():
    """With the line, and the mistake that the test names."""
    e = failure(expect.raises, ValueError, raiser(["TypeError"]), mistake="unchecked")
    assert (e.kind, e.mistake, e.where) == ("wrong_error", "unchecked", 3)
    assert e.params == {"got": "MyError", "want": "ValueError"}


def test_raises_refuses_an_error_of_that_name_only():
    """A class of the learner's that is merely called ValueError is none."""
    assert failure(expect.raises, ValueError, raiser(["Exception"], kind="ValueError")).kind == "wrong_error"


def test_raises_refuses_silence():
    """An answer is no error; the arguments are passed on."""
    seen = []
    e = failure(expect.raises, ValueError, lambda *a, **k: seen.append((a, k)), 1, mistake="unchecked", key=2)
    assert (e.kind, e.mistake, e.params) == ("not_raised", "unchecked", {"error": "ValueError"})
    assert seen == [((1,), {"key": 2})]


def test_raises_is_not_met_by_a_file_that_cannot_be_loaded():
    """A file that raises ValueError when imported has not checked anything: the error goes on."""
    with pytest.raises(LearnerRaised):
        expect.raises(ValueError, raiser(["ValueError"], loading=True))


def test_raises_is_not_met_by_what_is_not_written():
    """Even where NotImplementedError is wanted."""

    def unwritten():
        raise NotYet

    with pytest.raises(NotYet):
        expect.raises(NotImplementedError, unwritten)


# source

USES = {
    "name": "x = 1\ny = relu(x)",
    "attribute": "import torch\ny = torch.nn.functional.relu(x)",
    "attribute of an attribute": "x = 1\ny = relu.something.more(x)",
    "import": "x = 1\nimport relu",
    "import of a part": "x = 1\nimport torch.relu.more",
    "import from": "x = 1\nfrom torch import relu",
    "import from a part": "x = 1\nfrom torch.relu import other",
    "import under another name": "x = 1\nfrom torch import relu as r",
    "keyword": "x = 1\ny = layer(relu=True)",
    "getattr": "x = 1\ny = getattr(torch, 'relu')(x)",
    "dictionary": "x = 1\ny = torch.__dict__['relu'](x)",
    "split over lines": "y = (torch\n  .relu(x))",
    "decorator": "x = 1\n@relu\ndef f(): pass",
    "deep inside": "x = 1\nf = lambda: [a for a in b if (relu(a) for _ in c)]",
    "in a default": "x = 1\ndef f(a=relu): pass",
    "in an f-string": "x = 1\ny = f'{relu(x)}'",
    "under another if": "if x:\n  y = relu(x)",
    "in a match": "match x:\n  case relu.y: pass",
    "look-alike letters": "x = 1\ny = ｒｅｌｕ(x)",
    "look-alike attribute": "x = 1\ny = torch.𝓻𝓮𝓵𝓾(x)",
    "own method, but torch's is meant": "import torch\nclass A: relu = torch.relu\ndef relu(): pass",
    "own function, but all of torch is imported": "from torch import *\ny = relu(1)\nrelu = 0",
    "sys.modules": "x = 1\ny = sys.modules['torch.relu']",
    "attrgetter": "x = 1\ny = attrgetter('nn.relu')(torch)",
    "beside a full-width quote": 's = "＂"\ny = torch.relu(x)',
    "beside a full-width apostrophe": "s = 'it＇s'\ny = torch.relu(x)",
    "beside a full-width line": "s = '＼'\ny = torch.relu(x)",
}


@pytest.mark.parametrize("how", USES)
def test_a_use_is_seen(how):
    """However the name is used, its line is found."""
    assert Source(USES[how]).use_of("relu").line == 2


HIDDEN = {
    "eval": "x = 1\neval('relu(x)')",
    "vars": "x = 1\nvars(torch)",
    "getattr of a sum": "x = 1\ngetattr(torch, 're' + 'lu')(x)",
    "getattr under another name": "x = 1\nget = getattr",
    "attrgetter of a sum": "x = 1\noperator.attrgetter('re' + 'lu')(torch)",
    "importlib": "x = 1\nfrom importlib import import_module",
    "builtins": "x = 1\nimport builtins",
    "dictionary": "x = 1\ntorch.__dict__",
}


@pytest.mark.parametrize("how", HIDDEN)
def test_what_hides_a_name_is_told_apart(how):
    """It breaks the rule too, but is called no mistake: the line is named, to be written plainly."""
    source = Source(HIDDEN[how])
    assert source.use_of("relu") == (2, True)
    e = failure(expect(source).avoids, "relu", mistake="used_relu")
    assert (e.kind, e.mistake, e.where) == ("hidden_name", "", 2)


def test_a_text_too_long_to_be_looked_at_hides_what_it_uses():
    """Python takes minutes over some of them, and the judge has no time for that."""
    assert Source("x = 1\n" + "import " + ".".join("a" * 200_000)).use_of("relu") == (1, True)


UNSEEN = {
    "own method": "class A:\n def relu(self): pass\nA().relu()",
    "own method of a variable": "class A:\n def relu(self): pass\nfor layer in layers:\n layer.relu()",
    "own function, used": "def relu(x): return x * (x > 0)\ny = relu(x)",
    "own variable": "relu = x.clamp(min=0)\ny = relu",
    "own keyword": "def f(relu): pass\nf(relu=1)",
    "message": "raise ValueError('relu')",
    "model.eval()": "model.eval()",
    "torch.compile": "torch.compile(f)",
    "own layers": "class A:\n def f(self): return getattr(self, f'layer{self.n}')",
    "nothing": "",
    "comment": "# relu",
    "longer name": "y = prelu(x)",
    "sentence": "'''Do not use relu here.'''",
    "under main": "if __name__ == '__main__':\n    y = relu(x)",
    "under main, the other way round": "if '__main__' == __name__:\n    y = relu(x)",
    "own function": "def relu(x): return x * (x > 0)",
    "own argument": "def f(relu): pass",
    "syntax error": "def f(:\n relu",
    "NUL": "relu\0",
}


@pytest.mark.parametrize("how", UNSEEN)
def test_what_is_no_use_is_not_seen(how):
    """Comments, prose, the learner's own definitions, and what runs only as a script."""
    assert Source(UNSEEN[how]).use_of("relu") is None


SHAMS = [
    "if __name__ != '__main__':\n    relu(x)",
    "if not __name__ == '__main__':\n    relu(x)",
    "if __name__:\n    relu(x)",
    "if __name__ == 'learner':\n    relu(x)",
    "if __name__ == '__main__' or True:\n    relu(x)",
    "if __name__ == '__main__': pass\nelse: relu(x)",
    "if __name__ == '__main__': pass\nelif relu(x): pass",
    "if '__name__':\n    relu(x)",
    "__name__ = '__main__'\nif __name__ == '__main__': relu(x)",
]


@pytest.mark.parametrize("source", SHAMS)
def test_a_sham_main_hides_nothing(source):
    """Only what truly runs as a script alone is left out."""
    assert Source(source).use_of("relu").line == 2


CHECK = "def mine(x): return relu(x)\n"
UNUSED = {
    "a check of one's own": "def task(x): return x\ndef mine(x):\n    assert task(x) == relu(x)",
    "two that call each other": "def task(x): return x\ndef mine(x): relu(b(x))\ndef b(x): return mine(x)",
    "typed": "def task(x): return x\ndef mine(x: Tensor, n: int = 3) -> Tensor | None: return relu(x)",
    "told of": 'def task(x):\n    """Compare with mine()."""\n    return x\n' + CHECK,
    "called as a script": CHECK + "def task(x): return x\nif __name__ == '__main__':\n    mine(1)",
}


@pytest.mark.parametrize("how", UNUSED)
def test_a_function_that_no_task_comes_to_is_left_out(how):
    """A check of one's own may use what a task may not; without the names of the tasks, it may not."""
    source = Source(UNUSED[how])
    assert source.use_of("relu") and source.for_tasks("task").use_of("relu") is None


USED = {
    "the task itself": "def task(x): return relu(x)",
    "called": CHECK + "def task(x): return mine(x)",
    "called by what is called": CHECK + "def b(x): return mine(x)\ndef task(x): return b(x)",
    "called when loaded": CHECK + "y = mine(1)\ndef task(x): return y",
    "renamed": CHECK + "task = mine",
    "in a class": CHECK + "class A:\n    f = mine",
    "by its written name": CHECK + "def task(x): return getattr(module, 'mine')(x)",
    "by a name put together": CHECK + "def task(x): return getattr(module, 'mi' + 'ne')(x)",
    "by the names of the file": CHECK + "def task(x): return task.__globals__['mi' 'ne'](x)",
    "by its place in the file": CHECK + "def task(x): return [*globals().values()][8](x)",
    "by its place among the locals": CHECK + "here = locals()\ndef task(x): return [*here.values()][8](x)",
    "by looking around": "import inspect\n" + CHECK + "def task(x): return inspect.getmembers(here)[0][1](x)",
    "by importing the file": CHECK + "import learner as me\ndef task(x): return me.task(x)",
    "decorated": "@register\n" + CHECK + "def task(x): return x",
    "a default that runs": "def mine(x=relu(1)): pass\ndef task(x): return x",
    "an annotation that names": "def mine(x: (f := relu)): pass\ndef task(x): return f(x)",
    "called by Python": "def __getattr__(name): return relu\ndef task(x): return x",
    "defined twice": "@register\n" + CHECK + CHECK + "def task(x): return x",
    "in a branch": "if True:\n    def mine(x): return relu(x)\ndef task(x): return x",
}


@pytest.mark.parametrize("how", USED)
def test_a_function_that_a_task_could_come_to_is_looked_into(how):
    """However it is called, or where that could not be seen."""
    assert Source(USED[how]).for_tasks("task").use_of("relu") is not None


PIECES = [
    "def relu(x): return x",
    "def mine(x): return relu(x)",
    "def task(x): return mine(x)",
    "def task(x): return x.relu()",
    "class A:\n    def relu(self): return mine(1)",
    "y = mine(relu)",
    "from torch import *",
    "relu = task",
    "globals()",
    "if __name__ == '__main__': mine(1)",
    "'mine'",
    "print('relu', 'mine')",
    "def other(): return other, mine",
]


@given(st.lists(st.sampled_from(PIECES)))
def test_nothing_is_seen_only_where_functions_are_left_out(pieces):
    """Whatever the file is made of: what uses no such name does not come to use it by being looked at less."""
    source = Source("\n".join(pieces))
    assert source.use_of("relu") or source.for_tasks("task").use_of("relu") is None


def test_the_first_line_counts():
    """Of all names that are asked for."""
    assert Source("a = 1\nb = two(c)\nd = one(c)\n").use_of("one", "two").line == 2


NESTS = {
    "sum": lambda n: "y = 1" + " + 1" * n,
    "minus": lambda n: "y = " + "-" * n + "1",
    "attributes": lambda n: "y = a" + ".b" * n,
    "calls": lambda n: "y = f" + "()" * n,
    "brackets": lambda n: "y = " + "(" * n + ")" * n,
    "elif": lambda n: "if a: pass\n" + "elif a: pass\n" * n,
    "condition": lambda n: "if __name__ == " + "-" * n + "1: pass",
}


@pytest.mark.parametrize("depth", [50, 190, 900, 1500, 2900, 2960, 20_000])
@pytest.mark.parametrize("nest", NESTS)
def test_nesting_hides_nothing(nest, depth):
    """A file that Python can load, however deep it nests, is searched; one that it cannot is survived."""
    text = "relu(x)\n" + NESTS[nest](depth)
    assert _line_of("relu", text) == 1 or not _loads(text)


def _line_of(name, text):
    use = Source(text).use_of(name)
    return use and use.line


def _loads(text):
    """True if a process with a short stack, as the cell is, can compile it."""
    compiled = []

    def attempt():
        with contextlib.suppress(SyntaxError, RecursionError, MemoryError):
            compiled.append(compile(text, "learner.py", "exec"))

    thread = threading.Thread(target=attempt)  # its stack begins here
    thread.start()
    thread.join()
    return bool(compiled)


@pytest.mark.parametrize("nest", NESTS)
def test_nesting_hides_nothing_although_the_judge_is_deep_in_calls(nest):
    """The judge has pytest on its stack, the cell has not: what just fits there must not be lost here."""

    def dive(depth):
        return _line_of("relu", text) if not depth else dive(depth - 1)

    for n in range(2700, 3000, 10):
        text = "relu(x)\n" + NESTS[nest](n)
        assert dive(100) == 1 or not _loads(text)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab.()[]{}:=,*@'\"\n \t\\0\r#ﬀ＂\ud800\0"), max_size=60))
def test_no_text_makes_the_search_fall_over(text):
    """Whatever the file holds, the answer is a line or None."""
    use = Source(text).use_of("a", "b")
    line = use and use.line
    assert line is None or 1 <= line <= len(text.splitlines()) + 1


# rng

DRAWS = {
    "normal": lambda r: r.normal(50),
    "normal in float64": lambda r: r.normal(2, 3, dtype=torch.float64, mean=5, std=2),
    "uniform": lambda r: r.uniform(50, low=2, high=3),
    "integers": lambda r: r.integers(3, 1000, 5, 5),
    "integer": lambda r: r.integer(0, 1 << 40),
    "number": lambda r: r.number(0, 1),
    "permutation": lambda r: r.permutation(50),
}


@pytest.mark.parametrize("draw", DRAWS)
def test_the_same_seed_draws_the_same(draw):
    """In any process, whatever else has been drawn there; another seed draws something else."""
    torch.manual_seed(1)
    first = DRAWS[draw](Rng(7))
    torch.rand(3)
    expect(DRAWS[draw](Rng(7))).equal_to(first)
    failure(expect(DRAWS[draw](Rng(8))).equal_to, first)


@pytest.mark.parametrize("draw", DRAWS)
def test_drawing_leaves_the_global_generator_alone(draw):
    """A test's own use of torch's generator is not disturbed."""
    before = torch.get_rng_state()
    DRAWS[draw](Rng(7))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("draw", DRAWS)
def test_two_draws_differ(draw):
    """The generator moves on."""
    rng = Rng(7)
    failure(expect(DRAWS[draw](rng)).equal_to, DRAWS[draw](rng))


@given(st.integers(0, 2**56 - 1))
def test_what_is_drawn_is_what_was_asked_for(seed):
    """Shape, dtype and range, for every seed that the judge can make."""
    rng = Rng(seed)
    assert (rng.normal().shape, rng.normal(2, 3).shape) == ((), (2, 3))
    assert rng.normal(2, dtype=torch.float64).dtype == torch.float64
    assert ((u := rng.uniform(20, low=-1, high=1)) >= -1).all()
    assert (u <= 1).all()
    assert ((n := rng.integers(2, 4, 20)) >= 2).all()
    assert n.dtype == torch.int64
    assert n.max() <= 3
    assert type(i := rng.integer(5, 7)) is int
    assert i in (5, 6)
    assert type(x := rng.number(2, 3)) is float
    assert 2 <= x <= 3
    assert rng.permutation(5).sort().values.tolist() == [0, 1, 2, 3, 4]


# task


def test_task_marks_and_returns_the_test():
    """The function itself is unchanged."""

    def test():
        """The promise."""

    assert task(3, needs=(1, 2), timeout=5.0, raises={"part": "mistake"}, may_change=True)(test) is test
    assert test.task == TaskMark(3, (1, 2), 5.0, {"part": "mistake"}, True)


def test_task_alone_has_defaults():
    """Stands on nothing, has the section's time, recognises no exception, forbids changes; and is frozen."""
    mark = task(1)(lambda: None).task
    assert mark == TaskMark(1, (), None, {}, False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        mark.number = 2


# learner and probe


class Desk:
    """Writes down what is asked."""

    text = "x = 1"

    def call(self, target, name, args, kwargs):
        """The request itself."""
        return target, name, args, kwargs


def test_any_name_of_the_learner_is_a_call():
    """With its arguments, to the right side."""
    assert Far(Desk(), "learner").anything(1, a=2) == ("learner", "anything", (1,), {"a": 2})
    assert Far(Desk(), "probes").f.__name__ == "f"


def test_the_fixtures_are_those_that_the_design_names():
    """learner, probe, rng, source, bar and picture; no more, so that nothing else can be asked for."""
    names = {n for n, f in inspect.getmembers(Fixtures) if type(f).__name__ == "FixtureFunctionDefinition"}
    assert names == {"learner", "probe", "rng", "source", "bar", "picture"}


# thresholds


def test_a_bar_notes_what_is_held_against_it():
    """Whether it passes or not, and on which side is right."""
    notes = []
    accuracy, loss = Bar(0.9, "accuracy", notes), Bar(0.2, "loss", notes)
    expect(0.95).at_least(accuracy)
    expect(torch.tensor(0.125)).at_most(loss)
    assert failure(expect(0.5).at_least, accuracy).params == {"got": 0.5, "bar": 0.9}
    assert notes == [
        Measured("accuracy", 0.95, True),
        Measured("loss", 0.125, False),
        Measured("accuracy", 0.5, True),
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400])
def test_a_bar_notes_that_a_number_was_not_finite(value):
    """JSON has no word for such."""
    notes = []
    failure(expect(value).at_most, Bar(1.0, "loss", notes))
    assert notes == [Measured("loss", None, False)]


def test_what_is_no_number_is_not_noted():
    """It is a failure of another kind."""
    notes = []
    for value in (None, "high", True, torch.ones(2)):
        failure(expect(value).at_least, Bar(1.0, "a", notes))
    assert notes == []


def test_a_failure_of_a_kind_of_its_own_is_noted():
    """Where the test says itself what came, and against which bar."""
    notes = []
    bar = Bar(0.9, "accuracy", notes)
    expect(True).true("below", got=0.95, bar=bar)
    failure(expect(False).true, "below", "learned_nothing", got=0.1, bar=bar)
    assert notes == [Measured("accuracy", 0.1, True)]


def test_a_bar_in_a_failure_is_a_plain_number():
    """A verdict travels as JSON, which knows no other."""
    params = failure(expect(0.5).at_least, Bar(0.9, "accuracy", [])).params
    assert type(params["bar"]) is float and msgspec.json.encode(params)
