"""Pages for a browser. Each is one file, with every language in it: no network, no font of its own.

`base.html.j2` is what all pages stand on, and `style.css` their style sheet: light, dark, on paper, on a phone. What
is told of a class has `report.css` on top. A page is made once for each language; `#zh` in its address chooses one, the
first is shown otherwise. No page runs a script but a class's report: its own, which the browser knows by its digest.
"""

import functools
import hashlib
from base64 import b64encode
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.reports import charts
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
    made.globals |= {"say": say, "title": title, "number": number, "time": time, "file": _file, "digest": _digest}
    made.globals |= {"percent": percent, "signed": _signed, "seconds": _seconds, "spark": _spark}
    return made


def percent(share: Fraction | None) -> str:
    """A share in whole percent, rounded down, so that 100% is all; "–" for none."""
    return "–" if share is None else f"{int(share * 100)}%"


def _file(name: str) -> Markup:
    """What is in a file beside this one, to be part of a page."""
    return Markup((_HERE / name).read_text(encoding="utf-8").strip())


def _digest(name: str) -> str:
    """By which a content security policy knows that file."""
    return b64encode(hashlib.sha256(_file(name).encode()).digest()).decode()


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # and no −0.00


def _seconds(value: float | None, lang: str) -> str:
    return "–" if value is None else say("report.seconds", lang, seconds=f"{value:.2f}")


def _spark(tenths: Sequence[int], lang: str) -> Markup:
    """Eleven bars beside each other, and in words."""
    return Markup(charts.spark(tenths, say("report.spread_is", lang, counts=", ".join(map(str, tenths)))))
