"""A learner's file becomes text as Python itself would read it, or is refused in one way, whatever it is."""

import codecs
import contextlib
import hashlib
import json
import os
import warnings
from encodings.aliases import aliases

import jupytext
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.submission import SIZE_CAP, Submission, Unreadable, of_text, read

ANY_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def file(tmp_path):
    """Writes an answer and returns its path."""

    def write(data, name="answer.py"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def refused(path):
    """What is said of a file that is no answer."""
    with pytest.raises(Unreadable) as e:
        read(path)
    assert e.value.params["path"] == str(path)
    return e.value


def test_the_text_and_its_digest(file):
    """A file is its text; the digest is the text's SHA-256."""
    text = "x = 'é 好'\n"
    assert read(file(text)) == Submission(text, hashlib.sha256(text.encode()).hexdigest()) == of_text(text)


@given(st.text(), st.text())
def test_digests_tell_texts_apart(a, b):
    """Equal for equal texts, different for different ones, half characters too."""
    assert (of_text(a).digest == of_text(b).digest) == (a == b)
    assert of_text("\ud800").digest != of_text("\udc00").digest


READABLE = {
    "UTF-8": "x = '好'\n".encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + "x = '好'\n".encode(),
    "UTF-8 with a mark and a comment": codecs.BOM_UTF8 + "# coding: utf-8\nx = '好'\n".encode(),
    "GBK that says so": "# coding: gbk\nx = '好'\n".encode("gbk"),
    "GBK that says so in line 2": "#!/usr/bin/python\n# -*- coding: gbk -*-\nx = '好'\n".encode("gbk"),
    "Latin-1 that says so": "# vim: set fileencoding=latin-1 :\nx = 'é'\n".encode("latin-1"),
    "Windows line ends": b"x = 1\r\ny = 2\r\n",
    "old Macintosh line ends": b"x = 1\ry = 2\r",
    "mixed line ends": b"x = 1\r\ny = 2\rz = 3\n",
    "no last line end": b"x = 1",
    "empty": b"",
    "only a mark": codecs.BOM_UTF8,
    "a form feed": b"x = 1\n\x0c\ny = 2\n",
}


@pytest.mark.parametrize("kind", READABLE)
def test_what_python_reads_is_read(file, kind):
    """With the names that Python would see, in UTF-8, with plain line ends and without a mark."""
    text = read(file(READABLE[kind])).text
    assert "\r" not in text
    assert "\ufeff" not in text
    here, there = {}, {}
    exec(compile(text, "here", "exec"), here)
    exec(compile(READABLE[kind], "there", "exec"), there)
    assert {k: here[k] for k in "xyz" if k in here} == {k: there[k] for k in "xyz" if k in there}


def test_line_ends_do_not_change_the_digest(file):
    """The same answer from Windows is the same answer."""
    assert read(file(b"x = 1\r\ny = 2\r\n")) == read(file(b"x = 1\ny = 2\n"))


def test_a_nul_is_left_to_the_cell(file):
    """It is text; Python will say what is wrong with it."""
    assert read(file(b"x = 1\0\n")).text == "x = 1\0\n"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("x = 1\ny = 2\nz = '好'\n".encode("gbk"), 3),
        ("x = '好'\n".encode("gbk"), 1),
        ("# coding: utf-8\nx = '好'\n".encode("gbk"), 2),
        ("# coding: ascii\n\nx = '好'\n".encode(), 3),
        (codecs.BOM_UTF8 + "x = 1\nx = '好'\n".encode("gbk"), 2),
        (b"x = 1\r\n\r\nx = '\xff'\r\n", 3),
        ("x = 1\n".encode("utf-16"), 1),
        (codecs.BOM_UTF16_BE + "x = 1\n".encode("utf-16-be"), 1),
        (b"# coding: no_such_thing\n", 1),
        (codecs.BOM_UTF8 + b"# coding: gbk\n", 1),
    ],
)
def test_another_encoding_is_refused_by_line(file, data, line):
    """The first line that cannot be read."""
    e = refused(file(data))
    assert (e.kind, e.params["line"]) == ("encoding", line)


CODECS = sorted(set(aliases.values()) | {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})


@pytest.mark.parametrize("codec", CODECS)
def test_any_codec_may_be_named(file, codec):
    """Whatever a coding comment names, and whatever follows: text that can travel, or a refusal."""
    for rest in (b"x = '+2AA-'\n", b"x = '\\ud800 \\x41'\n", b"y = '\xff\xfe\x81'\n", b"\0", b""):
        with contextlib.suppress(Unreadable):
            read(file(f"# coding: {codec}\n".encode() + rest)).text.encode("utf-8")


@ANY_FILE
@given(data=st.binary() | st.text().map(str.encode) | st.binary().map(b"# coding: utf-7\n".__add__))
def test_any_bytes_are_read_or_refused(file, data):
    """Never another exception; what is read is text that can travel."""
    with contextlib.suppress(Unreadable):
        read(file(data)).text.encode("utf-8")


def test_a_folder_is_refused(tmp_path):
    """As such."""
    assert refused(tmp_path).kind == "is_a_folder"


@pytest.mark.parametrize("name", ["missing.py", "missing/answer.py", "a" * 300, "a" * 300 + ".ipynb", "x" * 5000])
def test_a_missing_file_is_refused(tmp_path, name):
    """A name that no file could have is missing too."""
    assert refused(tmp_path / name).kind == "not_found"


def test_a_link_to_itself_is_refused(tmp_path):
    """It leads nowhere."""
    (tmp_path / "a.py").symlink_to(tmp_path / "a.py")
    assert refused(tmp_path / "a.py").kind == "not_found"


def test_a_pipe_is_refused_and_not_read(tmp_path):
    """Only a plain file is an answer: a pipe into which nobody writes would be waited for without end."""
    path = tmp_path / "answer.py"
    os.mkfifo(path)

    both_ends = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # nobody waits for a partner
    os.write(both_ends, b"x = 1")
    try:
        assert refused(path).kind == "not_found"
        assert os.read(both_ends, 100) == b"x = 1"
    finally:
        os.close(both_ends)


@pytest.mark.parametrize("name", ["answer.py", "answer.ipynb"])
def test_what_is_too_big_is_refused(file, name):
    """With the limit; one byte less is read."""
    cap = refused(file(b"#" * (64 << 20), name)).params["limit_kb"] << 10
    assert refused(file(b"#" * (cap + 1), name)).kind == "too_big"
    if name.endswith(".py"):
        assert cap == SIZE_CAP
        assert read(file(b"#" * cap, name)).text == "#" * cap


# notebooks

SOURCE = '''# %% [markdown]
# # Title
# Some *prose* with 汉字.

# %%
import math


# %%
def f(x):
    """Twice."""
    return 2 * x


# %%
if __name__ == "__main__":
    print(f(3))
'''


def cells(*sources, kind="code", **changes):
    """A notebook with these cells."""
    parts = [{"cell_type": kind, "id": f"c{i}", "metadata": {}, "source": s} for i, s in enumerate(sources)]
    if kind == "code":
        parts = [p | {"outputs": [], "execution_count": None} for p in parts]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": parts} | changes


def test_a_notebook_is_the_file_it_was_made_from(file):
    """There and back gives the same text, hence the same verdict."""
    notebook = jupytext.writes(jupytext.reads(SOURCE, fmt="py:percent"), fmt="ipynb")
    assert read(file(notebook, "answer.ipynb")) == of_text(SOURCE)


def test_outputs_pictures_and_kernels_do_not_count(file):
    """The digest is that of the cells."""
    plain = cells("x = 1")
    shown = cells("x = 1", metadata={"kernelspec": {"name": "other", "display_name": "Other", "language": "python"}})
    shown["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "y" * (SIZE_CAP + 1)}]
    shown["cells"][0]["execution_count"] = 7
    run = [read(file(json.dumps(n), "answer.ipynb")).text for n in (plain, shown)]
    names = [{} for _ in run]
    for text, space in zip(run, names, strict=True):
        exec(text, space)
    assert names[0]["x"] == names[1]["x"] == 1
    assert "yyy" not in run[1]


def test_magics_become_comments(file):
    """What only a notebook understands does not stop the file from loading."""
    text = read(file(json.dumps(cells("%matplotlib inline\n!pip install x\n%%time\nx = 1")), "answer.ipynb")).text
    compile(text, "answer", "exec")
    assert "%matplotlib" in text


def test_reading_a_notebook_warns_nobody(file):
    """An old notebook without ids of cells is read in silence."""
    old = cells("x = 1")
    del old["cells"][0]["id"]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert "x = 1" in read(file(json.dumps(old), "answer.ipynb")).text
    assert seen == []


def test_a_notebook_with_too_much_code_is_refused(file):
    """The code counts, not the pictures."""
    assert refused(file(json.dumps(cells("#" * (SIZE_CAP + 1))), "answer.ipynb")).kind == "too_big"


NO_NOTEBOOKS = {
    "empty": b"",
    "code": b"x = 1\n",
    "a number": b"1",
    "null": b"null",
    "a list": b"[]",
    "no cells": b"{}",
    "cells that are none": json.dumps(cells() | {"cells": 3}).encode(),
    "a cell that is none": json.dumps(cells() | {"cells": [3]}).encode(),
    "no source": json.dumps(cells() | {"cells": [{"cell_type": "code", "metadata": {}}]}).encode(),
    "source that is none": json.dumps(cells(3)).encode(),
    "source of numbers": json.dumps(cells([1, 2])).encode(),
    "version 99": json.dumps(cells("x = 1", nbformat=99)).encode(),
    "deep": b"[" * 100_000,
    "UTF-16": json.dumps(cells("x = 1")).encode("utf-16"),
    "cut off": json.dumps(cells("x = 1")).encode()[:-5],
    "half a character": json.dumps(cells("x = '\ud800'")).encode(),
}


@pytest.mark.parametrize("kind", NO_NOTEBOOKS)
def test_what_is_no_notebook_is_refused(file, kind):
    """Whatever jupytext makes of it."""
    assert refused(file(NO_NOTEBOOKS[kind], "answer.ipynb")).kind == "not_a_notebook"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
CELLS = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]) | JSON,
        "source": st.text() | st.lists(st.text()) | JSON,
        "metadata": st.dictionaries(st.sampled_from(["language", "magic_args", "tags", "title", "active"]), JSON)
        | JSON,
        "outputs": JSON,
        "id": JSON,
    },
)
SETTINGS = ["jupytext", "kernelspec", "language_info", "orig_nbformat"]
NOTEBOOKS = st.fixed_dictionaries(
    {},
    optional={
        "nbformat": st.sampled_from([3, 4, 5]) | JSON,
        "nbformat_minor": st.integers(0, 6) | JSON,
        "cells": st.lists(CELLS, max_size=3) | JSON,
        "worksheets": JSON,
        "metadata": st.dictionaries(st.sampled_from(SETTINGS), JSON) | JSON,
    },
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(notebook=NOTEBOOKS | JSON)
def test_any_json_is_read_or_refused(file, notebook):
    """A hostile notebook is never another exception; what is read is text that can travel."""
    with contextlib.suppress(Unreadable):
        read(file(json.dumps(notebook), "answer.ipynb")).text.encode("utf-8")
