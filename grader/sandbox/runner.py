"""Inside the cell: loads the learner's file and the section's probes, then answers calls, one at a time.

It holds no test and no expected value, and nothing it says is trusted: the learner's code shares this process and
could say the same. Requests: `load`, then any number of `call`. Replies:

- `value`   {value, changed, missing?}: what the call returned; whether an argument was changed in place
- `raised`  {kind, bases, message, line, origin}: an exception, where it came from in the learner's file
- `unsendable` {path, kind} and `too_big` {path}: an answer that does not cross
- `exited`  {code, line}: sys.exit
"""

import bdb
import builtins
import contextlib
import linecache
import os
import random
import socket
import sys
import traceback
import types
import warnings
from collections.abc import Iterable
from typing import Any

import torch

from grader.sandbox import ipython, jail, wire

_MESSAGE_CAP = 2000
_PLAIN = (type(None), bool, int, float, str, bytes)


class NotWritten(NotImplementedError, AttributeError):
    """What the learner's module raises when asked for a name that the file does not define."""


# A notebook has this without importing it, and an answer is judged alike as a notebook and as a file.
_IN_NOTEBOOKS = compile('def display(*values, **_):\n    print(*map(repr, values), sep="\\n")', "<notebook>", "exec")


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotWritten(name)


def serve(channel: wire.Channel) -> None:
    """Answers until the judge closes the channel."""
    torch.set_num_threads(1)
    channel.send(wire.pack(0, "ready", None))
    modules: dict[str, types.ModuleType] = {}
    with contextlib.suppress(wire.Closed):
        while True:
            channel.send(answer(modules, channel.receive()))


def answer(modules: dict[str, types.ModuleType], request: wire.Frame) -> bytes:
    """The reply to one request; `modules` is what has been loaded so far."""
    word, value = _load(modules, **request.value) if request.word == "load" else _call(modules, **request.value)
    with contextlib.suppress(Exception):  # the learner may have replaced or closed them
        sys.stdout.flush()
        sys.stderr.flush()
    return _reply(request.id, word, value)


def ours() -> list[str]:
    """The modules of this program, to be listed before the fork: to look at a name is to write to its page, and the
    two thousand names of a warm interpreter cost a cell five megabytes of its own.
    """
    return [n for n in sys.modules if n.partition(".")[0] == "grader"]


def main(forgotten: Iterable[str]) -> None:
    """The cell's last step: from here on the learner's code has the process.

    It finds nothing of ours by import: not a wall (a frame's globals lead here), but nobody gets here by accident.
    """
    for name in forgotten:
        del sys.modules[name]
    with contextlib.suppress(Exception):  # what is printed before a loop that never ends is what one looks for
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.breakpointhook = _nobody_debugs
    warnings.filterwarnings("ignore", module="probes$")  # the learner did not write that
    serve(wire.Channel(socket.socket(fileno=jail.CHANNEL)))
    os._exit(0)


def _nobody_debugs(*_: Any, **__: Any) -> None:
    """What the debugger does when nobody answers it, but at the line itself and without a prompt."""
    raise bdb.BdbQuit


def _load(modules: dict[str, types.ModuleType], text: str, file: str, probes: str, seed: int) -> tuple[str, Any]:
    _seed(seed)
    for name, source, path in (("learner", text, file), ("probes", probes, "probes.py")):
        module = (_Module if name == "learner" else types.ModuleType)(name)
        module.__file__ = path
        modules[name] = module
        if name == "learner":
            sys.modules[name] = module  # classes, pickle and inspect look there
            exec(_IN_NOTEBOOKS, module.__dict__)
            # for inspect and tracebacks
            linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
        try:
            code = ipython.plain(source, path) if name == "learner" else source
            exec(compile(code, path, "exec", dont_inherit=True), module.__dict__)
        except BaseException as e:
            return _what(e, file)
    return "value", {"value": None, "changed": False}


def _call(
    modules: dict[str, types.ModuleType],
    target: str,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    seed: int | None,
) -> tuple[str, Any]:
    if seed is not None:
        _seed(seed)
    file = modules["learner"].__file__ or ""
    before = _content([args, kwargs])
    try:
        value = getattr(modules[target], name)(*args, **kwargs)
    except BaseException as e:
        return _what(e, file)
    try:
        changed = _content([args, kwargs]) != before
    except Exception:  # beyond recognition
        changed = True
    return "value", {"value": value, "changed": changed}


def _reply(number: int, word: str, value: Any) -> bytes:
    try:
        return wire.pack(number, word, value)
    except wire.Unsendable as e:
        path, kind = e.path.removeprefix("['value']")[:200], e.kind[:200].encode("utf-8", "replace").decode()
        return wire.pack(number, "unsendable", {"path": path, "kind": kind})
    except wire.TooBig:
        return wire.pack(number, "too_big", {})
    except BaseException as e:  # a tensor subclass or a patched torch
        return wire.pack(number, "unsendable", {"path": "", "kind": type(e).__name__})


def _content(value: Any) -> Any:
    """What an argument holds, to compare: `_version` would miss writes through NumPy or `.data`.

    Without the requires_grad flags: asking for gradients of what one was given changes no value.
    """
    kind = type(value)
    if isinstance(value, torch.Tensor):
        return value.dtype, value.shape, wire.elements(value)
    if kind in (list, tuple):
        return kind, [_content(v) for v in value]
    if kind is dict:
        return kind, [(_content(k), _content(v)) for k, v in value.items()]
    return kind, repr(value) if kind in _PLAIN else id(value)  # what has been put there since


def _what(e: BaseException, file: str) -> tuple[str, Any]:
    """How an exception is told to the judge."""
    lines = [f.lineno for f in traceback.extract_tb(e.__traceback__) if f.filename == file]
    line = lines[-1] if lines else e.lineno if isinstance(e, SyntaxError) and e.filename == file else None
    if isinstance(e, SystemExit):
        return "exited", {"code": str(e.code)[:100], "line": line}
    return "raised", {
        "kind": type(e).__name__[:200],
        "bases": [c.__name__[:200] for c in type(e).__mro__ if c.__module__ == builtins.__name__],
        "message": _message(e),
        "line": line,
        "origin": "learner" if line is not None else "probe",
        "name": str(getattr(e, "args", ("",))[0])[:200] if type(e) is NotWritten else "",
    }


def _message(e: BaseException) -> str:
    try:
        text = (e.msg if isinstance(e, SyntaxError) else str(e)) or ""
    except BaseException:  # str() of it is the learner's code too
        return ""
    return text[:_MESSAGE_CAP].encode("utf-8", "replace").decode()


def _seed(seed: int) -> None:
    random.seed(seed)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would also queue seeds for a GPU, at 5 ms a call
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
