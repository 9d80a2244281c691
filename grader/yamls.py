"""Reads YAML into types, and keeps what was parsed: of a course's dozens of files PyYAML makes a twentieth of a second.

Kept by a digest of the text, so nothing can go stale. A store that is damaged, or cannot be written, costs that time
and no more.
"""

import contextlib
import functools
import hashlib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from grader.home import home, write

_T = TypeVar("_T")
_CAP = 500  # texts; beyond, it is begun anew


class _Store(msgspec.Struct):
    parsed: dict[bytes, Any]  # by digest of the text
    new: bool = False


def read(path: Path, kind: type[_T]) -> _T:
    """The file's content. Raises OSError, ValueError."""
    text = path.read_bytes()
    store, key = _store(), hashlib.sha256(text).digest()
    if key in store.parsed:
        return msgspec.convert(store.parsed[key], kind)
    parsed = _parse(text)
    with contextlib.suppress(TypeError, ValueError, OverflowError, RecursionError):
        msgspec.msgpack.encode(parsed)  # else it cannot be kept
        store.parsed[key], store.new = parsed, True
    return msgspec.convert(parsed, kind)


def keep() -> None:
    """Keeps what this process has parsed for the next."""
    store = _store()
    if store.new and store.parsed:
        parsed = store.parsed if len(store.parsed) <= _CAP else {}
        with contextlib.suppress(OSError):
            write(_path(), msgspec.msgpack.encode(parsed))
        store.new = False


@functools.cache
def _store() -> _Store:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return _Store(msgspec.msgpack.decode(_path().read_bytes(), type=dict[bytes, Any]))
    return _Store({})


def _path() -> Path:
    return home() / "yaml.cache"


def _parse(text: bytes) -> Any:
    import yaml

    try:
        return msgspec.yaml.decode(text)
    except yaml.YAMLError as e:
        raise ValueError(str(e)) from None
