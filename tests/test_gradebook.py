"""The gradebook, in SQLite and in PostgreSQL: nothing is lost, nothing twice, and a person's word goes first."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import postgres
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from grader.gradebook import Gradebook, GradebookError, SectionNow
from grader.model import Check, Handed, Outcome, Sandbox, Student, Tier, Verdict
from grader.submission import of_text

ROOT = Path(__file__).resolve().parent.parent
ANN, BOB = Student(id="ann", name="Ann A", email="a@x.edu"), Student(id="bob", name="Bob B")
OLD = SectionNow("double", "1.1", "t1", Fraction(6))
NEW = OLD._replace(digest="t2")


@pytest.fixture(scope="session")
def _server():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    with postgres.server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty gradebook's place."""
    if request.param == "sqlite":
        yield str(tmp_path / "gradebook.sqlite")
        return
    import psycopg

    whole, _ = request.getfixturevalue("_server")
    with psycopg.connect(whole, autocommit=True) as db:
        db.execute("DROP SCHEMA public CASCADE")
        db.execute("CREATE SCHEMA public")
    yield whole


@pytest.fixture
def book(url):
    """An open, empty gradebook."""
    with Gradebook(url) as opened:
        yield opened


def handed(student, text, **more):
    """An answer to the one section."""
    return Handed(student=student, section="double", text=text, digest=of_text(text).digest, **more)


def verdict(text, points="3", tests=OLD, outcome=Outcome.FAILED, **more):
    """What was said of it."""
    check = Check(name="t", task=1, visible=False, outcome=outcome, **more)
    return Verdict(
        section="double", section_digest=tests.digest, submission_digest=of_text(text).digest, checks=(check,),
        points=points, max_points="6", sandbox=Sandbox(tier=Tier.T3), versions={"torch": "2.9"},
    )  # fmt: skip


def _due(book):
    return sorted(j.text for j in book.jobs())


def test_what_is_due_is_what_has_no_verdict(book):
    """An answer is due until it has a verdict; the same text is judged once, for everybody who handed it in."""
    book.begin([OLD], [handed(ANN, "a"), handed(BOB, "a"), handed(Student(id="eve"), "b")])
    assert _due(book) == ["a", "b"] and book.due() == 2
    assert all(j.section_digest == "t1" and j.section == "double" for j in book.jobs())
    assert book.record(verdict("a")) == 2
    assert _due(book) == ["b"] and [s.automatic for s in book.standings()] == [3, 3, None]
    assert book.record(verdict("a", "6")) == 0, "a verdict is never replaced"
    assert book.record(verdict("b", outcome=Outcome.BROKEN)) == 0 and _due(book) == ["b"]


def test_another_answer_counts_from_when_it_comes(book):
    """The last one handed in counts; the verdict on the one before is kept, and counts again if that comes again."""
    book.begin([OLD], [handed(ANN, "a")])
    book.record(verdict("a", "6"))
    book.finish()
    book.begin([OLD], [handed(ANN, "b")])
    assert _due(book) == ["b"]
    book.record(verdict("b", "2"))
    (change,) = book.changes()
    assert (change.was, change.now, change.new_answer) == (6, 2, True)
    book.finish()
    book.begin([OLD], [handed(ANN, "a")])
    assert _due(book) == [] and [s.points for s in book.standings()] == [6]
    assert [(c.was, c.now) for c in book.changes()] == [(2, 6)]


def test_corrected_tests_touch_what_they_judge(book):
    """Only that section is due again; until then its old points stand, marked as due; changes are told over
    interruptions until the run is finished, and then no more.
    """
    other = SectionNow("halve", "1.2", "h1", Fraction(2))
    half = Handed(student=ANN, section="halve", text="h", digest=of_text("h").digest)
    book.begin([OLD, other], [handed(ANN, "a"), handed(BOB, "b"), half])
    for text in ("a", "b"):
        book.record(verdict(text))
    book.finish()
    book.begin([NEW, other], [])
    assert _due(book) == ["a", "b", "h"]
    assert [(s.automatic, s.due) for s in book.standings()] == [(3, True), (None, True), (3, True)]
    book.record(verdict("a", "6", NEW))
    book.begin([NEW, other], [handed(ANN, "a")])  # it was killed here, and begins again
    book.record(verdict("b", "3", NEW))
    assert [(c.student.id, c.was, c.now, c.new_answer) for c in book.changes()] == [("ann", 3, 6, False)]
    book.finish()
    book.begin([NEW, other], [])
    assert book.changes() == []
    book.finish()
    book.begin([OLD, other], [])  # the correction is taken back
    assert _due(book) == ["h"] and [c.now for c in book.changes()] == [3]


def test_standings_opened_together(book):
    """Each with the verdict and the answer that it has alone, in the order asked for, over more than one reading."""
    people = [Student(id=f"s{i:03d}") for i in range(450)]
    book.begin([OLD], [handed(s, f"text {i % 7}") for i, s in enumerate(people)])
    for i in range(6):  # the seventh is not judged yet
        book.record(verdict(f"text {i}", str(i)))
    book.adjust("s006", "double", Fraction(1), "prof", "on paper")
    standings = book.standings()[::-1]
    opened = list(book.opened(standings))
    assert [o.standing for o in opened] == standings
    for o in opened[:20]:
        assert o.verdict == book.verdict(o.standing)
        assert o.text == (book.text(o.standing) if o.verdict else "")
    assert [o.verdict is None for o in opened[:7]] == [s.automatic is None for s in standings[:7]]


def test_a_persons_points_go_first(book):
    """With who and why, apart from the automatic ones; what was before is kept, and they can be taken back."""
    book.begin([OLD], [handed(ANN, "a")], [BOB])
    book.record(verdict("a"))
    assert book.adjust("Ann A", "double", Fraction(11, 2), "prof", "a fair reading") == ANN
    book.adjust("bob", "double", Fraction(1), "prof", "on paper")
    ann, bob = book.standings()
    assert (ann.points, ann.automatic, ann.adjustment.who, ann.adjustment.why) == (5.5, 3, "prof", "a fair reading")
    assert (bob.points, bob.automatic, bob.submission_digest) == (1, None, "")
    book.begin([NEW], [])
    book.record(verdict("a", "6", NEW))
    assert [(s.points, s.automatic) for s in book.standings()] == [(5.5, 6), (1, None)]
    book.adjust("a@x.edu", "double", None, "prof", "the tests were mended")
    assert [s.points for s in book.standings()] == [6, 1]
    assert [a.points for a in book.adjustments("ann", "double")] == [Fraction(11, 2), None]


NUMBER = Student(id="2023001", name="Hua Li", email="li@x.edu")
BY_FILE = Student(id="li.hua", name="li.hua")


def find(*names):
    """As a roster does that has one student."""
    return NUMBER if {"li.hua", "hw1-li.hua", "li@x.edu"} & set(names) else None


def test_a_roster_that_comes_later(book):
    """Who was known by his files' name has the roster's id from then on, with all that he handed in, its verdicts and
    the points given; he stands there once, and nothing is due or changed by it. His files are his afterwards too.
    """
    book.begin([OLD], [handed(BY_FILE, "a"), handed(ANN, "b")])
    for text, points in (("a", "3"), ("b", "6")):
        book.record(verdict(text, points))
    book.adjust("li.hua", "double", Fraction(4), "prof", "why")
    book.finish()
    before = _rows(book)
    assert book.begin([OLD], [], [NUMBER], find) == {"li.hua": "2023001"}
    number, ann = book.standings()
    assert (number.student, number.points, number.automatic) == (NUMBER, 4, 3) and ann.student == ANN
    assert book.due() == 0 and book.changes() == [] and _rows(book) == before and book.students() == [NUMBER, ANN]
    book.finish()
    assert book.begin([OLD], [handed(BY_FILE, "c")]) == {}, "without the roster"
    book.record(verdict("c", "5"))
    assert book.adjust("li.hua", "double", None, "prof", "again") == NUMBER
    assert [(s.student.id, s.points) for s in book.standings()] == [("2023001", 5), ("ann", 6)]
    assert [(c.student.id, c.was, c.now) for c in book.changes()] == [("2023001", 3, 5)]
    assert len(book.adjustments("2023001", "double")) == 2


def test_who_stood_there_twice(book):
    """A class graded with and without its roster: the later answer counts, by time where times are known; both ids'
    points by hand are kept, and the later ones count.
    """
    early, late = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)
    other = SectionNow("halve", "1.2", "h1", Fraction(2))
    half = {"section": "halve", "text": "h", "digest": of_text("h").digest, "at": early}
    book.begin([OLD, other], [handed(BY_FILE, "a", at=late), Handed(student=BY_FILE, **half)])
    book.begin([OLD, other], [handed(NUMBER, "b", at=early), Handed(student=NUMBER, **half)], [NUMBER])
    for text in ("a", "b"):
        book.record(verdict(text, {"a": "2", "b": "5"}[text]))
    book.adjust("2023001", "halve", Fraction(1), "prof", "")
    book.adjust("li.hua", "halve", Fraction(2), "prof", "")
    before = _rows(book)
    book.begin([OLD, other], [], [NUMBER], find)
    assert [(s.number, s.points, s.handed_at) for s in book.standings()] == [("1.1", 2, late), ("1.2", 2, early)]
    assert _rows(book) == before and len(book.adjustments("2023001", "halve")) == 2


def test_the_same_name_on_two_rosters(book):
    """They are two, unless an id or e-mail says otherwise; and an id that is on the roster stays."""
    first, second = Student(id="1", name="Li Hua"), Student(id="2", name="Li Hua")
    book.begin([OLD], [handed(first, "a")], [first])

    def by_name(*names):
        return second if "Li Hua" in names else None

    assert book.begin([OLD], [], [second], by_name) == {} and book.students() == [first, second]
    assert book.begin([OLD], [handed(Student(id="li", name="Li Hua"), "b")], [second], by_name) == {}
    assert book.begin([OLD], [], [first, second], by_name) == {"li": "2"}


@pytest.mark.parametrize("seed", range(6))
def test_taking_over_loses_nothing(book, seed):
    """Whatever was handed in, judged and given under either id, in any order: afterwards there is one student, with the
    last answer and the last points by hand; no submission, verdict or adjustment is gone; again, it changes nothing.
    """
    draw = random.Random(seed)
    book.begin([OLD], [], [NUMBER])
    last, given = {}, None
    for n in range(draw.randrange(1, 12)):
        who = draw.choice([BY_FILE, NUMBER, Student(id="hw1-li.hua", name="hw1-li.hua")])
        what = draw.choice(["hand in", "hand in", "judge", "give"])
        if what == "hand in":
            last = (who.id, draw.choice("xyz"), datetime(2026, 5, 1, n, tzinfo=UTC))
            book.begin([OLD], [handed(who, last[1], at=last[2])])
        elif what == "judge":
            for job in list(book.jobs())[:1]:
                book.record(verdict(job.text, str("xyz".index(job.text))))
        elif any(s.student.id == who.id for s in book.standings()):
            given = Fraction(n, 2)
            book.adjust(who.id, "double", given, "p", "w")
    before = _rows(book)
    for _ in range(2):
        book.begin([OLD], [], [NUMBER], find)
        assert _rows(book) == before and book.students() == [NUMBER]
        standings = book.standings()
        assert len(standings) == bool(last)
        for s in standings:
            assert (book.text(s), s.handed_at) == last[1:] and s.student == NUMBER
            assert s.points == given if given is not None else s.points in (None, "xyz".index(last[1]))
    for job in book.jobs():
        book.record(verdict(job.text, str("xyz".index(job.text))))
    assert [s.automatic for s in book.standings()] == ["xyz".index(last[1])] * bool(last)


def test_a_gradebook_of_the_first_version(url):
    """It is brought up to now with all that is in it."""
    with Gradebook(url) as book:
        book.begin([OLD], [handed(BY_FILE, "a")])
        book.record(verdict("a"))
        with book._writing() as db:
            for column in ("listed", "taken_by"):
                db.exec_driver_sql(f"ALTER TABLE students DROP COLUMN {column}")
            db.exec_driver_sql("DELETE FROM learn_version WHERE version > 1")
    with Gradebook(url) as book:
        assert [s.points for s in book.standings()] == [3] and book.students() == [BY_FILE]
        assert book.begin([OLD], [], [NUMBER], find) == {"li.hua": "2023001"}


def _rows(book):
    """How many submissions, verdicts and adjustments there are, by what cannot change."""
    with book._reading() as db:
        return [
            sorted(map(tuple, db.exec_driver_sql(f"SELECT {what}").all()))
            for what in ("id, digest FROM submissions", "id, submission FROM verdicts", "id, points FROM adjustments")
        ]


@pytest.mark.parametrize(
    ("student", "section", "kind"),
    [("eve", "double", "no_student"), ("ann", "none", "no_section"), ("Twin", "double", "several")],
)
def test_whom_nobody_knows(book, student, section, kind):
    """An adjustment for nobody, for several, or for no section is refused, and nothing is changed."""
    book.begin([OLD], [handed(ANN, "a")], [Student(id="t1", name="Twin"), Student(id="t2", name="Twin")])
    with pytest.raises(GradebookError) as e:
        book.adjust(student, section, Fraction(1), "prof", "")
    assert e.value.kind == f"gradebook_{kind}" and all(s.adjustment is None for s in book.standings())


def test_everything_comes_back_as_it_was(book):
    """Texts with half characters, zeros and Chinese; names, times with their zones, the whole verdict."""
    text, at = "x = '\udc80\0'  # 王\n", datetime(2026, 5, 3, 12, tzinfo=UTC)
    book.begin([OLD], [handed(ANN, text, at=at, name="王/double.py", marked_late=True)])
    said = verdict(text, flag="reaches_around")
    book.record(said)
    (s,) = book.standings()
    assert (s.handed_at, s.name, s.marked_late, s.tier, s.versions) == (
        at,
        "王/double.py",
        True,
        "T3",
        {"torch": "2.9"},
    )
    assert book.verdict(s) == said and book.text(s) == text and s.flagged
    assert book.students() == [ANN] and not s.due and s.judged_at


def test_two_may_open_it_at_once(url):
    """What one writes, the other sees; neither judges what the other has judged."""
    with Gradebook(url) as one, Gradebook(url) as other:
        one.begin([OLD], [handed(ANN, "a")])
        assert _due(other) == ["a"] and other.record(verdict("a")) == 1
        assert one.record(verdict("a", "6")) == 0 and _due(one) == []


def test_a_newer_gradebook_is_left_alone(url):
    """A file of a later version is refused, and is not touched."""
    with Gradebook(url) as book, book._writing() as db:
        db.exec_driver_sql("INSERT INTO learn_version VALUES (99)")
    with pytest.raises(GradebookError) as e:
        Gradebook(url)
    assert e.value.kind == "gradebook_newer"


def test_other_files_are_not_taken_for_gradebooks(tmp_path):
    """Neither a text nor another program's database is written into; a folder that is not there is told."""
    (tmp_path / "a.sqlite").write_text("hello, I am a text, and no database at all")
    with sqlite3.connect(tmp_path / "b.sqlite") as db:
        db.execute("CREATE TABLE student (id)")
    kinds = {"a.sqlite": "unusable", "b.sqlite": "other", "none/c.sqlite": "unusable", "mysql://x/y": "no_url"}
    before = [(tmp_path / n).read_bytes() for n in ("a.sqlite", "b.sqlite")]
    for name, kind in kinds.items():
        with pytest.raises(GradebookError) as e:
            Gradebook(name if "://" in name else str(tmp_path / name))
        assert e.value.kind == f"gradebook_{kind}"
    assert [(tmp_path / n).read_bytes() for n in ("a.sqlite", "b.sqlite")] == before


def test_a_password_is_not_shown():
    """An error names the database without its password."""
    with pytest.raises(GradebookError) as e:
        Gradebook("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(e.value.params)


def test_a_database_that_falls_and_comes_back(_server):
    """kill -9 of the process that serves us: the server recovers, and not one verdict is lost or kept twice."""
    import psycopg

    whole, _ = _server
    texts = [f"x = {i}" for i in range(60)]
    with psycopg.connect(whole, autocommit=True) as db:
        db.execute("DROP SCHEMA public CASCADE")
        db.execute("CREATE SCHEMA public")
    draw = random.Random(3)
    with Gradebook(whole) as book:
        book.begin([OLD], [handed(Student(id=f"s{i}"), t) for i, t in enumerate(texts)])
        for i, text in enumerate(texts):
            if i % 20 == 10:
                with book._reading() as db:
                    serving = db.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                os.kill(serving, draw.choice([signal.SIGKILL, signal.SIGTERM]))
            assert book.record(verdict(text)) in (0, 1)
        assert book.due() == 0 and len([s for s in book.standings() if not s.due]) == 60


WRITER = """
import sys
sys.path[:0] = sys.argv[2:]
from test_gradebook import *
with Gradebook(sys.argv[1]) as book:
    book.begin([OLD], [handed(Student(id=f"s{i}"), f"x = {i}") for i in range(200)])
    print("begun", flush=True)
    for job in book.jobs():
        book.record(verdict(job.text))
        print(job.text, flush=True)
"""


@pytest.mark.slow
def test_a_writer_that_is_killed(url):
    """kill -9 at random moments: what was said to be kept is kept, and the next writer goes on from there."""
    draw, kept = random.Random(1), 0
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(ROOT), str(ROOT / "tests")], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout and writer.stdout.readline() == "begun\n"
        wanted = draw.randrange(1, 40)
        lines = [writer.stdout.readline() for _ in range(wanted)]
        writer.kill()
        lines += writer.stdout.readlines()
        writer.wait()
        kept += len([line for line in lines if line.endswith("\n")])
        with Gradebook(url) as book:
            left = book.due()
            assert 200 - left >= kept
            kept = 200 - left
    assert 0 < kept < 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk(tmp_path):
    """On a disk of half a megabyte the writer is told so; what was kept before is whole, and goes on elsewhere."""
    small = tmp_path / "small"
    small.mkdir()
    script = (
        f"mount -t tmpfs -o size=512k none {small} && exec {sys.executable} -c '{FILLER}' {small} {ROOT} {ROOT}/tests"
    )
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told, kept, whole = done.stdout.split("|")
    assert told == "gradebook_unusable" and 5 < int(kept) < 400 and whole.strip() == "ok"


FILLER = """
import sys
sys.path[:0] = sys.argv[2:]
from test_gradebook import *
place = sys.argv[1] + "/g.sqlite"
with Gradebook(place) as book:
    book.begin([OLD], [handed(Student(id=f"s{i}"), f"x = {i}") for i in range(400)])
    try:
        for job in book.jobs():
            book.record(verdict(job.text, flag="f" * 3000))
    except GradebookError as e:
        print(e.kind, end="|")
with Gradebook(place) as book:
    judged = [s for s in book.standings() if not s.due]
    assert len(judged) == 400 - book.due() and all(book.verdict(s) for s in judged)
    print(len(judged), end="|")
with sqlite3.connect(place) as db:
    print(db.execute("PRAGMA integrity_check").fetchone()[0])
"""


class Story(RuleBasedStateMachine):
    """Any order of events; a dictionary knows what must come of it."""

    def __init__(self):
        super().__init__()
        self.book = Gradebook(":memory:")
        self.now: dict[str, str] = {}
        self.tests = OLD
        self.said: dict[tuple[str, str], str] = {}
        self.given: dict[str, str | None] = {}

    @rule(student=st.sampled_from("abc"), text=st.sampled_from("xyz"))
    def hand_in(self, student, text):
        """Somebody hands in."""
        self.book.begin([self.tests], [handed(Student(id=student), text)])
        self.now[student] = text

    @rule(tests=st.sampled_from([OLD, NEW]))
    def correct(self, tests):
        """The tests change."""
        self.book.begin([tests], [])
        self.tests = tests

    @rule(count=st.integers(1, 3))
    def judge(self, count):
        """Some of what is due is judged: the same text by the same tests always has the same points."""
        for job in list(self.book.jobs())[:count]:
            points = {"xt1": "0", "yt1": "5/2", "zt1": "6"}.get(job.text + self.tests.digest, "1")
            self.book.record(verdict(job.text, points, self.tests))
            self.said[job.text, self.tests.digest] = points

    @rule(points=st.sampled_from(["1", None]), student=st.sampled_from("abc"))
    def adjust(self, points, student):
        """A person says otherwise."""
        if student in self.now:
            self.book.adjust(student, "double", Fraction(points) if points else None, "p", "w")
            self.given[student] = points

    @rule()
    def finish(self):
        """A run ends."""
        self.book.finish()

    @invariant()
    def one_current_verdict_each(self):
        """Each student stands there once, with the points that the story says."""
        stands = {s.student.id: s for s in self.book.standings()}
        assert len(stands) == len(self.book.standings()) and stands.keys() == self.now.keys()
        for student, text in self.now.items():
            s, said = stands[student], self.said.get((text, self.tests.digest))
            own = self.given.get(student)
            if not s.due:
                assert s.automatic == Fraction(said)
            assert s.points == (Fraction(own) if own else s.automatic)
        assert (self.book.due() == 0) == all(not s.due for s in stands.values())


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
