"""A folder of files that a command writes, and may write again: over its own, and never over anybody else's.

What was written is listed in the folder, by digest. So a file of another's, and one of ours that somebody has changed,
are told from those that may be replaced.
"""

import contextlib
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from grader import home
from grader.model import Mendable

_LIST = ".learn-files.json"
_NAME = re.compile(r"[^\\/\0]+(/[^\\/\0]+)*")


class NotOurs(Mendable):
    """There is a file that would be lost."""


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes the folder hold these files, by name (`a/b.html`); those of the last time that are not among them go.

    Raises NotOurs if there are files and none was ever written here, or if one would take the place of a file that was
    not, or was changed since; then nothing is touched. Raises OSError; what is there then may be replaced the next
    time. Each file is the old one or the new.
    """
    if folder.is_dir() and not (folder / _LIST).exists() and any(folder.iterdir()):
        raise NotOurs("not_ours_folder", path=str(folder))
    before = _listed(folder)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    for name in files:
        if (path := folder / name).exists() and _digest(path) not in (*before.get(name, ()), digests[name]):
            raise NotOurs("not_ours", path=str(path))
    folder.mkdir(parents=True, exist_ok=True)
    _list(folder, {n: [*before.get(n, ()), *filter(None, [digests.get(n)])] for n in before | digests})
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        home.write(folder / name, data)
    for name in before.keys() - files.keys():
        with contextlib.suppress(FileNotFoundError):
            if _digest(folder / name) in before[name]:
                (folder / name).unlink()
    _list(folder, {name: [digest] for name, digest in digests.items()})


def _listed(folder: Path) -> dict[str, list[str]]:
    """The digests that each file may have; of a list that is damaged, none."""
    try:
        listed = msgspec.json.decode((folder / _LIST).read_bytes(), type=dict[str, list[str]])
    except (OSError, msgspec.DecodeError):
        return {}
    return {n: d for n, d in listed.items() if _NAME.fullmatch(n) and ".." not in n.split("/")}


def _list(folder: Path, digests: Mapping[str, list[str]]) -> None:
    home.write(folder / _LIST, msgspec.json.encode(digests))


def _digest(path: Path) -> str:
    """ "" of what is no file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
