"""The judge end to end: real cells, real pytest sessions, a course written for the occasion."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from grader import judge, pool
from grader.course import Course
from grader.model import Job, Outcome, Tier, Verdict
from grader.reports.sentences import common_cause, of_task
from grader.sandbox import warden

MINI = Path(__file__).parent / "mini_course"
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text()
HEAD = "import torch\n\nfrom grader.testing import expect, task\n\n\n"


@pytest.fixture(scope="module")
def cells() -> warden.Warden:
    with warden.Warden() as w:
        yield w


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(MINI, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "course"


def grade(cells: warden.Warden, folder: Path, tests: str, text: str = RIGHT, **changes: object) -> Verdict:
    """The verdict on `text` by these hidden tests alone."""
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + tests)
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text("")
    section = Course.at(folder)["double"]
    job = Job(section="double", section_digest=section.digest, text=text)
    return judge.grade(section, [job], cells, b"secret")[0]


def test_an_error_before_any_answer_is_ours(cells: warden.Warden, folder: Path) -> None:
    """A test that breaks before the learner's code was asked gives no verdict, and blames nobody."""
    verdict = grade(cells, folder, "@task(1)\ndef test_a(learner):\n    1 / 0\n")
    assert [(c.outcome, c.kind) for c in verdict.checks] == [(Outcome.BROKEN, "internal")]
    assert verdict.broken and not verdict.passed and verdict.points == "0"


def test_an_error_after_an_answer_is_no_way_out(cells: warden.Warden, folder: Path) -> None:
    """Once an answer has come, a test that trips over it has failed, flagged for a person."""
    tests = "@task(1)\ndef test_a(learner):\n    learner.double(torch.ones(2)).no_such_thing()\n"
    check = grade(cells, folder, tests).checks[0]
    assert (check.outcome, check.kind) == (Outcome.FAILED, "unreadable")
    assert check.flag.startswith("unreadable")


@pytest.mark.parametrize("name, value", [("PYTEST_ADDOPTS", "-v --no-such-option"), ("PYTEST_PLUGINS", "no_such")])
def test_settings_for_other_tests_change_nothing(
    cells: warden.Warden, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """What the environment tells pytest, for somebody's own tests, neither breaks a verdict nor is lost."""
    monkeypatch.setenv(name, value)
    tests = "@task(1)\ndef test_a(learner):\n    expect(learner.double(torch.ones(1))).equal_to(2 * torch.ones(1))\n"
    assert [c.outcome for c in grade(cells, folder, tests).checks] == [Outcome.PASSED]
    assert os.environ[name] == value


def test_what_a_hidden_test_prints_stays_with_it(
    cells: warden.Warden, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its author's traces do not get into what a command prints, which a program may be reading."""
    tests = "@task(1)\ndef test_a(learner):\n    print('a trace')\n    assert learner.double(torch.ones(1)) == 2\n"
    assert [c.outcome for c in grade(cells, folder, tests).checks] == [Outcome.PASSED]
    assert capsys.readouterr().out == ""


def test_what_is_printed_before_an_endless_loop_is_told(cells: warden.Warden, folder: Path) -> None:
    """Just then one wants to see it; nothing need be flushed."""
    about = folder / "exercises/01_mini/01_double/exercise.yaml"
    about.write_text(about.read_text() + "limits: {test: 1}\n")
    tests = "@task(1)\ndef test_a(learner):\n    expect(learner.double(torch.ones(1))).equal_to(2 * torch.ones(1))\n"
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text(HEAD + tests)
    section = Course.at(folder)["double"]
    text = "def double(x):\n    print('got this far')\n    while True:\n        pass\n"
    job = Job(section="double", section_digest=section.digest, text=text, visible_only=True)
    (verdict,) = judge.grade(section, [job], cells, b"secret")
    assert verdict.checks[0].outcome is Outcome.TIMED_OUT and verdict.stdout == "got this far\n"


def test_a_plain_assert_fails(cells: warden.Warden, folder: Path) -> None:
    """`assert` in a hidden test is a failed check."""
    verdict = grade(cells, folder, "@task(1)\ndef test_a(learner):\n    assert learner.double(torch.ones(1)) == 3\n")
    assert verdict.checks[0].outcome is Outcome.FAILED


def test_a_swallowed_exception_still_fails(cells: warden.Warden, folder: Path) -> None:
    """A test that catches everything cannot make a crash or an exception pass."""
    tests = """@task(1)
def test_a(learner):
    try:
        learner.double(torch.ones(1))
    except BaseException:
        pass


@task(2)
def test_b(learner):
    try:
        learner.outer(torch.ones(1), torch.ones(1))
    except Exception:
        pass
"""
    text = "import os\ndef double(x): os._exit(0)\ndef outer(a, b): raise ValueError\n"
    outcomes = [c.outcome for c in grade(cells, folder, tests, text).checks]
    assert outcomes == [Outcome.CRASHED, Outcome.FAILED]


def test_an_expected_exception_passes(cells: warden.Warden, folder: Path) -> None:
    """`expect.raises` is how a test asks for an error; a subclass of it will do, no error or another will not."""
    tests = "@task(1)\ndef test_a(learner):\n    expect.raises(ValueError, learner.double, torch.ones(1))\n"
    seen = []
    for body in ("raise ValueError", "raise UnicodeError", "raise KeyError", "return x"):
        check = grade(cells, folder, tests, f"def double(x): {body}\n").checks[0]
        seen.append((check.outcome.value, check.kind))
    assert seen == [("passed", ""), ("passed", ""), ("failed", "wrong_error"), ("failed", "not_raised")]


def test_tests_that_cannot_be_imported_break(cells: warden.Warden, folder: Path) -> None:
    """A hidden test file with an error is our fault, and says where."""
    verdict = grade(cells, folder, "import no_such_module\n")
    assert verdict.broken
    assert "no_such_module" in verdict.checks[0].params["what"]


def test_another_sections_tests_refuse(cells: warden.Warden, folder: Path) -> None:
    """A job that was made for other tests is not judged by these."""
    section = Course.at(folder)["double"]
    job = Job(section="double", section_digest="of another version", text=RIGHT)
    verdict = judge.grade(section, [job], cells, b"s")[0]
    assert verdict.broken and verdict.checks[0].kind == "other_section"


def test_an_edited_test_is_seen_while_warm(cells: warden.Warden, folder: Path) -> None:
    """In one process, the tests are read anew whenever they change."""
    one = "@task(1)\ndef test_a(learner):\n    expect(learner.double(torch.ones(1))).close_to(torch.full((1,), {}))\n"
    assert grade(cells, folder, one.format("2.0")).passed
    assert not grade(cells, folder, one.format("3.0")).passed
    assert grade(cells, folder, one.format("2.0")).passed


def test_randomness_does_not_depend_on_earlier_tests(cells: warden.Warden, folder: Path) -> None:
    """Each test starts from its own seed: a fresh cell after a crash changes nothing later."""
    tests = """@task(1)
def test_a(learner):
    learner.double(torch.ones(1))


@task(2)
def test_b(learner):
    expect(learner.outer(torch.ones(1), torch.ones(1))).shape(9)
"""
    noisy = "import torch, os, random\ndef outer(a, b): print(torch.rand(1), random.random())\ndef double(x):\n    {}\n"
    printed = []
    for body in ("return x", "torch.rand(5); return x", "os._exit(1)"):
        section = folder / "exercises/01_mini/01_double/test_examples.py"
        text = noisy.format(body)
        grade(cells, folder, tests, text)
        section.write_text(HEAD + tests)
        (folder / "solutions/01_mini/01_double/test_double.py").write_text("")
        course = Course.at(folder)["double"]
        job = Job(section="double", section_digest=course.digest, text=text)
        printed.append(judge.grade(course, [job], cells, b"secret")[0].stdout)
    assert len(set(printed)) == 3, "the seed depends on the submission"
    assert all("tensor" in p for p in printed)


def test_inputs_differ_between_submissions_and_not_between_runs(cells: warden.Warden, folder: Path) -> None:
    """The secret, the submission and the test decide the inputs, and nothing else."""
    tests = "@task(1)\ndef test_a(learner, rng):\n    assert learner.double(rng.normal(3)).sum() > 99\n"
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text(HEAD + tests)
    (folder / "solutions/01_mini/01_double/test_double.py").write_text("")
    section = Course.at(folder)["double"]
    text = "def double(x):\n    print(x)\n    return x\n"

    def printed(text: str, secret: bytes) -> str:
        job = Job(section="double", section_digest=section.digest, text=text)
        return judge.grade(section, [job], cells, secret)[0].stdout

    first = printed(text, b"a")
    assert "tensor" in first
    assert printed(text, b"a") == first
    assert len({first, printed(text + "#", b"a"), printed(text, b"b")}) == 3


def test_the_section_has_a_limit_of_its_own(cells: warden.Warden, folder: Path) -> None:
    """When a submission's whole time is up, what is left has timed out; it does not run."""
    text = (folder / "exercises/course.yaml").read_text().replace("section: 20", "section: 1")
    (folder / "exercises/course.yaml").write_text(text)
    tests = "".join(f"@task({n})\ndef test_{n}(learner):\n    learner.double(torch.ones(1))\n\n\n" for n in (1, 2, 3))
    verdict = grade(cells, folder, tests, "def double(x):\n    while True: pass\n")
    assert [c.kind for c in verdict.checks] == ["section_time"] * 3
    assert verdict.times.total < 5


def test_hidden_tests_tell_no_values(cells: warden.Warden, folder: Path) -> None:
    """A hidden check carries neither inputs nor expected values, nor the learner's exception text and prints."""
    tests = """@task(1)
def test_a(learner, rng):
    x = rng.normal(3)
    expect(learner.double(x)).close_to(2 * x + 12345.678)


@task(2)
def test_b(learner, rng):
    learner.outer(torch.full((1,), 98765.0), torch.ones(1))
"""
    told = []
    for spill in (
        "raise ValueError(f'got {a}')",
        "raise type(f'E{int(a)}', (Exception,), {})",
        "raise TypeError(f'missing 1 required positional argument: {a}')",
        "exec(compile('raise TypeError(f\\'1 positional argument {a}\\')', 'x', 'exec'))",
        "return type(f'E{int(a)}', (), {})()",
        "return {f'E{int(a)}': type('E', (), {})()}",
        "import sys; sys.exit(str(a))",
        "import sys; print(a, file=sys.stderr)",
    ):
        text = f"def double(x):\n    print(x)\n    return x\ndef outer(a, b):\n    {spill}\n"
        told.append(grade(cells, folder, tests, text).to_json().decode())
    assert not [t for t in told if "12345" in t or "98765" in t or "tensor(" in t]


def test_nothing_of_ours_is_in_a_cell(cells: warden.Warden, folder: Path) -> None:
    """From inside: no file, module, environment variable or argument that speaks of tests or solutions."""
    canary = "CANARY_5b1f"
    (folder / "solutions/01_mini/01_double/CANARY_5b1f.txt").write_text(canary)
    spy = """
import gc, os, sys
def double(x):
    found = []
    for root, dirs, files in os.walk("/"):
        found += [os.path.join(root, f) for f in files if "CANARY" in f or f.startswith("test_double")]
        dirs[:] = [d for d in dirs if not (root == "/" and d in ("usr", "lib"))]
    found += [k for k in os.environ if k.startswith(("GITHUB", "LEARN", "SECRET"))]
    found += [m for m in sys.modules if m.split(".")[0] in ("pytest", "_pytest", "grader") and "sandbox" not in m]
    found += [str(o)[:50] for o in gc.get_objects() if isinstance(o, str) and "CANARY" in o and "in f or" not in o]
    if found:
        raise ValueError(found)
    return 2 * x
"""
    tests = "@task(1)\ndef test_double_CANARY(learner):\n    expect(learner.double(torch.ones(1))).shape(1)\n"
    assert grade(cells, folder, tests, spy).passed


def test_debug_runs_here(folder: Path) -> None:
    """`--debug` gives the same outcomes with the learner's file in this very process."""
    section = Course.at(folder)["double"]
    verdict = judge.debug(section, RIGHT, section.stub)
    assert verdict.passed and verdict.sandbox.degraded == ("debug",)
    assert not judge.debug(section, RIGHT.replace("2 * x", "3 * x"), section.stub).passed


@pytest.mark.parametrize("tier", list(Tier))
def test_every_tier_judges_alike(folder: Path, tier: Tier) -> None:
    """A right and a wrong answer get the same verdict under T1, T2 and T3, each recorded as what it was."""
    course = Course.at(folder)
    texts = [RIGHT, RIGHT.replace("2 * x", "3 * x")]
    jobs = [Job(section="double", section_digest=course["double"].digest, text=t) for t in texts]
    verdicts = list(pool.run(course, jobs, at_most=tier))
    assert [(v.points, v.sandbox.tier) for v in verdicts] == [("6", tier), ("2", tier)]


def test_thresholds_and_skips(cells: warden.Warden, folder: Path) -> None:
    """Tests read their thresholds from exercise.yaml; a skipped test in another file disturbs none of the others."""
    yaml = folder / "exercises/01_mini/01_double/exercise.yaml"
    yaml.write_text(yaml.read_text() + "thresholds: {sum: 7.5}\n")
    skipped = "@task({}, needs=(1,))\ndef test_{}(learner):\n    pass\n\n\n"
    tests = "@task(1)\ndef test_a(learner, bar):\n"
    tests += "    expect(learner.double(torch.ones(3)).sum()).at_least(bar['sum'])\n\n\n"
    tests += skipped.format(2, "b") + "@task(3)\ndef test_c(learner):\n    learner.double(torch.ones(1))\n"
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + tests)
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text(HEAD + skipped.format(2, "s"))
    section = Course.at(folder)["double"]
    jobs = [Job(section="double", section_digest=section.digest, text=RIGHT) for _ in range(2)]
    seen = [[c.outcome.value for c in v.checks] for v in judge.grade(section, jobs, cells, b"s")]
    assert seen == [["failed", "skipped", "skipped", "passed"]] * 2
    assert judge.grade(section, jobs, cells, b"s")[0].checks[0].params["bar"] == 7.5


def test_draws_of_inputs(cells: warden.Warden, folder: Path) -> None:
    """A draw has inputs of its own, the same under every secret, and the verdict says what was held against thresholds;
    a learner's verdict, which is no draw, does not.
    """
    yaml = folder / "exercises/01_mini/01_double/exercise.yaml"
    yaml.write_text(yaml.read_text() + "thresholds: {sum: 0}\n")
    tests = "@task(1)\ndef test_a(learner, rng, bar):\n"
    tests += "    expect(learner.double(rng.uniform(3)).sum()).at_least(bar['sum'])\n\n\n"
    tests += "@task(1)\ndef test_b(learner):\n    learner.double(torch.ones(1))\n"
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + tests)
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text("")
    section = Course.at(folder)["double"]
    jobs = [Job(section="double", section_digest=section.digest, text=RIGHT, draw=n) for n in (0, 1, 2)]
    first, second = (judge.grade(section, jobs, cells, secret) for secret in (b"a", b"b"))
    assert all(v.passed for v in first + second)
    assert [v.timeless() for v in first] == [v.timeless() for v in second]
    measured = [[c.measured for c in v.checks] for v in first]
    assert measured[0] == [(), ()] and b"measured" not in first[0].to_json()
    ((one,), nothing), ((two,), _) = measured[1:]
    assert one.bar == two.bar == "sum" and one.least and one.value != two.value and nothing == ()


def test_a_batch_survives_every_answer(cells: warden.Warden, folder: Path) -> None:
    """An answer that Python cannot print, a closed channel, an odd exit: each costs itself alone, and is no excuse."""
    hostile = {
        "10**5000": ("failed", "type"),
        "__import__('os').close(3) or __import__('time').sleep(60)": ("failed", "forged"),
        "__import__('sys').exit(['x'])": ("failed", "exited"),
    }
    (folder / "solutions/01_mini/01_double/test_double.py").write_text("")
    section = Course.at(folder)["double"]
    texts = [RIGHT, *(RIGHT.replace("return 2 * x", f"return {h}") for h in hostile), RIGHT + "#"]
    jobs = [Job(section="double", section_digest=section.digest, text=t) for t in texts]
    first, *middle, last = judge.grade(section, jobs, cells, b"s")
    assert first.passed and last.passed
    assert [(v.checks[0].outcome.value, v.checks[0].kind) for v in middle] == list(hostile.values())
    assert not any(v.broken for v in middle)


def test_a_forged_reply_while_loading_is_no_way_out(cells: warden.Warden, folder: Path) -> None:
    """Whatever a file says of itself before it is loaded, its tests have failed and are not BROKEN."""
    text = """
import os
from grader.sandbox import wire
os.write(3, wire.pack(1, "raised", {"bases": 5, "kind": 1 << 70, "line": ["x"]}))
"""
    verdict = grade(cells, folder, "@task(1)\ndef test_a(learner):\n    learner.double(torch.ones(1))\n", text)
    assert not verdict.broken and verdict.points == "0"
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_tests_of_one_task_do_not_all_wait(cells: warden.Warden, folder: Path) -> None:
    """After two time-outs the rest of the task is taken to time out, too; other tasks run."""
    tests = "".join(f"@task(1)\ndef test_{n}(learner):\n    learner.double(torch.ones(1))\n\n\n" for n in range(5))
    tests += "@task(2)\ndef test_z(learner):\n    learner.outer(torch.ones(1), torch.ones(1))\n"
    verdict = grade(cells, folder, tests, RIGHT.replace("return 2 * x", "while True: pass"))
    assert [c.kind for c in verdict.checks] == ["timeout"] * 5 + [""]
    assert sum(t > 1 for t in verdict.times.checks) == 2


def test_a_slow_way_is_told_only_where_speed_is_tested(cells: warden.Warden, folder: Path) -> None:
    """`## timeout` is the mistake of a test with a time limit of its own; a loop without end elsewhere is none."""
    asks = "\ndef test_{}(learner):\n    learner.{}(torch.ones(1))\n\n\n"
    for lang in ("en", "zh"):
        with (folder / f"solutions/01_mini/01_double/mistakes.{lang}.md").open("a") as f:
            f.write("\n## timeout\n\nRow by row.\n")
    tests = "@task(1, timeout=1)" + asks.format("fast", "double") + "@task(2)" + asks.format("any", "outer")
    text = "def double(x):\n    while True:\n        pass\n\n\nouter = double\n"
    verdict = grade(cells, folder, tests, text)
    assert [(c.kind, c.mistake) for c in verdict.checks] == [("timeout", "timeout"), ("timeout", "")]


def test_an_empty_file_is_told_once(cells: warden.Warden, folder: Path) -> None:
    """Of a file without code it is not said of each function that it is missing."""
    for text in ("", "# %%\n  # nothing\n"):
        verdict = grade(cells, folder, TWO, text)
        assert [(c.kind, c.outcome) for c in verdict.checks] == [("empty", Outcome.NOT_WRITTEN)] * 2
        assert common_cause(verdict.checks) == verdict.checks[0]
    verdict = grade(cells, folder, TWO, "x = 1\n")
    assert [c.kind for c in verdict.checks] == ["missing"] * 2 and common_cause(verdict.checks) is None


TWO = """@task(1)
def test_a(learner):
    expect(learner.double(torch.ones(2))).close_to(torch.full((2,), 2.0))


@task(2)
def test_b(learner):
    expect(learner.double(torch.ones(3))).close_to(torch.full((3,), 2.0))
"""


def test_a_cell_that_something_killed_gets_another_chance(folder: Path) -> None:
    """Nobody knows who sent the SIGKILL: a right answer passes all the same."""
    killed = []

    class Killing(warden.Warden):
        def open(self, *args: object, **kwargs: object) -> object:
            cell = super().open(*args, **kwargs)
            if len(killed) < 2:
                killed.append(cell.pid)
                os.kill(cell.pid, signal.SIGKILL)
            return cell

    with Killing() as cells:
        verdict = grade(cells, folder, TWO)
    assert len(killed) == 2 and verdict.passed


def test_an_answer_that_always_gets_killed_is_no_right_one(folder: Path) -> None:
    """The other chances are few."""
    opened = []

    class Killing(warden.Warden):
        def open(self, *args: object, **kwargs: object) -> object:
            cell = super().open(*args, **kwargs)
            opened.append(os.kill(cell.pid, signal.SIGKILL))
            return cell

    with Killing() as cells:
        verdict = grade(cells, folder, TWO)
    assert [c.outcome for c in verdict.checks] == [Outcome.OUT_OF_MEMORY] * 2 and len(opened) <= 7


def test_examples_run_before_any_hidden_test(cells: warden.Warden, folder: Path) -> None:
    """What an answer keeps of hidden inputs, no later example can print; the verdict is in the order of tasks."""
    hidden = "@task(1)\ndef test_h(learner):\n    learner.double(torch.tensor([7777.0]))\n"
    shown = "@task(2)\ndef test_s(learner):\n    learner.double(torch.ones(1))\n"
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + hidden)
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text(HEAD + shown)
    section = Course.at(folder)["double"]
    text = "seen = []\ndef double(x):\n    seen.append(x.tolist())\n    print(seen)\n    return x\n"
    job = Job(section="double", section_digest=section.digest, text=text)
    verdict = judge.grade(section, [job], cells, b"s")[0]
    assert [(c.name, c.task) for c in verdict.checks] == [("test_h", 1), ("test_s", 2)]
    assert "[[1.0]]" in verdict.stdout and "7777" not in verdict.stdout


def test_of_one_task_is_told_what_it_printed_and_what_loading_did(cells: warden.Warden, folder: Path) -> None:
    """Whoever asks for one task sees the prints of the others in no form; of all tasks, everything in its order."""
    one = "@task(1)\ndef test_s(learner):\n    x = torch.ones(1)\n    assert learner.double(x) == learner.double(x)\n"
    two = "@task(2)\ndef test_t(learner):\n    learner.outer(torch.ones(2), torch.ones(3))\n"
    silent = "@task(3)\ndef test_u(learner):\n    learner.quadruple(torch.ones(2))\n"
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + one)
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text(HEAD + one + two + silent)
    section = Course.at(folder)["double"]
    said = {"double(x):": "eins 一", "outer(a, b):": "zwei 二"}
    text = RIGHT + "print('loaded')\n"
    for head, words in said.items():
        text = text.replace(f"def {head}", f"def {head}\n    print({words!r})")
    text = text.replace("return double(double(x))", "return 4 * x")
    job = Job(section="double", section_digest=section.digest, text=text)
    verdict = judge.grade(section, [job], cells, b"s")[0]
    assert verdict.stdout == "loaded\neins 一\neins 一\nzwei 二\n"
    shown = {n: of_task(verdict, section, n).stdout for n in (None, 1, 2, 3)}
    assert shown == {None: verdict.stdout, 1: "loaded\neins 一\neins 一\n", 2: "loaded\nzwei 二\n", 3: "loaded\n"}
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_an_example_that_stands_on_a_failed_task_is_skipped_though_it_ran_first(
    cells: warden.Warden, folder: Path
) -> None:
    """As if the tests had run in the order of the tasks."""
    hidden = "@task(1)\ndef test_h(learner):\n    assert learner.double(torch.ones(1)) == 5\n"
    shown = "@task(2, needs=(1,))\ndef test_s(learner):\n    learner.double(torch.ones(1))\n"
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + hidden)
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text(HEAD + shown)
    section = Course.at(folder)["double"]
    job = Job(section="double", section_digest=section.digest, text=RIGHT)
    verdict = judge.grade(section, [job], cells, b"s")[0]
    assert [c.outcome for c in verdict.checks] == [Outcome.FAILED, Outcome.SKIPPED]


def test_sizes_that_an_answer_chose_spell_nothing(cells: warden.Warden, folder: Path) -> None:
    """The shape of a wrong answer is told only as far as it is small: it could be made of hidden inputs."""
    tests = "@task(1)\ndef test_a(learner):\n    expect(learner.double(torch.tensor([55555]))).shape(1)\n"
    text = "import torch\ndef double(x): return torch.empty(0, 2, int(x), 1, 2, int(x), 3)\n"
    check = grade(cells, folder, tests, text).checks[0]
    assert check.kind == "shape" and "55555" not in str(check.params)
    assert check.params["got"][:2] == [0, 2]


def test_the_dtype_that_came_is_told(cells: warden.Warden, folder: Path) -> None:
    """A hidden test says which dtype came, too: there are few, and they tell what to mend."""
    tests = "@task(1)\ndef test_a(learner):\n    x = torch.ones(2, dtype=torch.float64)\n"
    tests += "    expect(learner.double(x)).close_to(2 * x)\n"
    check = grade(cells, folder, tests, "def double(x): return 2 * x.float()\n").checks[0]
    assert (check.kind, check.params) == ("dtype", {"got": "torch.float32", "want": "torch.float64"})


def test_a_text_that_python_chokes_on_stays_in_the_cell(cells: warden.Warden, folder: Path) -> None:
    """A rule on the source looks at it only once it has loaded."""
    tests = "@task(1, timeout=1)\ndef test_a(learner, source):\n    expect(source).avoids('cdist', mistake='m')\n"
    text = RIGHT + "\nif 0:\n    import " + ".".join("a" * 40_000) + "\n"
    check = grade(cells, folder, tests, text).checks[0]
    assert check.outcome in (Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY)


def test_a_test_that_ponders_for_ever_is_ended(
    cells: warden.Warden, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that makes the judge itself work without end fails, and a person is asked to look."""
    monkeypatch.setattr(judge, "_PONDERING", 0.1)
    tests = (
        "@task(1, timeout=1)\ndef test_a(learner):\n    learner.double(torch.ones(1))\n    while True:\n        pass\n"
    )
    check = grade(cells, folder, tests).checks[0]
    assert (check.outcome, check.kind, check.flag) == (Outcome.FAILED, "unreadable", "unreadable: TimeoutError")


def test_an_answer_that_reaches_around_is_flagged(cells: warden.Warden, folder: Path) -> None:
    """What names the grader or another frame passes or fails like any other, and asks for a person's look."""
    text = RIGHT + "\nimport sys\n\ndef peek():\n    return sys._getframe()\n"
    verdict = grade(cells, folder, TWO, text)
    assert verdict.passed and {c.flag for c in verdict.checks} == {"reaches_around"}
    assert {c.flag for c in grade(cells, folder, TWO).checks} == {""}


def test_a_module_that_the_cell_has_not_is_named(cells: warden.Warden, folder: Path) -> None:
    """With a word of its own: the learner's computer may well have it."""
    check = grade(cells, folder, TWO, "import no_such_plots\n" + RIGHT).checks[0]
    assert (check.kind, check.params["name"]) == ("no_module", "no_such_plots")


def test_a_fault_in_the_judge_costs_one_verdict(
    cells: warden.Warden, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own job is BROKEN, and the others of the batch are judged."""
    real, bad = judge.check_of, RIGHT + "# bad\n"

    def faulty(about: dict, desk: judge.Desk, *rest: object) -> object:
        if desk.text == bad:
            raise ValueError("a fault")
        return real(about, desk, *rest)

    monkeypatch.setattr(judge, "check_of", faulty)
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + TWO)
    section = Course.at(folder)["double"]
    jobs = [Job(section="double", section_digest=section.digest, text=t) for t in (RIGHT, bad, RIGHT + "#")]
    verdicts = judge.grade(section, jobs, cells, b"s")
    assert [v.passed for v in verdicts] == [True, False, True] and verdicts[1].broken
    assert "a fault" in verdicts[1].checks[0].params["what"]


SECRETS = {"nothing": None, "empty": b"", "cut short": b"abc", "a folder": "folder"}


@pytest.mark.parametrize("how", SECRETS)
def test_the_secret_is_never_a_known_one(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies in its place: a new one is made, for good where it can be kept."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path))
    monkeypatch.delenv("LEARN_SECRET", raising=False)
    path, found = tmp_path / "secret", SECRETS[how]
    if found == "folder":
        path.mkdir()
    elif found is not None:
        path.write_bytes(found)
    first, second = pool.secret(), pool.secret()
    assert len(first) == len(second) == 32
    assert (first == second) is (how != "a folder")
    if how != "a folder":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_job_may_end_with_the_first_loud_check(cells: warden.Warden, folder: Path) -> None:
    """What comes after an exception or a hang is skipped; after a wrong value the rest still runs."""
    tests = "".join(f"@task(1)\ndef test_{n}(learner):\n    assert learner.double(2) == 4\n\n\n" for n in range(2))
    tests += "@task(2)\ndef test_z(learner):\n    learner.outer(torch.ones(1), torch.ones(1))\n"
    (folder / "solutions/01_mini/01_double/test_double.py").write_text(HEAD + tests)
    (folder / "exercises/01_mini/01_double/test_examples.py").write_text("")
    section = Course.at(folder)["double"]
    bodies = ["while True: pass", "raise ValueError", "return 5"]
    texts = [RIGHT.replace("return 2 * x", b) for b in bodies]
    jobs = [Job(section="double", section_digest=section.digest, text=t, until_loud=True) for t in texts]
    seen = [[c.outcome.value for c in v.checks] for v in judge.grade(section, jobs, cells, b"s")]
    assert seen == [
        ["timed_out", "skipped", "skipped"],
        ["failed", "skipped", "skipped"],
        ["failed", "failed", "passed"],
    ]


LEAKS = {
    "exit code": "raise SystemExit(str([round(v, 2) for v in x.tolist()]))",
    "keys": "\n    return {bytes([int(b)]): {7: torch.nn} for b in x.numpy().tobytes()[:3]}",
    "words of torch": "return type('add.sub.mul.div.neg.abs.exp', (), {})()",
    "shape": "return torch.empty(*[int(v * 10000) for v in x.abs().tolist()], 0)",
    "a line of its own": "raise type('Error\\nPASSED 6 of 6', (Exception,), {})()",
}


@pytest.mark.parametrize("how", LEAKS)
def test_no_channel_for_hidden_inputs(how: str, cells: warden.Warden, folder: Path) -> None:
    """Whatever an answer makes of its inputs, digits and long strings of words do not come out."""
    tests = (
        "@task(1)\ndef test_a(learner):\n"
        "    expect(learner.double(torch.tensor([0.7431, 0.9182, 0.6655]))).close_to(torch.ones(3))\n"
    )
    text = f"import torch\ndef double(x):\n    {LEAKS[how]}\n"
    told = str(grade(cells, folder, tests, text).checks[0].params)
    assert not any(part in told for part in ("0.74", "7431", "9182", "mul.div", "PASSED", "\n"))


def test_probes_are_not_lying_about(cells: warden.Warden, folder: Path) -> None:
    """A cell's line cache, whose content a visible test may print, holds the learner's file alone."""
    (folder / "solutions/01_mini/01_double/probes.py").write_text("SECRET = 1\n")
    text = "import linecache\ndef double(x):\n    assert 'probes.py' not in linecache.cache\n    return 2 * x\n"
    assert grade(cells, folder, TWO, text).passed


def test_the_judges_own_time_is_not_the_learners(cells: warden.Warden, folder: Path) -> None:
    """A slow import or oracle in a test takes nothing of the time that an answer has."""
    tests = (
        "import time\n\n\n@task(1, timeout=1)\ndef test_a(learner):\n    time.sleep(1.2)\n"
        "    expect(learner.double(torch.ones(1))).close_to(torch.full((1,), 2.0))\n"
    )
    assert grade(cells, folder, tests).passed


def test_a_file_that_cannot_be_read_costs_no_time(cells: warden.Warden, folder: Path) -> None:
    """Sixty tests of a file with a syntax error take no longer than of a right answer: what is raised does not grow."""
    tests = "".join(
        f"@task(1)\ndef test_{i}(learner):\n    assert learner.double(torch.ones(1)) == 2\n\n" for i in range(60)
    )
    right, broken = (grade(cells, folder, tests, text) for text in (RIGHT, RIGHT + "\nx = (\n"))
    assert right.passed and {c.kind for c in broken.checks} == {"syntax"}
    assert broken.times.total < 3 * right.times.total


def test_display_needs_no_import(cells: warden.Warden, folder: Path) -> None:
    """What a notebook shows with `display` costs an answer nothing, at the top or within a function."""
    tests = "@task(1)\ndef test_a(learner):\n    expect(learner.double(torch.ones(2))).close_to(2 * torch.ones(2))\n"
    text = RIGHT.replace("return ", "display(1)\n    return ", 1) + "\ndisplay('shown', 2)\n"
    assert text != RIGHT + "\ndisplay('shown', 2)\n" and grade(cells, folder, tests, text).task_passed(1)


def test_what_only_a_notebook_can_run_costs_nothing(cells: warden.Warden, folder: Path) -> None:
    """IPython's last result, its own object and a top-level await are left out, and a mistake keeps its line."""
    tests = "@task(1)\ndef test_a(learner):\n    expect(learner.double(torch.ones(2))).close_to(2 * torch.ones(2))\n"
    explores = "_ + 1\nget_ipython().system('ls')\nawait look()\n"
    assert grade(cells, folder, tests, explores + RIGHT).task_passed(1)
    wrong = grade(cells, folder, tests, explores + RIGHT + "\n1 / 0\n").checks[0]
    assert wrong.kind == "import_raised" and wrong.where == (explores + RIGHT).count("\n") + 2
