"""A real Dask scheduler and two real workers judge as this machine does; whoever of them is killed."""

import contextlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import class_of
import msgspec
import pytest
from dask_cluster import Cluster

from grader import bench, cluster, pool
from grader.model import Job

pytest.importorskip("distributed", reason="needs the extra [cluster]")
ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """One home, and so one secret, for all."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LEARN_LANG", "en")


@pytest.fixture
def dask(tmp_path):
    """A cluster without workers."""
    (tmp_path / "dask").mkdir()
    running = Cluster(tmp_path / "dask")
    yield running
    running.end()


@pytest.fixture
def course(tmp_path):
    """The mini course."""
    return class_of.course(tmp_path / "course")


def jobs(course, count):
    """Right answers, each another text."""
    section = course["double"]
    text = section.reference.read_text(encoding="utf-8")
    return [
        Job(section="double", section_digest=section.digest, text=f"{text}# {i}\n", id=str(i)) for i in range(count)
    ]


def learn(course, *arguments, cwd):
    """`learn` with this course."""
    command = [sys.executable, str(ROOT / "cli.py"), "--course", str(course.exercises.parent), *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_workers_and_kills(dask, course, tmp_path):
    """A class on two workers: one is killed in the middle, and another comes; then the scheduler is killed, which is
    told in one line; on another cluster it goes on, and the scores are those of this machine alone.
    """
    class_of.write(tmp_path / "subs", course, 40)
    calm = learn(course, "grade", "subs", "--gradebook", "calm.sqlite", cwd=tmp_path)
    assert calm.wait(300) == 0
    draw = random.Random(2)
    dask.add()
    dask.add()
    process = learn(course, "grade", "subs", "--where", dask.address, cwd=tmp_path)
    _wait_for_verdicts(tmp_path, 2, process)
    dask.workers[draw.randrange(2)].send_signal(signal.SIGKILL)
    dask.add()
    _wait_for_verdicts(tmp_path, 8, process)
    dask.scheduler.kill()
    _, said = process.communicate(timeout=200)
    if process.returncode:  # it was not done before
        assert process.returncode == 2 and said.count("\n") == 1 and "learn grade" in said, said
    dask.end()
    dask.workers.clear()
    dask.begin()
    dask.add()
    again = learn(course, "grade", "--where", dask.address, cwd=tmp_path)
    out, said = again.communicate(timeout=300)
    assert again.returncode == 0, out + said
    assert class_of.points(tmp_path / "gradebook.sqlite") == class_of.points(tmp_path / "calm.sqlite")


def _wait_for_verdicts(folder, count, process):
    from grader.gradebook import Gradebook

    until = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(Exception), Gradebook(str(folder / "gradebook.sqlite")) as book:
            if len([s for s in book.standings() if not s.due]) >= count:
                return
        time.sleep(0.1)


def test_who_may_not_judge(dask, course, tmp_path):
    """A worker with another secret, or with other tests than ours, refuses; whoever fits does it all."""
    dask.add(LEARN_SECRET="another")
    with pytest.raises(cluster.NoCluster) as e:
        list(pool.run(course, jobs(course, 2), where=dask.address))
    assert e.value.kind == "cluster_other_secret"
    dask.add()
    dask.await_workers()
    verdicts = list(pool.run(course, jobs(course, 6), where=dask.address))
    assert len(verdicts) == 6 and all(v.passed for v in verdicts)
    stale = jobs(course, 1)
    tests = course["double"].tests
    tests.write_text(tests.read_text(encoding="utf-8") + "\n# corrected meanwhile\n", encoding="utf-8")
    with pytest.raises(cluster.NoCluster) as e:
        list(pool.run(course, stale, where=dask.address))
    assert e.value.kind in ("cluster_other_section", "cluster_other_secret")
    fresh = type(course).at(course.exercises.parent)
    assert [v.passed for v in pool.run(fresh, jobs(fresh, 2), where=dask.address)] == [True, True]


def test_a_judge_that_hangs_on_a_worker(course, monkeypatch):
    """It is ended there, too: that answer has no verdict and its reason is told, the others have theirs, from the same
    worker. (A scheduler and a worker of Dask's in this process, so that they wait less long.)
    """
    from distributed import LocalCluster

    monkeypatch.setattr(bench, "_SLACK", 6.0)
    monkeypatch.setattr(bench, "_STARTING", 60.0)
    about = course["double"].folder / "exercise.yaml"
    about.write_text(about.read_text(encoding="utf-8") + "limits: {section: 4}\n", encoding="utf-8")
    tests = course["double"].tests
    tests.write_text(tests.read_text(encoding="utf-8") + class_of.HANGING, encoding="utf-8")
    course = type(course).at(course.exercises.parent)
    asked = jobs(course, 4)
    asked[1] = msgspec.structs.replace(asked[1], text=f"{asked[1].text}# hang\n")
    local = LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None, host="127.0.0.1"
    )
    with local as dask:
        verdicts = {v.job: v for v in pool.run(course, asked, where=dask.scheduler_address)}
    assert [verdicts[n].passed for n in ("0", "2", "3")] == [True] * 3
    assert verdicts["1"].broken and verdicts["1"].checks[0].kind == "hung"


def test_no_cluster_at_all(course):
    """Nobody there: told, and not waited for long."""
    with pytest.raises(cluster.NoCluster) as e:
        list(pool.run(course, jobs(course, 1), where="tcp://127.0.0.1:1"))
    assert e.value.kind == "cluster_unreachable"
