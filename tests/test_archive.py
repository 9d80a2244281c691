"""Archives are read as they are packed in the world, and nothing in one gets further than its text."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
import tiny_course
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import cli
from grader import archive, submission
from grader.archive import Limits, NotAnArchive

ATTACKS = yaml.safe_load((Path(__file__).parent / "attacks" / "attacks.yaml").read_text(encoding="utf-8"))["attacks"]
TEXT = "def double(x):\n    return 2 * x\n"


def zipped(entries, method=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, data)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in entries:
            z.writestr(name, data)
    return out.getvalue()


def tarred(entries, mode="w"):
    """A tar of (name or TarInfo, data)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        for name, data in entries:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


PACKERS = {
    "zip": lambda e: zipped(e),
    "zip, stored": lambda e: zipped(e, zipfile.ZIP_STORED),
    "zip, lzma": lambda e: zipped(e, zipfile.ZIP_LZMA),
    "tar": lambda e: tarred(e),
    "tar.gz": lambda e: tarred(e, "w:gz"),
    "tar.bz2": lambda e: tarred(e, "w:bz2"),
    "tar.xz": lambda e: tarred(e, "w:xz"),
}


def python(name):
    """The files that an answer may be."""
    return name.endswith((".py", ".ipynb"))


def refused(data, wanted=python, **limits):
    """Why the whole archive is refused."""
    with pytest.raises(NotAnArchive) as e:
        archive.read(data, wanted, Limits(**limits))
    return e.value.kind


@pytest.mark.parametrize("packer", PACKERS)
def test_every_kind_of_archive_is_read(packer):
    """The wanted files come back whole, the others are not unpacked."""
    entries = [("hw/double.py", TEXT.encode()), ("hw/data.bin", b"\0" * 1000), ("read me.txt", b"hi")]
    found = archive.read(PACKERS[packer](entries), python)
    assert found == ({"hw/double.py": TEXT.encode()}, ())


def _link(name, to):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, to


def _special(name, kind):
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o666) << 16
    return info, ""


def _encrypted():
    data = bytearray(zipped([("a.py", b"secret")]))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + at] |= 1
    return bytes(data)


def _tar_member(name, kind, to=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info, b""


LEFT_OUT = {
    "slip": (zipped([("../../a.py", "x")]), "outside"),
    "slip in the middle": (zipped([("a/../../a.py", "x")]), "outside"),
    "absolute": (zipped([("/tmp/a.py", "x")]), "outside"),
    "drive": (zipped([("C:\\a.py", "x")]), "outside"),
    "backslashes": (zipped([("..\\..\\a.py", "x")]), "outside"),
    "control characters": (zipped([("a\x1b[2J.py", "x")]), "outside"),
    "a very long name": (zipped([("a" * 2000 + ".py", "x")]), "outside"),
    "device of an old system": (zipped([("NUL.py", "x")]), "device"),
    "link in a zip": (zipped([_link("a.py", "/etc/passwd")]), "link"),
    "pipe in a zip": (zipped([_special("a.py", stat.S_IFIFO)]), "special"),
    "device in a zip": (zipped([_special("a.py", stat.S_IFCHR)]), "special"),
    "encrypted": (_encrypted(), "encrypted"),
    "symbolic link in a tar": (tarred([_tar_member("a.py", tarfile.SYMTYPE, "/etc/passwd")]), "link"),
    "hard link in a tar": (tarred([_tar_member("a.py", tarfile.LNKTYPE, "/etc/passwd")]), "link"),
    "device in a tar": (tarred([_tar_member("a.py", tarfile.CHRTYPE)]), "special"),
    "pipe in a tar": (tarred([_tar_member("a.py", tarfile.FIFOTYPE)]), "special"),
    "too big": (zipped([("a.py", b"#" * (17 << 20))]), "too_big"),
    "wrong checksum": (zipped([("a.py", b"abcdef")], zipfile.ZIP_STORED).replace(b"abcdef", b"abcdeX"), "broken"),
}


@pytest.mark.parametrize("how", LEFT_OUT)
def test_a_member_that_could_do_harm_is_left_out_and_named(how):
    """And nothing else of the archive suffers."""
    data, why = LEFT_OUT[how]
    found = archive.read(data, python)
    assert found.files == {} and [r.why for r in found.refused] == [why]
    assert all(c.isprintable() for r in found.refused for c in r.name)


def test_two_of_one_name_are_neither():
    """Nobody knows which is meant."""
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped([("a.py", "1"), ("a.py", "2"), ("b.py", "3")])
    found = archive.read(data, python)
    assert set(found.files) == {"b.py"} and found.refused == (("a.py", "twice"),)


def test_bombs_cost_little():
    """What unpacks to far more than an answer is refused, however small it is packed, and wherever it hides."""
    zeros = b"\0" * (80 << 20)
    assert refused(tarred([("zeros.bin", zeros)], "w:gz")) == "bomb"  # skipping it unpacks it
    assert refused(tarred([("a.py", zeros)], "w:xz"), member=1 << 40) == "bomb"
    assert refused(zipped([(f"{i}.py", zeros[: 15 << 20]) for i in range(5)])) == "bomb"
    assert archive.read(zipped([("zeros.bin", zeros), ("a.py", "x")]), python).files == {"a.py": b"x"}
    lying = zipped([("a.py", zeros[: 20 << 20])]).replace((20 << 20).to_bytes(4, "little"), (5).to_bytes(4, "little"))
    assert archive.read(lying, python).files in ({}, {"a.py": b"\0" * 5})


def test_tars_that_would_take_for_ever_are_refused_at_once():
    """A member far larger than the archive, and a comment of megabytes, which Python would chew on for minutes."""
    info = tarfile.TarInfo("a.py")
    info.size = 1 << 62
    header = info.tobuf(tarfile.GNU_FORMAT)
    for data in (header, header + b"x" * 1024):
        try:
            assert archive.read(data, python).files == {}
        except NotAnArchive as e:
            assert e.kind == "broken"
    long = tarfile.TarInfo("a.py")
    long.pax_headers = {"comment": "x" * (8 << 20)}
    assert refused(long.tobuf(tarfile.PAX_FORMAT) + b"\0" * 1024) == "broken"


def test_ten_thousand_files_are_too_many_for_one_answer():
    """And are refused before they are looked at; where a class is read, the limit is another."""
    many = [(f"many/{i}.py", b"") for i in range(10_000)]
    assert refused(zipped(many)) == refused(tarred(many)) == "too_many"
    assert len(archive.read(zipped(many), python, Limits(entries=20_000)).files) == 10_000


def test_a_directory_that_lies_about_its_size_is_refused():
    """Python would read it whole, however long it is."""
    data = bytearray(zipped([(f"{i}.py", b"") for i in range(3000)]))
    at = data.rindex(b"PK\5\6")
    data[at + 8 : at + 12] = b"\1\0\1\0"
    assert refused(bytes(data)) == "too_many"
    assert refused(bytes(data[:at]) + b"PK\6\7" + b"\0" * 16 + bytes(data[at:])) == "too_big"
    assert refused(b"PK" + b"\0" * 100) == "broken"
    assert refused(b"x" * 11, packed=10) == "too_big"


NAMES = {"UTF-8 without its mark": "utf-8", "GBK": "gbk", "an old PC's": "cp437"}


@pytest.mark.parametrize("how", NAMES)
def test_names_in_other_encodings(how):
    """A folder named in Chinese by Windows is read as it was written."""
    name = "é" if NAMES[how] == "cp437" else "作业一"
    raw = f"{name}/a.py".encode(NAMES[how])
    data = zipped([("?" * (len(raw) - 5) + "/a.py", "x")]).replace(b"?" * (len(raw) - 5), raw[:-5])
    assert list(archive.read(data, python).files) == [f"{name}/a.py"]


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0"]))
def test_any_bytes_are_an_archive_or_not(data, start):
    """One answer or one exception, never another."""
    try:
        archive.read(start + data, python)
    except NotAnArchive as e:
        assert e.kind


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_damaged_archive_gives_what_can_be_read_or_one_exception(data):
    """Whatever bytes are changed or lost."""
    packed = bytearray(PACKERS[data.draw(st.sampled_from(sorted(PACKERS)))]([("a.py", b"x = 1\n"), ("b/c.py", b"")]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del packed[data.draw(st.integers(0, len(packed) - 1)) :]
    try:
        found = archive.read(bytes(packed), python)
    except NotAnArchive:
        return
    assert all(isinstance(v, bytes) for v in found.files.values())


# -- as a learner meets it


@pytest.fixture
def check(tmp_path, monkeypatch):
    """`learn check` of an archive with these entries: exit code and stderr; nothing is judged, only read."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    tiny_course.write(tmp_path / "course")

    def run(entries, name="hw.zip"):
        path = tmp_path / name
        path.write_bytes(zipped(entries) if isinstance(entries, list) else entries)
        done = CliRunner().invoke(cli.learn, ["--course", str(tmp_path / "course"), "check", str(path)])
        return done.exit_code, done.stderr

    return run


BAD = {
    "no answer": ([("other.py", TEXT)], "holds no file named as a section's answer"),
    "several": ([("doubling.py", TEXT), ("again.py", TEXT)], "several"),
    "not an archive": (b"hello", "damaged, or no archive"),
    "cut short": (zipped([("doubling.py", TEXT)])[:-30], "damaged, or no archive"),
    "a link": ([_link("doubling.py", "/etc/passwd")], "holds no"),
    "a bomb": ([(f"{i}.py", b"\0" * (15 << 20)) for i in range(5)], "unpacks to far more"),
    "ten thousand files": ([(f"{i}.py", "") for i in range(10_000)], "more files"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_archive_is_one_clear_line(check, how):
    """Exit code 2, and what to do."""
    entries, says = BAD[how]
    code, err = check(entries)
    assert code == 2 and err.count("\n") == 1 and says in err and "Traceback" not in err


def test_the_answer_in_an_archive(tmp_path):
    """By its name, in whatever folder, once; what a Mac or Jupyter puts beside it does not count."""
    path = tmp_path / "hw.zip"
    junk = [("__MACOSX/hw/._a.py", b"\0\1"), ("hw/.ipynb_checkpoints/a.py", "old")]
    path.write_bytes(zipped([("hw/a.py", TEXT), *junk]))
    assert submission.read(path, "a.py").text == TEXT
    path.write_bytes(zipped([("hw/a.py", TEXT), ("copy/a.py", TEXT)]))
    with pytest.raises(submission.Unreadable) as e:
        submission.read(path, "a.py")
    assert e.value.kind == "twice_in_archive"
    path.write_bytes(zipped([("hw/b.py", TEXT)]))
    with pytest.raises(submission.Unreadable) as e:
        submission.read(path, "a.py")
    assert e.value.kind == "not_in_archive"


# -- the corpus


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a["entry"] == "archive" and "many/" not in a["files"]])
def test_hostile_archives(attack, tmp_path, monkeypatch):
    """Of a hostile upload, the one expected file is read as text, and nothing else leaves the archive."""
    monkeypatch.chdir(tmp_path)
    entries = [_link(*n.split(" -> ")) if " -> " in n else (n, body) for n, body in attack["files"].items()]
    (tmp_path / "up.zip").write_bytes(zipped(entries))
    before = sorted(tmp_path.rglob("*"))
    assert submission.read(tmp_path / "up.zip", "submission.py").text == attack["files"]["submission.py"]
    assert sorted(tmp_path.rglob("*")) == before and not Path("/tmp/agx-owned").exists()


def test_a_checkpoint_is_no_answer_and_is_not_loaded(tmp_path):
    """A pickle is refused as what it is to us: no text. Nothing of ours ever loads one."""
    import torch

    class Owned:
        def __reduce__(self):
            return open, (str(tmp_path / "owned"), "w")

    torch.save({"model": Owned()}, tmp_path / "model.pt")
    (tmp_path / "gradients.py").write_bytes((tmp_path / "model.pt").read_bytes())
    for name in ("model.pt", "gradients.py"):
        with pytest.raises(submission.Unreadable):
            submission.read(tmp_path / name)
    assert not (tmp_path / "owned").exists()
