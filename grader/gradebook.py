"""What a class has handed in, and what was said of it: one SQLite file, or a PostgreSQL database.

Verdicts are only ever added. What counts is derived: a student's answer to a section is the one that was handed in
last, and its verdict the one by the tests of now. So a run that was killed is resumed by asking what is due. In SQLite
a rollback journal, not WAL: one file, and it also works on the network homes of a university. `Gradebook.standings` is
the reading interface.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from grader.model import Handed, Job, Mendable, Student, Verdict

# Entry n brings a gradebook from version n to n + 1. Never edit one that was released: add another.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE students (
            id VARCHAR PRIMARY KEY,
            name VARCHAR NOT NULL,
            email VARCHAR NOT NULL
        )""",
        """CREATE TABLE sections (
            slug VARCHAR PRIMARY KEY,
            number VARCHAR NOT NULL,
            digest VARCHAR NOT NULL,
            max_points VARCHAR NOT NULL
        )""",
        """CREATE TABLE submissions (
            id {serial},
            student VARCHAR NOT NULL REFERENCES students,
            section VARCHAR NOT NULL REFERENCES sections,
            digest VARCHAR NOT NULL,
            body {bytes} NOT NULL,
            name VARCHAR NOT NULL,
            handed_at VARCHAR,
            marked_late INTEGER NOT NULL,
            counts INTEGER NOT NULL,
            UNIQUE (student, section, digest)
        )""",
        "CREATE UNIQUE INDEX one_counts ON submissions (student, section) WHERE counts = 1",
        "CREATE INDEX submissions_of_answer ON submissions (section, digest)",
        """CREATE TABLE verdicts (
            id {serial},
            submission INTEGER NOT NULL REFERENCES submissions,
            section_digest VARCHAR NOT NULL,
            at VARCHAR NOT NULL,
            points VARCHAR NOT NULL,
            max_points VARCHAR NOT NULL,
            tier VARCHAR NOT NULL,
            versions VARCHAR NOT NULL,
            flagged INTEGER NOT NULL,
            verdict {bytes} NOT NULL,
            UNIQUE (submission, section_digest)
        )""",
        """CREATE TABLE adjustments (
            id {serial},
            student VARCHAR NOT NULL REFERENCES students,
            section VARCHAR NOT NULL REFERENCES sections,
            points VARCHAR,
            who VARCHAR NOT NULL,
            why VARCHAR NOT NULL,
            at VARCHAR NOT NULL
        )""",
        """CREATE TABLE before_run (
            student VARCHAR NOT NULL,
            section VARCHAR NOT NULL,
            verdict INTEGER NOT NULL,
            PRIMARY KEY (student, section)
        )""",
        "CREATE TABLE settings (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)",
    ),
    (
        "ALTER TABLE students ADD COLUMN listed INTEGER NOT NULL DEFAULT 0",  # on a roster
        "ALTER TABLE students ADD COLUMN taken_by VARCHAR NOT NULL DEFAULT ''",  # the id that the same person has now
    ),
)
VERSION = len(MIGRATIONS)

_TYPES = {
    "sqlite": {"serial": "INTEGER PRIMARY KEY", "bytes": "BLOB"},
    "postgresql": {"serial": "INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "bytes": "BYTEA"},
}
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_WAIT = 30.0  # seconds for another writer to finish
_BACK = (0.2, 0.5, 1, 2, 4, 8, 8)  # seconds between tries to reach a database that was there before
_TRIES = 5  # of writing, if the connection is cut each time
_AT_ONCE = 200  # rows, so that memory stays flat

_meta = sa.MetaData()


def _table(name: str, *columns: str, **typed: Any) -> sa.Table:
    named: list[sa.Column[Any]] = [sa.Column(c, typed.get(c, sa.String)) for c in columns]
    return sa.Table(name, _meta, *named)


_students = _table("students", "id", "name", "email", "listed", "taken_by", listed=sa.Integer)
_OTHERS = {"students", "attempts", "student"}  # tables of programs that a database may be shared with by mistake
_sections = _table("sections", "slug", "number", "digest", "max_points")
_submissions = _table(
    "submissions", "id", "student", "section", "digest", "body", "name", "handed_at", "marked_late", "counts",
    id=sa.Integer, body=sa.LargeBinary, marked_late=sa.Integer, counts=sa.Integer,
)  # fmt: skip
_verdicts = _table(
    "verdicts", "id", "submission", "section_digest", "at", "points", "max_points", "tier", "versions", "flagged",
    "verdict", id=sa.Integer, submission=sa.Integer, flagged=sa.Integer, verdict=sa.LargeBinary,
)  # fmt: skip
_adjustments = _table(
    "adjustments", "id", "student", "section", "points", "who", "why", "at", id=sa.Integer
)  # fmt: skip
_before = _table("before_run", "student", "section", "verdict", verdict=sa.Integer)
_settings = _table("settings", "key", "value")


class GradebookError(Mendable):
    """The gradebook cannot be used."""


class _Cut(GradebookError):
    """The connection was lost on the way: whether it was written, nobody knows."""


class SectionNow(NamedTuple):
    """The tests of a section as they are now."""

    section: str  # slug
    number: str
    digest: str
    max_points: Fraction


@dataclass(frozen=True)
class Adjustment:
    """Points that a person gave, which go before those of the tests; None: the tests' count again."""

    points: Fraction | None
    who: str
    why: str
    at: datetime


@dataclass(frozen=True)
class Standing:
    """How one student stands in one section."""

    student: Student
    section: str
    number: str
    submission_digest: str  # "" if nothing was handed in (and a person gave points)
    name: str  # of the file
    handed_at: datetime | None
    marked_late: bool
    automatic: Fraction | None  # points by the tests; None: not judged yet
    max_points: Fraction
    due: bool  # not judged by the tests of now; `automatic`, if any, is by older ones
    tier: str
    versions: Mapping[str, str]
    flagged: bool  # somebody should look at it
    judged_at: datetime | None
    adjustment: Adjustment | None
    verdict_id: int | None

    @property
    def points(self) -> Fraction | None:
        """What counts: a person's points go before the tests'."""
        return self.adjustment.points if self.adjustment else self.automatic


class Opened(NamedTuple):
    """A standing, and what is behind it."""

    standing: Standing
    verdict: Verdict | None  # None: not judged yet, or nothing was handed in
    text: str  # the answer that was judged, "" if none was


class Change(NamedTuple):
    """A score that is no longer what it was before the run."""

    student: Student
    section: str
    number: str
    was: Fraction
    now: Fraction
    new_answer: bool  # because of another answer; else because of other tests


class Gradebook:
    """The open gradebook. `url`: the path of an SQLite file, or postgresql://… Every method raises GradebookError."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.shown = url
        try:
            self._engine = self._made(url)
            self.shown = self._engine.url.render_as_string(hide_password=True) if "://" in url else url
            self._insert = _INSERTS[self._engine.dialect.name]
        except (sa.exc.ArgumentError, ModuleNotFoundError, KeyError, ValueError) as e:
            kind = "gradebook_no_driver" if isinstance(e, ModuleNotFoundError) else "gradebook_no_url"
            raise GradebookError(kind, path=url.partition("@")[2] or url) from None
        self._migrate()

    def close(self) -> None:
        """Nothing is lost without it."""
        self._engine.dispose()

    def __enter__(self) -> "Gradebook":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing

    def begin(
        self,
        tests: Iterable[SectionNow],
        handed: Iterable[Handed],
        students: Iterable[Student] = (),
        find: Callable[..., Student | None] = lambda *_: None,
        refused: Iterable[Student] = (),
    ) -> dict[str, str]:
        """Takes in what was handed in and by which tests it is to be judged; all or nothing.

        What stood before is remembered until `finish`, over as many interruptions as it takes. `students`: the roster.
        Who is here by an id that it does not have is known by its id from now on, if `find` (a roster's) finds him by
        what he is called: earlier id -> id. `refused`: of whose answers none could be taken.
        """
        answers, tests, listed = list(handed), list(tests), {s.id: s for s in students}
        with self._writing() as db:
            if not self._setting(db, "running"):
                db.execute(sa.delete(_before))
                joined, judged = _judged()
                old = sa.select(_submissions.c.student, _submissions.c.section, judged)
                rows = old.select_from(joined).where(_submissions.c.counts == 1, judged.is_not(None))
                db.execute(sa.insert(_before).from_select(list(_before.c), rows))
                self._put(db, _settings, {"key": "running", "value": "1"})
            for s in listed.values():
                self._put(db, _students, {**msgspec.structs.asdict(s), "listed": 1, "taken_by": ""})
            taken = self._taken_over(db, listed, find)
            now = self._ids_now(db)
            answers = [msgspec.structs.replace(h, student=now.get(h.student.id, h.student)) for h in answers]
            seen = [h.student for h in answers] + [now.get(s.id, s) for s in refused]
            for s in {s.id: s for s in seen if s.id not in listed}.values():
                self._put(db, _students, msgspec.structs.asdict(s))
            for t in tests:
                row = {"slug": t.section, "number": t.number, "digest": t.digest, "max_points": str(t.max_points)}
                self._put(db, _sections, row)
            for h in answers:
                self._hand_in(db, h)
        return taken

    def record(self, verdict: Verdict) -> int:
        """Keeps a verdict for every submission of that text that has none by these tests; how many those were.

        A broken one is no verdict on anybody, and is not kept.
        """
        if verdict.broken:
            return 0
        for _ in range(_TRIES - 1):
            with contextlib.suppress(_Cut):
                return self._record(verdict)
        return self._record(verdict)

    def _record(self, verdict: Verdict) -> int:
        row = {
            "section_digest": verdict.section_digest,
            "at": datetime.now(UTC).isoformat(),
            "points": verdict.points,
            "max_points": verdict.max_points,
            "tier": verdict.sandbox.tier.value,
            "versions": msgspec.json.encode(verdict.versions).decode(),
            "flagged": int(any(c.flag for c in verdict.checks)),
            "verdict": verdict.to_json(),
        }
        same = (_submissions.c.section == verdict.section) & (_submissions.c.digest == verdict.submission_digest)
        with self._writing() as db:
            ids = db.scalars(sa.select(_submissions.c.id).where(same)).all()
            fresh = self._insert(_verdicts).on_conflict_do_nothing(index_elements=["submission", "section_digest"])
            written = [db.scalar(fresh.values(row | {"submission": i}).returning(_verdicts.c.id)) for i in ids]
            return len([i for i in written if i is not None])

    def adjust(self, student: str, section: str, points: Fraction | None, who: str, why: str) -> Student:
        """A person's points, from now on; None: the tests' count again. What was before is kept. `student`: id, name
        or e-mail.
        """
        now = datetime.now(UTC).isoformat()
        with self._writing() as db:
            found = self._student(db, student)
            if not db.execute(sa.select(_sections.c.slug).where(_sections.c.slug == section)).first():
                raise GradebookError("gradebook_no_section", name=section, path=self.shown)
            given = None if points is None else str(points)
            row = {"student": found.id, "section": section, "points": given, "who": who, "why": why, "at": now}
            db.execute(sa.insert(_adjustments), row)
        return found

    def keep(self, key: str, value: str) -> None:
        """Remembers a setting."""
        with self._writing() as db:
            self._put(db, _settings, {"key": key, "value": value})

    def finish(self) -> None:
        """All that was due has been judged and told: what comes now is compared with what stands now."""
        with self._writing() as db:
            db.execute(sa.delete(_settings).where(_settings.c.key == "running"))

    # -- reading

    def due(self, sections: Iterable[str] = ()) -> int:
        """How many different answers are still to be judged by the tests of now; of these sections, or of all."""
        with self._reading() as db:
            rows = sa.select(sa.func.count()).select_from(_due(sections).subquery())
            return int(db.scalar(rows) or 0)

    def jobs(self, sections: Iterable[str] = ()) -> Iterator[Job]:
        """A job for each different answer that is due, section by section. The same text is judged once."""
        with self._reading() as db:
            listed = db.execute(_due(sections).order_by("section", "first")).all()
        for at in range(0, len(listed), _AT_ONCE):
            some = {row.first: row for row in listed[at : at + _AT_ONCE]}
            with self._reading() as db:
                texts = db.execute(sa.select(_submissions.c.id, _submissions.c.body).where(_submissions.c.id.in_(some)))
                bodies = {row.id: row.body for row in texts}
            for first, row in some.items():
                text = bodies[first].decode("utf-8", "surrogatepass")
                yield Job(section=row.section, section_digest=row.wanted, text=text, id=str(first))

    def whose(self, job: str) -> list[Student]:
        """Who handed in the text of that job, by id."""
        first, s = _submissions.alias("first"), _submissions.c
        same = (s.section == first.c.section) & (s.digest == first.c.digest) & (s.counts == 1)
        joined = first.join(_submissions, same).join(_students, _students.c.id == s.student)
        rows = sa.select(_students).select_from(joined).where(first.c.id == int(job)).order_by(_students.c.id)
        with self._reading() as db:
            return [_of(r) for r in db.execute(rows)]

    def standings(self) -> list[Standing]:
        """How everybody stands in every section, by student and section's number; without reading the verdicts."""
        joined, judged = _judged()
        joined = joined.join(_students, _students.c.id == _submissions.c.student)
        joined = joined.outerjoin(_verdicts, _verdicts.c.id == judged)
        best = [_verdicts.c[c].label(f"v_{c}") for c in _OF_VERDICT]
        about = [_students.c.name.label("who"), _students.c.email, _sections.c.number]
        now = [_sections.c.max_points.label("worth"), _sections.c.digest.label("wanted")]
        own = [c for c in _submissions.c if c is not _submissions.c.body]
        rows = sa.select(*own, *about, *now, *best)
        with self._reading() as db:
            adjusted = self._adjustments(db)
            found = [
                _standing(r, adjusted.pop((r.student, r.section), None))
                for r in db.execute(rows.select_from(joined).where(_submissions.c.counts == 1))
            ]
            for (student, section), adjustment in adjusted.items():
                if adjustment:
                    found.append(self._given(db, student, section, adjustment))
        return sorted(found, key=lambda s: (s.student.id, [int(n) for n in s.number.split(".") if n.isdecimal()]))

    def students(self) -> list[Student]:
        """Everybody, by id."""
        with self._reading() as db:
            rows = sa.select(_students).where(_students.c.taken_by == "").order_by(_students.c.id)
            return [_of(r) for r in db.execute(rows)]

    def earlier(self) -> dict[str, str]:
        """The id that somebody has now, by each that he had before."""
        with self._reading() as db:
            return {old: student.id for old, student in self._ids_now(db).items()}

    def verdict(self, standing: Standing) -> Verdict | None:
        """The whole verdict behind a standing, if there is one."""
        with self._reading() as db:
            data = db.scalar(sa.select(_verdicts.c.verdict).where(_verdicts.c.id == standing.verdict_id))
        return Verdict.from_json(data) if data else None

    def opened(self, standings: Iterable[Standing]) -> Iterator[Opened]:
        """Each, in order, with its verdict and its answer; some hundred are held at a time."""
        listed = list(standings)
        joined = _verdicts.join(_submissions, _submissions.c.id == _verdicts.c.submission)
        rows = sa.select(_verdicts.c.id, _verdicts.c.verdict, _submissions.c.body).select_from(joined)
        for at in range(0, len(listed), _AT_ONCE):
            some = listed[at : at + _AT_ONCE]
            with self._reading() as db:
                ids = [s.verdict_id for s in some if s.verdict_id is not None]
                found = {row.id: row for row in db.execute(rows.where(_verdicts.c.id.in_(ids)))}
            for standing in some:
                row = found.get(standing.verdict_id)
                text = bytes(row.body).decode("utf-8", "surrogatepass") if row else ""
                yield Opened(standing, Verdict.from_json(row.verdict) if row else None, text)

    def text(self, standing: Standing) -> str:
        """The answer behind a standing."""
        s = _submissions.c
        same = (s.student == standing.student.id) & (s.section == standing.section) & (s.counts == 1)
        with self._reading() as db:
            return bytes(db.scalar(sa.select(s.body).where(same)) or b"").decode("utf-8", "surrogatepass")

    def adjustments(self, student: str, section: str) -> list[Adjustment]:
        """All that people ever changed there, oldest first."""
        a = _adjustments.c
        with self._reading() as db:
            rows = db.execute(sa.select(_adjustments).where(a.student == student, a.section == section).order_by(a.id))
            return [_adjustment(r) for r in rows]

    def changes(self) -> list[Change]:
        """Whose points by the tests are no longer what they were before the run began that was not finished yet."""
        old = _verdicts.alias("old")
        joined = _before.join(old, old.c.id == _before.c.verdict)
        joined = joined.join(_submissions, _submissions.c.id == old.c.submission)
        rows = sa.select(_before.c.student, _before.c.section, old.c.points, _submissions.c.digest)
        with self._reading() as db:
            before = {(r.student, r.section): r for r in db.execute(rows.select_from(joined))}
        found = []
        for s in self.standings():
            was = before.get((s.student.id, s.section))
            if was and s.automatic is not None and not s.due and Fraction(was.points) != s.automatic:
                new = was.digest != s.submission_digest
                found.append(Change(s.student, s.section, s.number, Fraction(was.points), s.automatic, new))
        return found

    def sections(self) -> list[str]:
        """The slugs of all sections that were ever graded here."""
        with self._reading() as db:
            return list(db.scalars(sa.select(_sections.c.slug)))

    def setting(self, key: str) -> str:
        """What was last kept under that key, "" if nothing was."""
        with self._reading() as db:
            return self._setting(db, key)

    # -- how

    def _made(self, url: str) -> sa.Engine:
        if "://" not in url:
            made = sa.create_engine(
                sa.URL.create("sqlite", database=str(Path(url).expanduser())), connect_args={"timeout": _WAIT}
            )
        else:
            parsed = sa.make_url(url)
            if parsed.get_backend_name() not in ("postgresql", "postgres"):
                raise ValueError(parsed.drivername)
            made = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        if made.dialect.name == "sqlite":

            @sa.event.listens_for(made, "connect")
            def connected(connection: Any, _: Any) -> None:
                connection.isolation_level = None  # we say ourselves when a transaction begins
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA foreign_keys=ON")

            @sa.event.listens_for(made, "begin")
            def begins(connection: sa.Connection) -> None:
                # IMMEDIATE takes the lock at once: two writers wait for each other instead of failing half way.
                writing = connection.get_execution_options().get("writing")
                connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

        return made

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DatabaseError as e:
            kind = _Cut if e.connection_invalidated else GradebookError
            raise kind("gradebook_unusable", path=self.shown, reason=_reason(e)) from None
        except OSError as e:
            raise GradebookError("gradebook_unusable", path=self.shown, reason=e.strerror or str(e)) from None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._told(), self._connected().execution_options(writing=True) as db, db.begin():
            yield db

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._told(), self._connected() as db, db.begin():
            yield db

    def _connected(self) -> sa.Connection:
        """A connection; a server that was there before is waited for."""
        for pause in (*_BACK, None):
            try:
                return self._engine.connect()
            except sa.exc.OperationalError:
                if pause is None or self._engine.dialect.name == "sqlite" or not self._reached:
                    raise
                time.sleep(pause)
        raise AssertionError

    _reached = False  # since then a lost connection is an accident

    def _migrate(self) -> None:
        with self._writing() as db:
            if db.dialect.name == "postgresql":  # two that begin at once
                db.exec_driver_sql("SELECT pg_advisory_xact_lock(7245)")
            db.exec_driver_sql("CREATE TABLE IF NOT EXISTS learn_version (version INTEGER NOT NULL)")
            version = db.scalar(sa.text("SELECT max(version) FROM learn_version")) or 0
            if version > VERSION:
                raise GradebookError("gradebook_newer", path=self.shown, found=version, known=VERSION)
            found = {*sa.inspect(db).get_table_names()} - {"learn_version"}
            if not version and found & (found if db.dialect.name == "sqlite" else _OTHERS):
                raise GradebookError("gradebook_other", path=self.shown)
            for number, statements in enumerate(MIGRATIONS[version:], version + 1):
                for statement in statements:
                    db.exec_driver_sql(statement.format_map(_TYPES[db.dialect.name]))
                db.execute(sa.text("INSERT INTO learn_version VALUES (:n)"), {"n": number})
        self._reached = True

    def _put(self, db: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
        """A row by its first column, new or in the old one's place."""
        key = next(iter(table.c)).name
        statement = self._insert(table).values(row)
        rest = {c: statement.excluded[c] for c in row if c != key}
        db.execute(statement.on_conflict_do_update(index_elements=[key], set_=rest))

    def _hand_in(self, db: sa.Connection, h: Handed) -> None:
        s = _submissions.c
        mine = (s.student == h.student.id) & (s.section == h.section)
        db.execute(sa.update(_submissions).where(mine & (s.digest != h.digest) & (s.counts == 1)).values(counts=0))
        row = {"student": h.student.id, "section": h.section, "digest": h.digest}
        told = {"handed_at": h.at.isoformat() if h.at else None, "marked_late": int(h.marked_late), "name": h.name}
        body = h.text.encode("utf-8", "surrogatepass")
        statement = self._insert(_submissions).values(row | told | {"counts": 1, "body": body})
        unique = ["student", "section", "digest"]
        db.execute(statement.on_conflict_do_update(index_elements=unique, set_=told | {"counts": 1}))

    def _setting(self, db: sa.Connection, key: str) -> str:
        return str(db.scalar(sa.select(_settings.c.value).where(_settings.c.key == key)) or "")

    def _student(self, db: sa.Connection, name: str) -> Student:
        s = _students.c
        rows = db.execute(sa.select(_students).where(sa.or_(s.id == name, s.name == name, s.email == name))).all()
        rows = [r for r in rows if r.id == name] or rows
        ids = {r.taken_by or r.id for r in rows}
        if len(ids) != 1:
            kind = "gradebook_several" if rows else "gradebook_no_student"
            raise GradebookError(kind, name=name, found=", ".join(sorted(ids)), path=self.shown)
        return _of(db.execute(sa.select(_students).where(s.id == ids.pop())).one())

    def _ids_now(self, db: sa.Connection) -> dict[str, Student]:
        """Who has another id now, by the earlier one."""
        now = _students.alias("now")
        rows = sa.select(_students.c.id.label("earlier"), now).join(now, now.c.id == _students.c.taken_by)
        return {r.earlier: _of(r) for r in db.execute(rows)}

    def _taken_over(
        self, db: sa.Connection, listed: Mapping[str, Student], find: Callable[..., Student | None]
    ) -> dict[str, str]:
        taken: dict[str, str] = {}
        for row in db.execute(sa.select(_students).where(_students.c.taken_by == "")).all():
            # Two on different rosters may share a name, and are two.
            names = (row.id, row.email) if row.listed else (row.id, row.email, row.name)
            if row.id not in listed and (found := find(*filter(None, names))):
                self._take_over(db, row.id, found.id)
                taken[row.id] = found.id
        return taken

    def _take_over(self, db: sa.Connection, old: str, new: str) -> None:
        """All that is of the one is of the other. Where both handed in the same text, the earlier one's stays as it is,
        and counts no more.
        """
        s = _submissions.c
        both = s.student.in_([old, new])
        rows = db.execute(sa.select(*(c for c in s if c is not s.body)).where(both)).all()
        for section in {r.section for r in rows if r.student == old}:
            of_section = [r for r in rows if r.section == section]
            last = _last([r for r in of_section if r.counts])
            there = [r.digest for r in of_section if r.student == new]
            change = sa.update(_submissions).where(s.section == section)
            db.execute(change.where(both).values(counts=0))
            db.execute(change.where(s.student == old, s.digest.not_in(there)).values(student=new))
            told = {"handed_at": last.handed_at, "marked_late": last.marked_late, "name": last.name}
            db.execute(change.where(s.student == new, s.digest == last.digest).values(counts=1, **told))
        db.execute(sa.update(_adjustments).where(_adjustments.c.student == old).values(student=new))
        known = sa.select(_before.c.section).where(_before.c.student == new)
        before = sa.update(_before).where(_before.c.student == old, _before.c.section.not_in(known.scalar_subquery()))
        db.execute(before.values(student=new))
        t = _students.c
        db.execute(sa.update(_students).where((t.id == old) | (t.taken_by == old)).values(taken_by=new))

    def _adjustments(self, db: sa.Connection) -> dict[tuple[str, str], Adjustment | None]:
        rows = db.execute(sa.select(_adjustments).order_by(_adjustments.c.id))  # the last one counts
        return {(r.student, r.section): _adjustment(r) if r.points is not None else None for r in rows}

    def _given(self, db: sa.Connection, student: str, section: str, adjustment: Adjustment) -> Standing:
        """Points for what was never handed in."""
        who = self._student(db, student)
        row = db.execute(sa.select(_sections).where(_sections.c.slug == section)).one()
        most = Fraction(row.max_points)
        return Standing(
            who, section, row.number, "", "", None, False, None, most, False, "", {}, False, None, adjustment, None
        )


_OF_VERDICT = ("id", "section_digest", "points", "max_points", "tier", "versions", "flagged", "at")


def _judged() -> tuple[sa.Join, sa.ColumnElement[Any]]:
    """Submissions with their sections, and the id of the verdict of each: by the tests of now, else its last one."""
    v = _verdicts.c
    now = _verdicts.alias("now")
    newest = sa.select(v.submission, sa.func.max(v.id).label("id")).group_by(v.submission).subquery("newest")
    by_now = (now.c.submission == _submissions.c.id) & (now.c.section_digest == _sections.c.digest)
    joined = _submissions.join(_sections, _sections.c.slug == _submissions.c.section)
    joined = joined.outerjoin(now, by_now).outerjoin(newest, newest.c.submission == _submissions.c.id)
    return joined, sa.func.coalesce(now.c.id, newest.c.id)


def _due(sections: Iterable[str]) -> sa.Select[Any]:
    s, v, t = _submissions.c, _verdicts.c, _sections.c
    judged = sa.exists().where(v.submission == s.id, v.section_digest == t.digest)
    rows = (
        sa.select(s.section, t.digest.label("wanted"), sa.func.min(s.id).label("first"))
        .select_from(_submissions.join(_sections, t.slug == s.section))
        .where(s.counts == 1, ~judged)
        .group_by(s.section, t.digest, s.digest)
    )
    chosen = list(sections)
    return rows.where(s.section.in_(chosen)) if chosen else rows


def _last(rows: list[Any]) -> Any:
    """The submission that was handed in last: as the times say, if all have one, else as they came in."""
    dated = all(r.handed_at for r in rows)
    return max(rows, key=lambda r: (datetime.fromisoformat(r.handed_at).timestamp() if dated else 0.0, r.id))


def _of(row: Any) -> Student:
    return Student(id=row.id, name=row.name, email=row.email)


def _standing(row: Any, adjustment: Adjustment | None) -> Standing:
    return Standing(
        student=Student(id=row.student, name=row.who, email=row.email),
        section=row.section,
        number=row.number,
        submission_digest=row.digest,
        name=row.name,
        handed_at=datetime.fromisoformat(row.handed_at) if row.handed_at else None,
        marked_late=bool(row.marked_late),
        automatic=None if row.v_points is None else Fraction(row.v_points),
        max_points=Fraction(row.v_max_points or row.worth),
        due=row.v_section_digest != row.wanted,
        tier=row.v_tier or "",
        versions=msgspec.json.decode(row.v_versions or "{}"),
        flagged=bool(row.v_flagged),
        judged_at=datetime.fromisoformat(row.v_at) if row.v_at else None,
        adjustment=adjustment,
        verdict_id=row.v_id,
    )


def _adjustment(row: Any) -> Adjustment:
    points = None if row.points is None else Fraction(row.points)
    return Adjustment(points, row.who, row.why, datetime.fromisoformat(row.at))


def _reason(error: sa.exc.DatabaseError) -> str:
    return " ".join(str(error.orig or error).split())[:300]
