"""A learner's progress: one SQLite file per course, safe to be killed at any moment.

A rollback journal with synchronous=EXTRA, not WAL: one file is easy to copy, it also works on the network homes of a
university, and once `record` has returned the attempt survives even a loss of power. Writes are rare, so this is cheap.
"""

import contextlib
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from grader.home import home
from grader.model import Verdict

# Entry n brings a file from version n to n + 1. Never edit one that was released: add another.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE attempts (
            id INTEGER PRIMARY KEY,
            section TEXT NOT NULL,
            submission_digest TEXT NOT NULL,
            section_digest TEXT NOT NULL,
            at TEXT NOT NULL,
            points TEXT NOT NULL,
            max_points TEXT NOT NULL,
            passed INTEGER NOT NULL,
            verdict BLOB NOT NULL
        )""",
        "CREATE INDEX attempts_of_section ON attempts (section, id)",
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE hints (
            section TEXT NOT NULL, task INTEGER NOT NULL, shown INTEGER NOT NULL, PRIMARY KEY (section, task)
        )""",
    ),
)
VERSION = len(MIGRATIONS)
GAVE_UP = "gave_up "  # + slug: the setting that says when

_SELECT = "SELECT section, submission_digest, section_digest, at, points, max_points, passed, verdict FROM attempts"
_COLUMNS = {
    "attempts": "id section submission_digest section_digest at points max_points passed verdict",
    "settings": "key value",
    "hints": "section task shown",
}
PAUSE = timedelta(minutes=15)  # of work before a check, at most; the rest of the time since the last one was a pause
_WAIT = 10.0  # seconds for another `learn` to finish writing
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SIDECARS = ("", "-journal", "-wal", "-shm")


class Unusable(Exception):
    """The store cannot be used; `kind` and `params` say why (worded in reports/)."""

    def __init__(self, kind: str, **params: Any) -> None:
        super().__init__(kind, params)
        self.kind = kind
        self.params = params


class Attempt(msgspec.Struct, frozen=True):
    """One judged submission."""

    section: str
    submission_digest: str
    section_digest: str
    at: datetime
    points: Fraction
    max_points: Fraction
    passed: bool
    json: bytes  # decoded on demand: lists of attempts are long, and an old verdict may no longer decode

    @property
    def verdict(self) -> Verdict:
        """The whole verdict."""
        return Verdict.from_json(self.json)


class Standing(msgspec.Struct, frozen=True):
    """How a section stands: the best points, and whether it ever passed."""

    points: Fraction
    max_points: Fraction
    passed: bool
    attempts: int
    spent: timedelta = timedelta()  # each attempt counts the time since the one before, of any section; at most PAUSE

    def of(self, worth: Fraction) -> Fraction:
        """What it earns where the section is worth so much: homework weighs it, an update may change its points."""
        return self.points / (self.max_points or 1) * worth


def path_for(course_id: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The file of one course. Any id makes a safe name, and different ids different names."""
    safe = re.sub(r"[^\w.-]", "_", course_id)[:60].lstrip(".")
    if safe != course_id or not safe:
        safe += "-" + hashlib.sha256(course_id.encode()).hexdigest()[:8]
    return home(environ) / safe / "progress.sqlite"


def remembered(path: Path, key: str) -> str | None:
    """A setting, if it can be had without creating or repairing anything; for words needed before all else."""
    try:
        if not path.is_file():
            return None
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)) as db:
            row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
            return str(row[0]) if row else None
    except (sqlite3.Error, OSError, ValueError):
        return None


class Progress:
    """The open file. Raises Unusable if it cannot be opened, or was written by a newer version of this program.

    A damaged file is moved aside, and `set_aside` then names where to.
    """

    def __init__(self, path: Path, *, kept: bool = True) -> None:
        """`kept=False`: an empty one that is forgotten with this process, for where nothing can be written."""
        self.path = path
        self.set_aside: Path | None = None
        if not kept:
            self._db = sqlite3.connect(":memory:", isolation_level=None)
            self._migrate(self._db, 0)
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._open()
        except (OSError, sqlite3.OperationalError) as e:
            reason = getattr(e, "strerror", None) or str(e)
            raise Unusable("home_unusable", path=str(path), reason=reason) from None

    def close(self) -> None:
        """Nothing is lost without it; it only gives the file handle back."""
        self._db.close()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- attempts

    def record(self, verdict: Verdict, at: datetime | None = None) -> bool:
        """Keeps a verdict. A broken one is no verdict on the learner, and is not kept: False."""
        if verdict.broken:
            return False
        with self._writing() as db:
            db.execute(
                "INSERT INTO attempts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    verdict.section,
                    verdict.submission_digest,
                    verdict.section_digest,
                    (at or datetime.now(UTC)).isoformat(),
                    verdict.points,
                    verdict.max_points,
                    verdict.passed,
                    verdict.to_json(),
                ),
            )
        return True

    def attempts(self, slug: str) -> list[Attempt]:
        """All of a section's, oldest first."""
        return [_attempt(row) for row in self._db.execute(f"{_SELECT} WHERE section = ? ORDER BY id", (slug,))]

    def latest(self, slug: str) -> Attempt | None:
        """The last one."""
        row = self._db.execute(f"{_SELECT} WHERE section = ? ORDER BY id DESC LIMIT 1", (slug,)).fetchone()
        return _attempt(row) if row else None

    def best(self, slug: str) -> Attempt | None:
        """The one with the largest share of the points; of equals the first."""
        return max(self.attempts(slug), key=_share, default=None)

    def passed(self, slug: str) -> bool:
        """True once any attempt has passed: a later change of the file takes nothing away."""
        return bool(self._db.execute("SELECT 1 FROM attempts WHERE section = ? AND passed", (slug,)).fetchone())

    def standings(self) -> dict[str, Standing]:
        """How each section that was ever tried stands, without reading the verdicts."""
        found: dict[str, Standing] = {}
        for _, found in self._replayed():  # noqa: B007  # the last one is what is wanted
            pass
        return found

    def history(self, worth: Mapping[str, Fraction]) -> list[tuple[datetime, Fraction]]:
        """When each attempt was, and the best points of these sections together from then on; oldest first. `worth`: of
        each by its slug.
        """
        return [
            (at, sum((standing.of(worth[slug]) for slug, standing in found.items() if slug in worth), Fraction(0)))
            for at, found in self._replayed()
        ]

    def _replayed(self) -> Iterator[tuple[datetime, dict[str, Standing]]]:
        """After each attempt, how all sections stood: the same dictionary, as it grows."""
        found: dict[str, Standing] = {}
        last = None
        rows = self._db.execute("SELECT section, at, points, max_points, passed FROM attempts ORDER BY id")
        for slug, when, points, most, passed in rows:
            at = datetime.fromisoformat(when)
            spent = min(max(at - last, timedelta()), PAUSE) if last else timedelta()  # a clock may be set back
            new = Standing(Fraction(points), Fraction(most), bool(passed), 1, spent)
            old = found.get(slug)
            found[slug] = _joined(old, new) if old else new
            last = at
            yield at, found

    # -- settings and hints

    def setting(self, key: str) -> str | None:
        """What was last kept under that key."""
        row = self._db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def keep(self, key: str, value: str) -> None:
        """Remembers a setting. Nothing is written if it is so already."""
        if self.setting(key) != value:
            with self._writing() as db:
                db.execute(
                    "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value)
                )

    def given_up(self) -> set[str]:
        """The sections whose solution was looked at before they were passed."""
        rows = self._db.execute("SELECT key FROM settings WHERE key GLOB ?", (f"{GAVE_UP}*",))
        return {str(key).removeprefix(GAVE_UP) for (key,) in rows}

    def hints_shown(self, slug: str) -> dict[int, int]:
        """How many hints of each task were shown."""
        return dict(self._db.execute("SELECT task, shown FROM hints WHERE section = ?", (slug,)).fetchall())

    def show_hints(self, slug: str, task: int, count: int) -> None:
        """Remembers that so many hints of a task were shown; never fewer than before."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO hints VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET shown = max(shown, excluded.shown)",
                (slug, task, count),
            )

    # -- the file

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        # IMMEDIATE takes the lock at once: two `learn` wait for each other instead of failing half way.
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as e:  # locked for too long, disk full, turned read-only
            raise Unusable("home_unusable", path=str(self.path), reason=str(e)) from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as e:
            if not _is_damage(e):
                raise
        with _lock(self.path.parent):
            # Another `learn` may have set it aside while we waited, and moving again would take its new file.
            try:
                return self._connect()
            except sqlite3.DatabaseError as e:
                if not _is_damage(e):
                    raise
            self.set_aside = _move_aside(self.path)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        _check_header(self.path)
        db = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None)
        try:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise Unusable("progress_newer", path=str(self.path), found=version, known=VERSION)
            if (state := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise _damage(state)
            db.execute("PRAGMA synchronous=EXTRA")
            self._migrate(db, version)
            _check_attempts(db)
        except BaseException:
            db.close()
            raise
        return db

    def _migrate(self, db: sqlite3.Connection, version: int) -> None:
        if version == VERSION:
            # A file that we may read but not write would else fail only after the judging.
            if not os.access(self.path, os.W_OK):
                raise PermissionError(13, os.strerror(13))
            for table, columns in _COLUMNS.items():
                if [row[1] for row in db.execute(f"PRAGMA table_info({table})")] != columns.split():
                    raise _damage(f"no table {table} as it should be")
            return
        self._db = db
        with self._writing():
            (version,) = db.execute("PRAGMA user_version").fetchone()  # again: now nobody else is at it
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")


def _attempt(row: tuple[str, str, str, str, str, str, int, bytes]) -> Attempt:
    slug, submission, section, at, points, most, passed, json = row
    when = datetime.fromisoformat(at)
    return Attempt(slug, submission, section, when, Fraction(points), Fraction(most), bool(passed), json)


def _share(of: Attempt | Standing) -> Fraction:
    return of.points / (of.max_points or 1)


def _joined(old: Standing, new: Standing) -> Standing:
    best = max(old, new, key=_share)
    count, spent = old.attempts + new.attempts, old.spent + new.spent
    return Standing(best.points, best.max_points, old.passed or new.passed, count, spent)


def _check_header(path: Path) -> None:
    """Raises for what is no database, before SQLite opens it: that would delete a stale -wal beside it."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as f:
        if (start := f.read(16)) and start != b"SQLite format 3\0":
            raise _damage("no SQLite file")


def _check_attempts(db: sqlite3.Connection) -> None:
    """Raises for attempts that make no sense, though SQLite finds the file in order."""
    try:
        for points, most in db.execute("SELECT DISTINCT points, max_points FROM attempts"):
            Fraction(points), Fraction(most)
    except (ValueError, ZeroDivisionError, TypeError):
        raise _damage("points that are no number") from None
    if db.execute("SELECT 1 FROM attempts WHERE datetime(at) IS NULL").fetchone():
        raise _damage("a time that is none")


def _damage(message: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(message)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _DAMAGED


def _move_aside(path: Path) -> Path:
    stem = f"{path.stem}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    target = path.with_name(f"{stem}{path.suffix}")
    again = 1
    while any(Path(f"{target}{s}").exists() for s in _SIDECARS):
        again += 1
        target = path.with_name(f"{stem}-{again}{path.suffix}")
    for s in reversed(_SIDECARS):  # the file itself last: while it is there, the damage is still seen
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{s}").rename(f"{target}{s}")
    return target


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    import fcntl

    with (folder / "lock").open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield
