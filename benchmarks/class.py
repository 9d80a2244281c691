"""A class on one question: this grader, pytest in a process for each, `nbgrader autograde` and `otter run`, in one run.

    python benchmarks/class.py [--section 2.2] [--ours 192] [--theirs 4] [--rounds 3] [--otter PYTHON]
    python benchmarks/class.py --linear 100 1000 10000

All four run the section's visible and hidden tests on the same answers (the reference, also/ and wrong/ in turn). In
pytest, nbgrader and otter the answer runs in the process of its tests, so they pay for no wire and no confinement, and
are easily forged. They and this grader's first row are pinned to one core; all in turn, `--rounds` times, so that
whatever else the machine does meets each. Starting up counts for the others each time, as they have it, and for this
grader once: the rate is given with and without it. Then two processes on two cores, two workers of a Dask scheduler,
and what a further worker costs in memory. What counts is the ratios; the times depend on the machine.

`--linear` runs `learn grade` on classes of these sizes instead: time for each answer, and memory of the coordinator.
nbgrader and otter are left out, and named, where they are not installed; `--otter` is the Python of an environment that
has otter-grader and torch.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

from grader import pool
from grader.batch import now
from grader.course import Course, Section
from grader.gradebook import Gradebook
from grader.model import Handed, Job, Student

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent  # nbgrader calls alembic by name
ENVIRON = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
FITTED = """
import importlib.util, inspect, pathlib, sys, types
from grader.testing import Fixtures

def fitted(names):
    here = pathlib.Path(FOLDER)
    sys.modules["learner"] = learner = types.ModuleType("learner")
    learner.__dict__.update(names)
    def load(name):
        spec = importlib.util.spec_from_file_location(name, here / f"{name}.py")
        spec.loader.exec_module(module := importlib.util.module_from_spec(spec))
        return module
    probes = load("probes") if (here / "probes.py").exists() else None
    class Desk:
        text = names.get("TEXT", "")
        def call(self, target, name, args, kwargs):
            return getattr(learner if target == "learner" else probes, name)(*args, **kwargs)
    Fixtures.desk, Fixtures.seed, Fixtures.bars = Desk(), 0, {}
    return load
"""
CONFTEST = (
    FITTED
    + """
import runpy
fitted(runpy.run_path(str(pathlib.Path(FOLDER, "answer.py"))) | {"TEXT": pathlib.Path(FOLDER, "answer.py").read_text()})

def pytest_configure(config):
    config.pluginmanager.register(Fixtures())
"""
)
ASKED = (
    FITTED
    + """
import functools

@functools.cache
def tests(name):
    return load_(name)

def ask(file, name, names):
    global load_
    load_ = fitted(names)
    import grader.testing as t
    made = {"rng": lambda: t.Rng(0), "learner": lambda: t.Far(Fixtures.desk, "learner"),
            "probe": lambda: t.Far(Fixtures.desk, "probe"), "source": lambda: t.Source(names.get("TEXT", ""))}
    function = getattr(tests(file), name)
    function(**{p: made[p]() for p in inspect.signature(function).parameters})
"""
)
NBGRADER = "c = get_config()\nc.CourseDirectory.course_id = 'class'\nc.ExecutePreprocessor.timeout = 60\n"


def answers(section: Section, n: int, kinds: int | None = None) -> Iterator[str]:
    """n answers: the first `kinds` of the bank in turn (all: right and wrong ones), no two of the same text."""
    bank = [section.reference, *section.bank("also"), *section.bank("wrong")][:kinds]
    texts = [p.read_text(encoding="utf-8") for p in bank]
    return (f"{text}\n# {i}\n" for i, text in enumerate(islice(cycle(texts), n)))


def asked(section: Section) -> list[tuple[str, str]]:
    """The section's tests that need no fixture of the judge's own: file and function."""
    import ast

    known, found = {"learner", "probe", "rng", "source"}, []
    for path in (section.examples, section.tests):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            if {a.arg for a in node.args.args} <= known:
                found.append((path.stem, node.name))
    return found


def question(section: Section, folder: Path, code: str, name: str) -> None:
    """The tests in a folder, and what lets them run there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(code.replace("FOLDER", repr(str(folder))), encoding="utf-8")
    for path in (section.examples, section.tests, section.probes):
        if path.is_file():
            shutil.copy(path, folder)


def digest(text: str) -> str:
    """As `submission` takes it."""
    return hashlib.sha256(text.encode()).hexdigest()


def quiet(command: list[str], cwd: Path, environ: dict[str, str] = ENVIRON) -> float:
    """Seconds of a command, however it ends."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - began


def by_pytest(section: Section, folder: Path, texts: list[str]) -> float:
    """Seconds a submission: a new process for each."""
    question(section, folder, CONFTEST, "conftest.py")
    spent = []
    for text in texts:
        (folder / "answer.py").write_text(text, encoding="utf-8")
        spent.append(quiet([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)], folder))
    return statistics.mean(spent)


def notebook(text: str, cells: list[nbformat.NotebookNode]) -> str:
    """The answer in one cell, and what comes after it."""
    return str(nbformat.writes(new_notebook(cells=[new_code_cell(f"TEXT = {text!r}\n{text}"), *cells])))


def by_nbgrader(section: Section, folder: Path, texts: list[str]) -> float:
    """Seconds a submission: one `nbgrader autograde` for all, a kernel for each."""
    question(section, folder / "q", ASKED, "asked.py")
    graded = []
    for i, (file, name) in enumerate(asked(section)):
        begun = f"import sys; sys.path.insert(0, {str(folder / 'q')!r}); from asked import ask\n"
        cell = new_code_cell(f"{begun}ask({file!r}, {name!r}, globals())")
        cell.metadata["nbgrader"] = {
            "schema_version": 3, "grade": True, "locked": True, "solution": False, "points": 1, "grade_id": f"t{i}",
        }  # fmt: skip
        graded.append(cell)
    (folder / "nbgrader_config.py").write_text(NBGRADER, encoding="utf-8")
    source = folder / "source" / "hw" / "q.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(notebook("", graded), encoding="utf-8")
    nbgrader = [sys.executable, "-m", "nbgrader"]
    quiet([*nbgrader, "generate_assignment", "hw"], folder)
    for i, text in enumerate(texts):
        path = folder / "submitted" / f"s{i}" / "hw" / "q.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook(text, graded), encoding="utf-8")
    spent = quiet([*nbgrader, "autograde", "hw"], folder)
    done = len(list(folder.glob("autograded/*/hw/q.ipynb")))
    assert done == len(texts), f"nbgrader graded {done} of {len(texts)}"
    return spent / len(texts)


def by_otter(python: str, section: Section, folder: Path, texts: list[str]) -> float:
    """Seconds a submission: `otter run` for each, without a container."""
    question(section, folder / "q", ASKED, "asked.py")
    begun = f">>> import sys; sys.path.insert(0, {str(folder / 'q')!r}); from asked import ask"
    with zipfile.ZipFile(folder / "autograder.zip", "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"lang": "python"}))
        for i, (file, name) in enumerate(asked(section)):
            code = f"{begun}\n>>> ask({file!r}, {name!r}, globals())"
            case = {"code": code, "hidden": False, "locked": False}
            suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
            test = {"name": f"t{i}", "points": 1, "suites": [suite]}
            archive.writestr(f"tests/t{i}.py", f"OK_FORMAT = True\n\ntest = {test!r}\n")
    spent = []
    for text in texts:
        (folder / "q.ipynb").write_text(notebook(text, []), encoding="utf-8")
        (folder / "results.json").unlink(missing_ok=True)
        otter = [str(Path(python).with_name("otter")), "run", "q.ipynb", "-a", "autograder.zip", "-o", str(folder)]
        spent.append(quiet([*otter, "--no-logo"], folder))
        assert (folder / "results.json").is_file(), "otter wrote no results"
    return statistics.mean(spent)


def by_us(
    course: Course, section: Section, texts: list[str], where: str, workers: int | None
) -> tuple[float, float, int]:
    """Seconds for all; seconds a submission once it is going; bytes of all processes together, at the end."""
    jobs = [Job(section=section.slug, section_digest=section.digest, text=t) for t in texts]
    began = time.perf_counter()
    arrivals, held = [], 0
    for _ in pool.run(course, jobs, where=where, workers=workers):
        arrivals.append(time.perf_counter() - began)
        if len(arrivals) == len(jobs) * 3 // 4:
            held = in_memory()
    going = [a for a in arrivals if a > arrivals[0] + 0.5]  # both workers have begun
    first = len(arrivals) - len(going)
    return arrivals[-1], (arrivals[-1] - arrivals[first - 1]) / max(1, len(going)), held


def in_memory() -> int:
    """What this process and all below it hold, shared pages counted once among them."""
    total = 0
    for p in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            total += p.memory_full_info().pss
        except psutil.Error:
            continue
    return total


@contextmanager
def scheduler(workers: int) -> Iterator[str]:
    """A Dask scheduler with so many workers, and its address."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    address, dask = f"tcp://127.0.0.1:{port}", [sys.executable, "-m", "dask"]
    told = {"env": ENVIRON, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], **told)
    ]
    started += [
        subprocess.Popen([*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"], **told)
        for _ in range(workers)
    ]
    try:
        from distributed import Client

        with Client(address, timeout=60) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address
    finally:
        for p in started:
            p.kill()  # a worker that is asked to end while its scheduler ends may wait for ever
        for p in started:
            p.wait()


def having(python: str, module: str) -> bool:
    """True if that Python can import it."""
    return (
        subprocess.run([python, "-c", f"import {module}"], env=ENVIRON, capture_output=True, check=False).returncode
        == 0
    )


def compare(section: Section, course: Course, given: argparse.Namespace) -> None:
    """The four side by side, then more cores."""
    cores = sorted(os.sched_getaffinity(0))
    theirs: dict[str, Callable[[Path, list[str]], float]] = {"pytest": lambda f, t: by_pytest(section, f, t)}
    if having(sys.executable, "nbgrader"):
        theirs["nbgrader"] = lambda f, t: by_nbgrader(section, f, t)
    if having(given.otter, "otter"):
        theirs["otter"] = lambda f, t: by_otter(given.otter, section, f, t)
    for missing in {"pytest", "nbgrader", "otter"} - set(theirs):
        print(f"  {missing} is not installed: left out")
    seconds: dict[str, list[float]] = {name: [] for name in theirs} | {"ours": [], "whole": [], "two": [], "dask": []}
    held: dict[int, int] = {}
    for _ in range(given.rounds):
        os.sched_setaffinity(0, cores[:1])
        for name, run in theirs.items():
            with tempfile.TemporaryDirectory() as folder:
                seconds[name].append(run(Path(folder), list(answers(section, given.theirs))))
        ours = list(answers(section, given.ours, given.theirs))  # the same ones
        whole, each, held[1] = by_us(course, section, ours, "processes", 1)
        seconds["whole"].append(whole / given.ours)
        seconds["ours"].append(each)
        os.sched_setaffinity(0, cores)
        if len(cores) > 1:
            _, each, held[2] = by_us(course, section, ours * 2, "processes", 2)
            seconds["two"].append(each)
            with scheduler(2) as address:
                seconds["dask"].append(by_us(course, section, ours * 2, address, None)[1])
    median = {name: statistics.median(s) for name, s in seconds.items() if s}
    us = median["ours"]
    print(f"section {section.number}, {len(asked(section))} tests, one core")
    for name in theirs:
        print(f"  {name:28} {median[name] * 1000:8.0f} ms a submission   {median[name] / us:6.1f} times ours")
    print(f"  {'this grader, once begun':28} {us * 1000:8.1f} ms a submission")
    print(f"  {'this grader, start included':28} {median['whole'] * 1000:8.1f} ms a submission ({given.ours} of them)")
    if len(cores) > 1:
        two, dask = median["two"], median["dask"]
        print("two cores")
        print(f"  {'two processes':28} {two * 1000:8.1f} ms a submission   {us / two:6.2f} times the rate of one")
        print(f"  {'two Dask workers':28} {dask * 1000:8.1f} ms a submission   {two / dask:6.2f} times the pool's rate")
        print(f"  a further worker holds {(held[2] - held[1]) >> 20} MiB")


GRADE = """
import resource, runpy, sys
sys.argv = ["learn", "grade", "--gradebook", sys.argv[1], "--json"]
try:
    runpy.run_path("cli.py", run_name="__main__")
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def linear(section: Section, sizes: list[int], kinds: int) -> None:
    """`learn grade` on larger and larger classes, of so many answers of the bank in turn."""
    for n in sizes:
        with tempfile.TemporaryDirectory() as folder:
            place = str(Path(folder, "gradebook.sqlite"))
            with Gradebook(place) as book:
                texts = enumerate(answers(section, n, kinds))
                handed = (
                    Handed(student=Student(id=f"s{i:05}"), section=section.slug, text=t, digest=digest(t))
                    for i, t in texts
                )
                book.begin(now([section]), handed)
            began = time.perf_counter()
            ran = subprocess.run(
                [sys.executable, "-c", GRADE, place], cwd=ROOT, env=ENVIRON, capture_output=True, text=True, check=True
            )
            spent, most = time.perf_counter() - began, int(ran.stderr.split()[-1]) >> 10
        print(f"  {n:6} answers {spent:8.1f} s   {spent / n * 1000:6.1f} ms each   coordinator {most} MiB", flush=True)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", default="2.2")
    parser.add_argument("--ours", type=int, default=192, help="submissions for this grader")
    parser.add_argument("--theirs", type=int, default=4, help="submissions for each of the others")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--otter", metavar="PYTHON", default=sys.executable)
    parser.add_argument("--linear", metavar="N", type=int, nargs="+")
    given = parser.parse_args()
    course = Course.ours()
    section = course[given.section]
    if given.linear:
        linear(section, given.linear, given.theirs)
    else:
        compare(section, course, given)


if __name__ == "__main__":
    main()
