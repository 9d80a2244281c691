"""Where a line of text may end: at a space, and in Chinese nearly anywhere."""

import unicodedata
from itertools import pairwise

MAY_BREAK = "\x1f"  # no cell wide, and a space to rich, which ends lines at spaces alone: taken out of what is shown
CLOSING = "，。；：？！、）》」』】”’…％"  # do not begin a line
OPENING = "（《「『【“‘"  # do not end one


def wide(character: str) -> bool:
    """True for what takes two cells on a terminal: Chinese characters and their punctuation."""
    return unicodedata.east_asian_width(character) in "WF"


def may_break(before: str, after: str) -> bool:
    """True if a line may end between these two, though there is no space."""
    return (wide(before) or wide(after)) and after not in CLOSING and before not in OPENING and not before.isspace()


def breakable(text: str) -> str:
    """The text with a mark wherever a line may end though there is no space."""
    return text[:1] + "".join(MAY_BREAK * may_break(a, b) + b for a, b in pairwise(text))


def joined(one: str, other: str) -> str:
    """Two sentences, one after the other: after a Chinese one there is no space."""
    return f"{one}{'' if one[-1:] in CLOSING else ' '}{other}"
