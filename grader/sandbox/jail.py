"""Confines the process it is called in: what a cell does between its fork and the learner's first line.

`wall_off` is for the zygote, once: namespaces of its own and a file tree without secrets. `enter` is for each cell.
The order in `enter` matters: mounts need capabilities, seccomp would forbid everything that comes before it.
"""

import contextlib
import errno
import os
import resource
import socket
import struct
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from grader.sandbox import kernel, landlock, pages, rootfs, seccomp

NOBODY = 65534
CHANNEL = 3  # the cell's only open descriptor beside 0, 1 and 2


class Bounds(msgspec.Struct, frozen=True):
    """A cell's limits, as the far side needs them (MiB where it says mb, seconds)."""

    data: int  # bytes, with what the zygote already holds (which a fork shares)
    disk_mb: int
    files: int
    processes: int
    seconds: float


class Setup(msgspec.Struct, frozen=True):
    """What the warden tells a new zygote."""

    tier: str  # T1, T2 or T3
    packages: tuple[str, ...] = ()  # distributions that a cell may import beside torch
    preload: tuple[str, ...] = ()  # modules to import before the first fork


def wall_off(view: rootfs.View) -> tuple[int, int]:
    """User, pid, mount, network, ipc and uts namespaces, and a minimal `/`. Returns in the first process of the new
    pid namespace, with descriptors of that and of its own memory's map (there is no /proc from here on); the process
    that called stays behind, waits for it, and ends as it did.

    As root, the cell's user is nobody; else it is the caller, with no group but his own. Raises OSError.
    """
    _own_user_namespace()
    kernel.die_with_parent()  # new capabilities cleared it
    child = os.fork()
    if child:
        _close_all_but(())
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    kernel.die_with_parent()
    here = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    maps = os.open(pages.MAPS, os.O_RDONLY | os.O_CLOEXEC)
    taken = rootfs.take(view)
    os.setresgid(NOBODY, NOBODY, NOBODY)  # root is not mapped here: getuid() would call it nobody already
    os.setresuid(NOBODY, NOBODY, NOBODY)
    rootfs.build(view, taken)
    kernel.die_with_parent()  # a change of user clears it
    return here, maps


def can_wall_off() -> bool:
    """True if this host gives namespaces to a user like us: tried in a child, which ends at once."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            _own_user_namespace()
            os._exit(0)
        os._exit(1)
    return os.waitpid(child, 0)[1] == 0


class Ground(NamedTuple):
    """What all cells of a zygote have in common; found once, before the first fork."""

    tier: str
    readable: tuple[str, ...] = ()
    listable: tuple[str, ...] = ()
    become_nobody: bool = False


def survey(tier: str, view: rootfs.View) -> Ground:
    """The ground for cells of that tier; what they would all do alike is done."""
    if tier != "T1":
        kernel.bound_capabilities()
    if tier == "T3" and kernel.MACHINE is not None:
        seccomp.program(kernel.MACHINE, namespaces=True)  # kept, for all cells
    if tier == "T2":
        return Ground(tier, tuple(view.readable()), view.sites, _nobody_can_read(view))
    return Ground(tier, ("/",))


def enter(ground: Ground, bounds: Bounds, keep: Iterable[int]) -> None:
    """Confines this fresh fork of the zygote for good. `keep`: what becomes descriptors 1 = 2 and CHANNEL.

    Raises OSError if any layer of the tier cannot be had: the cell must not go on then.
    """
    tier = ground.tier
    output, channel = keep
    _rewire(output, channel)
    os.setsid()
    if tier == "T3":
        kernel.call("unshare", kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS)
        rootfs.scratch(bounds.disk_mb, bounds.files)
        _loopback_up()
        os.chdir(rootfs.SCRATCH)
    tempfile.tempdir = None  # it may have been looked up before the fork
    _limit(bounds)
    if tier == "T1":
        return
    if ground.become_nobody:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    kernel.drop_capabilities()
    kernel.die_with_parent()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if tier == "T3":
        landlock.restrict(ground.readable, [rootfs.SCRATCH, "/dev/shm", "/dev/null"])
    else:
        landlock.restrict(ground.readable, ["/dev/null"], ground.listable)
    seccomp.install(namespaces=tier == "T3")


def _own_user_namespace() -> None:
    """unshare, with the ids mapped: by ourselves as an ordinary user, by a privileged helper outside as root."""
    uid, gid = os.getuid(), os.getgid()
    flags = kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWNET
    flags |= kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
    if uid:
        kernel.call("unshare", flags)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")
        return
    os.setgroups([])
    us = os.getpid()
    ready, go = os.pipe()
    helper = os.fork()
    if not helper:
        os.close(go)
        os.read(ready, 1)
        try:
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{us}/{name}").write_text(f"{NOBODY} {NOBODY} 1")
        finally:
            os._exit(0)
    try:
        kernel.call("unshare", flags)
    finally:
        os.close(go)
        os.waitpid(helper, 0)
        os.close(ready)
    if not Path("/proc/self/uid_map").read_text().strip():
        raise OSError(errno.EPERM, f"uid_map: {os.strerror(errno.EPERM)}")


def _nobody_can_read(view: rootfs.View) -> bool:
    """As root without namespaces a cell becomes nobody, unless nobody could not read Python (it lies in /root, say)."""
    if os.getuid():
        return False
    pid = os.fork()
    if not pid:
        with contextlib.suppress(OSError):
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os._exit(0 if all(os.access(p, os.R_OK) for p in (*view.trees, *view.packages)) else 1)
        os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _rewire(output: int, channel: int) -> None:
    null = os.open("/dev/null", os.O_RDONLY)
    high = [os.dup(fd) for fd in (null, output, output, channel)]  # out of the way of the numbers they go to
    high = [os.dup2(fd, 200 + i) for i, fd in enumerate(high)]
    for i, fd in enumerate(high):
        os.dup2(fd, i, inheritable=i < CHANNEL)
    _close_all_but((0, 1, 2, CHANNEL))


def _close_all_but(keep: Iterable[int]) -> None:
    low = 0
    for fd in sorted(keep):
        if low < fd:  # an empty range would close everything (seen in CPython 3.11)
            os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 4096)


def _loopback_up() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS, up and running


def _limit(bounds: Bounds) -> None:
    limits = {
        "CORE": 0,
        "FSIZE": bounds.disk_mb << 20,
        "NOFILE": 512,
        "NPROC": bounds.processes,
        "CPU": int(bounds.seconds) + 5,  # the wall clock comes first; this is for what it cannot see
        "DATA": bounds.data,
    }
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is not None:
            with contextlib.suppress(ValueError):  # lower already
                resource.setrlimit(number, (value, value))
