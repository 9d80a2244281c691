"""kill -9 at random moments, of anything: no verdict turns wrong, no batch hangs, nothing is left."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
CHECKS = 200
JUDGE = """
import sys
from pathlib import Path
from grader import pool
from grader.course import Course
from grader.model import Job

course = Course.at(Path(sys.argv[1]))
section = course["double"]
right = section.reference.read_text()
wrong = right.replace("2 * x", "3 * x").replace("x * 2", "x * 3").replace("x + x", "x + x + x")
assert wrong != right
texts = [(wrong if i % 2 else right) + f"# {i}\\n" for i in range(int(sys.argv[2]))]
jobs = [Job(section="double", section_digest=section.digest, text=t, id=str(i)) for i, t in enumerate(texts)]
for verdict in pool.run(course, jobs):
    told = "broken" if verdict.broken else "passed" if verdict.passed else "failed"
    why = ",".join(f"{c.outcome}:{c.kind}:{c.params}".replace(" ", "") for c in verdict.checks if c.outcome != "passed")
    print(verdict.job, told, verdict.sandbox.tier, why, flush=True)
"""


def descendants(pid):
    """All processes below it."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def start(count):
    """A judge with that many checks to do."""
    return subprocess.Popen(
        [sys.executable, "-c", JUDGE, str(ROOT / "tests" / "mini_course"), str(count)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def killed(tmp_path, monkeypatch):
    """Processes that are to be gone afterwards; and the folder for temporary files is then as empty as before."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    processes = []
    yield processes
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_no_kill_of_cells_or_zygotes_changes_a_verdict(killed):
    """200 checks, every second answer right; all the while, a random process below the judge is killed."""
    draw, hits = random.Random(4), Counter()
    judge = start(CHECKS)
    assert judge.stdout
    verdicts = []
    for line in judge.stdout:  # they come a batch at a time, while the next batch is under way
        verdicts.append(line.split())
        if len(verdicts) % 4:
            continue
        time.sleep(draw.uniform(0, 0.3))
        wanted = "zygote" if len(verdicts) % 40 == 20 else "cell"
        for victim in descendants(judge.pid):
            killed.append(victim)
            with contextlib.suppress(psutil.NoSuchProcess):
                # judge > zygote > the first process of its namespace > cells
                depth = len(victim.parents()) - len(psutil.Process(judge.pid).parents())
                if wanted == ("cell" if depth > 2 else "zygote"):
                    victim.send_signal(signal.SIGKILL)
                    hits[wanted] += 1
                    break
    judge.wait(1200)
    assert judge.returncode == 0 and [int(v[0]) for v in verdicts] == list(range(CHECKS))
    wrong = [v for v in verdicts if v[1] not in ("broken", "failed" if int(v[0]) % 2 else "passed")]
    assert wrong == []
    assert {tier for _, _, tier, *_ in verdicts} == {"T3"}
    assert sum(said == "broken" for _, said, *_ in verdicts) <= CHECKS // 20  # killed three times running
    assert hits["cell"] >= 10 and hits["zygote"] >= 2, hits


def test_nothing_outlives_a_judge_that_is_killed(killed):
    """At ten random moments, from its first line to its last check."""
    draw = random.Random(5)
    for _ in range(10):
        judge = start(50)
        time.sleep(draw.uniform(0.1, 6))
        family = descendants(judge.pid)
        judge.kill()
        judge.communicate(timeout=60)
        _, alive = psutil.wait_procs(family, timeout=20)
        assert alive == []
