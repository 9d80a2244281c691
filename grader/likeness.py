"""Which answers to a section are more alike than others: a place to look, and never a verdict.

A text is taken as runs of tokens, without comments, docstrings and layout, and with its own names made all the same; so
neither other names nor another order of functions hides anything. What everybody was given counts for nothing, and so
does what more than half of the class has; any other run counts by how few have it. For short tasks that is the
point: five right lines look like anybody's, and only what is rare in this class says anything about two of its answers.
"""

import builtins
import keyword
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from pygments.lexers import PythonLexer
from pygments.token import Comment, Name, String, Text
from sklearn.feature_extraction.text import CountVectorizer

from grader.course import Section
from grader.lessons import examples
from grader.source import LENGTH_CAP

RUN = 10  # tokens: about a line
_ENOUGH = 40  # runs of one's own: who has fewer of them cannot be much like anybody
_FEW = 4  # so many are not most of a class
_FOREMOST = 10
_PLACES = 20  # in a text, in which a run is looked for: a text can be one line a thousand times
_IMPORTED = re.compile(r"(?m)^\s*(?:from\s+\S+\s+)?import\s+(.+)$")


class Passage(NamedTuple):
    """What two answers have in common in one place."""

    left: tuple[int, int]  # first and last line
    right: tuple[int, int]
    others: int  # different answers that have all of it too


class Pair(NamedTuple):
    """Two answers, each by all whose text it is."""

    left: list[str]
    right: list[str]
    share: float  # of what is the shorter one's own, and by how rare it is: 1 if the other one has all of it
    as_alike: int  # pairs of this section that have as much in common that is as rare, with this one
    passages: list[Passage]


class Likeness(NamedTuple):
    """A section of a class."""

    answers: int  # different ones
    usual: float  # the share of the pair in the middle
    seldom: float  # the share that 99 in 100 pairs are below
    copies: list[list[str]]  # whose texts are the same; most first
    pairs: list[Pair]  # most alike first

    @property
    def compared(self) -> int:
        """How many pairs there are."""
        return self.answers * (self.answers - 1) // 2


class _Read(NamedTuple):
    """A text as runs of tokens."""

    runs: list[str]
    begins: list[int]  # the token that each begins with
    lines: list[int]  # of the tokens


def given(section: Section, languages: Iterable[str]) -> list[str]:
    """What an answer to this section may look like without having been copied: the stub, the examples, the code in
    lessons and hints, and the right answers that are recorded. Raises OSError.
    """
    files = [section.stub, section.examples, section.reference, *section.bank("also")]
    texts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    for name in (f"{part}.{lang}.md" for lang in languages for part in ("lesson", "hints")):
        if (file := section.folder / name).is_file():
            texts += [example.code for example in examples(file.read_text(encoding="utf-8"))]
    return texts


def compare(texts: Mapping[str, str], known: Iterable[str], least: float) -> Likeness:
    """The answers to one section, by whose they are. What is in a text of `known` is nobody's own.

    Told are pairs with a share of at least `least` that are more alike than 99 in 100 (of few pairs, the ten foremost).
    """
    known = list(known)
    by_text: dict[str, list[str]] = defaultdict(list)
    for who, text in sorted(texts.items()):
        by_text[text].append(who)
    whose = list(by_text.values())
    imported = _imported(known)
    known_runs = {run for text in known for run in _read(text, imported).runs}
    read = [_read(text, imported) for text in by_text]
    rarity = _Rarity([[r for r in one.runs if r not in known_runs] for one in read])
    copies = [who for who in whose if len(who) > 1]
    left, right = np.triu_indices(len(whose), 1)
    shares, alike = rarity.shares[left, right], rarity.alike[left, right]
    order = np.argsort(-alike, kind="stable")
    as_alike = len(alike) - np.searchsorted(np.sort(alike), alike - 1e-9)
    foremost = [at for at in order.tolist() if as_alike[at] <= max(_FOREMOST, len(order) / 100)]
    pairs = []
    for at in foremost:
        i, j = int(left[at]), int(right[at])
        if shares[at] >= least and (passages := _passages(read[i], read[j], rarity, known_runs)):
            pairs.append(Pair(whose[i], whose[j], float(shares[at]), int(as_alike[at]), passages))
    usual, seldom = np.quantile(shares, [0.5, 0.99]).tolist() if len(shares) else (0.0, 0.0)
    return Likeness(len(whose), usual, seldom, sorted(copies, key=len, reverse=True), pairs)


class _Rarity:
    """How many answers have each run, and what it counts for: 1 if two have it, 0 if more than half have it."""

    def __init__(self, answers: Sequence[Sequence[str]]) -> None:
        count = len(answers)
        self.own = [0] * count  # runs of each that count
        self.having: dict[str, int] = {}  # answers, of each run that counts
        self.shares = self.alike = np.zeros((count, count))  # of every two answers, see Pair; with what is rare alone
        if not any(answers):
            return
        counter = CountVectorizer(analyzer=list, binary=True, dtype=np.float64)
        table = counter.fit_transform(answers)
        having = np.asarray(table.sum(0)).ravel()
        counts = (np.log((count + 1) / having) / np.log((max(count, 2) + 1) / 2)).clip(0, 1)
        counts[having > max(count / 2, _FEW)] = 0
        self.own = (table @ (counts > 0)).astype(int).tolist()
        self.having = {run: int(having[at]) for run, at in counter.vocabulary_.items() if counts[at]}
        common = (table.multiply(counts) @ table.T).toarray()
        own = np.array(self.own, dtype=float)
        self.alike = common / np.maximum(np.minimum.outer(own, own), _ENOUGH)
        weight = common.diagonal()
        self.shares = common / np.maximum(np.minimum.outer(weight, weight), _ENOUGH / 4)


def _passages(left: _Read, right: _Read, rarity: _Rarity, known: Collection[str]) -> list[Passage]:
    """The longest common stretches, from the left one's first line on, without what is given at their ends."""
    at: dict[str, list[int]] = defaultdict(list)
    for j, run in enumerate(right.runs):
        if len(at[run]) < _PLACES:
            at[run].append(j)
    ours, theirs = _own_lines(left, known), _own_lines(right, known)
    found: list[Passage] = []
    i = 0
    while i < len(left.runs):
        lengths = {j: _length(left, i, right, j, rarity) for j in at.get(left.runs[i], ())}
        j = max(lengths, key=lambda j: lengths[j], default=0)
        if length := lengths.get(j, 0):
            here = ours[left.begins[i] : left.begins[i] + length + RUN - 1]
            there = theirs[right.begins[j] : right.begins[j] + length + RUN - 1]
            if any(here) and any(there):
                others = min(rarity.having[r] for r in left.runs[i : i + length]) - 2
                _add(found, Passage(_ends(here), _ends(there), others))
        i += length or 1
    return found


def _own_lines(text: _Read, known: Collection[str]) -> list[int]:
    """The line of each token, 0 of those that are given."""
    lines = list(text.lines)
    for run, begin in zip(text.runs, text.begins, strict=True):
        if run in known:
            lines[begin : begin + RUN] = [0] * RUN
    return lines


def _ends(lines: Iterable[int]) -> tuple[int, int]:
    own = [line for line in lines if line]
    return own[0], own[-1]


def _add(found: list[Passage], new: Passage) -> None:
    """One that goes on where the last one ends, on both sides, is the same."""
    last = found[-1] if found else None
    if last and all(a[0] <= b[0] <= a[1] + 1 for a, b in zip(last[:2], new[:2], strict=True)):
        left, right = ((a[0], max(a[1], b[1])) for a, b in zip(last[:2], new[:2], strict=True))
        found[-1] = Passage(left, right, min(last.others, new.others))
    else:
        found.append(new)


def _length(left: _Read, i: int, right: _Read, j: int, rarity: _Rarity) -> int:
    """Of the common stretch that begins with these runs."""
    length = 0
    while i + length < len(left.runs) and j + length < len(right.runs):
        run = left.runs[i + length]
        apart = left.begins[i + length] - left.begins[i] > length or right.begins[j + length] - right.begins[j] > length
        if apart or run != right.runs[j + length] or run not in rarity.having:
            break
        length += 1
    return length


def _read(text: str, imported: frozenset[str]) -> _Read:
    """No run goes from one function of the file into the next: they could stand in another order."""
    tokens = list(_tokens(text, imported | _imported([text])))
    firsts = [n for n, (token, _, column) in enumerate(tokens) if not column and token in ("def", "class", "async")]
    begins = [n for first, after in pairwise([0, *firsts, len(tokens)]) for n in range(first, after - RUN + 1)]
    runs = [" ".join(token for token, _, _ in tokens[n : n + RUN]) for n in begins]
    return _Read(runs, begins, [line for _, line, _ in tokens])


def _imported(texts: Iterable[str]) -> frozenset[str]:
    """The names that these texts import."""
    lines = (m[1].partition("#")[0] for text in texts for m in _IMPORTED.finditer(text))
    return frozenset(name for line in lines for name in re.findall(r"\w+", line))


_PYTHONS = frozenset([*dir(builtins), *keyword.kwlist, "self"])


def _tokens(text: str, imported: frozenset[str]) -> Iterator[tuple[str, int, int]]:
    """What the text says, with line and column. A name is kept if it is Python's, imported, an attribute's or an
    argument's; any other is the writer's own choice. A text that is no Python has tokens as well.
    """
    seen: list[tuple[object, str, int, int]] = []
    line, column = 1, 0
    for kind, value in PythonLexer(stripnl=False).get_tokens(text[:LENGTH_CAP]):
        if value.strip() and not (kind in Comment or kind in String.Doc):
            seen.append((kind, value, line, column))
        line += value.count("\n")
        column = len(value.rpartition("\n")[2]) + (0 if "\n" in value else column)
    before = before_that = ""
    depth = 0
    for (kind, value, at, where), (_, after, _, _) in pairwise([*seen, (Text, "", 0, 0)]):
        depth += (value in "([{") - (value in ")]}")
        token = value
        if kind in String:
            token = '"'
        elif kind in Name:
            argument = depth > 0 and after == "=" and before in ("(", ",")
            attribute = before == "." and before_that != "self"
            if not (attribute or argument or value in _PYTHONS or value in imported):
                token = "v"
        if not token == before == '"':
            yield token, at, where
        before, before_that = token, before
