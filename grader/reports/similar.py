"""Which answers of a class are more alike than others, in words and as a page: where to look, never a verdict."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from grader.reports import pages
from grader.reports.plain import title
from grader.reports.words import LANGUAGES, say

if TYPE_CHECKING:
    from grader.course import Section
    from grader.likeness import Likeness, Pair, Passage
    from grader.model import Student

_LISTED = 10  # pairs of a section on a screen
_ON_PAGE = 30  # ... on a page
_PASSAGES = 4  # of a pair on a screen, the rarest ones
_GAP = "⋮"


class Found(NamedTuple):
    """A section of a class: how alike its answers are, and what they say, by whose they are."""

    section: "Section"
    likeness: "Likeness"
    texts: Mapping[str, str]
    students: Mapping[str, "Student"]  # by id


class Line(NamedTuple):
    """A line of an answer on the page; `passage` is the number of the one that it is in, 0 for none."""

    number: str
    text: str
    passage: int


def listed(found: Found, lang: str) -> list[str]:
    """A section on a screen."""
    lines = [f"{found.section.number} {title(found.section.about.title, lang)}", f"  {summary(found, lang)}"]
    lines += [f"  {same(found, whose, lang)}" for whose in found.likeness.copies[:_LISTED]]
    for pair in found.likeness.pairs[:_LISTED]:
        lines.append(f"  {between(found, pair, lang)}")
        lines += [f"    {passage(p, lang)}" for p in rarest(pair)[:_PASSAGES]]
        if len(pair.passages) > _PASSAGES:
            lines.append("    " + say("class.and_more", lang, count=len(pair.passages) - _PASSAGES))
    left_out = [len(some) - _LISTED for some in (found.likeness.copies, found.likeness.pairs) if len(some) > _LISTED]
    return lines + [f"  {say('class.and_more', lang, count=sum(left_out))}"] * bool(left_out)


def summary(found: Found, lang: str) -> str:
    """How alike two answers to this section usually are."""
    of = found.likeness
    if of.compared < 1:
        return say("similar.few", lang)
    shares = {"usual": _percent(of.usual), "seldom": _percent(of.seldom)}
    return say("similar.section", lang, answers=of.answers, pairs=f"{of.compared:,}", **shares)


def same(found: Found, whose: Sequence[str], lang: str) -> str:
    """Several students whose texts are the same, and whether it is one that the course has."""
    text = found.texts[whose[0]].split()
    known = {"similar.same_stub": [found.section.stub]}
    known["similar.same_known"] = [found.section.reference, *found.section.bank("also")]
    same = (k for k, files in known.items() if any(f.read_text(encoding="utf-8").split() == text for f in files))
    return say(next(same, "similar.same"), lang, count=len(whose), names=_names(found, whose, lang))


def between(found: Found, pair: "Pair", lang: str) -> str:
    """Two answers: how alike, and how many other pairs are as much alike."""
    left, right = (_names(found, whose, lang) for whose in (pair.left, pair.right))
    rank = {"rank": f"{pair.as_alike:,}", "pairs": f"{found.likeness.compared:,}"}
    return say("similar.pair", lang, share=_percent(pair.share), left=left, right=right, **rank)


def rarest(pair: "Pair") -> "list[Passage]":
    """What they have in common, first what fewest others have."""
    return sorted(pair.passages, key=lambda p: p.others)


def passage(common: "Passage", lang: str) -> str:
    """The lines that match, and who else has them."""
    left, right = (str(a) if a == b else f"{a}-{b}" for a, b in common[:2])
    who = say("similar.others" if common.others else "similar.nobody_else", lang, count=common.others)
    return say("similar.lines", lang, left=left, right=right, who=who)


def as_json(found: Sequence[Found]) -> str:
    """All of it for programs."""
    told = [
        {
            "section": f.section.slug,
            "number": f.section.number,
            "answers": f.likeness.answers,
            "pairs_compared": f.likeness.compared,
            "usual_share": round(f.likeness.usual, 4),
            "seldom_share": round(f.likeness.seldom, 4),
            "same_text": f.likeness.copies,
            "pairs": [_facts(p) for p in f.likeness.pairs],
        }
        for f in found
    ]
    return json.dumps({"sections": told}, ensure_ascii=False)


def page(course: Mapping[str, str], found: Sequence[Found], lang: str) -> str:
    """Pairs side by side, with what they have in common marked, for a browser."""
    shown = [(f, [(p, *_sides(f, p)) for p in f.likeness.pairs[:_ON_PAGE]]) for f in found]
    told = {one: [_told(f, one) for f in found] for one in LANGUAGES}
    return pages.page("similar", lang, course=course, shown=shown, told=told)


def _told(found: Found, lang: str) -> dict[str, Any]:
    """What the page says of a section in that language."""
    return {
        "summary": summary(found, lang),
        "copies": [same(found, whose, lang) for whose in found.likeness.copies],
        "pairs": [between(found, pair, lang) for pair in found.likeness.pairs[:_ON_PAGE]],
        "names": [[_names(found, whose, lang) for whose in (p.left, p.right)] for p in found.likeness.pairs[:_ON_PAGE]],
    }


def _sides(found: Found, pair: "Pair") -> tuple[list[Line], list[Line]]:
    given = {line.strip() for line in found.section.stub.read_text(encoding="utf-8").splitlines()}
    left = _lines(found.texts[pair.left[0]], [p.left for p in pair.passages], given)
    return left, _lines(found.texts[pair.right[0]], [p.right for p in pair.passages], given)


def _lines(text: str, passages: Sequence[tuple[int, int]], given: set[str]) -> list[Line]:
    """The text without the lines that everybody was given, but for those that begin something."""
    found: list[Line] = []
    for n, line in enumerate(io.StringIO(text, newline=None).read().split("\n"), 1):  # as whoever compared counts them
        within = next((i for i, (first, last) in enumerate(passages, 1) if first <= n <= last), 0)
        if within or line.strip() not in given or line.startswith(("def ", "class ")):
            found.append(Line(str(n), line, within))
        elif not found or found[-1].number:
            found.append(Line("", _GAP, 0))
    return found


def _facts(pair: "Pair") -> dict[str, Any]:
    passages = [{"left": p.left, "right": p.right, "others": p.others} for p in pair.passages]
    about = {"left": pair.left, "right": pair.right, "share": round(pair.share, 4), "as_alike": pair.as_alike}
    return about | {"passages": passages}


def _names(found: Found, whose: Sequence[str], lang: str) -> str:
    students = [found.students[w] for w in whose]
    names = [f"{s.name} ({s.id})" if s.name and s.name != s.id else s.id for s in students]
    rest = [say("class.and_more", lang, count=len(names) - _LISTED)] if len(names) > _LISTED else []
    return say("list.and", lang).join([*names[:_LISTED], *rest])


def _percent(share: float) -> str:
    return str(round(100 * share))
