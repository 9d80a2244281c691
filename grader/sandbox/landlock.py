"""Landlock: the files that this process and its children may still reach, kept by the kernel.

Rules name folders and files; all else is refused with EACCES. From ABI 6 on, signals and abstract sockets to processes
outside are refused too. What Landlock does not stop (sockets, ptrace-like calls) is seccomp's part.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

from grader.sandbox import kernel

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}  # from 5 on: 16 bits
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15  # rights that may be granted on a plain file
_SCOPES = 3  # abstract unix sockets, signals
_CREATE_VERSION, _PATH_BENEATH = 1, 1


def abi() -> int:
    """The kernel's Landlock version, 0 if it has none."""
    try:
        return kernel.call("landlock_create_ruleset", None, 0, _CREATE_VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str], listable: Iterable[str] = ()) -> None:
    """From now on only these trees can be read, read and written, or listed by name. Missing paths are skipped.

    Raises OSError where Landlock is missing. `no_new_privs` must be set before.
    """
    version = abi()
    everything = _ALL_BY_ABI.get(version, (1 << 16) - 1)
    attributes = struct.pack("=QQQ", everything, 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = kernel.call("landlock_create_ruleset", ctypes.create_string_buffer(attributes, 24), size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE | _READ_DIR | _EXECUTE)
        for path in listable:
            _allow(ruleset, path, _READ_DIR)
        for path in writable:
            _allow(ruleset, path, everything & ~_EXECUTE)
        kernel.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # this host does not have it
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 (pathlib costs as much as the call itself here)
            rights &= _OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        kernel.call("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(fd)
