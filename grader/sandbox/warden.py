"""The judge's side of the sandbox: starts the zygote, opens cells, talks to them, and sees to it that they end.

Importing this module does not import torch, so that a zygote can be on its way while the judge imports its own.
"""

import contextlib
import os
import platform
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from grader.sandbox import cgroup, jail, landlock, proc, rootfs
from grader.sandbox.cell import OPEN_SECONDS, Bounds, Cell, Died, Forgery, Lost, TimedOut

TIERS = ("T3", "T2", "T1")
_PASSED_ON = ("LANG", "LC_ALL", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_STARTS = 10  # of a zygote that gets killed each time
_START_SECONDS = 120.0  # torch's import on a slow disk
_PACKET = 1 << 16


class Unavailable(Exception):
    """The tier that was asked for cannot be had here. `why`: what failed at each tier above the one found."""

    def __init__(self, asked: str, found: str, why: tuple[str, ...]) -> None:
        super().__init__(f"{asked} was asked for, this host gives {found} ({'; '.join(why)})")
        self.asked = asked
        self.found = found
        self.why = why


def signs() -> tuple[str, ...]:
    """What the tier hangs on here, as far as it can be known at once: while these stay the same, so does the tier."""
    return platform.release(), f"uid {os.getuid()}", f"landlock {landlock.abi()}", f"namespaces {jail.can_wall_off()}"


class Gone(Lost):
    """It ended without a word: killed, perhaps."""


class Confinement(NamedTuple):
    """What the cells of a warden are confined by, as checked from outside."""

    tier: str
    landlock_abi: int
    seccomp: bool
    userns: bool
    memory: str
    degraded: tuple[str, ...]


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
        self.tier = at_most
        self.require = require
        self.tiers = TIERS[TIERS.index(at_most) :]
        self.degraded: list[str] = []
        self._confinement: Confinement | None = None
        self._exited: dict[int, int] = {}
        self._opened: dict[int, int] = {}  # number -> pidfd
        self._spare: Cell | None = None
        self._count = 0
        self._groups = cgroup.delegated()
        self._spawn(self.tiers[0])

    def __enter__(self) -> "Warden":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def confinement(self) -> Confinement:
        """Waits until the zygote is ready and its tier is known by trying. Raises Unavailable or Lost."""
        starts = holes = 0
        while self._confinement is None:
            try:
                self._await_ready()
                self._confinement = self._tried()
                break
            except _Hole as e:  # or its first cell was killed by somebody else: tried once more, to know
                why, holes = str(e), holes + 1
                again = holes == 1
            except _Refused as e:
                why, again = str(e), False
            except Gone:
                why, starts = "gone", starts + 1
                again = self._was_killed()  # which says nothing of what this host can give
                if starts == _STARTS:
                    raise
            self._stop()
            if not again:
                self.degraded.append(f"{self.tier}: {why}")
                if self.tier == self.tiers[-1]:
                    raise Lost(f"no cell can be started: {'; '.join(self.degraded)}", tuple(self.degraded))
                self.tier, holes = TIERS[TIERS.index(self.tier) + 1], 0
            self._spawn(self.tier)
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
            self._enclose(cell)
            if ahead:
                self._spare = self._request(bounds, preload)
        except Lost:
            self._stop()
            self._confinement = None
            self._spawn(self.tier)
            raise
        return cell

    def _enclose(self, cell: "Cell") -> None:
        """Lets the kernel watch over the memory of all its processes together, where it has been left to us."""
        if self._groups is None or cell.group is not None:
            return
        bounds = cell.kind[0]
        with contextlib.suppress(OSError):  # else the watchdog does it
            group = self._groups.group(memory_max=(bounds.memory_mb << 20) * 5 // 4, pids_max=bounds.processes + 1)
            cell.group = group
            group.add(cell.pid)

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
        home = rootfs.SCRATCH if tier == "T3" else "/tmp"
        environment |= {"OPENBLAS_NUM_THREADS": "1", "HOME": home, "TMPDIR": home, "PATH": "/nonexistent"}
        environment |= {"GLOO_SOCKET_IFNAME": "lo", "TORCHINDUCTOR_CACHE_DIR": f"{home}/inductor"}
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

    def _was_killed(self) -> bool:
        """True if the zygote, or the process of its inner namespace, ended by SIGKILL."""
        try:
            return self._zygote.wait(OPEN_SECONDS) in (-signal.SIGKILL, -signal.SIGKILL & 0xFF)
        except subprocess.TimeoutExpired:
            return False

    def _await_ready(self) -> None:
        """Waits until the zygote is ready. Raises _Refused if it cannot be, Gone if it ended and did not say."""
        message, fds = self._receive(time.monotonic() + _START_SECONDS)
        if "ready" not in message:
            raise _Refused("setup", str(message.get("failed")))
        self.pid = proc.pid_of(fds[0])
        os.close(fds[0])
        status = proc.status(self.pid)
        if int(status.get("Threads", "1")) != 1:
            raise Lost("the zygote has more than one thread")
        self.held = int(status.get("VmData", "0 kB").split()[0]) << 10
        self.shared = proc.resident(self.pid)  # what every fork begins with, without costing anything

    def _tried(self) -> Confinement:
        """Opens a cell that tries what it must not be able to do. Raises _Hole if it could."""
        cell = self._request(Bounds(seconds=20), ())
        try:
            cell.ready()
            cell.exchange("load", {"text": _ATTEMPTS, "file": "attempts.py", "probes": "", "seed": 0}, 20)
            call = {"target": "learner", "name": "attempts", "args": self._secrets(), "kwargs": {}}
            frame = cell.exchange("call", call | {"seed": None}, 20)
            if frame.word != "value":
                raise _Hole("no_start", f"torch: {frame.value}")
            could = frame.value.get("value")
            status = proc.status(cell.pid)
        except Gone:
            raise
        except (Lost, Died, TimedOut, Forgery) as e:
            raise _Hole("no_start", f"{type(e).__name__} {e} {cell.output.decode(errors='replace')}") from None
        finally:
            cell.close()
        filtered = status.get("Seccomp") == "2"
        if self.tier != "T1":
            if could:
                raise _Hole("could", ",".join(map(str, could)))
            if not filtered or status.get("NoNewPrivs") != "1" or int(status.get("CapEff", "0"), 16):
                raise _Hole("unconfined")
        degraded = list(self.degraded)
        if self.tier == "T2" and status.get("Uid", "").split()[:1] == ["0"]:
            degraded.append("T2: root")
        return Confinement(
            self.tier,
            landlock.abi() if self.tier != "T1" else 0,
            filtered,
            self.tier == "T3",
            "rlimit+watchdog" if self._groups is None else "rlimit+cgroup",
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
            raise Gone("the zygote is gone") from None
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
            raise Gone("the zygote is gone")
        return msgspec.msgpack.decode(data), fds

    def opened(self, number: int) -> int:
        """The pidfd of that cell, once forked. Raises Lost."""
        while number not in self._opened:
            self._note(time.monotonic() + OPEN_SECONDS)
        return self._opened.pop(number)

    def status(self, number: int) -> int:
        """How that cell's process ended. Raises Lost."""
        while number not in self._exited:
            self._note(time.monotonic() + OPEN_SECONDS)
        return self._exited.pop(number)

    def _note(self, deadline: float) -> None:
        message, fds = self._receive(deadline)
        if "opened" in message:
            self._opened[message["opened"]] = fds[0]
        elif "exited" in message:
            self._exited[message["exited"]] = message["status"]


class _Refused(Exception):
    """A tier that cannot be had here. Its text is an id, and what the kernel or Python said, in one line."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(": ".join([kind, *filter(None, [" ".join(detail.split())])]))


class _Hole(_Refused):
    """A tier that does not hold here."""


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
        "files": lambda: open(files[0]).close(),
        "processes": lambda: open("/proc/1/environ").close(),
        "write": lambda: open("/usr/lib/x", "w").close(),
        "network": _go_out,
        "programs": lambda: os.execv("/bin/true", ["true"]),
    }
    return [name for name, f in tries.items() if files and _can(f)]
"""
