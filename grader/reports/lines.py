"""Where a line of text may end: at a space, and in Chinese nearly anywhere; but not within a command."""

import functools
import math
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

MAY_BREAK = "\x1f"  # no cell wide, and a space to rich, which ends lines at spaces alone: taken out of what is shown
CLOSING = "，。；：？！、）》」』】”’…％"  # do not begin a line
OPENING = "（《「『【“‘"  # do not end one
_COMMAND = re.compile(r"`[^`\n]*`")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")  # colours and links, which take no cell


@functools.cache
def wide(character: str) -> bool:
    """True for what takes two cells on a terminal: Chinese characters and their punctuation."""
    return unicodedata.east_asian_width(character) in "WF"


def cells(text: str) -> int:
    """How wide a line is on a terminal."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    return sum(not unicodedata.combining(c) and 1 + wide(c) for c in _ESCAPE.sub("", text))


def padded(text: str, width: int) -> str:
    """The text and blanks, so many cells together."""
    return text + " " * (width - cells(text))


def may_break(before: str, after: str) -> bool:
    """True if a line may end between these two, though there is no space."""
    return (wide(before) or wide(after)) and after not in CLOSING and before not in OPENING and not before.isspace()


def breakable(text: str) -> str:
    """The text with a mark wherever a line may end though there is no space."""
    return text[:1] + "".join(MAY_BREAK * may_break(a, b) + b for a, b in pairwise(text))


def rows(text: str, width: int) -> int:
    """How many lines of a terminal the text takes, which goes on in the next where one is full."""
    return sum(max(1, math.ceil(cells(line) / width)) for line in text.splitlines())


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells. A command in backticks stays whole where a line has room for it; a
    word that is longer than a line, as a path can be, is left to the terminal, so that it can be clicked and copied.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, gap = "", ""
        for piece, blanks in _pieces(paragraph, width):
            if line and cells(line + gap + piece) > width:
                lines.append(line)
                line = piece
            else:
                line += gap + piece
            gap = blanks
        lines.append(line)
    return lines


def _pieces(text: str, width: int) -> Iterator[tuple[str, str]]:
    """What no line end may divide, each with the blanks that follow it."""
    whole = {i for m in _COMMAND.finditer(text) if cells(m[0]) <= width for i in range(m.start(), m.end())}
    start = 0
    for end in range(1, len(text) + 1):
        inside = end in whole and end - 1 in whole and text[end - 1 : end + 1] != "``"
        last = end == len(text)
        blank = text[end - 1] == " " and not last and text[end] != " "
        if last or (not inside and (blank or may_break(text[end - 1], text[end]))):
            piece = text[start:end]
            bare = piece.rstrip(" ") or piece
            yield bare, piece[len(bare) :]
            start = end
