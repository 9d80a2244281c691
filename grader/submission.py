"""Reads a learner's file into text. Nothing in it is run."""

import codecs
import contextlib
import hashlib
import io
import stat
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from grader import archive, notebook

SIZE_CAP = 512 << 10  # bytes of source; a notebook may be larger, with its pictures
_NOTEBOOK_CAP = 16 << 20
_ANSWERS = (".py", ".ipynb")
_SLOW = ("punycode", "idna")  # codecs for names: minutes over a file
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unreadable(Exception):
    """A file that is no answer. `kind` and `params` are for the wording."""

    def __init__(self, kind: str, **params: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.params = params


class Submission(NamedTuple):
    """A learner's answer."""

    text: str
    digest: str  # SHA-256 of the text


def read(path: Path, name: str = "") -> Submission:
    """The answer in a .py or .ipynb file; in an archive the file of that name (`gradients.py`, for which
    `gradients.ipynb` may stand). Raises Unreadable.
    """
    if archive.is_archive(path.name):
        return _in_archive(path, name)
    return of_bytes(load(path, cap_of(path)), path)


def names_in(path: Path) -> list[str]:
    """The names, without folders, of what could be answers in an archive. Raises Unreadable."""
    return [PurePosixPath(name).name for name in _unpacked(path, lambda name: name.endswith(_ANSWERS)).files]


def _in_archive(path: Path, name: str) -> Submission:
    stem = name.removesuffix(".py")
    found = _unpacked(path, lambda n: PurePosixPath(n).name in (f"{stem}.py", f"{stem}.ipynb") and not _hidden(n))
    if len(found.files) != 1:
        refused = next((r for r in found.refused if PurePosixPath(r.name).stem == stem), None)
        if refused and not found.files:
            raise Unreadable("refused_in_archive", path=str(path), name=refused.name, reason=refused.why)
        kind = "twice_in_archive" if found.files else "not_in_archive"
        raise Unreadable(kind, path=str(path), name=name, found=", ".join(sorted(found.files)))
    ((inner, data),) = found.files.items()
    return of_bytes(data, path / inner)


def _hidden(name: str) -> bool:
    """True of what computers put beside the files: `__MACOSX/._x.py`, `.ipynb_checkpoints/x.ipynb`."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _unpacked(path: Path, wanted: Callable[[str], bool]) -> archive.Contents:
    try:
        return archive.read(load(path, archive.OF_ONE.packed), wanted)
    except archive.NotAnArchive as e:
        raise Unreadable(f"archive_{e.kind}", path=str(path)) from None


def load(path: Path, cap: int) -> bytes:
    """What a plain file holds, up to one byte more than `cap`. Raises Unreadable."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise Unreadable("is_a_folder", path=str(path))
        if not stat.S_ISREG(mode):  # a pipe would be waited for, a device never ends
            raise Unreadable("not_found", path=str(path), reason="no plain file")
        with path.open("rb") as f:
            return f.read(cap + 1)
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise Unreadable("not_found", path=str(path), reason=reason) from None


def cap_of(path: Path) -> int:
    """How many bytes an answer of that name may have."""
    return _NOTEBOOK_CAP if path.suffix.lower() == ".ipynb" else SIZE_CAP


def of_bytes(data: bytes, path: Path) -> Submission:
    """The answer in a file of that name with these bytes. Raises Unreadable."""
    if len(data) > (cap := cap_of(path)):
        raise Unreadable("too_big", path=str(path), limit_kb=cap >> 10)
    return of_text(_notebook(data, path) if path.suffix.lower() == ".ipynb" else _decode(data, path))


def as_notebook(text: str, old: bytes = b"") -> bytes:
    """See `notebook.of_text`. Raises Unreadable, also if some of the code would become text."""
    with _convertible():
        data = notebook.of_text(text, old)
        _same(notebook.to_text(data), text)
        return data


def with_checks(text: str, intro: str) -> str:
    """See `notebook.with_checks`. Raises Unreadable, also if some of the code would become text."""
    with _convertible():
        return _same(notebook.with_checks(text, intro), text)


def _same(converted: str, text: str) -> str:
    if not notebook.same(converted, text):  # code below a `# %% [markdown]`
        raise Unreadable("code_in_markdown", path="")
    return converted


@contextlib.contextmanager
def _convertible(path: str = "") -> Iterator[None]:
    try:
        yield
    except Unreadable:
        raise
    except Exception as e:  # nbformat and jupytext raise many kinds
        raise Unreadable("not_a_notebook", path=path, reason=type(e).__name__) from None


def through_notebook(text: str) -> str:
    """What comes back of a file that is opened as a notebook and handed in as one. Raises Unreadable."""
    with _convertible():
        data = notebook.of_text(text)
    return _notebook(data, Path("notebook.ipynb"))


def of_text(text: str) -> Submission:
    """The answer that consists of this text."""
    return Submission(text, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _decode(data: bytes, path: Path) -> str:
    """As Python itself would: UTF-8, or what a coding comment says."""
    if data.startswith(_MARKS):
        raise Unreadable("encoding", path=str(path), line=1)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if codecs.lookup(encoding).name in _SLOW:
            raise LookupError
        text = data.decode(encoding)
        text.encode()  # half a character, which some codecs give, cannot travel
    except UnicodeDecodeError as e:
        raise Unreadable("encoding", path=str(path), line=data.count(b"\n", 0, e.start) + 1) from None
    except (SyntaxError, LookupError, UnicodeError):
        raise Unreadable("encoding", path=str(path), line=_first_bad_line(data)) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _first_bad_line(data: bytes) -> int:
    try:
        data.decode()
    except UnicodeDecodeError as e:
        return data.count(b"\n", 0, e.start) + 1
    return 1


def _notebook(data: bytes, path: Path) -> str:
    with _convertible(str(path)):
        text = notebook.to_text(data)
        text.encode()
    if len(text) > SIZE_CAP:
        raise Unreadable("too_big", path=str(path), limit_kb=SIZE_CAP >> 10)
    return text
