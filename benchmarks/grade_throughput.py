"""How many submissions a second: this grader against pytest in a new process for each, on the same question.

    python benchmarks/grade_throughput.py [--section 2.2] [--ours 64] [--theirs 5]

Both run the section's visible and hidden tests on the same answers (the reference, also/ and wrong/ in turn), pinned
to one core; then this grader runs on two. The plain pytest has the learner's file in its own process, so it pays for no
wire and no confinement. Starting up (importing torch, 2-3 s) counts for pytest each time, for this grader once: the
rate is given with and without it. What counts is the ratios; the times depend on the machine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from grader import pool
from grader.course import Course, Section
from grader.model import Job

CONFTEST = """
import importlib.util, pathlib, pytest
from grader.testing import Fixtures

spec = importlib.util.spec_from_file_location("learner", pathlib.Path(__file__).with_name("answer.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

class Desk:
    text = ""
    def call(self, target, name, args, kwargs):
        return getattr(module, name)(*args, **kwargs)

Fixtures.desk, Fixtures.seed, Fixtures.bars = Desk(), 0, {}

def pytest_configure(config):
    config.pluginmanager.register(Fixtures())
"""


def answers(section: Section, n: int) -> list[str]:
    """n answers: right and wrong ones in turn."""
    bank = [section.reference, *sorted(section.hidden.glob("also/*.py")), *sorted(section.hidden.glob("wrong/*.py"))]
    return [p.read_text(encoding="utf-8") for p in islice(cycle(bank), n)]


def one_by_one(section: Section, texts: list[str]) -> list[float]:
    """Seconds of pytest in a new process for each answer."""
    seconds = []
    root = str(Path(__file__).resolve().parents[1])
    for text in texts:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "answer.py").write_text(text, encoding="utf-8")
            Path(folder, "conftest.py").write_text(CONFTEST, encoding="utf-8")
            for tests in (section.examples, section.tests):
                Path(folder, tests.name).write_text(tests.read_text(encoding="utf-8"), encoding="utf-8")
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder],
                env=os.environ | {"PYTHONPATH": root},
                stdout=subprocess.DEVNULL,
                check=False,
            )
            seconds.append(time.perf_counter() - began)
    return seconds


def together(course: Course, section: Section, texts: list[str], workers: int) -> tuple[float, float]:
    """Seconds for all the answers: from the command to the last verdict, and from the first verdict on."""
    jobs = [Job(section=section.slug, section_digest=section.digest, text=t) for t in texts]
    began = time.perf_counter()
    stream = pool.run(course, jobs, where="here" if workers == 1 else "processes", workers=workers)
    arrivals = [time.perf_counter() - began for _ in stream]
    warm = arrivals[-1] - arrivals[0]
    done_when_warm = len(arrivals) - sum(a <= arrivals[0] + 1e-3 for a in arrivals)
    return arrivals[-1], warm / max(1, done_when_warm)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", default="2.2")
    parser.add_argument("--ours", type=int, default=96, help="submissions for this grader")
    parser.add_argument("--theirs", type=int, default=5, help="submissions for pytest")
    args = parser.parse_args()
    course = Course.ours()
    section = course[args.section]
    cores = sorted(os.sched_getaffinity(0))

    os.sched_setaffinity(0, cores[:1])
    theirs = statistics.median(one_by_one(section, answers(section, args.theirs)))
    cold, each = together(course, section, answers(section, args.ours), 1)
    print(f"section {section.number}, one core")
    print(f"  pytest, a process each   {theirs * 1000:8.0f} ms a submission (median of {args.theirs})")
    print(f"  this grader, warm        {each * 1000:8.1f} ms a submission    {theirs / each:6.1f} times the rate")
    whole = cold / args.ours
    print(
        f"  this grader, start incl. {whole * 1000:8.1f} ms a submission    {theirs / whole:6.1f} times ({args.ours})"
    )
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[:2])
        _, two = together(course, section, answers(section, args.ours), 2)
        print("two cores")
        print(f"  this grader, warm        {two * 1000:8.1f} ms a submission    {each / two:6.2f} times one core")


if __name__ == "__main__":
    main()
