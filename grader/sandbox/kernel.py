"""System calls that Python does not offer, by number, through the C library's `syscall`.

Linux on x86_64 and aarch64; elsewhere `MACHINE` is None and the callers stay at tier T1.
"""

import ctypes
import errno
import os
import platform
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

MACHINE = {"x86_64": 0, "aarch64": 1}.get(platform.machine()) if sys.platform == "linux" else None

# name: (x86_64, aarch64); -1 where the architecture does not have it.
NUMBERS = {
    "capset": (126, 91),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "unshare": (272, 97),
    "setns": (308, 268),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME, PR_CAPBSET_DROP = 1, 4, 15, 24
PR_SET_SECUREBITS, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 28, 36, 38, 47


def call(name: str, *args: "int | bytes | ctypes.Array[ctypes.c_char] | None") -> int:
    """That system call. Raises OSError with its errno and name."""
    if MACHINE is None:
        raise OSError(errno.ENOSYS, f"{name}: {os.strerror(errno.ENOSYS)}")
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result: int = _LIBC.syscall(ctypes.c_long(NUMBERS[name][MACHINE]), *converted)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def prctl(option: int, value: int = 0, third: int = 0) -> int:
    """`prctl(option, value, third, 0, 0)`."""
    return call("prctl", option, value, third, 0, 0)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """`mount(2)`."""
    call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode() or None)


def take_tree(path: str) -> int:
    """A descriptor of a copy of the mounts at `path`, attached nowhere yet (`open_tree(2)`)."""
    clone, cloexec, recursive, here = 1, os.O_CLOEXEC, 0x8000, -100
    return call("open_tree", here, path.encode(), clone | cloexec | recursive)


def put_tree(tree: int, target: str) -> None:
    """Attaches what `take_tree` took, and closes the descriptor (`move_mount(2)`)."""
    from_descriptor, here = 4, -100
    try:
        call("move_mount", tree, b"", here, target.encode(), from_descriptor)
    finally:
        os.close(tree)


def die_with_parent() -> None:
    """SIGKILL for this process as soon as its parent is gone."""
    parent = os.getppid()
    prctl(PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:  # it went before we asked
        os._exit(1)


def bound_capabilities() -> None:
    """No capability can be regained by this process or its children, once they have lost it."""
    for cap in range(64):
        try:
            prctl(PR_CAPBSET_DROP, cap)
        except OSError:  # past the last one, or not allowed to (then there is none to drop)
            break


def drop_capabilities() -> None:
    """No capability is left in any set of this process."""
    header = ctypes.create_string_buffer((0x20080522).to_bytes(4, sys.byteorder) + bytes(4), 8)
    call("capset", header, ctypes.create_string_buffer(24))
