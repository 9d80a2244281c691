"""`learn grade`: a class is graded as it deserves, whoever is killed when; nothing is lost and nothing done twice."""

import contextlib
import dataclasses
import functools
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import class_of
import postgres
import psutil
import pytest
from dask_cluster import Cluster

from grader import batch, bench, pool
from grader.collect import collect
from grader.course import Course
from grader.gradebook import Gradebook
from grader.model import Job, Student, Tier, Verdict
from grader.reports import classes
from grader.sandbox.cell import Lost

ROOT = Path(__file__).resolve().parent.parent


MORE = """

@task(1)
def test_more(learner, rng):
    x = rng.normal(5)
    expect(learner.double(x)).close_to(2 * x + 1)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """One home, and so one secret, for a whole test."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LEARN_LANG", "en")


@pytest.fixture
def course(tmp_path):
    """The mini course, free to be changed."""
    return class_of.course(tmp_path / "course")


def learn(course, *arguments, cwd, prefix=(), **options):
    """`learn` with this course, as somebody at a terminal would give it."""
    command = [*prefix, sys.executable, str(ROOT / "cli.py"), "--course", str(course.exercises.parent), *arguments]
    return subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options
    )


def done(process):
    """Its exit code and all that it said."""
    out, err = process.communicate(timeout=500)
    return process.returncode, out + err


def test_a_student_of_whom_nothing_could_be_taken(course, tmp_path):
    """Is in the scores with nothing judged, and why; without a roster too. Where there is nothing at all to take, that
    is told, and no gradebook says that nothing was due.
    """
    class_of.write(tmp_path / "subs", course, 1)
    (tmp_path / "subs" / "big").mkdir()
    (tmp_path / "subs" / "big" / "double.py").write_text("#" * (1 << 20))
    (tmp_path / "none" / "deep").mkdir(parents=True)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "notes.py.txt").write_text("x = 1\n")
    code, said = done(learn(course, "grade", "subs", "--jobs", "1", cwd=tmp_path))
    assert code == 0 and "subs/big/double.py: of big, but far larger" in said, said
    scores = done(learn(course, "scores", cwd=tmp_path))[1]
    assert "big      -" in scores and scores.count("subs/big/double.py: of big, but far larger") == 1, scores
    assert json.loads(done(learn(course, "scores", "--json", cwd=tmp_path))[1])["students"][0]["id"] == "big"
    for folder in ("none", "odd"):
        code, said = done(learn(course, "grade", folder, "--gradebook", "other.sqlite", cwd=tmp_path))
        assert code == 2 and "no answer was found there" in said and "Nothing was due" not in said, said


def test_answers_that_another_run_took_in_are_told():
    """Nobody stopped: what is left is another's, and the line says so."""
    run = batch.Run(1, 1, [], "", 3, [], 1.0, stopped=False)
    assert "Another `learn grade` is at work" in "\n".join(classes.ran(run, [], "learn grade", "en"))
    stopped = classes.ran(dataclasses.replace(run, stopped=True), [], "learn grade", "en")
    assert "Stopped" in "\n".join(stopped) and "Another" not in "\n".join(stopped)


def test_a_class_twice_in_a_row(course, tmp_path):
    """Every score is the truth, in processes and with hostile names in the current folder; then nothing is due; then a
    test is corrected: whose score changes is told, and the older verdicts are kept.
    """
    truth = class_of.write(tmp_path / "subs", course, 5)
    trap = "import pathlib\npathlib.Path(__file__).with_suffix('.ran').write_text('')\n"
    for name in ("torch", "grader", "multiprocessing", "conftest", "sqlalchemy", "json", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(trap)
    code, said = done(learn(course, "grade", "subs", "--jobs", "1", cwd=tmp_path))
    assert code == 0, said
    scores = class_of.points(tmp_path / "gradebook.sqlite")
    assert truth.items() <= scores.items() and 0 < scores["s01"] < 6
    assert not list(tmp_path.glob("*.ran")), "something from the current folder was imported"

    code, said = done(learn(course, "grade", "subs", "--jobs", "1", cwd=tmp_path))
    assert code == 0 and "Nothing was due" in said
    with Gradebook(str(tmp_path / "gradebook.sqlite")) as book:
        ids = [s.verdict_id for s in book.standings()]
    assert max(ids) == 5, "nothing was judged again"

    tests = course["double"].tests
    tests.write_text(tests.read_text(encoding="utf-8") + MORE)
    code, said = done(learn(course, "grade", "subs", "--jobs", "1", cwd=tmp_path))
    assert code == 0 and "s00, 1.1: 6 -> 2.5" in said and "other tests" in said, said
    assert "s02" not in said, "nothing changes for whom had nothing"
    with Gradebook(str(tmp_path / "gradebook.sqlite")) as book, book._reading() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM verdicts").scalar() == 10


def test_a_roster_in_the_second_run(course, tmp_path):
    """Files named by students, then a roster with student numbers: nobody stands there twice, nothing is judged again,
    points by hand stay, and one line says who is who.
    """
    right = course["double"].reference.read_text(encoding="utf-8")
    for name in ("li.hua", "ann.b"):
        (tmp_path / "subs").mkdir(exist_ok=True)
        (tmp_path / "subs" / f"{name}_double.py").write_text(f"{right}# {name}\n", encoding="utf-8")
    assert done(learn(course, "grade", "subs", "--jobs", "1", cwd=tmp_path))[0] == 0
    assert done(learn(course, "adjust", "li.hua", "1.1", "5", "--why", "w", cwd=tmp_path))[0] == 0
    roster = tmp_path / "roster.csv"
    roster.write_text("student id,login,name\n2023001,li.hua,Li Hua\n2023002,ann.b,Ann B\n", encoding="utf-8")
    code, said = done(learn(course, "grade", "subs", "--roster", "roster.csv", cwd=tmp_path))
    assert code == 0 and "ann.b -> 2023002, li.hua -> 2023001" in said and "Nothing was due" in said, said
    assert class_of.points(tmp_path / "gradebook.sqlite") == {"2023001": 5, "2023002": 6}
    code, said = done(learn(course, "scores", "--csv", cwd=tmp_path))
    assert said.splitlines()[1:] == ["2023001,Li Hua,,5,5,83.33,,double,", "2023002,Ann B,,6,6,100,,,"], said


@pytest.mark.slow
def test_ctrl_c_and_on(course, tmp_path):
    """Ctrl-C finishes what is running, keeps it, says how to go on, and exits with 1; going on needs no path."""
    everyone = 3 * pool.BATCH  # of which two batches may be under way
    truth = class_of.write(tmp_path / "subs", course, everyone)
    process = learn(course, "grade", "subs", "--jobs", "1", cwd=tmp_path)
    _wait_for_verdicts(tmp_path / "gradebook.sqlite", 1, process)
    process.send_signal(signal.SIGINT)
    code, said = done(process)
    assert code == 1 and "`learn grade` goes on" in said and "Traceback" not in said, said
    with Gradebook(str(tmp_path / "gradebook.sqlite")) as book:
        assert 0 < book.due() < everyone
        kept = {s.verdict_id for s in book.standings()} - {None}
    code, said = done(learn(course, "grade", "--jobs", "1", cwd=tmp_path))
    assert code == 0, said
    assert truth.items() <= class_of.points(tmp_path / "gradebook.sqlite").items()
    with Gradebook(str(tmp_path / "gradebook.sqlite")) as book:
        assert kept <= {s.verdict_id for s in book.standings()}


def _wait_for_verdicts(place, count, process):
    """Until so many are kept, or the process has ended."""
    until = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(Exception), Gradebook(str(place)) as book:
            if len([s for s in book.standings() if not s.due]) >= count:
                return
        time.sleep(0.05)


def _family(process):
    """What it is, and all below it, by what they do."""
    found = {"coordinator": [psutil.Process(process.pid)], "judge": [], "zygote": []}
    for child in found["coordinator"][0].children(recursive=True):
        with contextlib.suppress(psutil.Error):
            line = " ".join(child.cmdline())
            found["judge" if "bench" in line else "zygote"].append(child)
    return found


def _kinds():
    """The faults that can be made to happen here."""
    yield "processes"
    if importlib.util.find_spec("distributed"):
        yield "cluster"
    if postgres.programs():
        yield "database"
    if os.getuid() == 0:
        yield "disk"


@pytest.mark.slow
def test_kills_at_random(course, tmp_path):
    """Each run has one kind of fault, at random moments: kill -9 of coordinator, judges, zygotes and cells; of a Dask
    scheduler and its workers; connections to PostgreSQL cut, and the server killed; a disk that fills up. Nothing
    outlives the coordinator, every end is told in a line, and after going on the scores are those of a run that nobody
    disturbed.
    """
    count = 16
    class_of.write(tmp_path / "subs", course, count)
    assert done(learn(course, "grade", "subs", "--gradebook", "calm.sqlite", cwd=tmp_path))[0] == 0
    calm = class_of.points(tmp_path / "calm.sqlite")
    draw = random.Random(int(os.environ.get("LEARN_KILL_SEED", "7")))
    kinds = os.environ.get("LEARN_KILL_KINDS", "").split() or list(_kinds())
    runs = int(os.environ.get("LEARN_KILL_RUNS", "3"))
    drawn = [draw.choice(kinds) for _ in range(runs)] if runs > len(kinds) else draw.sample(kinds, runs)
    for number, kind in enumerate(drawn, 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        began = time.monotonic()
        with DISTURBED[kind](course, folder, draw) as scene:
            tries = run_until_whole(scene, draw)
            assert class_of.points(scene.gradebook()) == calm
        print(f"{number}: {kind}, {tries} disturbed, {time.monotonic() - began:.0f} s", flush=True)


class Scene(NamedTuple):
    """A run of `learn grade`, and what is to happen to it."""

    start: Callable[[], subprocess.Popen]
    gradebook: Callable[[], Path | str]
    disturb: Callable[[subprocess.Popen], None]  # once it has begun
    mend: Callable[[], None] = lambda: None  # before the next one
    codes: tuple[int, ...] = (0, 2)  # how it may end


def run_until_whole(scene, draw):
    """Disturbed runs until one ends well, and then, if none does, one that is left alone; how many were disturbed."""
    for attempt in range(1, 7):
        process = scene.start()
        time.sleep(draw.uniform(0, 8))
        scene.disturb(process)
        code, said = done(process)
        assert code in scene.codes and "Traceback" not in said, (attempt, code, said)
        assert code != 2 or said.splitlines()[-1].startswith("learn: "), said
        scene.mend()
        if code == 0:
            return attempt
    code, said = done(scene.start())
    assert code == 0, said
    return attempt


@contextlib.contextmanager
def _processes(course, folder, draw):
    """kill -9 of whatever process of ours."""

    def disturb(process):
        for _ in range(draw.randrange(1, 6)):
            with contextlib.suppress(psutil.Error, IndexError):
                family = _family(process)
                kind = draw.choice(["judge", "judge", "zygote", "zygote", "coordinator"])
                victim = draw.choice(family[kind])
                everybody = [p for some in family.values() for p in some]
                victim.kill()
                if kind == "coordinator":
                    _, alive = psutil.wait_procs([p for p in everybody if p.pid != process.pid], timeout=30)
                    assert alive == []
            time.sleep(draw.uniform(0, 2))

    start = functools.partial(learn, course, "grade", "../subs", "--gradebook", "g.sqlite", cwd=folder)
    yield Scene(start, lambda: folder / "g.sqlite", disturb, codes=(0, 3, -signal.SIGKILL))


@contextlib.contextmanager
def _cluster(course, folder, draw):
    """kill -9 of the scheduler or a worker; for a worker another one comes, as SLURM would send."""
    dask = Cluster(folder)
    dask.add()
    dask.add()

    def start():
        return learn(course, "grade", "../subs", "--gradebook", "g.sqlite", "--where", dask.address, cwd=folder)

    def disturb(process):
        for _ in range(draw.randrange(1, 4)):
            time.sleep(draw.uniform(0, 5))
            if draw.random() < 0.5:
                dask.scheduler.kill()
                return
            draw.choice(dask.workers).kill()
            dask.add()

    def mend():
        if dask.scheduler.poll() is not None:
            dask.end()
            dask.workers.clear()
            dask.begin()
            dask.add()
            dask.add()

    try:
        yield Scene(start, lambda: folder / "g.sqlite", disturb, mend, codes=(0, 2, 3))
    finally:
        dask.end()


@contextlib.contextmanager
def _database(course, folder, draw):
    """Connections to PostgreSQL cut by its administrator, and the server ended as by a loss of power."""
    import psycopg

    def disturb(process):
        for _ in range(draw.randrange(1, 6)):
            if process.poll() is not None:
                return
            if draw.random() < 0.3:
                postgres.restart(data)
            else:
                with psycopg.connect(url, autocommit=True) as db:
                    db.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                    )
            time.sleep(draw.uniform(0, 2))

    with postgres.server() as (url, data):
        start = functools.partial(learn, course, "grade", "../subs", "--gradebook", url, cwd=folder)
        yield Scene(start, lambda: url, disturb)


@contextlib.contextmanager
def _disk(course, folder, draw):
    """A disk of its own for the gradebook, that fills up and has room again."""
    small = folder / "small"
    small.mkdir()
    mount = f"mount -t tmpfs -o size=8m none {small} && echo there && exec sleep infinity"
    holder = subprocess.Popen(["unshare", "-m", "sh", "-c", mount], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "there\n"
    inside = Path(f"/proc/{holder.pid}/root{small}")

    def start():
        prefix = ("nsenter", f"--target={holder.pid}", "--mount", f"--wd={folder}")
        return learn(course, "grade", "../subs", "--gradebook", f"{small}/g.sqlite", cwd=folder, prefix=prefix)

    def disturb(_):
        with contextlib.suppress(OSError), (inside / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass

    def mend():
        (inside / "filler").unlink(missing_ok=True)

    try:
        # SQLite would take the path for one of ours.
        yield Scene(start, lambda: shutil.copy(inside / "g.sqlite", folder), disturb, mend)
    finally:
        holder.kill()
        holder.wait()


DISTURBED = {"processes": _processes, "cluster": _cluster, "database": _database, "disk": _disk}


def test_what_kills_its_judge_costs_nobody_else(course):
    """Where a judge is killed over one job each time, that job alone has no verdict."""
    jobs = [Job(section="double", section_digest="d", text="", id=n) for n in ("a", "deadly", "b")]

    def judge(batch):
        if any(j.id == "deadly" for j in batch):
            raise bench.Killed
        return [j.id.encode() for j in batch]

    first, second, third = bench.one_by_one(judge, jobs)
    assert (first, third) == (b"a", b"b") and Verdict.from_json(second).broken


def test_what_hangs_its_judge_costs_nobody_else():
    """A batch that hung is judged one by one; what hangs again, alone, has no verdict and is not tried a third time."""
    jobs = [Job(section="double", section_digest="d", text="", id=n) for n in ("a", "sticky", "b")]
    tried = []

    def judge(batch):
        tried.append([j.id for j in batch])
        if "sticky" in tried[-1]:
            raise bench.Hung
        return [j.id.encode() for j in batch]

    first, second, third = bench.one_by_one(judge, jobs)
    assert (first, third) == (b"a", b"b") and Verdict.from_json(second).checks[0].kind == "hung"
    assert tried == [["a", "sticky", "b"], ["a"], ["sticky"], ["b"]]


@pytest.mark.slow
def test_a_judge_that_hangs(course, tmp_path, monkeypatch):
    """A bug of ours that hangs a judge for ever is ended after a time that follows from the section's limits; whoever
    has that answer is named, with why; everybody else has his points, and nothing is left running.
    """
    monkeypatch.setattr(bench, "_SLACK", 6.0)
    monkeypatch.setattr(bench, "_STARTING", 60.0)
    about = course["double"].folder / "exercise.yaml"
    about.write_text(about.read_text(encoding="utf-8") + "limits: {section: 4}\n", encoding="utf-8")
    tests = course["double"].tests
    tests.write_text(tests.read_text(encoding="utf-8") + class_of.HANGING, encoding="utf-8")
    course = Course.at(course.exercises.parent)
    truth = class_of.write(tmp_path / "subs", course, 4)
    for who in ("s01", "twin"):
        path = tmp_path / "subs" / who / "double.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(course["double"].reference.read_text(encoding="utf-8") + "# hang\n", encoding="utf-8")
    with Gradebook(str(tmp_path / "g.sqlite")) as book:
        book.begin(batch.now(course.sections), collect([tmp_path / "subs"], course.sections).handed)
        began = time.monotonic()
        run = batch.grade(course, book, course.sections, workers=1)
        assert time.monotonic() - began < 150
        (stuck,) = run.unjudged
        assert [s.id for s in stuck.students] == ["s01", "twin"] and (stuck.kind, stuck.number) == ("hung", "1.1")
        assert run.judged == 3 and run.left == 1
        points = {s.student.id: s.points for s in book.standings()}
        assert truth.items() <= points.items() and points["s01"] is points["twin"] is None
        told = "\n".join(classes.ran(run, book.standings(), "learn grade", "en"))
        assert "could not be judged, through no fault of theirs: 1" in told, told
        assert "s01, twin, 1.1: the judge hung" in told, told
        (named,) = json.loads(classes.as_json([], run))["run"]["unjudged"]
        assert named["students"] == ["s01", "twin"] and named["why"] == "hung"
    left = [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]
    assert psutil.wait_procs(left, timeout=20)[1] == []


def test_many_that_could_not_be_judged():
    """A screen names twenty and counts the rest; a program is told all of them."""
    stuck = [batch.Unjudged([Student(id=f"s{n}")], "double", "1.1", "internal", {"what": "a\nb"}) for n in range(33)]
    run = batch.Run(33, 0, stuck, "", 33, [], 1.0, False)
    for lang, rest in (("en", "  and 13 more"), ("zh", "  另有 13 个")):
        told = classes.ran(run, [], "learn grade", lang)
        named = [line for line in told if line.startswith("  s")]
        assert len(named) == 20 and told[-1] == rest and named[0].rstrip().endswith("a")
    assert len(json.loads(classes.as_json([], run))["run"]["unjudged"]) == 33


def test_a_judge_that_cannot_begin_is_told(course, tmp_path):
    """A fault of the installation ends the run at once; it is not tried for ever."""
    jobs = [Job(section="double", section_digest="d", text="", id="1")]
    (course.exercises / "course.yaml").write_text("id: [", encoding="utf-8")
    with pytest.raises(Lost):
        list(pool.run(course, jobs, where="processes", workers=1))


def test_memory_stays_flat(course):
    """No more is drawn than is under way: a class of thousands is never held at once."""
    drawn = ahead = came = 0

    def tasks():
        nonlocal drawn
        for drawn in range(1, 1001):
            yield str(drawn)

    crew = bench.Benches(bench.About("", "", None, Tier.T3), 2)
    for came, _ in enumerate(pool._flow(str.upper, crew, tasks()), 1):
        ahead = max(ahead, drawn - came)
    assert drawn == came == 1000 and ahead <= 2 * crew.room()


def test_tests_that_change_meanwhile(course, tmp_path):
    """What was judged by tests that were changed after the run began is not written down; the next run begins anew."""
    class_of.write(tmp_path / "subs", course, 2)
    with Gradebook(str(tmp_path / "g.sqlite")) as book:
        book.begin(batch.now(course.sections), collect([tmp_path / "subs"], course.sections).handed)
        tests = course["double"].tests
        tests.write_text(tests.read_text(encoding="utf-8") + "# another\n", encoding="utf-8")
        run = batch.grade(course, book, course.sections, workers=1)
        assert run.judged == 0 and run.left == 2
        assert [(u.students[0].id, u.number, u.kind) for u in run.unjudged] == [
            ("s00", "1.1", "other_section"),
            ("s01", "1.1", "other_section"),
        ]
        mended = Course.at(course.exercises.parent)
        book.begin(batch.now(mended.sections), [])
        assert batch.grade(mended, book, mended.sections, workers=1).judged == 2


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk(course, tmp_path):
    """One clear line, exit 2; what was kept before is whole, and the run goes on when there is room again."""
    truth = class_of.write(tmp_path / "subs", course, 30)
    small = tmp_path / "small"
    small.mkdir()
    command = (
        f"{sys.executable} {ROOT / 'cli.py'} --course {course.exercises.parent} grade {{}} --gradebook {small}/g.sqlite"
    )
    script = (
        f"mount -t tmpfs -o size=140k none {small}; {command.format('subs')}; echo code $?; "
        f"mount -o remount,size=10m {small}; {command.format('subs')}; echo code $?; cp {small}/g.sqlite ."
    )
    seen = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "code 2" in seen.stdout and "full" in seen.stderr and "Traceback" not in seen.stderr, seen
    assert seen.stdout.rstrip().endswith("code 0") and seen.stderr.count("\n") == 1, seen
    assert truth.items() <= class_of.points(tmp_path / "g.sqlite").items()


def test_scores_and_adjustments(course, tmp_path):
    """Scores as a table, CSV and JSON, with weights and lateness; a person's points go first; bad ones are refused."""
    class_of.write(tmp_path / "subs", course, 2)
    (tmp_path / "roster.csv").write_text("login,name,submitted at\ns00,=Ann,2026-05-04 12:00\ns01,Bob,\ns09,Zoe,\n")
    (tmp_path / "hw.yaml").write_text(
        "sections: {1.1: 10}\ndue: 2026-05-03\ntimezone: UTC\nlate: {percent_per_day: 10}\n", encoding="utf-8"
    )
    given = ("grade", "subs", "--jobs", "1", "--roster", "roster.csv", "--assignment", "hw.yaml")
    code, said = done(learn(course, *given, "--dry-run", cwd=tmp_path))
    assert code == 0 and "Answers: 2; students: 2" in said and "Zoe (s09)" in said
    assert not (tmp_path / "gradebook.sqlite").exists()
    code, said = done(learn(course, *given, "--json", cwd=tmp_path))
    ann, bob, zoe = json.loads(said)["students"]
    assert code == 0 and Fraction(ann["share"]) == Fraction(9, 10) and Fraction(zoe["share"]) == 0
    assert ann["scores"][0]["points"] == "27/5" and ann["scores"][0]["automatic"] == "6" and not bob["due"]
    assert done(learn(course, "adjust", "=Ann", "1.1", "6", "--why", "ill", cwd=tmp_path))[0] == 0
    code, said = done(learn(course, "scores", "--csv", cwd=tmp_path))
    assert said.splitlines() == [
        "student,name,email,1.1 (of 6),total (of 10),percent,late,by hand,not judged",
        "s00,'=Ann,,6,10,100,double,double,",
        f"s01,Bob,,{float(Fraction(bob['scores'][0]['points'])):g},{float(Fraction(bob['share']) * 10):.4f}".rstrip("0")
        + f",{float(Fraction(bob['share']) * 100):.2f}".rstrip("0").rstrip(".")
        + ",,,",
        "s09,Zoe,,,0,0,,,",
    ]
    code, said = done(learn(course, "scores", cwd=tmp_path))
    assert "by hand: 1.1" in said and "late: 1.1" in said
    for wrong in (("eve", "1.1", "6"), ("s00", "9.9", "6"), ("s00", "1.1", "-1"), ("s00", "1.1", "many")):
        code, said = done(learn(course, "adjust", *wrong, "--why", "", cwd=tmp_path))
        assert code == 2 and said.count("\n") == 1 and said.startswith("learn"), said


def test_whoever_is_named_is_found(course, tmp_path):
    """An extension and points by hand reach a student by whatever the roster calls him, also when the roster is not at
    hand; a name of nobody's is told; more points than there are need --bonus; the roster's language is kept.
    """
    class_of.write(tmp_path / "subs", course, 2)
    roster = "student id,login,language,submitted at\n1000,s00,中文,2026-05-04 12:00\n1001,s01,,2026-05-04 12:00\n"
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
    (tmp_path / "hw.yaml").write_text(
        "sections: [1.1]\ndue: 2026-05-03\ntimezone: UTC\nlate: {percent_per_day: 10}\n"
        "extensions: {S00: 2026-05-09, eve: 2026-05-09}\n",
        encoding="utf-8",
    )
    given = ("grade", "subs", "--jobs", "1", "--roster", "roster.csv", "--assignment", "hw.yaml")
    for more in (("--dry-run",), ()):
        code, said = done(learn(course, *given, *more, cwd=tmp_path))
        assert code == 0 and said.count("eve") == 1 and "S00" not in said
    code, said = done(learn(course, "scores", cwd=tmp_path))
    assert said.count("eve") == 1 and said.count("late: 1.1") == 1
    assert done(learn(course, "adjust", "s01", "1.1", "7", "--why", "", cwd=tmp_path))[0] == 2
    code, said = done(learn(course, "adjust", "s01", "1.1", "7", "--why", "", "--bonus", cwd=tmp_path))
    assert code == 0 and "7 of 6" in said
    assert done(learn(course, "report", cwd=tmp_path))[0] == 0
    pages = {
        id_: (tmp_path / "report" / "students" / f"{id_}.html").read_text(encoding="utf-8") for id_ in (1000, 1001)
    }
    assert 'lang="zh' in pages[1000] and 'lang="en' in pages[1001]


def test_lateness_that_nobody_can_know(course, tmp_path):
    """Where being late costs something and no time is known, that is said."""
    class_of.write(tmp_path / "subs", course, 1)
    (tmp_path / "hw.yaml").write_text(
        "sections: [1.1]\ndue: 2026-05-03\ntimezone: UTC\nlate: {percent_per_day: 10}\n", encoding="utf-8"
    )
    code, said = done(learn(course, "grade", "subs", "--jobs", "1", "--assignment", "hw.yaml", cwd=tmp_path))
    assert code == 0 and said.count("no submission's time is known") == 1
    assert "no submission's time is known" in done(learn(course, "scores", cwd=tmp_path))[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("grade", "none"),
        ("grade",),
        ("grade", "hw.txt"),
        ("grade", "--dry-run"),
        ("grade", ".", "--roster", "none.csv"),
        ("grade", ".", "--assignment", "none.yaml"),
        ("grade", ".", "--where", "somewhere"),
        ("grade", ".", "--gradebook", "no/such/folder/g.sqlite"),
        ("grade", ".", "--gradebook", "oracle://x/y"),
        ("scores",),
        ("scores", "--gradebook", "none.sqlite"),
    ],
)
def test_bad_commands(course, tmp_path, arguments):
    """One clear line, exit 2, and no gradebook is begun."""
    (tmp_path / "hw.txt").write_text("")
    code, said = done(learn(course, *arguments, cwd=tmp_path))
    assert code == 2 and said.count("\n") == 1 and "Traceback" not in said, said
    assert not list(tmp_path.glob("*.sqlite"))
