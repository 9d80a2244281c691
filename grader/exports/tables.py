"""Gradebook sheets as platforms hand them out: marks go into a column, and every other byte stays what it was.

The csv module reads such a file, but cannot say where in it a cell stands; so the cells are found here.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from grader.model import Mendable, Student

if TYPE_CHECKING:
    from grader.scores import Total

_T = TypeVar("_T")
_DELIMITERS = ",;\t"
_NUMBER = re.compile(r"\s*\d+(?:[.,]\d+)*\s*")
_PLACES = 2  # what Canvas and Moodle show


class SheetError(Mendable):
    """A sheet that cannot be filled."""


class Cell(NamedTuple):
    """What it says, and where it stands in the file, with its quotes."""

    text: str
    start: int
    end: int


class Line(NamedTuple):
    """A student in a sheet."""

    row: int
    ids: tuple[str, ...]  # by the sheet's columns of ids, best first; "" where there is none
    name: str


class Matched(NamedTuple):
    """Which line is whose."""

    rows: dict[str, int]  # by the student's id
    absent: list[Student]  # no line is theirs
    doubtful: list[Student]  # a line may be theirs, and may be somebody else's
    strangers: list[Line]  # lines of nobody


class Filled(NamedTuple):
    """A sheet with marks, and about whom there is something to be said."""

    data: bytes
    column: str
    most: Fraction
    marks: int  # that were written
    left: Mapping[str, list[str]]  # by why: the students whose cells stay what they were, or who have none
    capped: Sequence[str] = ()  # have more than the platform takes


class Sheet:
    """A CSV file in UTF-8, with or without a byte order mark."""

    def __init__(self, data: bytes, path: str, fits: Callable[[Sequence[str]], bool]) -> None:
        """`fits`: whether these can be the headings; the delimiter is the first with which they can.

        Raises SheetError; `path` is for the message.
        """
        try:
            self._text = data.decode()
        except UnicodeDecodeError:
            raise SheetError("sheet_encoding", path=path) from None
        for self.delimiter in _DELIMITERS:
            self.rows = _rows(self._text, self.delimiter)
            if fits(self.heads):
                return
        raise SheetError("sheet_heads", path=path, found=", ".join(filter(None, self.heads))[:200])

    @property
    def heads(self) -> list[str]:
        """The headings, as they are written."""
        return [c.text for c in self.rows[0]]

    def text(self, row: int, column: int) -> str:
        """What a cell says, without blanks around; "" for one that is not there."""
        cells = self.rows[row]
        return cells[column].text.strip() if 0 <= column < len(cells) else ""

    def changed(self, cells: Mapping[tuple[int, int], str]) -> bytes:
        """The file with these cells (row, column) saying something else; one behind a row's end is added."""
        parts, at = [], 0
        for (row, column), value in sorted(cells.items()):
            there = self.rows[row]
            if column < len(there):
                start, end = there[column][1:]
                before = ""
            else:
                start = end = there[-1].end
                before = self.delimiter * (column - len(there) + 1)
            parts += [self._text[at:start], before, self._written(value, self._text[start:end].startswith('"'))]
            at = end
        return "".join([*parts, self._text[at:]]).encode()

    def _written(self, value: str, quoted: bool) -> str:
        special = any(c in value for c in (self.delimiter, '"', "\r", "\n"))
        return '"{}"'.format(value.replace('"', '""')) if quoted or special else value


def _rows(text: str, delimiter: str) -> list[list[Cell]]:
    """As the csv module has it: a quote opens a cell at its start only, what follows the closing one belongs to it."""
    cell = re.compile(rf'(?:"(?P<quoted>[^"]*(?:""[^"]*)*)(?:"|\Z))?(?P<plain>[^{re.escape(delimiter)}\r\n]*)')
    rows: list[list[Cell]] = [[]]
    at = int(text.startswith("\ufeff"))
    while m := cell.match(text, at):
        at = m.end()
        rows[-1].append(Cell((m["quoted"] or "").replace('""', '"') + m["plain"], *m.span()))
        if text.startswith(delimiter, at):
            at += 1
            continue
        at += 2 if text.startswith("\r\n", at) else 1
        if at >= len(text):
            break
        rows.append([])
    return rows


def number(text: str) -> Fraction | None:
    """A number as Canvas reads it: what follows the last comma or point is its decimals. None if it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    whole = re.split("[.,]", text.strip())
    return Fraction(whole[0]) if len(whole) == 1 else Fraction(f"{''.join(whole[:-1])}.{whole[-1]}")


def decimal_mark(texts: Iterable[str], default: str) -> str:
    """What stands before the decimals in these texts, as far as they are numbers."""
    marks = (re.findall("[.,]", t) for t in texts if _NUMBER.fullmatch(t))
    return next((m[-1] for m in marks if m), default)


def rounded(value: Fraction, most: Fraction) -> Fraction:
    """To hundredths, halves to the even one; but never up to `most`, which is for those who have it."""
    if value == most:
        return value
    unit = Fraction(1, 10**_PLACES)
    near = round(value / unit) * unit
    if value > most:
        return max(near, most)
    return near if near < most else (math.ceil(most / unit) - 1) * unit


def decimals(value: Fraction, mark: str = ".") -> str:
    """With two decimals; with more, up to six, if it has more."""
    places = next((p for p in range(_PLACES, 6) if (value * 10**p).denominator == 1), 6)
    digits = f"{round(value * 10**places):0{places + 1}d}"
    return f"{digits[:-places]}{mark}{digits[-places:]}"


def matched(lines: Sequence[Line], students: Iterable[Student]) -> Matched:
    """Students to lines: by id (or e-mail address), else by a name that is nobody else's.

    A class is mostly known by one kind of id. So an id that stands in another column than most of them may be a number
    that means something else there: it does not count where the names have no word in common.
    """
    people = list(students)
    columns = range(max((len(line.ids) for line in lines), default=0))
    hits: dict[str, dict[int, int]] = {s.id: {} for s in people}
    for column in columns:
        owners = _once((handle, s.id) for s in people for handle in (plain(s.id), plain(s.email)))
        for handle, row in _once((plain(line.ids[column]), line.row) for line in lines).items():
            if handle in owners:
                hits[owners[handle]][column] = row
    usual = max(columns, key=lambda c: sum(c in found for found in hits.values()), default=0)
    by_name = _once((words(line.name), line.row) for line in lines)
    alone = _once((words(s.name), s.id) for s in people)
    names = {line.row: line.name for line in lines}
    claims: dict[str, set[int]] = {}
    sure: set[str] = set()
    for s in people:
        named = {by_name[n] for n in [words(s.name)] if n in by_name and alone.get(n) == s.id}
        claims[s.id] = set(hits[s.id].values()) or named
        if len(claims[s.id]) == 1 and (usual in hits[s.id] or not _apart(s, names[min(claims[s.id])])):
            sure.add(s.id)
    owned = Counter(row for who in sure for row in claims[who])
    clear = {who: row for who in sure for row in claims[who] if owned[row] == 1}
    claimed = set().union(*claims.values())
    return Matched(
        clear,
        [s for s in people if not claims[s.id]],
        [s for s in people if claims[s.id] and s.id not in clear],
        [line for line in lines if line.row not in claimed],
    )


def _apart(student: Student, name: str) -> bool:
    """True if those are two names. A student without one is called by the id."""
    own = set(words(student.name).split()) if student.name != student.id else set()
    return bool(own and name.strip()) and own.isdisjoint(words(name).split())


def _once(pairs: Iterable[tuple[str, _T]]) -> dict[str, _T]:
    """What each name means, without those that mean several things."""
    found: dict[str, set[_T]] = {}
    for name, meant in pairs:
        found.setdefault(name, set()).add(meant)
    return {name: next(iter(meant)) for name, meant in found.items() if name and len(meant) == 1}


def plain(text: str) -> str:
    """As ids and headings are compared: without case and blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(name: str) -> str:
    """As names are compared: "Li, Hua" is "Hua Li"."""
    return " ".join(sorted(unicodedata.normalize("NFKC", name).casefold().replace(",", " ").split()))


def waiting(total: "Total") -> str:
    """Why there is no mark of a student yet, "" if there is one."""
    if not any(s.standing for s in total.scores):
        return "nothing"
    return "due" if total.due or any(s.points is None for s in total.scores) else ""
