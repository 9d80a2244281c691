"""Answers a test's calls for one submission: loads the learner's file into a cell, asks, and tells what came back."""

import hmac
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from grader.sandbox import cell, wire
from grader.testing import Failure, LearnerRaised, NotYet, TaskMark

ENDS = (cell.Died, cell.TimedOut, cell.OutOfMemory, cell.Forgery, cell.Lost)


class Answerer(Protocol):
    """A loaded learner's file that answers requests: a cell, or (to debug) this process."""

    output: bytearray
    flooded: bool

    def exchange(self, word: str, value: dict[str, Any], seconds: float) -> wire.Frame:
        """The reply."""
        ...

    def close(self) -> None:
        """No more requests."""
        ...


@dataclass
class Desk:
    """Answers the tests' calls for one submission; opens a fresh cell when the last one is gone."""

    text: str
    file: str
    probes: str
    open: Callable[[], Answerer]
    limit: float  # seconds for one test
    ends_at: float  # time.monotonic() when the section's time is up
    secret: bytes
    mark: TaskMark = field(default_factory=lambda: TaskMark(0))
    seed: int | None = None  # for the next call, once per test
    visible: bool = False  # the test is one that the learner may read
    arrived: bool = False  # a value of the learner's has come in this test
    end: BaseException | None = None  # how the cell ended in this test, even if the test swallowed it
    error: BaseException | None = None  # the last one raised into this test, even if swallowed
    answerer: Answerer | None = None
    unloadable: BaseException | None = None
    until: float = 0.0
    since: float = 0.0  # when the cell last answered, or the test began
    started: float = 0.0
    printed: str = ""  # by visible tests
    printed_before: int = 0  # of that, before this test, or while the file was loaded for it
    flooded: bool = False
    pardons: int = 5

    def pardon(self) -> bool:
        """True if something killed the cell in this test and the test may be run again: who did it is not known, and it
        need not be the learner's doing. A few times, not for ever.
        """
        killed = isinstance(self.end, cell.Died) and self.end.status == -signal.SIGKILL
        if not killed or not self.pardons:
            return False
        self.pardons -= 1
        self.unloadable = None
        return True

    def begin(self, mark: TaskMark, seed: int, visible: bool) -> None:
        """A new test."""
        self.mark, self.seed, self.arrived, self.end, self.visible = mark, seed, False, None, visible
        self.error = None
        self.printed_before = len(self.printed)
        if self.since:
            self._give_back()
        self.since = time.monotonic()
        self.until = min(time.monotonic() + (mark.timeout or self.limit), self.ends_at)

    def call(self, target: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """See `testing.Desk`."""
        try:
            return self._call(target, name, args, kwargs)
        except BaseException as e:
            self.error = e
            raise

    def span(self) -> tuple[int, int]:
        """What this test has printed, see `Check.printed`."""
        return (self.printed_before, len(self.printed)) if len(self.printed) > self.printed_before else (0, 0)

    def over(self) -> bool:
        """True once the section's time is up."""
        return self.since >= self.ends_at

    def load(self) -> None:
        """See `testing.Desk`."""
        try:
            self._load()
        except BaseException as e:
            self.error = e
            raise

    def ending(self, raised: BaseException | None) -> BaseException | None:
        """How the test ended, given what it raised: a crash or an error that it swallowed counts all the same."""
        swallowed = None if getattr(self.error, "expected", False) else self.error
        return self.end or raised or swallowed

    def _call(self, target: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._load()
        seed, self.seed = self.seed, None
        request = {"target": target, "name": name, "args": args, "kwargs": kwargs, "seed": seed}
        reply = self._exchange("call", request)
        self.arrived = True
        if reply.word == "value":
            if reply.value.get("changed") is not False and not self.mark.may_change:
                raise Failure("argument_changed", name=name)
            return reply.value.get("value")
        raise self._raised(reply)

    def close(self) -> None:
        """The cell, if any, is killed."""
        if self.answerer is not None:
            self.answerer.close()
            self.answerer = None

    def _load(self) -> None:
        if self.unloadable is not None:  # what failed once is not tried for every test
            self.end = self.unloadable if isinstance(self.unloadable, ENDS) else None
            raise self.unloadable.with_traceback(None)  # else each test adds its frames to those of all before
        if self.answerer is not None:
            return
        began = time.monotonic()
        self.answerer = self.open()
        self.started = self.started or time.monotonic() - began
        request = {
            "text": self.text,
            "file": self.file,
            "probes": self.probes,
            "seed": number(self.secret, f"load {self.text}"),
        }
        try:
            reply = self._exchange("load", request)
        except cell.Lost:
            raise
        except ENDS as e:
            e.at_load = True  # type: ignore[union-attr]
            self.unloadable = e
            raise
        if reply.word != "value":
            self.arrived = True
            self.unloadable = self._raised(reply, loading=True)
            raise self.unloadable

    def _exchange(self, word: str, value: dict[str, Any]) -> wire.Frame:
        answerer = self.answerer
        assert answerer is not None
        had = len(answerer.output)
        self._give_back()
        try:
            return answerer.exchange(word, value, self.until - time.monotonic())
        except ENDS as e:
            self.end, self.answerer = e, None
            raise
        finally:
            self.since = time.monotonic()
            self.flooded |= answerer.flooded
            if self.visible:
                self.printed += answerer.output[had:].decode("utf-8", "replace")
            if word == "load":
                self.printed_before = len(self.printed)

    def _give_back(self) -> None:
        """The limits are on the learner's time: what has passed since the cell's last answer was ours."""
        ours = time.monotonic() - self.since
        self.until, self.ends_at = self.until + ours, self.ends_at + ours

    def _raised(self, reply: wire.Frame, loading: bool = False) -> BaseException:
        """What a reply that is no value means to a test. The reply is the cell's word: any form is possible."""
        v = reply.value
        if reply.word == "raised":
            given = v.get("bases")
            bases = [_text(b) for b in given] if type(given) in (list, tuple) else []
            kind, message, line = _text(v.get("kind")), _text(v.get("message")), self._line(v.get("line"))
            if kind == "NotWritten" or ("NotImplementedError" in bases and not loading):
                return NotYet(_text(v.get("name") or ""))
            raised = LearnerRaised(kind, bases, message, line, _text(v.get("origin")))
            raised.loading = loading
            return raised
        if reply.word == "unsendable":
            return Failure("unsendable", path=_text(v.get("path"))[:200], type=_text(v.get("kind"))[:200])
        if reply.word == "exited":
            return Failure("exited", where=self._line(v.get("line")), code=_text(v.get("code")))
        return Failure("answer_too_big") if reply.word == "too_big" else cell.Forgery(reply.word)

    def _line(self, value: Any) -> int | None:
        return value if type(value) is int and 0 < value <= self.text.count("\n") + 1 else None


def _text(value: Any) -> str:
    return value if type(value) is str else type(value).__name__


def number(secret: bytes, label: str) -> int:
    """A seed (56 bits) that nobody can know without the secret."""
    return int.from_bytes(hmac.digest(secret, label.encode("utf-8", "surrogatepass"), "sha256")[:7])
