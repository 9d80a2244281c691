"""Canvas: marks into the gradebook that was exported there, to be imported again (`lib/gradebook_importer.rb`)."""

import difflib
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from grader.exports.tables import (
    Filled,
    Line,
    Sheet,
    SheetError,
    decimal_mark,
    decimals,
    matched,
    number,
    plain,
    rounded,
    waiting,
)

if TYPE_CHECKING:
    from grader.scores import Total

_IDS = ("ID", "SIS User ID", "SIS Login ID")
_TOTALS = re.compile(r"(Current|Final|Override) (Score|Points|Grade|Status)")  # Canvas's own columns
_TITLE = re.compile(r"(?P<title>.*?)\s*\(\d+\)", re.DOTALL)
_NOBODY = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE)
_TEST = "student, test"  # Canvas's own, as whom teachers look at a course
_EXCUSED = "ex"


def fill(
    data: bytes, path: str, totals: "Sequence[Total]", column: str, worth: Fraction, *, new: bool = False
) -> Filled:
    """The sheet with these marks in that column (its heading, with or without Canvas's number).

    `new`: if there is none it is added, worth so many points; Canvas then makes an assignment. `path` is for messages.
    Raises SheetError.
    """
    sheet = Sheet(data, path, _fits)
    points = next((r for r in range(1, len(sheet.rows)) if "points possible" in sheet.text(r, 0).casefold()), None)
    if points is None:
        raise SheetError("sheet_no_points_row", path=path)
    there = _column(sheet, column, path, new)
    at = len(sheet.heads) if there is None else there
    name = column if there is None else sheet.heads[there]
    possible = decimals(worth) if there is None else sheet.text(points, at)
    if re.search(r"read\s+only", possible):
        raise SheetError("sheet_read_only", path=path, name=name)
    most = number(possible)
    if not most:
        raise SheetError("sheet_no_points", path=path, name=name)
    first = sheet.heads.index("Section") + 1
    mark = decimal_mark((c.text for row in sheet.rows[1:] for c in row[first:]), "," if sheet.delimiter == ";" else ".")
    lines = _lines(sheet, points)
    found = matched(lines, [t.student for t in totals])
    cells = {} if there is not None else {(0, at): name, (points, at): decimals(worth, mark)}
    left: dict[str, list[str]] = {}
    marks = 0
    for total in totals:
        row = found.rows.get(total.student.id)
        why = waiting(total) or ("excused" if row and sheet.text(row, at).casefold() == _EXCUSED else "")
        if why:
            left.setdefault(why, []).append(total.student.id)
        elif row is not None:
            cells[row, at] = decimals(rounded(total.share * most, most), mark)
            marks += 1
    left |= {"absent": [s.id for s in found.absent], "doubtful": [s.id for s in found.doubtful]}
    left["strangers"] = [line.name for line in found.strangers]
    return Filled(sheet.changed(cells), name, most, marks, left)


def _fits(heads: Sequence[str]) -> bool:
    """As Canvas knows them."""
    given = len(heads) > 3 and "Student" in heads[0] and "ID" in heads[1]
    split = len(heads) > 4 and heads[:2] == ["LastName", "FirstName"] and "ID" in heads[2]
    return (given or split) and "Section" in heads


def _column(sheet: Sheet, name: str, path: str, new: bool) -> int | None:
    """Where the column is; None if there is none and one may be added."""
    first = sheet.heads.index("Section") + 1
    heads = {i: h for i, h in enumerate(sheet.heads) if i >= first and h.strip() and not _TOTALS.search(h)}
    titles = {i: m["title"] if (m := _TITLE.fullmatch(h)) else h for i, h in heads.items()}
    found = [i for i, h in heads.items() if h == name]
    found = found or [i for i, t in titles.items() if plain(t) == plain(name)]
    if len(found) > 1:
        raise SheetError("sheet_column_twice", path=path, name=name, found=_listed(heads[i] for i in found))
    if not found and not new:
        near = difflib.get_close_matches(plain(name), [plain(t) for t in titles.values()], 3, 0.5)
        likely = [heads[i] for i, t in titles.items() if plain(t) in near]
        raise SheetError("sheet_no_column", path=path, name=name, found=_listed(likely or list(heads.values())[:10]))
    return found[0] if found else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{n}"' for n in names) or "-"


def _lines(sheet: Sheet, points: int) -> list[Line]:
    ids = [sheet.heads.index(i) if i in sheet.heads else -1 for i in _IDS]
    split = sheet.heads[0] == "LastName"
    lines = []
    for row in range(1, len(sheet.rows)):
        if row == points:
            continue
        name = f"{sheet.text(row, 0)}, {sheet.text(row, 1)}" if split else sheet.text(row, 0)
        numbers = tuple(sheet.text(row, i) for i in ids)
        posting = all(_NOBODY.fullmatch(text) for text in (*numbers, name.strip(", ")))
        if not posting and name.strip().casefold() != _TEST:
            lines.append(Line(row, numbers, name))
    return lines
