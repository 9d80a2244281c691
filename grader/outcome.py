"""From how a test ended to a check: which outcome, which kind, and what may be said about it."""

import builtins
import functools
import re
import time
from typing import Any

import msgspec
import torch

from grader import errors
from grader.desk import Desk
from grader.model import Check, Outcome
from grader.sandbox import cell
from grader.testing import Failure, LearnerRaised, NotYet, TaskMark

_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV", 31: "SIGSYS"}
_NO_MEMORY = re.compile(r"can't allocate memory|not enough memory|Cannot allocate memory")
_NOBODY_TYPES = "EOF when reading a line"  # what input() says of an end of file
_NO_MODULE = re.compile(r"No module named '([\w.]{1,80})'")
_BUILTIN = {n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, Exception)}
_SIZES_TOLD, _SIZE_TOLD, _WORDS_TOLD = 5, 4096, 4
_TOLD, _LINES_TOLD = 240, 3  # characters and lines of a value
_LEARNERS = ("path", "type", "extra", "code", "got")  # parameters whose text the learner's code chose


def check_of(about: dict[str, Any], desk: Desk, error: BaseException | None) -> Check:
    """How a test ended. `error`: what it raised, or how the cell ended."""
    check = _full(about, desk, error)
    return check if check.visible else msgspec.structs.replace(check, params=_discreet(check.params, desk.text))


def _full(about: dict[str, Any], desk: Desk, error: BaseException | None) -> Check:
    flag = "flooded" if desk.flooded else ""
    if error is None:
        return Check(**about, outcome=Outcome.PASSED, flag=flag)
    shown = about["visible"]
    loading = getattr(error, "at_load", False) or getattr(error, "loading", False)
    match error:
        case Failure():
            params = dict(error.params)
            if shown and error.shown:
                params |= {"came": _short(error.shown[0]), "wanted": _short(error.shown[1])}
            return Check(
                **about,
                outcome=Outcome.FAILED,
                kind=error.kind,
                mistake=error.mistake,
                where=error.where,
                params=params,
                flag=flag,
            )
        case NotYet():
            kind = ("missing" if _code(desk.text) else "empty") if error.name else "not_written"
            return Check(**about, outcome=Outcome.NOT_WRITTEN, kind=kind, params={"name": error.name})
        case LearnerRaised():
            return _exception(about, error, desk.mark, loading, flag, desk.text)
        case cell.TimedOut():
            late = time.monotonic() >= desk.ends_at
            seconds = {} if late else {"seconds": desk.mark.timeout or desk.limit}
            kind = "section_time" if late else "timeout"
            mistake = kind if desk.mark.timeout and not late and not loading else ""
            return Check(**about, outcome=Outcome.TIMED_OUT, kind=kind, mistake=mistake, params=seconds)
        case cell.OutOfMemory():
            return Check(**about, outcome=Outcome.OUT_OF_MEMORY, kind="memory")
        case cell.Died():
            return _death(about, error.status)
        case cell.Forgery():
            return Check(**about, outcome=Outcome.FAILED, kind="forged", flag="forged")
        case cell.Lost():
            return Check(**about, outcome=Outcome.BROKEN, kind="internal", params={"what": str(error)})
        case AssertionError() if desk.arrived:
            return Check(**about, outcome=Outcome.FAILED, kind="values", flag=flag)
        case _ if desk.arrived:
            return Check(**about, outcome=Outcome.FAILED, kind="unreadable", flag=f"unreadable: {type(error).__name__}")
        case _:
            what = f"{type(error).__name__}: {error}"[:300]
            return Check(**about, outcome=Outcome.BROKEN, kind="internal", params={"what": what})


def _code(text: str) -> bool:
    """Whether there is anything but comments."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _exception(about: dict[str, Any], e: LearnerRaised, mark: TaskMark, loading: bool, flag: str, source: str) -> Check:
    outcome, kind = Outcome.FAILED, "raised"
    own = next((b for b in e.bases if b in _BUILTIN), "Exception")
    kind_of = e.kind if e.kind.isidentifier() else own  # a class may be called anything
    params: dict[str, Any] = {"error": kind_of if about["visible"] or loading else own}
    mistake = next((m for part, m in mark.raises.items() if part in e.message), "")
    if about["visible"] or loading:  # at loading there are no hidden inputs yet that a message could carry
        params["message"] = e.message
    elif message := errors.known(e.message, functools.partial(_named, source=source)):
        params["message"] = message
    if waits := _waits(e):
        return Check(**about, outcome=outcome, kind=waits, mistake=mistake, where=e.line, flag=flag)
    if "MemoryError" in e.bases or _NO_MEMORY.search(e.message):
        return Check(**about, outcome=Outcome.OUT_OF_MEMORY, kind="memory", where=e.line)
    if loading:
        kind = "syntax" if "SyntaxError" in e.bases else "import_raised"
        if missing := _NO_MODULE.fullmatch(e.message) if "ModuleNotFoundError" in e.bases else None:
            kind, params = "no_module", {"name": missing[1]}
    elif "PermissionError" in e.bases:
        outcome, kind, params = Outcome.DENIED, "denied", {"what": own}
    elif e.unfit:
        kind = "arity"
    params["origin"] = e.origin
    return Check(**about, outcome=outcome, kind=kind, mistake=mistake, where=e.line, params=params, flag=flag)


def _waits(e: LearnerRaised) -> str:
    """The call that waits for someone to type: "breakpoint" or "input"; "" for any other error."""
    if e.kind == "BdbQuit":
        return "breakpoint"
    return "input" if "EOFError" in e.bases and e.message == _NOBODY_TYPES else ""


def _death(about: dict[str, Any], status: int) -> Check:
    if status == -9:  # nobody here sends it but the kernel: out of memory, or out of processor time
        return Check(**about, outcome=Outcome.OUT_OF_MEMORY, kind="memory")
    if status == -24:
        return Check(**about, outcome=Outcome.TIMED_OUT, kind="section_time")
    if status < 0:
        params: dict[str, Any] = {"signal": _SIGNALS.get(-status, str(-status))}
        return Check(**about, outcome=Outcome.CRASHED, kind="died", params=params)
    return Check(**about, outcome=Outcome.CRASHED, kind="died_code", params={"code": status})


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = type(value).__name__
    lines = text[:_TOLD].splitlines()[:_LINES_TOLD]
    short = "\n".join(lines)
    return short if short == text else f"{short} …"


def _discreet(params: dict[str, Any], source: str) -> dict[str, Any]:
    """Of a hidden test: a name, a number or a size that the learner's code made up at run time could spell the inputs.

    So a word is told only if it stands in the learner's file, or is one of Python's or torch's own, and few of them; no
    digit but of a dtype or a small size; and a shape only if it is short.
    """

    def said(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [said(v) for v in value[:_SIZES_TOLD]] + ["…"] * (len(value) > _SIZES_TOLD)
        if isinstance(value, int) and abs(value) > _SIZE_TOLD:
            return "…"
        if not isinstance(value, str):
            return value
        if value in _dtypes():
            return value
        words = re.findall(r"[^\W\d]\w*", value)
        known = all(_named(w, source) for w in words)
        if re.fullmatch(r"-?\d{1,3}", value):  # an exit code
            return value
        plain = re.sub(r"\[\d+\]", "[]", value)  # a place in a list
        few = len(words) <= _WORDS_TOLD and value.isprintable() and not re.search(r"\d", plain)
        return plain if known and few else "…"

    return {k: said(v) if k in _LEARNERS else v for k, v in params.items()}


def _named(word: str, source: str) -> bool:
    """True of a name that tells nothing new: it is known, or stands in the learner's file."""
    return word in _known() or re.search(rf"\b{re.escape(word)}\b", source) is not None


@functools.cache
def _dtypes() -> frozenset[str]:
    return frozenset(str(v) for v in vars(torch).values() if isinstance(v, torch.dtype))


@functools.cache
def _known() -> frozenset[str]:
    more = "torch nn modules numpy ndarray generator NoneType return_types strided cpu meta linear module container"
    more += " function method builtin_function_or_method dict_keys dict_values dict_items odict_values"
    return frozenset([*dir(builtins), *dir(torch), *dir(torch.nn), *dir(torch.Tensor), *more.split()])
