"""cgroup v2, where it has been delegated to us: a limit on what a cell and all its processes hold, kept by the kernel.

Where it has not (most laptops without systemd's `Delegate=yes`, version 1, containers), the watchdog of `cell.py` does.
Source: the kernel's Documentation/admin-guide/cgroup-v2.rst.
"""

import contextlib
import os
import select
import time
from collections.abc import Sequence
from pathlib import Path

NEEDED = ("memory", "pids")
_BURIAL = 10.0  # seconds that killed processes may take to go


class Group:
    """One cell's group."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, pid: int) -> None:
        """Moves that process in; its children are born there. Raises OSError."""
        (self.path / "cgroup.procs").write_text(str(pid))

    def close(self) -> None:
        """Kills all that is in it, waits until it is gone, and removes the group. Idempotent."""
        with contextlib.suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")
            self._wait()
            self.path.rmdir()

    def _wait(self) -> None:
        with (self.path / "cgroup.events").open() as events:
            changed = select.poll()
            changed.register(events, select.POLLPRI)
            deadline = time.monotonic() + _BURIAL
            while "populated 1" in events.read() and (left := deadline - time.monotonic()) > 0:
                changed.poll(left * 1000)
                events.seek(0)


class Delegation:
    """A folder of the hierarchy that is ours to divide."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.count = 0

    def group(self, **limits: int) -> Group:
        """A new group with those limits: `memory_max` (bytes), `pids_max`. Raises OSError."""
        self.count += 1
        group = Group(self.base / f"learn-{os.getpid()}-{self.count}")
        group.path.mkdir()
        try:
            for name, value in limits.items():
                (group.path / name.replace("_", ".", 1)).write_text(str(value))
        except OSError:
            group.close()
            raise
        return group


def delegated(needed: Sequence[str] = NEEDED, mounts: Path = Path("/proc/self/mounts")) -> Delegation | None:
    """Ours, if a cgroup2 hierarchy is mounted, our own place in it is writable, and it passes those controllers on.

    Changes nothing but the list of controllers passed on, and that only if no other process lives beside us.
    """
    try:
        own = next(x[3:] for x in Path("/proc/self/cgroup").read_text().splitlines() if x.startswith("0::"))
        root = next(Path(m[1]) for x in mounts.read_text().splitlines() if (m := x.split())[2] == "cgroup2")
        base = root / own.lstrip("/")
        passed_on = base / "cgroup.subtree_control"
        if missing := set(needed) - set(passed_on.read_text().split()):
            if not missing <= set((base / "cgroup.controllers").read_text().split()):
                return None
            passed_on.write_text(" ".join(f"+{c}" for c in sorted(missing)))  # refused while processes live in `base`
        found = Delegation(base)
        found.group().close()
    except (OSError, StopIteration, IndexError):
        return None
    return found
