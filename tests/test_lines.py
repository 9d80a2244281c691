"""Where the lines of a text end."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.reports.lines import CLOSING, OPENING, cells, wrapped
from grader.reports.words import LANGUAGES, messages

TEXT = st.text("ab `-.，。（）路径x\n", max_size=80)


def _bare(text):
    return re.sub(r"\s", "", text)


@given(TEXT, st.integers(4, 60))
@example("`a b``c d`", 4)
def test_no_character_is_lost(text, width):
    """Blanks aside, the lines together are the text; and a text that fits is left as it is."""
    assert _bare("".join(wrapped(text, width))) == _bare(text)
    assert [line.rstrip() for line in wrapped(text, 1000)] == [line.rstrip() for line in text.split("\n")]


@given(TEXT, st.integers(4, 60))
def test_only_what_has_no_place_to_end_is_too_long(text, width):
    """A line is wider than was asked for only if it is one word."""
    for line in wrapped(text, width):
        assert cells(line) <= width or not re.search(r"[^ ] +[^ ]", line)


@pytest.mark.parametrize("width", [30, 38, 78])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_command_stays_in_one_line(lang, width):
    """Whatever a message asks one to type can be copied from one line, at any width that has room for it."""
    for texts in messages().values():
        lines = wrapped(texts[lang], width)
        for command in re.findall(r"`[^`\n]*`", texts[lang]):
            assert cells(command) > width or any(command in line for line in lines), lines


@pytest.mark.parametrize("width", [38, 78])
def test_chinese_lines_begin_and_end_as_one_writes(width):
    """No line begins with a comma or ends with an opening bracket."""
    for texts in messages().values():
        lines = wrapped(texts["zh"], width)
        assert not any(line[:1] in CLOSING for line in lines[1:] if line)
        assert not any(line[-1:] in OPENING for line in lines if line)


def test_cells_are_those_of_a_terminal():
    """A Chinese character takes two, a combining accent, a colour and a link none."""
    assert cells("a路，") == 5 and cells("e\u0301") == 1 and cells("\x1b[1;31mred\x1b[0m") == 3
    assert cells("\x1b]8;id=1;file:///a\x1b\\link\x1b]8;;\x1b\\") == 4
