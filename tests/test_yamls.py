"""YAML files and what is kept of them; and how a file is written in LEARN_HOME."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import yamls
from grader.home import home, write

ROOT = Path(__file__).resolve().parent.parent


class Row(msgspec.Struct):
    """What the tests read."""

    a: int
    b: dict[int, list[str]] = {}


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    _forget()
    yield
    _forget()


def _forget():
    yamls._store.cache_clear()


def _anew(monkeypatch):
    """As a new process sees it, and one in which nothing can be parsed."""
    yamls.keep()
    _forget()
    monkeypatch.setattr(yamls, "_parse", lambda text: pytest.fail("it was parsed again"))


def test_what_was_parsed_is_not_parsed_again(tmp_path, monkeypatch):
    """A second process reads the same from what the first has kept."""
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\nb: {2: [x, y]}\n")
    assert yamls.read(path, Row) == Row(1, {2: ["x", "y"]})
    _anew(monkeypatch)
    assert yamls.read(path, Row) == Row(1, {2: ["x", "y"]})


def test_a_changed_file_is_read_anew(tmp_path):
    """The text decides, not its name or age."""
    path = tmp_path / "x.yaml"
    path.write_text("a: 1")
    yamls.read(path, Row)
    before = path.stat()
    path.write_text("a: 2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert yamls.read(path, Row).a == 2


@pytest.mark.parametrize("damage", [b"", b"\x81", b"\xc0", b"nonsense", b"\x81\xc4\x01a"])
def test_a_damaged_store_is_made_anew(tmp_path, damage):
    """Whatever the store holds, the file is read."""
    path = tmp_path / "x.yaml"
    path.write_text("a: 3")
    (home() / "yaml.cache").write_bytes(damage)
    assert yamls.read(path, Row).a == 3
    yamls.keep()
    _forget()
    assert yamls.read(path, Row).a == 3


@pytest.mark.parametrize("text", ["a: [", "a: x", "b: {}", "\x00", "- 1", "a: !!python/object:os.system 1"])
def test_what_is_no_such_content_is_a_value_error(tmp_path, text):
    """Told as one kind of error, the first time and from the store."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    for _ in range(2):
        with pytest.raises(ValueError):
            yamls.read(path, Row)
        yamls.keep()
        _forget()


@pytest.mark.parametrize("text", [f"a: {2**70}", "[" * 5000 + "]" * 5000, "a: 2026-01-01", "a: !!binary AA=="])
def test_what_cannot_be_kept_is_read_all_the_same(tmp_path, text):
    """Numbers too large for the store, or lists too deep, hurt nobody: neither this file nor the others."""
    odd, plain = tmp_path / "odd.yaml", tmp_path / "plain.yaml"
    odd.write_text(text)
    plain.write_text("a: 5")
    with contextlib.suppress(ValueError, RecursionError):
        yamls.read(odd, object)
    assert yamls.read(plain, Row).a == 5
    yamls.keep()
    _forget()
    assert yamls.read(plain, Row).a == 5 and (home() / "yaml.cache").is_file()


def test_a_home_that_is_not_there_is_not_made(tmp_path, monkeypatch):
    """Reading leaves no trace where nothing is kept yet."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "none"))
    path = tmp_path / "x.yaml"
    path.write_text("a: 4")
    assert yamls.read(path, Row).a == 4
    yamls.keep()
    assert not (tmp_path / "none").exists()


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(0, 99), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_PLAIN)
def test_kept_is_as_parsed(tmp_path, content):
    """What comes from the store equals what comes from the text, whatever it is."""
    import yaml

    path = tmp_path / "x.yaml"
    path.write_bytes(yaml.safe_dump(content, allow_unicode=False).encode())
    first = yamls.read(path, object)
    yamls.keep()
    _forget()
    assert yamls.read(path, object) == first == content


def test_a_kill_while_writing_leaves_the_old_or_the_new(tmp_path):
    """Killed at any point, the file is whole: what it was or what it should be."""
    path = tmp_path / "f"
    program = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from grader.home import write
print("go", flush=True)
while True:
    for c in b"ab":
        write(Path({str(path)!r}), bytes([c]) * 300_000)
"""
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            while not path.exists():
                pass
            process.send_signal(signal.SIGKILL)
        found = path.read_bytes()
        assert len(found) == 300_000 and len(set(found)) == 1


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    """The old file stays and no half of a new one is left."""
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        write(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir() if p.is_file()] == ["f"]


def test_a_file_is_for_its_owner_alone(tmp_path):
    """The mode is what was asked for, whatever the umask."""
    write(tmp_path / "f", b"x")
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
