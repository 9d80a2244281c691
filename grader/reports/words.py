"""Every message for people, by key and language; the text itself is in messages.yaml beside this file."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader import yamls

LANGUAGES = ("en", "zh")


class UnknownLanguage(LookupError):
    """A language that there is no text in."""


@functools.cache
def messages() -> dict[str, dict[str, str]]:
    """key -> language -> text with named parameters."""
    return yamls.read(Path(__file__).parent / "messages.yaml", dict[str, dict[str, str]])


def say(key: str, lang: str, /, **params: Any) -> str:
    """The message in that language. A key or a parameter that is missing is a mistake of ours: KeyError."""
    return messages()[key][lang].format_map(params)


def together(values: Iterable[str], lang: str) -> str:
    """Names in a row, with that language's comma."""
    return say("list.and", lang).join(values)


def all_of(values: Sequence[str], lang: str) -> str:
    """The same as a sentence has them: the last behind an "and"."""
    *most, last = values
    return say("list.and_last", lang).join(filter(None, [together(most, lang), last]))


def language(flag: str | None, remembered: str | None, environ: Mapping[str, str]) -> str:
    """The language to speak: the flag, else LEARN_LANG, else what was used last, else the locale's, else English.

    Raises UnknownLanguage for a flag or LEARN_LANG that names another.
    """
    for asked in (flag, environ.get("LEARN_LANG")):
        if asked:
            if asked not in LANGUAGES:
                raise UnknownLanguage(asked)
            return asked
    if remembered in LANGUAGES:
        return str(remembered)
    # As in setlocale(3), the first that is set decides.
    locale = next((v for n in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := environ.get(n))), "")
    return "zh" if locale.lower().startswith("zh") else "en"
