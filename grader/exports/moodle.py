"""Moodle: marks into the grading worksheet of an assignment (`mod/assign/feedback/offline/importgradeslib.php`)."""

import difflib
import re
from collections.abc import Sequence
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

# The headings are in the site's language; of any other, the columns are known by what is in them.
_HEADS = {
    "identifier": ("identifier", "id", "识别码", "标识符", "identifiant", "identificador"),
    "grade": ("grade", "bewertung", "成绩", "note", "calificación"),
    "most": ("maximumgrade", "bestwertung", "最高成绩", "最高分", "notemaximale", "calificaciónmáxima"),
    "feedback": (
        "feedbackcomments", "feedbackalskommentar", "反馈评论", "反馈意见", "评语反馈", "feedbackparcommentaires",
        "comentariosderetroalimentación",
    ),
    "name": ("fullname", "vollständigername", "全名", "姓名", "nomcomplet", "nombrecompleto"),
    "number": ("idnumber", "id-nummer", "学号", "编号", "numérod'identification", "númerodeid"),
    "login": ("username", "anmeldename", "用户名", "nomd'utilisateur", "nombredeusuario"),
    "email": (
        "emailaddress", "e-mail-adresse", "电子邮件地址", "email地址", "邮箱", "adressedecourriel", "direccióndecorreo",
    ),
}  # fmt: skip
_PARTICIPANT = re.compile(r"\D*\d+")
_OURS = re.compile(r"(\d+\.\d+: [-–\d./ %()]+(; |$))+")  # the comment of an earlier export


def fill(data: bytes, path: str, totals: "Sequence[Total]", column: str = "") -> Filled:
    """The worksheet with these marks, and a word on each section where comments are its column and nobody wrote any.

    `column`: the heading of the grades, where it is not known. `path` is for messages. Raises SheetError.
    """
    sheet = Sheet(data, path, lambda heads: len(heads) >= 3)
    at = {kind: _at(sheet, names) for kind, names in _HEADS.items()}
    at["identifier"] = max(at["identifier"], 0)
    rows = [r for r in range(1, len(sheet.rows)) if _PARTICIPANT.fullmatch(sheet.text(r, at["identifier"]))]
    grade, highest = _columns(sheet, at, rows, column, path)
    highs = {r: number(sheet.text(r, highest)) for r in rows}
    if not all(highs.values()):
        raise SheetError("sheet_scale", path=path, found=next(sheet.text(r, highest) for r in rows if not highs[r]))
    mark = decimal_mark((sheet.text(r, c) for r in rows for c in (highest, grade)), ".")
    lines = [_line(sheet, r, at) for r in rows]
    found = matched(lines, [t.student for t in totals])
    cells: dict[tuple[int, int], str] = {}
    left: dict[str, list[str]] = {}
    capped = []
    for total in totals:
        row = found.rows.get(total.student.id)
        if why := waiting(total):
            left.setdefault(why, []).append(total.student.id)
        elif row is not None:
            most = highs[row] or Fraction(0)
            if total.share > 1:
                capped.append(total.student.id)
            cells[row, grade] = decimals(rounded(min(total.share, Fraction(1)) * most, most), mark)
            was = sheet.text(row, at["feedback"])
            if at["feedback"] >= 0 and (not was or _OURS.fullmatch(was)):
                cells[row, at["feedback"]] = comment(total)
    left |= {"absent": [s.id for s in found.absent], "doubtful": [s.id for s in found.doubtful]}
    left["strangers"] = [line.name or line.ids[0] for line in found.strangers]
    marks = sum(c == grade for _, c in cells)
    return Filled(sheet.changed(cells), sheet.heads[grade], max(filter(None, highs.values())), marks, left, capped)


def comment(total: "Total") -> str:
    """Each section's points, and what lateness took: "1.1: 5.4/6 (-10 %); 2.2: –". The same in every language."""
    parts = []
    for s in total.scores:
        off = f" (-{_short((1 - s.share) * 100)} %)" if s.share < 1 else ""
        points = f"{_short(s.points or Fraction(0))}/{_short(s.max_points)}" if s.standing else "–"
        parts.append(f"{s.number}: {points}{off}")
    return "; ".join(parts)


def _short(value: Fraction) -> str:
    return decimals(round(value, 2)).rstrip("0").rstrip(".")


def _at(sheet: Sheet, names: Sequence[str]) -> int:
    return next((i for i, h in enumerate(sheet.heads) if plain(h) in names), -1)


def _columns(sheet: Sheet, at: dict[str, int], rows: list[int], column: str, path: str) -> tuple[int, int]:
    """The grades' column and that of the highest grade. Where headings do not tell: the latter says the same number on
    every line, and the former is left of it and holds numbers or nothing.
    """
    if column and column not in sheet.heads:
        near = difflib.get_close_matches(column, sheet.heads, 3, 0.5) or sheet.heads
        raise SheetError("sheet_no_column", path=path, name=column, found=", ".join(f'"{h}"' for h in near))
    grade, highest = sheet.heads.index(column) if column else at["grade"], at["most"]
    if grade >= 0 and rows:
        return grade, highest if highest >= 0 else grade + 1
    likely = [
        c
        for c in range(2, len(sheet.heads))
        if len({sheet.text(r, c) for r in rows}) == 1
        and all(number(sheet.text(r, c)) for r in rows)
        and all(not (t := sheet.text(r, c - 1)) or t == "-" or number(t) is not None for r in rows)
    ]
    if len(likely) != 1:
        raise SheetError("sheet_no_worksheet", path=path, found=", ".join(sheet.heads)[:200])
    return likely[0] - 1, likely[0]


def _line(sheet: Sheet, row: int, at: dict[str, int]) -> Line:
    identifier = sheet.text(row, at["identifier"])
    ids = (identifier, re.sub(r"\D", "", identifier))
    others = tuple(sheet.text(row, at[kind]) for kind in ("number", "login", "email"))
    return Line(row, (*ids, *others), sheet.text(row, at["name"]))
