"""Progress is never lost: not by a kill, a damaged file, a newer version or two at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import progress
from grader.home import home
from grader.model import Check, Outcome, Sandbox, Tier, Verdict
from grader.progress import Progress, Unusable

ROOT = Path(__file__).resolve().parent.parent


def verdict(*outcomes, section="gradients", points="1/3", **changes):
    """A verdict with these outcomes."""
    checks = tuple(Check(name=f"test_{i}", task=1, visible=False, outcome=o) for i, o in enumerate(outcomes))
    fields = {
        "section": section,
        "section_digest": "s",
        "submission_digest": "d",
        "checks": checks,
        "points": points,
        "max_points": "3",
        "sandbox": Sandbox(tier=Tier.T3),
        "versions": {},
    }
    return Verdict(**(fields | changes))


PASS = (Outcome.PASSED,)
FAIL = (Outcome.PASSED, Outcome.FAILED)


@pytest.fixture
def path(tmp_path):
    """A progress file that is not there yet."""
    return tmp_path / "home" / "tiny" / "progress.sqlite"


def test_what_is_recorded_is_read_back(path):
    """An attempt comes back whole, in a new process's eyes too."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with Progress(path) as p:
        assert p.record(verdict(*FAIL), at)
    with Progress(path) as p:
        (attempt,) = p.attempts("gradients")
    assert attempt.at == at and attempt.points == Fraction(1, 3) and not attempt.passed
    assert attempt.verdict == verdict(*FAIL)
    assert (attempt.submission_digest, attempt.section_digest) == ("d", "s")


def test_best_latest_and_passed(path):
    """Once passed stays passed; the best is by share of the points, the latest by time."""
    with Progress(path) as p:
        assert p.best("gradients") is None and p.latest("gradients") is None and not p.passed("gradients")
        p.record(verdict(*FAIL, points="1"))
        p.record(verdict(*PASS, points="3"))
        p.record(verdict(*FAIL, points="2"))
        assert p.passed("gradients") and not p.passed("tensors")
        assert p.best("gradients").points == 3 and p.latest("gradients").points == 2
        standing = p.standings()["gradients"]
    assert (standing.points, standing.passed, standing.attempts) == (3, True, 3)


def test_a_broken_verdict_is_not_kept(path):
    """Our fault never counts as an attempt."""
    with Progress(path) as p:
        assert not p.record(verdict(Outcome.BROKEN))
        assert p.attempts("gradients") == []


def test_hints_never_go_back(path):
    """The number of hints shown only grows."""
    with Progress(path) as p:
        p.show_hints("gradients", 2, 2)
        p.show_hints("gradients", 2, 1)
        p.show_hints("gradients", 1, 1)
        assert p.hints_shown("gradients") == {1: 1, 2: 2} and p.hints_shown("tensors") == {}


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=_TEXT, value=_TEXT, other=_TEXT)
def test_any_setting_survives(path, key, value, other):
    """Whatever text is kept is what is read, by the open file and by `remembered`."""
    with Progress(path) as p:
        p.keep(key, other)
        p.keep(key, value)
        assert p.setting(key) == value
    assert progress.remembered(path, key) == value


_PARAMS = st.dictionaries(_TEXT, st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), _TEXT))
_CHECKS = st.builds(
    Check,
    name=_TEXT,
    task=st.integers(1, 9),
    visible=st.booleans(),
    outcome=st.sampled_from([o for o in Outcome if o is not Outcome.BROKEN]),
    kind=_TEXT,
    where=st.none() | st.integers(1, 10**6),
    params=_PARAMS,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(checks=st.lists(_CHECKS, max_size=4), points=st.fractions(0, 100), stdout=_TEXT, slug=st.from_regex("[a-z_]+"))
def test_any_verdict_survives(path, checks, points, stdout, slug):
    """Points stay exact and every field comes back, for any verdict."""
    given_one = verdict(section=slug, checks=tuple(checks), points=str(points), stdout=stdout)
    with Progress(path) as p:
        p.record(given_one)
        latest = p.latest(slug)
    assert latest.verdict == given_one and latest.points == points and latest.passed == given_one.passed


@settings(max_examples=100)
@given(a=_TEXT, b=_TEXT)
def test_course_ids_make_different_files(a, b):
    """Any id is a safe file name below LEARN_HOME; two ids never share a file."""
    one, two = (progress.path_for(i, {"LEARN_HOME": "/h"}) for i in (a, b))
    assert one.parent.parent == Path("/h") and one.parent.name not in ("", ".", "..")
    assert (one == two) == (a == b)


WRITER = """
    import sys
    sys.path[:0] = {paths!r}
    from test_progress import verdict, PASS
    from grader.progress import Progress
    from pathlib import Path
    p = Progress(Path({path!r}))
    for i in range(100000):
        p.record(verdict(*PASS, submission_digest=f"{name}-{{i}}", stdout="x" * 5000))
        print(i, flush=True)
"""


def _writer(path, name="w"):
    code = WRITER.format(paths=[str(ROOT), str(ROOT / "tests")], path=str(path), name=name)
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)


def test_kill_9_loses_nothing(path):
    """A writer killed at a random moment, again and again: all that it had reported as recorded is there."""
    for round_ in range(6):
        with _writer(path, f"r{round_}") as writer:
            writer.stdout.readline()  # it has begun
            time.sleep(0.013 * round_)
            os.kill(writer.pid, signal.SIGKILL)
            reported = 1 + sum(1 for line in writer.stdout if line.endswith("\n"))
        with Progress(path) as p:
            assert p.set_aside is None
            kept = [a for a in p.attempts("gradients") if a.submission_digest.startswith(f"r{round_}-")]
            assert [a.submission_digest for a in kept[:reported]] == [f"r{round_}-{i}" for i in range(reported)]
            assert len(kept) - reported in (0, 1)  # one may be recorded and not yet reported
            assert all(a.verdict.passed for a in kept)


def test_writers_at_once(path):
    """Several at the same new file wait for each other; every attempt of each is there."""

    def write(name):
        with Progress(path) as p:
            for i in range(15):
                p.record(verdict(*PASS, submission_digest=f"{name}-{i}"))
                p.keep("lang", name)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, "abcd"))
    with Progress(path) as p:
        assert len({a.submission_digest for a in p.attempts("gradients")}) == 60


def _damage_header(path):
    path.write_bytes(b"not a database at all" * 100)


def _damage_pages(path):
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def _damage_end(path):
    path.write_bytes(path.read_bytes()[:-5000])


@pytest.mark.parametrize("damage", [_damage_header, _damage_pages, _damage_end])
def test_a_damaged_file_is_set_aside(path, damage):
    """It is kept byte for byte under a dated name, said so, and a new file begins; twice too."""
    for _ in range(2):
        with Progress(path) as p:
            for i in range(20):
                p.record(verdict(*PASS, stdout="x" * 3000, submission_digest=str(i)))
        damage(path)
        damaged = path.read_bytes()
        with Progress(path) as p:
            assert p.set_aside is not None and p.set_aside.read_bytes() == damaged
            assert p.set_aside.name.startswith("progress.damaged-") and p.set_aside.suffix == ".sqlite"
            assert p.attempts("gradients") == []
            p.record(verdict(*PASS))
        with Progress(path) as p:
            assert p.set_aside is None and len(p.attempts("gradients")) == 1
    assert len(list(path.parent.glob("progress.damaged-*.sqlite"))) == 2


def test_sidecars_go_along(path):
    """A journal beside the damaged file is moved with it: it must not be replayed into the new one."""
    path.parent.mkdir(parents=True)
    _damage_header(path)
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").write_bytes(b"old")
    with Progress(path) as p:
        for suffix in ("-wal", "-shm"):
            assert Path(f"{p.set_aside}{suffix}").read_bytes() == b"old"


def test_damage_seen_by_many_at_once(path):
    """Only one of them sets the file aside: nobody moves another's new file away."""
    path.parent.mkdir(parents=True)
    _damage_header(path)

    def write(name):
        with Progress(path) as p:
            p.record(verdict(*PASS, submission_digest=str(name)))
            return p.set_aside

    with ThreadPoolExecutor(6) as threads:
        moved = [m for m in threads.map(write, range(6)) if m]
    with Progress(path) as p:
        assert len(moved) == 1 and len(p.attempts("gradients")) == 6


def test_a_newer_file_is_refused_and_not_touched(path):
    """A file of a later version keeps every byte and its date."""
    Progress(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {progress.VERSION + 1}")
    db.close()
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())
    with pytest.raises(Unusable) as e:
        Progress(path)
    assert e.value.kind == "progress_newer" and e.value.params["found"] == progress.VERSION + 1
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())) == before


def test_every_older_version_is_brought_up(path, monkeypatch):
    """A migration added later runs once, on a file with data, and leaves the data."""
    with Progress(path) as p:
        p.record(verdict(*PASS))
    more = (*progress.MIGRATIONS, ("CREATE TABLE later (x)", "INSERT INTO later VALUES (7)"))
    monkeypatch.setattr(progress, "MIGRATIONS", more)
    monkeypatch.setattr(progress, "VERSION", len(more))
    for _ in range(2):
        with Progress(path) as p:
            assert len(p.attempts("gradients")) == 1
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM later").fetchone() == (1,)
    db.close()


def test_a_migration_that_fails_changes_nothing(path, monkeypatch):
    """Half a migration is no migration."""
    Progress(path).close()
    more = (*progress.MIGRATIONS, ("CREATE TABLE later (x)", "this is no SQL"))
    monkeypatch.setattr(progress, "MIGRATIONS", more)
    monkeypatch.setattr(progress, "VERSION", len(more))
    with pytest.raises(Unusable):
        Progress(path)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'later'").fetchone()
    db.close()


def test_a_home_that_cannot_be_written(tmp_path):
    """One error that names the path and the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable) as e:
        Progress(tmp_path / "file" / "tiny" / "progress.sqlite")
    assert e.value.kind == "home_unusable" and "file" in e.value.params["path"] and e.value.params["reason"]


def test_remembered_creates_nothing(path):
    """Asking for the language before all else leaves no trace and never fails."""
    assert progress.remembered(path, "lang") is None and not path.parent.exists()
    path.parent.mkdir(parents=True)
    _damage_header(path)
    assert progress.remembered(path, "lang") is None and len(list(path.parent.iterdir())) == 1


def test_where_home_is(tmp_path):
    """LEARN_HOME decides; without it the platform's own folder."""
    assert home({"LEARN_HOME": str(tmp_path)}) == tmp_path
    assert home({}).name == "learn"


NONSENSE = {
    "a table is missing": "DROP TABLE hints",
    "a table is another": "DROP TABLE settings; CREATE TABLE settings (a)",
    "points are words": "UPDATE attempts SET points = 'many'",
    "points divide by zero": "UPDATE attempts SET max_points = '1/0'",
    "points are nothing": "UPDATE attempts SET points = x'00'",
    "a time is none": "UPDATE attempts SET at = 'yesterday'",
}


@pytest.mark.parametrize("how", NONSENSE)
def test_a_sound_file_that_makes_no_sense_is_set_aside(path, how):
    """SQLite finds nothing wrong with it; it is kept under another name all the same, and work goes on."""
    with Progress(path) as p:
        p.record(verdict(*FAIL))
    db = sqlite3.connect(path)
    db.executescript(NONSENSE[how])
    db.close()
    with Progress(path) as p:
        assert p.set_aside and p.set_aside.is_file()
        assert p.standings() == {} and p.record(verdict(*FAIL))
    with Progress(path) as p:
        assert p.set_aside is None and len(p.attempts("gradients")) == 1


def test_a_progress_that_is_not_kept(tmp_path):
    """It works like any, and touches nothing."""
    with Progress(tmp_path / "no" / "where", kept=False) as p:
        p.keep("a", "b")
        assert p.record(verdict(*PASS)) and p.passed("gradients") and p.setting("a") == "b"
    assert list(tmp_path.iterdir()) == []
