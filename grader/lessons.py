"""What a text in Markdown consists of, as far as it can be checked: headings, links, and the code blocks of a lesson.

The ```python blocks of a lesson run from top to bottom in one namespace, confined like any answer. What one prints
stands in the fence without a language (or ```text) that follows it directly; without such a fence it prints nothing.
"""

import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from grader.course import Section
from grader.model import Finding
from grader.sandbox import cell, warden

if TYPE_CHECKING:
    from markdown_it.token import Token

NO_RUN = "no-run"  # ```python no-run: wrong on purpose, an excerpt, or not for this computer
_PYTHON = ("py", "py3", "python", "python3", "pycon", "ipython")
_STAGE = """
import contextlib, io

names = {"__name__": "__main__"}

def run(code, file):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, file, "exec", dont_inherit=True), names)
    return printed.getvalue()
"""


class Heading(NamedTuple):
    """`## Like this`."""

    level: int
    line: int


class Link(NamedTuple):
    """`[like this](target)`, or a picture; `target` is None if it was meant to be one and is not."""

    target: str | None
    line: int
    alt: str | None = None  # of a picture, what is to be seen on it

    def leads_to(self, path: Path) -> Path | None:
        """The file that it leads to from that one; None if it has a scheme."""
        if self.target is None or urlsplit(self.target).scheme:
            return None
        return (path.parent / unquote(self.target.partition("#")[0] or path.name)).resolve()


class Example(NamedTuple):
    """A code block of a lesson, and what it claims to print."""

    info: str  # what follows ```, "python" for one to be run
    code: str
    line: int  # of its first line of code
    claim: str
    claim_line: int  # where the claim begins; the block's own line if there is none


def headings(markdown: str) -> list[Heading]:
    """In order."""
    return [Heading(int(t.tag[1:]), _line(t)) for t in _tokens(markdown) if t.type == "heading_open"]


def links(markdown: str) -> Iterator[Link]:
    """Where its links and pictures lead."""
    lines = markdown.splitlines()
    for token in _tokens(markdown):
        if token.type != "inline" or token.map is None:
            continue
        first, last = token.map
        for child in token.children or ():
            written = str(child.attrs.get("href") or child.attrs.get("src") or "")
            near = [n for n, text in enumerate(lines[first:last], first + 1) if (written or "](") in text]
            line = near[0] if near else first + 1
            if child.type in ("link_open", "image"):
                yield Link(written, line, child.content if child.type == "image" else None)
            elif child.type == "text" and "](" in child.content:
                yield Link(None, line)


def examples(markdown: str) -> list[Example]:
    """Its blocks of Python, in order, whether they are to be run or not."""
    tokens = _tokens(markdown)
    found = []
    for token, after in zip_longest(tokens, tokens[1:]):
        if token.type != "fence" or token.info.split()[:1] not in [[p] for p in _PYTHON]:
            continue
        claims = after is not None and after.type == "fence" and after.info.strip() in ("", "text")
        line = _line(token) + 1
        claim = (after.content, _line(after) + 1) if claims else ("", line)
        found.append(Example(" ".join(token.info.split()), token.content, line, *claim))
    return found


def rehearse(section: Section, languages: Sequence[str], cells: warden.Warden) -> Iterator[Finding]:
    """Runs the lessons of a section, and yields what does not do as it says.

    Each language has another seed: what is printed must not hang on one that the lesson does not set. Raises cell.Lost.
    """
    if section.about.needs and cells.confinement().tier == "T2":  # which has neither sockets nor processes
        return
    lim = section.limits
    bounds = cell.Bounds(lim.memory_mb, lim.disk_mb, lim.files, lim.processes, lim.output_kb, lim.section)
    for seed, lang in enumerate(languages):
        path = section.folder / f"lesson.{lang}.md"
        if not path.is_file():
            continue
        blocks = examples(path.read_text(encoding="utf-8"))
        for block in blocks:
            if block.info not in ("python", f"python {NO_RUN}"):
                yield Finding(path, "block_mark", {"info": block.info}, block.line - 1)
        to_run = [b for b in blocks if b.info == "python"]
        if to_run:
            stage = cells.open(bounds, tuple(section.about.preload))
            try:
                load = {"text": "", "file": path.name, "probes": _STAGE, "seed": seed}
                stage.exchange("load", load, lim.section)
                for kind, params, line in _played(stage, to_run, path.name, lim.section):
                    yield Finding(path, kind, params, line)
            finally:
                stage.close()


def _played(
    stage: cell.Cell, blocks: Sequence[Example], file: str, seconds: float
) -> Iterator[tuple[str, dict[str, Any], int]]:
    """What is wrong with these blocks, one after the other; nothing runs after one that fails."""
    for block in blocks:
        code = "\n" * (block.line - 1) + block.code  # so that a line in a traceback is the lesson's
        call: dict[str, Any] = {"target": "probes", "name": "run", "args": (code, file), "kwargs": {}, "seed": None}
        try:
            reply = stage.exchange("call", call, seconds)
        except (cell.Died, cell.TimedOut, cell.OutOfMemory, cell.Forgery) as e:
            yield "block_ends", {"how": type(e).__name__}, block.line
            return
        if reply.word != "value":
            error = ": ".join(filter(None, (str(reply.value.get(k, "")) for k in ("kind", "message")))) or reply.word
            yield "block_raises", {"error": error.splitlines()[0]}, reply.value.get("line") or block.line
            return
        yield from _compared(block, str(reply.value["value"]))


def _compared(block: Example, printed: str) -> Iterator[tuple[str, dict[str, Any], int]]:
    """The first line that differs; spaces at the end of lines do not count."""
    got, want = _lines(printed), _lines(block.claim)
    for n, (a, b) in enumerate(zip_longest(got, want)):
        if a != b:
            at = min(n, max(len(want) - 1, 0))
            if not want:
                yield "prints_unclaimed", {"got": a}, block.line
            elif a is None:
                yield "prints_less", {"want": b}, block.claim_line + at
            else:
                yield "prints_other", {"got": a, "want": b or ""}, block.claim_line + at
            return


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in io.StringIO(text.rstrip())]


def _tokens(markdown: str) -> "list[Token]":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").parse(markdown)


def _line(token: "Token") -> int:
    return token.map[0] + 1 if token.map else 1
