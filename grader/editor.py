"""Which editor a person uses, and how it is told to open a file at a line."""

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

# How each is told the line; those of the second table have a window of their own, and need not be lent the terminal.
_Form = tuple[str, ...]
_PLUS: _Form = ("+{line}", "{path}")
_COLON: _Form = ("{path}:{line}",)
_GOTO: _Form = ("--goto", "{path}:{line}")
_LINE: _Form = ("--line", "{line}", "{path}")
_TERMINAL = dict.fromkeys(("vi", "vim", "nvim", "nano", "emacs", "micro", "kak", "joe", "mg", "ne", "jed"), _PLUS)
_TERMINAL |= dict.fromkeys(("hx", "helix"), _COLON)
_WINDOWED = dict.fromkeys(("code", "code-insiders", "codium", "cursor", "windsurf"), _GOTO)
_WINDOWED |= dict.fromkeys(("subl", "zed", "zeditor"), _COLON) | dict.fromkeys(("gedit", "gvim", "mousepad"), _PLUS)
_WINDOWED |= dict.fromkeys(("kate", "pycharm"), _LINE)
_WAIT = ("-w", "--wait", "-b", "--block")  # for git's sake; here it would only hold up the next verdict
_USUAL = ("nano", "vim", "vi")


class Editor(NamedTuple):
    """A command that opens a file."""

    command: tuple[str, ...]
    windowed: bool
    guessed: bool = False  # nobody named it

    def at(self, path: Path, line: int | None) -> list[str]:
        """The command for that file, at that line where it is known how to say so."""
        name = Path(self.command[0]).name
        form = (_WINDOWED | _TERMINAL).get(name, ("{path}",)) if line else ("{path}",)
        return [*self.command, *(part.format(path=path, line=line) for part in form)]


def find(environ: Mapping[str, str]) -> Editor | None:
    """VISUAL, else EDITOR, else VS Code in its own terminal, else one that is there; None if there is none."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environ.get(name, ""))
        except ValueError:  # a quote that is not closed
            continue
        if words:
            windowed = Path(words[0]).name in _WINDOWED
            return Editor(tuple(w for w in words if not windowed or w not in _WAIT), windowed)
    search = environ.get("PATH")
    if environ.get("TERM_PROGRAM") == "vscode" and shutil.which("code", path=search):
        return Editor(("code",), True)
    found = next((n for n in _USUAL if shutil.which(n, path=search)), None)
    return Editor((found,), False, guessed=True) if found else None
