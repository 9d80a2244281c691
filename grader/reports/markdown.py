"""Markdown as this course writes it: tables and formulas, and in Chinese no space where a line ends. To HTML as well.

What a text may contain is trusted with nothing: raw HTML is shown as it is written, and a link leads only where the
caller lets it.
"""

import functools
import html
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from grader.reports.lines import CLOSING, OPENING, wide

Lead = Callable[[str], str | None]  # a link's target -> where it may lead, None: nowhere
Picture = Callable[[str], bytes | None]  # a picture's name -> an SVG file, None: there is none

_DEAD_ATTRIBUTES = ("href", "style", "class")  # of a formula


def parse(text: str) -> list[Token]:
    """The tokens. A line that ends between two Chinese characters has no space there."""
    tokens = _parser(text).parse(text)
    for token in tokens:
        _join(token.children or [])
    return tokens


def text_of(children: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    """The tokens that show something, each with the character that is seen before it ("" at the start)."""
    before = ""
    for child in children:
        if child.content or child.type in ("softbreak", "hardbreak"):
            yield child, before
            before = child.content[-1:]


def _join(children: Sequence[Token]) -> None:
    seen = list(text_of(children))
    for (child, before), (after, _) in pairwise(seen):
        first = after.content[:1]
        if child.type == "softbreak" and before and first:
            apart = {before, first}
            if all(map(wide, apart)) or apart & {*CLOSING, *OPENING}:
                child.type, child.tag, child.content = "text", "", ""


def to_html(text: str, lead: Lead, picture: Picture) -> Markup:
    """A fragment of a page. Without script or style of its own; colours are those of the page's style sheet."""
    parser = _parser(text)
    tokens = parse(text)
    for token in tokens:
        token.children = token.children and list(_allowed(token.children, lead))
        if token.type == "table_open":
            token.attrSet("tabindex", "0")  # it may be scrolled, by keyboard too
    rules = parser.renderer.rules  # type: ignore[attr-defined]
    rules["fence"] = rules["code_block"] = lambda tokens, at, *_: _code(tokens[at])
    rules["image"] = lambda tokens, at, *_: _image(tokens[at], picture)
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def _parser(text: str) -> MarkdownIt:
    """What reads this text; formulas only where there may be some, since a terminal waits for every import."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    if "$" not in text:
        return parser
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    return parser.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,  # $5 is money
        allow_digits=False,
        double_inline=True,
        renderer=_formula,
    )


def _allowed(children: Sequence[Token], lead: Lead) -> Iterator[Token]:
    """Without the links that lead nowhere; their text stays."""
    dropped = False  # links do not nest
    for child in children:
        if child.type == "link_open":
            target = lead(str(child.attrs["href"]))
            dropped = target is None
            child.attrs = {"href": target} if target is not None else {}
        if not (dropped and child.type in ("link_open", "link_close")):
            yield child


def first_sentence(text: str) -> str:
    """How a text begins, as plain text: the first sentence of its first paragraph."""
    inline = next((t for t in parse(text) if t.type == "inline"), None)
    shown = "".join(c.content or " " for c, _ in text_of(inline.children or [])) if inline else ""
    m = re.match(r".*?(?:[.!?](?=\s)|[。！？])", shown, re.DOTALL)
    return " ".join((m[0] if m else shown).split())


@functools.lru_cache(4096)
def coloured(code: str, language: str = "python") -> Markup:
    """Code in the colours of the page's style sheet. Each line is whole: what is coloured over several is in each."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return Markup(highlight(code, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True)))
    except ClassNotFound:
        return Markup(html.escape(code))


def _code(token: Token) -> str:
    name = (token.info.split() or ["text"])[0]
    kind = "" if name == "text" else ' class="code"'
    return f'<pre{kind} tabindex="0"><code>{coloured(token.content, name)}</code></pre>\n'


def _image(token: Token, picture: Picture) -> str:
    """The SVG file as a picture within the page: as an <img> nothing in it can run, or touch the page's own names.

    One that knows no dark mode stays on white.
    """
    alt = html.escape(token.content)
    svg = picture(str(token.attrs["src"]))
    if svg is None:
        return f'<span class="lost">{alt}</span>'
    both = "" if b"prefers-color-scheme" in svg else ' class="light"'
    return f'<img{both} src="data:image/svg+xml;base64,{b64encode(svg).decode()}" alt="{alt}">'


def _formula(tex: str, how: dict[str, Any]) -> str:
    """As MathML, which needs neither script nor font; as it is written, where it cannot be read."""
    from xml.etree import ElementTree

    from latex2mathml import converter

    try:
        math = converter.convert_to_element(tex, display="block" if how["display_mode"] else "inline")
    except Exception:  # its errors have no common base; a formula that is wrong must not cost the page
        return f"<code>{html.escape(tex)}</code>"
    for element in math.iter():  # it writes characters as entities, and would pass links on
        element.text = element.text and html.unescape(element.text)
        for name in _DEAD_ATTRIBUTES:
            element.attrib.pop(name, None)
    math.set("alttext", tex.strip())
    return ElementTree.tostring(math, encoding="unicode")
