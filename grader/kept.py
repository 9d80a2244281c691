"""What was worked out once and is kept in this person's folder for the next command, which cannot wait for it.

By a digest of all that it was made of, so nothing can go stale. A store that is damaged, or cannot be written, costs
the time that it would have saved, and no more.
"""

import contextlib
import hashlib
from typing import Any

import msgspec

from grader.home import home, write

_CAP = 500  # entries; beyond, a store is begun anew


class Store:
    """A file of LEARN_HOME: what was kept, by digest."""

    def __init__(self, name: str, kind: Any = Any) -> None:
        """`kind`: the type of what is kept."""
        self._path = home() / name
        self._new = False
        self.kept: dict[bytes, Any] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self.kept = msgspec.msgpack.decode(self._path.read_bytes(), type=dict[bytes, kind])

    def put(self, key: bytes, value: Any) -> None:
        """To be kept, if it can be written."""
        with contextlib.suppress(TypeError, ValueError, OverflowError, RecursionError):
            msgspec.msgpack.encode(value)
            self.kept[key], self._new = value, True

    def save(self) -> None:
        """Keeps what is new for the next process."""
        if self._new:
            with contextlib.suppress(OSError):
                write(self._path, msgspec.msgpack.encode(self.kept if len(self.kept) <= _CAP else {}))
            self._new = False


def digest(*parts: object) -> bytes:
    """Of the parts, in this order: bytes as they are, all else as it is written."""
    made = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode("utf-8", "surrogatepass")
        made.update(hashlib.sha256(data).digest())
    return made.digest()
