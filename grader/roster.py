"""Who is in the class: a CSV as Canvas, Moodle, Gradescope or a registrar hand it out.

A student is known by the first of id, login, e-mail or name that the file has, and found by any of them.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

from grader.model import Mendable, Student

# By what the student is known, best first; in each the column's names, as they are spelt once blanks and case are gone.
_IDS = (
    ("studentid", "studentnumber", "sid", "idnumber", "学号", "sisuserid"),
    ("sisloginid", "loginid", "login", "username", "githubusername", "github", "用户名"),
    ("id", "identifier", "编号", "标识符"),
    ("email", "emailaddress", "邮箱", "电子邮件", "电子邮件地址", "电子邮箱"),
)
_EMAIL = _IDS[3]
_NAME = ("name", "fullname", "student", "studentname", "姓名", "全名")
_FIRST, _LAST = ("firstname", "名"), ("lastname", "surname", "姓")
_TIME = ("submittedat", "handedin", "lastmodified(submission)", "submissiontime", "提交时间", "最后修改(提交)")
_LANG = ("lang", "language", "preferredlanguage", "语言")
_LANGS = {"en": ("en", "英"), "zh": ("zh", "chin", "中", "汉", "简", "繁")}  # language -> how its name may begin
_TIMES = ("%A, %d %B %Y, %I:%M %p", "%d/%m/%y, %H:%M", "%Y年%m月%d日 %H:%M")
# Canvas's own lines, and as whom teachers look at their course there.
_CANVAS = re.compile(r"\s*(points possible|manual posting|student, test$)", re.IGNORECASE)
_NO_TIME = ("-", "–", "—")  # Moodle's, of who handed in nothing
_ENCODINGS = ("utf-8-sig", "gb18030")
_CAP = 16 << 20


class Row(NamedTuple):
    """What is known of a student."""

    student: Student
    names: tuple[str, ...]  # all that he is called by
    lang: str = ""  # as it is written
    time: str = ""
    line: int = 0  # of the file


Kept = tuple[list[str], str]  # of a student: names, language as it is written


class RosterError(Mendable):
    """A file that is no roster."""


class Roster:
    """The students of a class, and when each handed in, where the file says so."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """`rows`: what the file says of each student."""
        self._rows = {row.student.id: row for row in rows}
        self.students = [row.student for row in self._rows.values()]
        called: dict[str, set[str]] = {}
        by_id = {s.id: s for s in self.students}
        for row in self._rows.values():
            for name in row.names:
                called.setdefault(_plain(name), set()).add(row.student.id)
        # What two are called by is nobody's name.
        self._called = {name: by_id[next(iter(ids))] for name, ids in called.items() if name and len(ids) == 1}

    def find(self, *names: str) -> Student | None:
        """Whoever goes by the first of these names that anybody goes by."""
        return next((s for n in names if (s := self._called.get(_plain(n)))), None)

    def time(self, student: Student, zone: tzinfo | None) -> datetime | None:
        """When that student handed in; `zone` is for times that say none, and without it they are nobody's."""
        row = self._rows.get(student.id)
        return moment(row.time, zone) if row else None

    def lang(self, student: Student) -> str:
        """In which language that student reads, "" if the file does not say, or says one that we do not speak."""
        row = self._rows.get(student.id)
        said = row.lang.lower() if row else ""
        return next((lang for lang, starts in _LANGS.items() if said.startswith(starts)), "")

    def kept(self) -> dict[str, Kept]:
        """By id, what is still of use when the file is not at hand."""
        return {id_: (list(row.names), row.lang) for id_, row in self._rows.items()}


def read(path: Path) -> Roster:
    """The roster in that file. Raises RosterError."""
    try:
        with path.open("rb") as f:
            data = f.read(_CAP)
    except (OSError, ValueError) as e:
        raise RosterError("roster_unreadable", path=str(path), reason=getattr(e, "strerror", None) or str(e)) from None
    return parse(data, str(path))


def parse(data: bytes, path: str = "roster.csv") -> Roster:
    """The roster in these bytes; `path` is for messages. Raises RosterError."""
    text = _decoded(data, path)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as e:
        raise RosterError("roster_unreadable", path=path, reason=str(e)) from None
    first_cells = lines[0][1] if lines else []
    head = [_plain(cell) for cell in first_cells]
    if not any(cell in names for cell in head for names in (*_IDS, _NAME)):
        raise RosterError("roster_no_column", path=path, found=", ".join(filter(None, first_cells))[:200])
    rows = list(_rows(head, lines[1:]))
    seen: set[str] = set()
    for row in rows:
        if row.student.id in seen:
            raise RosterError("roster_twice", path=path, id=row.student.id)
        seen.add(row.student.id)
        if row.time and moment(row.time, UTC) is None:
            raise RosterError("roster_time", path=path, line=row.line, value=row.time[:100])
    return Roster(rows)


def moment(text: str, zone: tzinfo | None) -> datetime | None:
    """A time as platforms write it, None if it is none or nobody knows in which zone."""
    text = re.sub(r" 星期.", "", " ".join(text.split()))
    for read in (datetime.fromisoformat, *(lambda t, f=f: datetime.strptime(t, f) for f in _TIMES)):
        try:
            when = read(text)
        except ValueError:
            continue
        return when if when.tzinfo else when.replace(tzinfo=zone) if zone else None
    return None


def _rows(head: list[str], lines: list[tuple[int, list[str]]]) -> Iterator[Row]:
    def cells(line: list[str], names: tuple[str, ...]) -> list[str]:
        found = (c.strip() for h, c in zip(head, line, strict=False) if h in names)
        return ["".join(c if c.isprintable() else "?" for c in cell) for cell in found if cell]

    def cell(line: list[str], names: tuple[str, ...]) -> str:
        return next(iter(cells(line, names)), "")

    for at, line in lines:
        last, first = cell(line, _LAST), cell(line, _FIRST)
        whole = cell(line, _NAME)
        name = whole or f"{first} {last}".strip()
        ids = [i for names in _IDS for i in cells(line, names)]
        if not (ids or name) or _CANVAS.match(name):
            continue
        email = cell(line, _EMAIL)
        # Canvas names files by "lastfirst", Moodle by its own number: "Participant 4711".
        turned = [f"{last}{first}", f"{first}{last}", "".join(reversed(name.split(", "))), name]
        numbers = [m[1] for i in ids if (m := re.fullmatch(r"\D*?(\d+)", i))]
        local = [email.partition("@")[0]] if "@" in email else []
        student = Student(id=ids[0] if ids else name, name=name, email=email)
        time = cell(line, _TIME)
        yield Row(student, (*ids, *numbers, *local, *turned), cell(line, _LANG), "" if time in _NO_TIME else time, at)


def _decoded(data: bytes, path: str) -> str:
    for encoding in _ENCODINGS:
        try:
            if b"\0" not in data:
                return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    raise RosterError("roster_encoding", path=path)


def _plain(text: str) -> str:
    """As names are compared: without case, blanks, commas and accents' many spellings."""
    return re.sub(r"[\s,_\-]+", "", unicodedata.normalize("NFKC", text)).casefold()
