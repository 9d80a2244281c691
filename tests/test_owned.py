"""A folder that is written again and again: its own files follow, everybody else's stay."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import owned
from grader.owned import NotOurs, write

NAMES = st.sampled_from(["a", "b.html", "c/d", "c/e", "f/g/h"])
FILES = st.dictionaries(NAMES, st.binary(max_size=3))


def there(folder):
    """What is in the folder, our list aside."""
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: data for name, data in files.items() if name != owned._LIST}


@given(runs=st.lists(FILES, min_size=1, max_size=4))
def test_the_folder_holds_what_was_written_last(tmp_path_factory, runs):
    """However often it is written: new files come, those that are no more go, whatever changed is changed."""
    folder = tmp_path_factory.mktemp("owned") / "deep" / "folder"
    for files in runs:
        write(folder, files)
        assert there(folder) == files


@given(first=FILES, second=FILES, touched=st.dictionaries(NAMES, st.binary(min_size=4, max_size=5)))
def test_nothing_of_anybody_else_is_lost(tmp_path_factory, first, second, touched):
    """A file that somebody has put there, or changed, is refused by name, and then nothing at all is touched; where
    nothing would take its place it stays.
    """
    folder = tmp_path_factory.mktemp("owned") / "new"
    write(folder, first)
    for name, data in touched.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    before = there(folder)
    if touched.keys() & second.keys():
        with pytest.raises(NotOurs) as error:
            write(folder, second)
        assert any(error.value.params["path"] == str(folder / name) for name in touched)
        assert there(folder) == before
    else:
        write(folder, second)
        assert there(folder) == second | touched


def test_a_folder_of_somebody_elses(tmp_path):
    """One with files in it that was never written here is refused, and stays as it is."""
    (tmp_path / "li.hua.py").write_text("x")
    with pytest.raises(NotOurs) as error:
        write(tmp_path, {"a": b"1"})
    assert error.value.kind == "not_ours_folder" and [p.name for p in tmp_path.iterdir()] == ["li.hua.py"]


def test_interrupted_half_way(tmp_path):
    """What a run that failed has written, the next one may replace."""
    write(tmp_path, {"a": b"old", "b/x": b"old"})
    (tmp_path / "b" / "x").unlink()
    (tmp_path / "b").rmdir()
    (tmp_path / "b").write_text("in the way")
    with pytest.raises(OSError):
        write(tmp_path, {"a": b"new", "b/x": b"new"})
    assert (tmp_path / "a").read_bytes() == b"new"
    (tmp_path / "b").unlink()
    write(tmp_path, {"a": b"newer", "b/x": b"newer"})
    assert there(tmp_path) == {"a": b"newer", "b/x": b"newer"}


@pytest.mark.parametrize("listed", ["", "[1]", '{"../other": ["%s"]}', '{"/etc/x": [""]}'])
def test_a_list_that_was_tampered_with(tmp_path, listed):
    """Nothing outside the folder is ever removed, and what the list does not vouch for is not replaced."""
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.write_bytes(b"mine")
    (folder / "a").write_bytes(b"mine too")
    (folder / owned._LIST).write_text(listed.replace("%s", hashlib.sha256(b"mine").hexdigest()))
    with pytest.raises(NotOurs):
        write(folder, {"a": b"ours"})
    write(folder, {"b": b"ours"})
    assert other.read_bytes() == b"mine" and (folder / "a").read_bytes() == b"mine too"


def test_a_link_is_not_followed(tmp_path):
    """Where a file of ours became a link to another's, that one is not written into."""
    folder, other = tmp_path / "folder", tmp_path / "other"
    write(folder, {"a": b"ours"})
    other.write_bytes(b"mine")
    (folder / "a").unlink()
    (folder / "a").symlink_to(other)
    with pytest.raises(NotOurs):
        write(folder, {"a": b"new"})
    assert other.read_bytes() == b"mine"
