"""The judge's side of the sandbox: starts the zygote, opens cells, talks to them, and sees to it that they end.

Importing this module does not import torch, so that a zygote can be on its way while the judge imports its own.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from grader.sandbox import jail, landlock

if TYPE_CHECKING:
    from grader.sandbox import wire

TIERS = ("T3", "T2", "T1")
_PASSED_ON = ("LANG", "LC_ALL", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_START_SECONDS = 120.0  # torch's import on a slow disk
_OPEN_SECONDS = 20.0
_PACKET = 1 << 16


class Unavailable(Exception):
    """The tier that was asked for cannot be had here. `why`: what failed at each tier above the one found."""

    def __init__(self, asked: str, found: str, why: tuple[str, ...]) -> None:
        super().__init__(f"{asked} was asked for, this host gives {found} ({'; '.join(why)})")
        self.asked = asked
        self.found = found
        self.why = why


class Confinement(NamedTuple):
    """What the cells of a warden are confined by, as checked from outside."""

    tier: str
    landlock_abi: int
    seccomp: bool
    userns: bool
    memory: str
    degraded: tuple[str, ...]


class Lost(BaseException):
    """The zygote is gone or does not answer: our fault. Not an Exception, so that no test can swallow it."""


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


class Warden:
    """One zygote and its cells. Use as a context manager, or call `close`."""

    def __init__(
        self,
        packages: Iterable[str] = (),
        preload: Iterable[str] = (),
        require: str | None = None,
        at_most: str = "T3",
    ) -> None:
        self.setup = (tuple(packages), tuple(preload))
        self.require = require
        self.tiers = TIERS[TIERS.index(at_most) :]
        self.degraded: list[str] = []
        self._confinement: Confinement | None = None
        self._exited: dict[int, int] = {}
        self._opened: dict[int, int] = {}  # number -> pidfd
        self._spare: Cell | None = None
        self._count = 0
        self._spawn(self.tiers[0])

    def __enter__(self) -> "Warden":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def confinement(self) -> Confinement:
        """Waits until the zygote is ready and its tier is known by trying. Raises Unavailable or Lost."""
        while self._confinement is None:
            if (why := self._await_ready()) is None:
                try:
                    self._confinement = self._tried()
                    break
                except _Hole as e:
                    why = str(e)
            self.degraded.append(f"{self.tier}: {why}")
            self._stop()
            if self.tier == self.tiers[-1]:
                raise Lost(f"no cell can be started: {'; '.join(self.degraded)}")
            lower = TIERS[TIERS.index(self.tier) + 1]
            self._spawn(lower)
        if self.require is not None and self._confinement.tier < self.require:
            raise Unavailable(self.require, self._confinement.tier, self._confinement.degraded)
        return self._confinement

    def open(self, bounds: Bounds, preload: tuple[str, ...] = (), ahead: bool = False) -> "Cell":
        """A fresh cell, confined and waiting to load. `ahead`: begin the next one of this kind at once.

        Raises Lost if the zygote does not answer (it is started anew for the next call).
        """
        self.confinement()
        cell, self._spare = self._spare, None
        try:
            if cell is None or cell.kind != (bounds, preload):
                if cell is not None:
                    cell.close()
                cell = self._request(bounds, preload)
            cell.ready()
            if ahead:
                self._spare = self._request(bounds, preload)
        except Lost:
            self._stop()
            self._confinement = None
            self._spawn(self.tier)
            raise
        return cell

    def close(self) -> None:
        """Kills every cell and the zygote. Idempotent."""
        if self._spare is not None:
            self._spare.close()
            self._spare = None
        self._stop()

    def _spawn(self, tier: str) -> None:
        self.tier = tier
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = str(Path(__file__).resolve().parents[2])
        code = (
            "import sys; where, fd = sys.argv[1:]; new = where not in sys.path; sys.path += [where] * new\n"
            "from grader.sandbox import jail, zygote; sys.argv[1:] = []; sys.path.remove(where) if new else None\n"
            "zygote.main(int(fd))"
        )
        environment = {k: v for k, v in os.environ.items() if k in _PASSED_ON}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "HOME": "/tmp", "TMPDIR": "/tmp", "PATH": "/nonexistent"}
        environment |= {"GLOO_SOCKET_IFNAME": "lo", "TORCHINDUCTOR_CACHE_DIR": "/tmp/inductor"}
        with theirs:
            self._zygote = subprocess.Popen(
                [sys.executable, "-I", "-B", "-c", code, root, str(theirs.fileno())],
                env=environment,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("LEARN_TRACEBACK") else subprocess.DEVNULL,
            )
        self._control = ours
        with contextlib.suppress(OSError):
            ours.send(msgspec.msgpack.encode(jail.Setup(tier, *self.setup)))

    def _stop(self) -> None:
        self._control.close()
        self._zygote.kill()
        self._zygote.wait()
        for pidfd in self._opened.values():
            os.close(pidfd)
        self._opened.clear()
        self._exited.clear()

    def _await_ready(self) -> str | None:
        """None when the zygote is ready, else why it is not."""
        try:
            message, fds = self._receive(time.monotonic() + _START_SECONDS)
        except Lost as e:
            return str(e) or "it ended"
        if "ready" not in message:
            return str(message.get("failed"))
        self.pid = _pid_of(fds[0])
        os.close(fds[0])
        status = _status(self.pid)
        if int(status.get("Threads", "1")) != 1:
            raise Lost("the zygote has more than one thread")
        self.held = int(status.get("VmData", "0 kB").split()[0]) << 10
        self.shared = _resident(self.pid)  # what every fork begins with, without costing anything
        return None

    def _tried(self) -> Confinement:
        """Opens a cell that tries what it must not be able to do. Raises _Hole if it could."""
        cell = self._request(Bounds(seconds=20), ())
        try:
            cell.ready()
            cell.exchange("load", {"text": _ATTEMPTS, "file": "attempts.py", "probes": "", "seed": 0}, 20)
            call = {"target": "learner", "name": "attempts", "args": self._secrets(), "kwargs": {}}
            frame = cell.exchange("call", call | {"seed": None}, 20)
            could = frame.value.get("value") if frame.word == "value" else [f"torch: {frame.value}"]
            status = _status(cell.pid)
        except (Lost, Died, TimedOut, Forgery) as e:
            raise _Hole(
                f"no cell starts ({type(e).__name__} {e}) {cell.output.decode(errors='replace').strip()}"
            ) from None
        finally:
            cell.close()
        filtered = status.get("Seccomp") == "2"
        if self.tier != "T1":
            if could:
                raise _Hole(f"a cell could still: {', '.join(map(str, could))}")
            if not filtered or status.get("NoNewPrivs") != "1" or int(status.get("CapEff", "0"), 16):
                raise _Hole("a cell is not confined as seen from outside")
        degraded = list(self.degraded)
        if self.tier == "T2" and status.get("Uid", "").split()[:1] == ["0"]:
            degraded.append("T2: runs as root (without capabilities), since nobody could not read Python")
        return Confinement(
            self.tier,
            landlock.abi() if self.tier != "T1" else 0,
            filtered,
            self.tier == "T3",
            "rlimit+watchdog",
            tuple(degraded),
        )

    def _secrets(self) -> tuple[str, ...]:
        """Files that a confined cell must not be able to read."""
        return () if self.tier == "T1" else (str(Path(__file__).resolve().parents[1] / "model.py"),)

    def _request(self, bounds: Bounds, preload: tuple[str, ...]) -> "Cell":
        self._count += 1
        number = self._count
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        out, into = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(into, True)
        limits = jail.Bounds(
            data=self.held + (bounds.memory_mb << 20),
            disk_mb=bounds.disk_mb,
            files=bounds.files,
            processes=bounds.processes,
            seconds=bounds.seconds,
        )
        message = msgspec.msgpack.encode({"open": number, "bounds": limits, "preload": preload})
        try:
            socket.send_fds(self._control, [message], [into, far.fileno()])
        except OSError:
            near.close()
            os.close(out)
            raise Lost("the zygote is gone") from None
        finally:
            far.close()
            os.close(into)
        return Cell(self, number, near, out, (bounds, preload))

    def _receive(self, deadline: float) -> tuple[dict[str, Any], list[int]]:
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        if not poll.poll(max(0, (deadline - time.monotonic()) * 1000)):
            raise Lost("the zygote does not answer")
        try:
            data, fds, _, _ = socket.recv_fds(self._control, _PACKET, 2)
        except OSError:
            data, fds = b"", []
        if not data:
            raise Lost("the zygote is gone")
        return msgspec.msgpack.decode(data), fds

    def opened(self, number: int) -> int:
        """The pidfd of that cell, once forked. Raises Lost."""
        while number not in self._opened:
            self._note(time.monotonic() + _OPEN_SECONDS)
        return self._opened.pop(number)

    def status(self, number: int) -> int:
        """How that cell's process ended. Raises Lost."""
        while number not in self._exited:
            self._note(time.monotonic() + _OPEN_SECONDS)
        return self._exited.pop(number)

    def _note(self, deadline: float) -> None:
        message, fds = self._receive(deadline)
        if "opened" in message:
            self._opened[message["opened"]] = fds[0]
        elif "exited" in message:
            self._exited[message["exited"]] = message["status"]


class Cell:
    """One confined process for one submission."""

    def __init__(
        self, warden: Warden, number: int, sock: socket.socket, out: int, kind: tuple[Bounds, tuple[str, ...]]
    ) -> None:
        from grader.sandbox import wire

        self.kind = kind
        self.pid = 0
        self.output = bytearray()
        self.flooded = False
        self._warden = warden
        self._number = number
        self._out = out
        self._pidfd = -1
        self._id = 0
        self._last_look = 0.0
        self._channel: wire.Channel = wire.Channel(sock, out, self._drain, self._watch)

    def ready(self) -> None:
        """Waits until it is confined. Raises Lost."""
        from grader.sandbox import wire

        self._pidfd = self._warden.opened(self._number)
        self.pid = _pid_of(self._pidfd)
        try:
            if self._channel.receive(time.monotonic() + _OPEN_SECONDS).word != "ready":
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
        """Kills all its processes. Does not wait for them. Idempotent."""
        self._channel.close()
        if self._pidfd < 0:
            with contextlib.suppress(Lost, OSError, KeyError):
                self._pidfd = self._warden.opened(self._number)
        if self._pidfd >= 0:
            self._kill()
            os.close(self._pidfd)
            self._pidfd = -1
        if self._out >= 0:
            os.close(self._out)
            self._out = -1

    def _kill(self) -> None:
        family = list(_session(self.pid)) if self._warden.tier == "T1" and self.pid else []
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        for pid in family:  # without a pid namespace its children have to be found
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _ended(self) -> int:
        try:
            return self._warden.status(self._number)
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
        own = sum(max(0, _resident(p) - self._warden.shared) for p in _tree(self.pid))
        if own > (self.kind[0].memory_mb << 20) * 5 // 4:
            raise OutOfMemory


class _Hole(Exception):
    """A tier that does not hold here."""


def _pid_of(pidfd: int) -> int:
    """The process of a pidfd, by our own count; 0 if it has ended."""
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
    return max(0, next(int(line.split()[1]) for line in lines if line.startswith("Pid:")))


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {k: v.strip() for k, _, v in (line.partition(":") for line in lines)}


def _resident(pid: int) -> int:
    """Bytes of memory that are the process's own: RssAnon + RssShmem."""
    status = _status(pid)
    return sum(int(status.get(k, "0 kB").split()[0]) << 10 for k in ("RssAnon", "RssShmem"))


def _tree(pid: int) -> Iterator[int]:
    if not pid:
        return
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _session(leader: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                yield int(entry.name)


_ATTEMPTS = """
import os, socket, torch

def _can(f):
    try:
        f()
    except OSError:
        return False
    return True

def _go_out():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("192.0.2.1", 9))

def _run():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.execv(b"/proc/self/exe", None) < 0:
        raise OSError(ctypes.get_errno(), "")

def attempts(*files):
    assert (torch.ones(64, 64) @ torch.ones(64, 64)).sum() == 64 ** 3
    tries = {
        "read files of ours": lambda: open(files[0]).close(),
        "read other processes": lambda: open("/proc/1/environ").close(),
        "write outside": lambda: open("/usr/lib/x", "w").close(),
        "reach the network": _go_out,
        "run programs": lambda: os.execv("/bin/true", ["true"]),
    }
    return [name for name, f in tries.items() if files and _can(f)]
"""
