"""Lessons and hints as this terminal shows them, kept: rich and markdown-it take longer to import than all the rest."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.kept import Store, digest

DRAWERS = ("rich", "markdown_it", "mdit_py_plugins", "pygments")
OURS = ("terminal.py", "prose.py", "markdown.py", "lines.py")
HEEDED = (  # what rich looks at in the environment, but for sizes, which are given
    *("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "UNICODE_VERSION"),
)


def markdown(texts: Sequence[str], width: int, then: Sequence[str] = ()) -> list[str]:
    """Each text, drawn for a terminal of so many columns. `then`: what will be asked for next, drawn along with it."""
    store, drawn_by = Store("prose.cache", str), _drawn_by()
    keys = {text: digest(text, width, drawn_by) for text in (*texts, *then)}
    drawn = {text: store.kept.get(key) for text, key in keys.items()}
    if None in map(drawn.get, texts):
        from grader.reports import terminal

        for text in (t for t in drawn if drawn[t] is None):
            drawn[text] = terminal.markdown(text, width)
            store.put(keys[text], drawn[text])
        store.save()
    return [drawn[text] or "" for text in texts]


def _drawn_by() -> bytes:
    """All that decides how a text is drawn, but for the text and the width. A folder of packages is touched whenever
    one is installed, so that no version need be read.
    """
    files = [Path(__file__).with_name(name) for name in OURS]
    for spec in map(importlib.util.find_spec, DRAWERS):
        if spec and spec.origin:
            files += Path(spec.origin), Path(spec.origin).parent.parent
    signs = [(str(f), s.st_mtime_ns, s.st_size) for f in files for s in [f.stat()]]
    return digest(signs, sys.stdout.encoding, [os.environ.get(name) for name in HEEDED])
