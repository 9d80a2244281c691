"""What Canvas and Moodle do with a sheet that comes back to them, written anew from their importers' rules."""

import csv
import io
import re
from fractions import Fraction


def canvas(data: bytes) -> dict[str, dict[str, str]]:
    """What Canvas's import would put down: by student's Canvas id (else name), by heading. Raises ValueError for a file
    that it refuses. `lib/gradebook_importer.rb`.
    """
    text = data.decode("utf-8-sig")
    first = text.splitlines(keepends=True)[:3]
    counts = {}
    for mark in ";,":
        sizes = {len(next(csv.reader([line], delimiter=mark, strict=False), [])) for line in first}
        counts[mark] = sizes.pop() if len(sizes) == 1 else 0
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=";" if counts[";"] > counts[","] else ",", strict=True)
    rows = [[_canvas_number(c) for c in line] for line in lines if not re.fullmatch("[;, ]*", "".join(line))]
    head, *rest = rows
    if not (len(head) > 3 and "Student" in head[0] and "ID" in head[1] and "Section" in head):
        raise ValueError("Invalid header row")
    first_column = head.index("Section") + 1
    found = {}
    for row in rest:
        if "Points Possible" in row[0] or all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", c) for c in row):
            continue
        found[row[1] or row[0]] = {h: row[i].strip() for i, h in enumerate(head) if i >= first_column and i < len(row)}
    return found


def canvas_points(data: bytes) -> dict[str, str]:
    """What it takes for the points of each assignment."""
    text = data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;", key=text.partition("\n")[0].count)))
    return dict(zip(rows[0], next(r for r in rows if "Points Possible" in r[0]), strict=False))


def _canvas_number(cell: str) -> str:
    if re.fullmatch(r"-?[0-9.,]+%?", cell):
        *whole, last = re.split("[,.]", cell)
        return f"{''.join(whole)}.{last}" if whole else last
    return cell


def moodle(
    data: bytes, heads: tuple[str, str, str, str], prefix: str, decimal: str
) -> dict[int, tuple[Fraction | None, str]]:
    """The grade (None: none is set) and the comment by participant. `heads`: of identifier, grade, time, comments, in
    the site's language; `prefix`: its "Participant "; `decimal`: its mark. `importgradeslib.php`.
    """
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    at = {h: rows[0].index(h) if h in rows[0] else -1 for h in heads}
    if -1 in [at[h] for h in heads[:3]]:
        raise ValueError("invalidgradeimport")
    found = {}
    for row in rows[1:]:
        number = int(row[at[heads[0]]][len(prefix) :])
        grade = row[at[heads[1]]].replace(" ", "").replace(decimal, ".")
        # PHP's (float): what it cannot read it drops
        plain = re.match(r"-?\d+(\.\d+)?", grade)
        found[number] = (Fraction(plain[0]) if plain else None, row[at[heads[3]]] if at[heads[3]] >= 0 else "")
    return found
