"""One cell, seen from the judge: what it is asked, what it prints and holds, how it ends, and how it can fail."""

import contextlib
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from grader.sandbox import proc
from grader.sandbox.cgroup import Group

if TYPE_CHECKING:
    from grader.sandbox import wire

OPEN_SECONDS = 20.0
_BURIAL = 10.0  # seconds that killed processes may take to go
_LAST_BREATH = 2.0  # seconds between the end of a channel and the end of its process


class Lost(BaseException):
    """The zygote is gone or does not answer: our fault. Not an Exception, so that no test can swallow it. `why`: where
    no cell can be started at all, what failed at each tier, as in a verdict's `degraded`.
    """

    def __init__(self, text: str = "", why: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.why = why


class Died(BaseException):
    """The cell's process ended in the middle. `status`: exit code, or minus the signal's number."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class TimedOut(BaseException):
    """The deadline passed; the cell has been killed."""


class OutOfMemory(BaseException):
    """The cell's processes together held more than they may; they have been killed."""


class Forgery(BaseException):
    """The cell sent what no honest cell sends; it has been killed."""


class Bounds(msgspec.Struct, frozen=True):
    """Limits of a cell (`grader.model.Limits` has the same, and more)."""

    memory_mb: int = 1024
    disk_mb: int = 64
    files: int = 2048
    processes: int = 64
    output_kb: int = 64
    seconds: float = 90.0


class Host(Protocol):
    """Who opened the cell, and hears from the zygote what became of it."""

    tier: str
    shared: int  # bytes of memory that every fork begins with

    def opened(self, number: int) -> int:
        """The pidfd of that cell, once forked. Raises Lost."""
        ...

    def status(self, number: int) -> int:
        """How that cell's process ended. Raises Lost."""
        ...


class Cell:
    """One confined process for one submission."""

    def __init__(
        self, host: Host, number: int, sock: socket.socket, out: int, kind: tuple[Bounds, tuple[str, ...]]
    ) -> None:
        from grader.sandbox import wire

        self.kind = kind
        self.pid = 0
        self.output = bytearray()
        self.flooded = False
        self.group: Group | None = None  # once the kernel keeps its limits
        self._host = host
        self._number = number
        self._out = out
        self._pidfd = -1
        self._id = 0
        self._last_look = 0.0
        self._channel: wire.Channel = wire.Channel(sock, out, self._drain, self._watch, strides=False)

    def ready(self) -> None:
        """Waits until it is confined. Raises Lost."""
        from grader.sandbox import wire

        self._pidfd = self._host.opened(self._number)
        self.pid = proc.pid_of(self._pidfd)
        try:
            if self._channel.receive(time.monotonic() + OPEN_SECONDS).word != "ready":
                raise wire.Forged
        except (wire.Closed, wire.Late, wire.Forged) as e:
            self._drain()
            raise Lost(f"a cell did not start ({type(e).__name__}): {self.output.decode(errors='replace')}") from None

    def exchange(self, word: str, value: dict[str, Any], seconds: float) -> "wire.Frame":
        """Sends a request and returns its reply. Tensors keep their strides on the way in.

        Raises wire.Unsendable or wire.TooBig for the request; Died, TimedOut, OutOfMemory, Forgery or Lost, after
        which the cell is closed.
        """
        from grader.sandbox import wire

        self._id += 1
        frame = wire.pack(self._id, word, value, strides=True)
        deadline = time.monotonic() + seconds
        try:
            if self._channel.pending():
                self._surprised()
            self._channel.send(frame, deadline)
            reply = self._channel.receive(deadline)
            if reply.id != self._id or type(reply.value) is not dict:
                raise wire.Forged
        except wire.Forged as e:
            self.close()
            raise Forgery(str(e)) from None
        except wire.Late:
            self.close()
            raise TimedOut from None
        except wire.Closed:
            raise Died(self._ended()) from None
        except OutOfMemory:
            self.close()
            raise
        finally:
            self._drain()
        return reply

    def close(self) -> None:
        """Kills all its processes and waits until they are gone: till then they count against the next cell's limit on
        processes, which all cells of a zygote share. Idempotent.
        """
        self._channel.close()
        if self._pidfd < 0:
            with contextlib.suppress(Lost, OSError, KeyError):
                self._pidfd = self._host.opened(self._number)
        if self._pidfd >= 0:
            self._kill()
            gone = select.poll()
            gone.register(self._pidfd, select.POLLIN)
            gone.poll(_BURIAL * 1000)
            os.close(self._pidfd)
            self._pidfd = -1
        if self.group is not None:
            self.group.close()
            self.group = None
        if self._out >= 0:
            os.close(self._out)
            self._out = -1

    def _kill(self) -> None:
        family = list(proc.session(self.pid)) if self._host.tier == "T1" and self.pid else []
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        for pid in family:  # without a pid namespace its children have to be found
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _ended(self) -> int:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        try:
            if not poll.poll(_LAST_BREATH * 1000):
                raise Forgery("it closed the channel and lives on")
            return self._host.status(self._number)
        finally:
            self.close()

    def _surprised(self) -> None:
        """Something waits although nothing was asked: the end of the process, or a forged frame."""
        from grader.sandbox import wire

        self._channel.receive(time.monotonic() + 1)
        raise wire.Forged("a frame out of turn")

    def _drain(self) -> None:
        cap = self.kind[0].output_kb << 10
        with contextlib.suppress(OSError):
            while self._out >= 0 and (chunk := os.read(self._out, 1 << 16)):
                self.output += chunk[: max(0, cap - len(self.output))]
                self.flooded |= len(self.output) >= cap
                if len(chunk) < 1 << 16:
                    break

    def _watch(self) -> None:
        """RLIMIT_DATA is per process: the sum over the tree is ours to watch."""
        own = sum(max(0, proc.resident(p) - self._host.shared) for p in proc.tree(self.pid))
        if own > (self.kind[0].memory_mb << 20) * 5 // 4:
            raise OutOfMemory
