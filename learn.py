"""`%load_ext learn` in a notebook gives `%check`, `%hint` and `%lesson`. All of it is in grader/magics.py."""

from typing import Any

from grader.magics import Magics


def load_ipython_extension(ipython: Any) -> None:
    """What IPython calls."""
    Magics(ipython).register()
