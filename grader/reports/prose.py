"""Markdown on a terminal: code that can be copied, Chinese that breaks where Chinese may, pictures by their words."""

from collections.abc import Iterable

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown
from rich.syntax import Syntax

from grader.reports.lines import MAY_BREAK, breakable, may_break
from grader.reports.markdown import parse, text_of


class _Code(CodeBlock):
    """A block of code. Where it stands alone, a long line is left to the terminal, so that it is copied as one."""

    @classmethod
    def create(cls, markdown: Markdown, token: Token) -> "_Code":
        made = cls((token.info.split() or ["text"])[0], "ansi_dark")
        made.wrap = isinstance(markdown, Prose) and markdown.wrap_code
        return made

    wrap = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = Syntax("", self.lexer_name, theme=self.theme).highlight(str(self.text).rstrip())
        text.rstrip()
        if self.wrap:
            yield text
        else:
            yield from console.render(text, options.update(no_wrap=True, overflow="ignore"))


class Prose(Markdown):
    """A text to be printed. `wrap_code`: for a place where a line that is too long would be cut off."""

    elements = Markdown.elements | {"fence": _Code, "code_block": _Code}

    def __init__(self, text: str, *, wrap_code: bool = False) -> None:
        super().__init__("", hyperlinks=False)  # in a pager, a hidden link is noise or lost
        self.wrap_code = wrap_code
        self.parsed = parse(text)
        for token in self.parsed:
            if token.type == "math_block":
                token.type, token.tag = "fence", "code"
            token.children = token.children and list(_told(token.children))


def shown(console: Console, text: str) -> str:
    """What such a console would show."""
    with console.capture() as captured:
        console.print(Prose(text), crop=False)
    return captured.get().replace(MAY_BREAK, "")


def _told(children: Iterable[Token]) -> Iterable[Token]:
    """With words for pictures and formulas (what is to be seen, and the file), and a mark wherever a line may end."""
    told = [_words(child) for child in children]
    for child, before in text_of(told):
        if child.type in ("text", "code_inline"):
            child.content = _marked(before, child.content, within=child.type == "text")
    return told


def _words(child: Token) -> Token:
    match child.type:
        case "image":
            return _text(f"[{child.content}] ({child.attrs['src']})")
        case "math_inline" | "math_inline_double":
            return _text(child.content)
    return child


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _marked(before: str, text: str, *, within: bool) -> str:
    first = MAY_BREAK if before and may_break(before, text[0]) else ""
    if not within:
        return first + text
    return first + breakable(text)
