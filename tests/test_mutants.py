"""Small changes of a reference: each is one, none is made twice; what passes all tests is told."""

import ast
import json
import tokenize
from io import StringIO
from pathlib import Path

import pytest
import tiny_course
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import cli
from grader import operators, pool
from grader.course import Course, CourseError, Equivalent
from grader.model import Check, Outcome, Sandbox, Tier, Verdict
from grader.mutants import measure, mutants
from grader.operators import OPERATORS
from grader.proof import structure

ROOT = Path(__file__).resolve().parent.parent
TEXTS = [p for p in sorted((ROOT / "solutions").glob("*/*/*.py")) if p.stem == p.parent.name[3:]]

# operator -> a line in a function -> what it makes of it
EXAMPLES = {
    "drop_statement": [
        ("optimizer.zero_grad()", ["pass"]),
        ("x += 1", ["pass"]),
        ("x = x.detach()", ["pass"]),
        ("y = 2 * x", []),
        ("self.state = {}", ["pass"]),
        ("super().__init__()", []),
        ("return x", []),
        ("if x: return y", ["if x: pass"]),
        ("for y in x: break", ["for y in x: pass"]),
    ],
    "swap_statements": [
        ("loss.backward(); sgd.step()", ["sgd.step(); loss.backward()"]),
        ("model.eval(); sgd.step()", []),
    ],
    "unwrap_with": [
        ("with torch.no_grad(): f(x)", ["if True: f(x)"]),
        ("with a(), b(): f(x)", ["with b(): f(x)", "with a(): f(x)"]),
        ("with open(x) as f: pass", []),
    ],
    "drop_decorator": [("@a(1 @ n)\n    @b\n    def g(): pass", ["", ""])],
    "drop_method": [
        ("y = x.detach().clone()", ["y = x.clone()", "y = x.detach()"]),
        ("return (x + y).contiguous()", ["return (x + y)"]),
        ("y = torch.zeros(3)", []),
        ("model.eval()", []),
    ],
    "drop_call": [
        ("y = F.relu(x - 1)", ["y = x - 1"]),
        ("y = 2 * abs(x - 1)", ["y = 2 * (x - 1)"]),
        ("y = self.layer(x)", ["y = x"]),
        ("y = len(x)", []),
        ("y = f(x, 2)", []),
    ],
    "drop_attribute": [("return x @ w.T", ["return x @ w"]), ("return (x @ w).T.shape", ["return (x @ w).shape"])],
    "requires_grad": [("x.requires_grad_()", ["x.requires_grad_(False)"])],
    "dim": [
        ("return x.sum(dim=1)", ["return x.sum(dim=0)", "return x.sum(dim=2)"]),
        ("return x.mean(0)", ["return x.mean(1)", "return x.mean(-1)"]),
        ("return x.softmax(-1)", ["return x.softmax(0)", "return x.softmax(-2)"]),
        ("return x.std(dim=(0, 2))", ["return x.std(dim=(2,))", "return x.std(dim=(0,))"]),
        ("return x.reshape(1, 2)", []),
    ],
    "twin": [
        ("return x.sum()", ["return x.mean()"]),
        ("return x.argmax(1)", ["return x.argmin(1)"]),
        ("model.train()", ["model.eval()"]),
        ("return max(x)", ["return min(x)"]),
        ("return sum(x)", []),
        ("y = torch.zeros(2, dtype=torch.float64)", [
            "y = torch.ones(2, dtype=torch.float64)", "y = torch.zeros(2, dtype=torch.float32)"]),
    ],
    "string": [
        ('f(x, reduction="mean")', ['f(x, reduction="sum")', 'f(x, reduction="none")']),
        ('return {"甲": x}', ['return {"甲_": x}']),
        ('return f"{x:.2f} s"', []),
    ],
    "constant": [
        ("return x.sum(1, keepdim=True)", [
            "return x.sum(2, keepdim=True)", "return x.sum(0, keepdim=True)", "return x.sum(1, keepdim=False)"]),
        ("return 0.1 * x", ["return 0.2 * x"]),
        ("y = 0.0", ["y = 1.0"]),
        ("return x.var(correction=0)", ["return x.var(correction=1)", "return x.var(correction=-1)"]),
        ("y = None", []),
    ],
    "arithmetic": [
        ("return x + y", ["return x - y", "return x * y"]),
        ("return x @ y", ["return x * y"]),
        ("return (x > 0) & y", ["return (x > 0) | y"]),
    ],
    "comparison": [
        ("return x < y", ["return x <= y", "return x >= y"]),
        ("return 0 <= x < y", ["return 0 < x < y", "return 0 > x < y", "return 0 <= x <= y", "return 0 <= x >= y"]),
        ("return x is not None", ["return x is None"]),
        ("return x in y", ["return x not in y"]),
    ],
    "boolean": [("return x and y", ["return x or y", "return y", "return x"])],
    "swap_operands": [
        ("return x - y", ["return y - x"]),
        ("return (x + 1) / y - 2", ["return 2 - ((x + 1) / y)", "return y / (x + 1) - 2"]),
        ("return x + y", []),
    ],
    "drop_operand": [
        ("return x @ w + b", ["return x @ w", "return b", "return x + b", "return w + b"]),
        ("return (x - 1).sum()", ["return (x).sum()", "return (1).sum()"]),
    ],
    "drop_sign": [("return -x", ["return x"]), ("return not x", ["return x"]), ("return ~(x > 0)", ["return x > 0"])],
    "condition": [
        ("if x < 1: f(x)", ["if True: f(x)", "if False: f(x)"]),
        ("y = 1 if x else 2", ["y = 1 if True else 2", "y = 1 if False else 2", "y = 1 if not x else 2"]),
        ("while x: f(x)", ["while False: f(x)", "while not x: f(x)"]),
        ("return [y for y in x if y and 1]", [
            "return [y for y in x if True]", "return [y for y in x if False]",
            "return [y for y in x if not (y and 1)]"]),
    ],
    "jump": [
        ("for y in x: break", ["for y in x: continue"]),
        ("for y in x: continue", ["for y in x: break"]),
    ],
    "loop": [
        ("for y in x: f(y)", ["for y in list(x)[1:]: f(y)", "for y in list(x)[:-1]: f(y)"]),
        ("return [y for y in x]", ["return [y for y in list(x)[1:]]", "return [y for y in list(x)[:-1]]"]),
        ("for y in range(3): f(y)", []),
    ],
    "bounds": [
        ("return x[:2]", ["return x[1:2]", "return x[:]"]),
        ("return x[1:n]", ["return x[:n]", "return x[1:]", "return x[1:n + 1]", "return x[1:n - 1]"]),
        ("y = range(n)", ["y = range(1, n)", "y = range(n + 1)", "y = range(n - 1)"]),
    ],
    "index": [("return x[:, None]", ["return x[None, :]", "return x[:]"])],
    "assignment": [("x += y", ["x -= y", "x = y"]), ("x /= y", ["x *= y", "x = y"])],
    "order": [
        ("return x, y, 1", ["return y, x, 1", "return x, 1, y"]),
        ("x, y = f()", ["y, x = f()"]),
    ],
    "drop_element": [("return [x, y]", ["return [y]", "return [x]"])],
    "swap_arguments": [("f(x, (y), 1)", ["f(y, (x), 1)", "f(x, (1), y)"]), ("f(*x, y)", [])],
    "drop_argument": [
        ("f(x, y, dim=2)", ["f(x, dim=2)", "f(x, y)"]),
        ("return x.sum(0)", ["return x.sum()"]),
        ("return nn.Sequential(x, y)", ["return nn.Sequential(y)", "return nn.Sequential(x)"]),
    ],
}  # fmt: skip


def _function(line: str) -> str:
    return f"import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\ndef f(x, n):\n    {line}\n"


def test_every_operator_has_an_example() -> None:
    """No operator is without one that shows what it is for."""
    assert EXAMPLES.keys() == OPERATORS.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_an_operator_makes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each operator alone makes exactly these lines of that line."""
    monkeypatch.setattr(operators, "OPERATORS", {name: OPERATORS[name]})
    for line, expected in EXAMPLES[name]:
        assert sorted(m.becomes for m in mutants(_function(line))) == sorted(expected), line


def _docstrings(tree: ast.AST) -> list[str | None]:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    return [ast.get_docstring(n) for n in ast.walk(tree) if isinstance(n, kinds)]


def _imports(tree: ast.Module) -> list[str]:
    return [ast.dump(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.stem)
def test_mutants_of_the_course(path: Path) -> None:
    """Each parses, differs from the text and from all others, is small, and leaves docstrings and imports alone."""
    text = path.read_text(encoding="utf-8")
    found = list(mutants(text))
    tree, shapes = ast.parse(text), set()
    for m in found:
        changed = ast.parse(m.text)
        shapes.add(ast.dump(changed))
        assert _docstrings(changed) == _docstrings(tree) and _imports(changed) == _imports(tree)
        assert m.was != m.becomes and m.was.count("\n") < 12
        assert m.text.splitlines()[: m.line - 1] == text.splitlines()[: m.line - 1]
    assert len(shapes | {ast.dump(tree)}) == len(found) + 1 > 20


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([line for lines in EXAMPLES.values() for line, _ in lines]), min_size=1, max_size=3))
def test_mutants_of_any_lines(lines: list[str]) -> None:
    """All of this holds for other programs, too; the order is the same each time."""
    text = _function("\n    ".join(lines))
    found = list(mutants(text))
    shapes = [ast.dump(ast.parse(t)) for t in (text, *(m.text for m in found))]
    assert len(set(shapes)) == len(shapes)
    assert found == list(mutants(text)) and [m.line for m in found] == sorted(m.line for m in found)


def test_a_record_survives_lines_added_above() -> None:
    """What a change is known by does not depend on where in the file its function stands."""
    text = _function("with torch.no_grad():\n        x -= n * x.grad\n    return (\n        x.sum(0)\n    ).T")
    found, moved = list(mutants(text)), list(mutants("# a comment\n\n\n" + text))
    known = [(m.within, m.was, m.becomes) for m in found]
    assert known == [(m.within, m.was, m.becomes) for m in moved]
    assert [m.line + 3 for m in found] == [m.line for m in moved]


def test_comments_stay_and_are_no_part_of_a_change() -> None:
    """A changed line keeps its comment; the change is known without it, so that a comment may be mended."""
    (m,) = [m for m in mutants(_function("return x.abs()  # 绝对值 #1")) if m.operator == "drop_method"]
    assert (m.within, m.was, m.becomes) == ("f", "return x.abs()", "return x")
    assert "    return x  # 绝对值 #1\n" in m.text
    assert [t.string for t in tokenize.generate_tokens(StringIO(m.text).readline) if t.type == tokenize.COMMENT]


def test_where_a_change_is() -> None:
    """Classes and functions, dotted; the module itself is nothing."""
    text = "a = -1\n\n\nclass C:\n    b = -2\n\n    def f(self):\n        return -3\n"
    assert [m.within for m in mutants(text) if m.operator == "drop_sign"] == ["", "C", "C.f"]


@pytest.mark.parametrize(
    "text",
    [
        '"""1 + 1"""\n',
        'def f(x: "mean" = None) -> Tensor[1 + 2]:\n    """2 > 1"""\n',
        "x: int\n",
        "from a import b, c\nimport d\n",
        'if __name__ == "__main__":\n    print(1 + 1)\n',
        "def f(x):\n    return f'{x + 1} {x!r:>{2 + 3}}'\n",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    """Docstrings, annotations, imports, the main block and f-strings."""
    assert list(mutants(text)) == []


def test_places_are_right_after_other_scripts() -> None:
    """The tree counts bytes, the text characters; a form feed ends no line."""
    text = "名 = '值' + 'b'\n\x0c\nx = '值', -1\n"
    found = [m for m in mutants(text) if m.operator == "drop_sign"]
    assert [(m.line, m.becomes) for m in found] == [(3, "x = '值', 1")]


def test_no_program() -> None:
    """What does not parse has no mutants, and says so."""
    with pytest.raises(SyntaxError):
        list(mutants("def f(:"))


REFERENCE = '''import torch


# --- task 1 ---
def double(x):
    """2x."""
    x = x.clone()  # the caller's stays
    for _ in range(1):
        x = 2 * x
    return x.reshape(3)


# --- end ---
'''
WEAK = '''import torch

from grader.testing import expect, task


@task(1)
def test_double(learner):
    """Twice 2 is 4: so is 2 + 2. One shape alone."""
    expect(learner.double(torch.full((3,), 2.0))).close_to(torch.full((3,), 4.0))
'''
EQUIVALENT = [
    {"within": "double", "was": "x = x.clone()", "becomes": "pass", "why": "2 * x is a new tensor"},
    {"within": "double", "was": "x = x.clone()", "becomes": "x = x", "why": "2 * x is a new tensor"},
    {"within": "double", "was": "x = 2 * x", "becomes": "x = 3 * x", "why": "it is not"},
    {"within": "double", "was": "x = 2 * y", "becomes": "x = 3 * y", "why": "of a former reference"},
]


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mini course's section with one task and one weak test."""
    root = tmp_path_factory.mktemp("weak")
    course = tiny_course.write(root)
    section = course["doubling"]
    (section.folder / "exercise.yaml").write_text(
        "title: {en: D, zh: 加}\ntasks: {1: {name: double, points: 1}}\nlimits: {test: 2}\n"
    )
    section.reference.write_text(REFERENCE)
    section.tests.write_text(WEAK)
    section.equivalent.write_text(json.dumps(EQUIVALENT))  # JSON is YAML, too
    return root


def test_a_weak_test_has_survivors(weak: Path) -> None:
    """Judged in real cells: what passes is found, recorded ones are set apart, and entries that do not hold are told.

    The silent ones are those that gave a wrong value; what raises, or hangs, is killed, but counted apart.
    """
    (m,) = measure(Course.at(weak), ["doubling"], 1)
    assert [(s.operator, s.was, s.becomes) for s in m.survivors] == [
        ("arithmetic", "x = 2 * x", "x = 2 + x"),
        ("drop_method", "return x.reshape(3)", "return x"),
    ]
    assert m.equivalent == 2 and not m.unjudged
    assert [e.becomes for e in m.refuted] == ["x = 3 * x"]
    assert [e.becomes for e in m.stale] == ["x = 3 * y"]
    assert m.total == m.killed + m.equivalent + 2 == len(list(mutants(REFERENCE)))
    assert m.silent == m.silent_killed + 2 == m.total - m.equivalent - 4, "`x = 2` and three reshapes raise"
    assert not m.good
    assert m.diff(m.survivors[0])[2:] == [
        "@@ -8,3 +8,3 @@",
        "     for _ in range(1):",
        "-        x = 2 * x",
        "+        x = 2 + x",
        "     return x.reshape(3)",
    ]


def _verdict(job, *checks: Check) -> Verdict:
    return Verdict(
        section=job.section, section_digest=job.section_digest, submission_digest="d", checks=checks, points="1",
        max_points="1", sandbox=Sandbox(tier=Tier.T3), versions={}, job=job.id,
    )  # fmt: skip


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch):
    """Instead of judging: judged(f), f(text) being the outcome of the one check of that text."""

    def put(outcome_of) -> None:
        def run(course, jobs, **options):
            for job in jobs:
                kind = "raised" if "2 / x" in job.text else "values"
                check = Check(name="t", task=1, visible=False, outcome=outcome_of(job.text), kind=kind)
                yield _verdict(job, check)

        monkeypatch.setattr(pool, "run", run)

    return put


def _learn(root: Path, *args: str):
    done = CliRunner().invoke(cli.learn, ["--course", str(root), "--lang", "en", "dev", "mutants", *args])
    return done.exit_code, done.stdout, done.stderr


def _set(root: Path, entries: list[dict[str, str]]) -> None:
    Course.at(root)["doubling"].equivalent.write_text(json.dumps(entries))


def test_the_command_says_what_to_do(weak: Path, judged) -> None:
    """A table, a diff for each survivor, a line for each entry that does not hold; exit 1."""
    judged(lambda t: Outcome.PASSED if t == REFERENCE or "clone" not in t or "2 + x" in t else Outcome.FAILED)
    code, out, err = _learn(weak, "1.1")
    assert code == 1 and err == ""
    assert out.splitlines()[0].split() == ["section", "mutants", "killed", "%", "silent", "equivalent", "survivors"]
    assert "-        x = 2 * x\n+        x = 2 + x\n" in out
    assert "any more" in out and "yet killed" in out and "not enough in 1.1" in out


def test_the_command_for_programs(weak: Path, judged) -> None:
    """--json gives the same facts."""
    judged(lambda t: Outcome.PASSED if t == REFERENCE or "clone" not in t or "2 + x" in t else Outcome.FAILED)
    code, out, _ = _learn(weak, "doubling", "--json")
    (told,) = json.loads(out)
    assert code == 1 and told["section"] == "doubling" and not told["good"]
    assert [(s["was"], s["becomes"]) for s in told["survivors"]] == [("x = 2 * x", "x = 2 + x")]
    assert told["survivors"][0]["diff"].startswith("--- doubling.py\n+++ arithmetic\n@@ ")
    assert [e["becomes"] for e in told["stale"] + told["refuted"]] == ["x = 3 * y", "x = 3 * x"]


def test_good_tests_are_enough(weak: Path, judged) -> None:
    """With all killed and all entries true: exit 0. What raised is not counted as silent."""
    judged(lambda t: Outcome.PASSED if t == REFERENCE or "clone" not in t else Outcome.FAILED)
    _set(weak, EQUIVALENT[:2])
    code, out, _ = _learn(weak, "1.1")
    assert code == 0 and "100.0" in out and "enough: 98 %" in out
    (m,) = measure(Course.at(weak), ["1.1"])
    assert m.silent == m.silent_killed == m.killed - 1
    _set(weak, EQUIVALENT)


def test_one_stale_entry_is_too_many(weak: Path, judged) -> None:
    """Or one that is not equivalent: exit 1, though all are killed."""
    for wrong in EQUIVALENT[2:]:
        judged(lambda t: Outcome.PASSED if t == REFERENCE or "clone" not in t else Outcome.FAILED)
        _set(weak, [*EQUIVALENT[:2], wrong])
        assert _learn(weak, "1.1")[0] == 1
    _set(weak, EQUIVALENT)


def test_broken_verdicts_count_for_nobody(weak: Path, judged) -> None:
    """A mutant that the grader could not judge is neither killed nor alive, and is told."""
    judged(lambda t: Outcome.BROKEN if "2 + x" in t else Outcome.PASSED if t == REFERENCE else Outcome.FAILED)
    (m,) = measure(Course.at(weak), ["1.1"])
    assert [u.becomes for u in m.unjudged] == ["x = 2 + x"] and m.total == m.killed and not m.good


def test_a_reference_that_fails(weak: Path, judged) -> None:
    """Nothing can be said of its mutants, and that is what is said; exit 1."""
    judged(lambda t: Outcome.FAILED)
    code, out, _ = _learn(weak, "1.1")
    assert code == 1 and "the reference itself does not pass (t failed values)" in out and "yet killed" not in out
    assert json.loads(_learn(weak, "1.1", "--json")[1])[0]["fault"] == "t failed values"


def test_records_belong_to_a_section(weak: Path) -> None:
    """`learn dev check` does not take equivalent.yaml for a stray file."""
    course = Course.at(weak)
    strays = [f.path.name for f in structure(course, course["doubling"]) if f.kind == "stray_file"]
    assert course["doubling"].equivalent.is_file() and strays == []


def test_bad_records_are_refused(weak: Path) -> None:
    """An entry without its reason is an error with the file's name."""
    section = Course.at(weak)["doubling"]
    _set(weak, [{"was": "a", "becomes": "b"}])
    with pytest.raises(CourseError, match=r"equivalent\.yaml.*why"):
        section.equivalents()
    _set(weak, EQUIVALENT)
    assert section.equivalents()[3] == Equivalent(**EQUIVALENT[3])
    assert Course.at(weak)["again"].equivalents() == []
