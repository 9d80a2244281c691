"""Reads YAML into types, and keeps what was parsed: PyYAML takes a twentieth of a second for a course's files."""

import functools
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from grader.kept import Store, digest

_T = TypeVar("_T")


def read(path: Path, kind: type[_T]) -> _T:
    """The file's content. Raises OSError, ValueError."""
    text = path.read_bytes()
    store, key = _store(), digest(text)
    if key in store.kept:
        return msgspec.convert(store.kept[key], kind)
    parsed = _parse(text)
    store.put(key, parsed)
    return msgspec.convert(parsed, kind)


def keep() -> None:
    """Keeps what this process has parsed for the next."""
    _store().save()


@functools.cache
def _store() -> Store:
    return Store("yaml.cache")


def _parse(text: bytes) -> Any:
    import yaml

    try:
        return msgspec.yaml.decode(text)
    except yaml.YAMLError as e:
        raise ValueError(str(e)) from None
