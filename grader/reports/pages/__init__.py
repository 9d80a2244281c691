"""Pages for a browser. Each is one file, with every language in it: no script, no network, no font of its own.

`base.html.j2` is what all pages stand on, and `style.css` is their only style sheet: light, dark, on paper, on a phone.
A page is made once for each language; `#zh` in its address chooses one, the first is shown otherwise.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.reports.plain import time, title
from grader.reports.sentences import number
from grader.reports.words import LANGUAGES, say

_HERE = Path(__file__).parent


def page(template: str, lang: str, langs: Sequence[str] = LANGUAGES, /, **values: Any) -> str:
    """The page of that template, in `langs`, `lang` first. `values` is what the template asks for: jinja2 raises
    UndefinedError for what is missing. Text is escaped; what is HTML already comes as Markup.
    """
    order = [lang, *(other for other in langs if other != lang)]
    return _environment().get_template(f"{template}.html.j2").render(order=order, **values)


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = (_HERE / "style.css").read_text(encoding="utf-8")
    made.globals |= {"say": say, "title": title, "number": number, "time": time, "style": Markup(style)}
    return made
