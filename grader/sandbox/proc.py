"""What the kernel says of a process, from outside: reads /proc, changes nothing."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


def pid_of(pidfd: int) -> int:
    """The process of a pidfd, by our own count; 0 if it has ended."""
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
    return max(0, next(int(line.split()[1]) for line in lines if line.startswith("Pid:")))


def status(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status; none if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {k: v.strip() for k, _, v in (line.partition(":") for line in lines)}


def resident(pid: int) -> int:
    """Bytes of memory that are the process's own: RssAnon + RssShmem."""
    fields = status(pid)
    return sum(int(fields.get(k, "0 kB").split()[0]) << 10 for k in ("RssAnon", "RssShmem"))


def tree(pid: int) -> Iterator[int]:
    """The process and all its descendants."""
    if not pid:
        return
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def session(leader: int) -> Iterator[int]:
    """Every process of that session."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                yield int(entry.name)
