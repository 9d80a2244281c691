"""Reads archives as students pack them and platforms hand them out (zip, tar), in memory.

Nothing is extracted and nothing run. Only members whose names are wanted are unpacked, within limits; whatever could
write elsewhere (links, devices, names that lead out) is refused by name, whether wanted or not.
"""

import contextlib
import io
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # the libraries wait until there is an archive: most answers are none
    import tarfile
    import zipfile

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_EOCD, _LOCATOR = b"PK\5\6", b"PK\6\7"
_HEADER_CAP = 1 << 16  # bytes of a tar's extended header
_DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}


class Limits(NamedTuple):
    """Of one archive."""

    packed: int = 64 << 20  # bytes of the archive itself
    unpacked: int = 64 << 20  # bytes of all that is unpacked
    member: int = 16 << 20  # bytes of one wanted member
    entries: int = 1000


OF_ONE = Limits()  # learner's upload


class NotAnArchive(Exception):
    """It cannot be read as one. `kind`: broken, too_big, too_many, or bomb."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Refused(NamedTuple):
    """A member that was left out, and why: outside, link, special, device, twice, too_big, encrypted or broken."""

    name: str
    why: str


class Contents(NamedTuple):
    """The wanted files by name, as the archive spells it with `/` between folders, and what was refused."""

    files: dict[str, bytes]
    refused: tuple[Refused, ...]


def is_archive(name: str) -> bool:
    """True of a file's name that says so."""
    return name.lower().endswith(SUFFIXES)


def read(data: bytes, wanted: Callable[[str], bool], limits: Limits = OF_ONE) -> Contents:
    """The members whose names `wanted` says yes to. Raises NotAnArchive."""
    if len(data) > limits.packed:
        raise NotAnArchive("too_big")
    members = _zip(data, limits) if data[:2] == b"PK" else _tar(data, limits)
    files: dict[str, bytes] = {}
    refused: list[Refused] = []
    seen: set[str] = set()
    room = limits.unpacked
    for count, (name, why, size, fetch) in enumerate(members):
        if count >= limits.entries:
            raise NotAnArchive("too_many")
        name = name.replace("\\", "/")
        if why := why or _bad(name):
            refused.append(Refused(_printable(name), why))
        elif fetch is not None and wanted(name):
            content, why = (b"", "twice") if name in seen else _unpacked(fetch, size, limits.member, room)
            seen.add(name)
            room -= len(content)
            if why:
                files.pop(name, None)  # of two with one name neither is the answer
                refused.append(Refused(_printable(name), why))
            else:
                files[name] = content
    return Contents(files, tuple(refused))


def _unpacked(fetch: "_Fetch", size: int, most: int, room: int) -> tuple[bytes, str]:
    """A member's content, and why it is refused. Raises NotAnArchive where all together is too much."""
    if size > most:
        return b"", "too_big"
    try:
        content = fetch(min(most, room) + 1)
    except _Broken:
        return b"", "broken"
    if len(content) > room:
        raise NotAnArchive("bomb")
    return content, "too_big" if len(content) > most else ""


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


_Fetch = Callable[[int], bytes]
_Member = tuple[str, str, int, _Fetch | None]  # name, why it is refused, size as claimed, how to get so many bytes


def _zip(data: bytes, limits: Limits) -> Iterator[_Member]:
    _check_directory(data, limits)
    import zipfile

    with _whole():
        archive = zipfile.ZipFile(io.BytesIO(data))
    for info in archive.infolist():
        mode = info.external_attr >> 16
        kind = stat.S_IFMT(mode)
        why = "link" if kind == stat.S_IFLNK else "special" if kind not in (0, stat.S_IFREG, stat.S_IFDIR) else ""
        why = why or ("encrypted" if info.flag_bits & 1 else "")
        name = info.orig_filename if info.flag_bits & 0x800 else _respelt(info.orig_filename)

        def fetch(most: int, info: "zipfile.ZipInfo" = info) -> bytes:
            with _readable(), archive.open(info) as f:
                return f.read(most)

        yield name, why, info.file_size, None if name.endswith(("/", "\\")) else fetch


def _check_directory(data: bytes, limits: Limits) -> None:
    """Python reads a zip's whole directory at once: its size is looked at before."""
    at = data.rfind(_EOCD, max(0, len(data) - (1 << 16) - 22))
    if at < 0 or len(data) < at + 22:
        raise NotAnArchive("broken")
    if data[max(0, at - 20) : at].startswith(_LOCATOR):  # zip64: for archives that are too large anyway
        raise NotAnArchive("too_big")
    count, size = struct.unpack_from("<HI", data, at + 10)
    if count > limits.entries or size > limits.entries << 10:
        raise NotAnArchive("too_many")


def _respelt(name: str) -> str:
    """A name without the mark for UTF-8, which Python takes for an old PC's: it is UTF-8 or GBK far more often."""
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for encoding in ("utf-8", "gbk"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            pass
    return name


def _tar(data: bytes, limits: Limits) -> Iterator[_Member]:
    import tarfile

    with _whole():
        plain = _unpacker(data).read(limits.unpacked + 1)
    if len(plain) > limits.unpacked:
        raise NotAnArchive("bomb")
    _check_headers(plain)
    with _whole():
        archive = tarfile.TarFile(fileobj=io.BytesIO(plain), errors="surrogateescape")
    while True:
        with _whole():
            info = archive.next()
        if info is None:
            return
        why = "link" if info.issym() or info.islnk() else "" if info.isfile() or info.isdir() else "special"
        why = why or ("" if 0 <= info.size <= len(plain) else "broken")

        def fetch(most: int, info: "tarfile.TarInfo" = info) -> bytes:
            with _readable():
                file = archive.extractfile(info)
                return file.read(most) if file else b""

        yield info.name, why, info.size, fetch if info.isfile() else None


def _check_headers(plain: bytes) -> None:
    """Python takes long over long extended headers (a comment of megabytes, say): no honest one is."""
    at = 0
    while header := plain[at : at + 512]:
        size = header[124:136].strip(b" \0")
        length = int(size, 8) if size and not size.strip(b"01234567") else 0
        if header[156:157] in (b"x", b"g", b"L", b"K") and length > _HEADER_CAP:
            raise NotAnArchive("broken")
        at += 512 + -(-length // 512) * 512


class _Broken(Exception):
    """A member that cannot be unpacked."""


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (NotAnArchive, MemoryError):
        raise
    except Exception as e:  # zipfile, tarfile and what they unpack with raise a dozen kinds
        raise _Broken from e


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    try:
        with _readable():
            yield
    except _Broken:
        raise NotAnArchive("broken") from None


def _unpacker(data: bytes) -> _Readable:
    import bz2
    import gzip
    import lzma

    raw = io.BytesIO(data)
    if data[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=raw)
    if data[:3] == b"BZh":
        return bz2.BZ2File(raw)
    return lzma.LZMAFile(raw) if data[:6] == b"\xfd7zXZ\0" else raw


def _bad(name: str) -> str:
    parts = name.split("/")
    outside = name.startswith("/") or ".." in parts or (len(name) > 1 and name[1] == ":")
    if outside or any(ord(c) < 32 or c == "\x7f" for c in name) or len(name) > 1000:
        return "outside"
    stem = PurePosixPath(name).name.split(".")[0].lower()
    return "device" if stem in _DEVICES else ""


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:200]
