"""What is put beside an assignment's files where they go: texts with `[[ value ]]` and `[% if … %]` in them, since the
languages of most have braces of their own.
"""

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader import yamls

_HERE = Path(__file__).parent


def render(name: str, /, **values: Any) -> bytes:
    """That file of this folder, filled in. jinja2 raises UndefinedError for a value that is missing."""
    return _environment().get_template(name).render(uses=uses(), **values).encode()


@functools.cache
def uses() -> dict[str, str]:
    """What stands behind `uses:` for each action, by its short name: the commit, and its tag as a comment."""
    actions = yamls.read(_HERE / "actions.yaml", dict[str, dict[str, str]])
    return {a.rpartition("/")[2].replace("-", "_"): f"{a}@{v['sha']} # {v['tag']}" for a, v in actions.items()}


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
