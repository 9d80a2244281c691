"""`learn dev pictures`, and what `learn dev check` says of pictures: as their functions draw them, and shown."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sound_course
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sound_course import change

import cli
from grader import pictures, proof, rules
from grader.course import Course
from grader.drawing import WIDTH, Drawing, steps
from grader.reports import plain

E_, S_ = "exercises/01_first/01_scaling", "solutions/01_first/01_scaling"
SOURCE, LESSON, ZH = f"{S_}/pictures.py", f"{E_}/lesson.en.md", f"{E_}/lesson.zh.md"
SVG = "{http://www.w3.org/2000/svg}"
DRAWS = '''"""Pictures."""

from grader.drawing import Drawing, steps


def _cell(d: Drawing) -> None:
    d.grid(0, 0, [[1, 2]], "blue")


def cells() -> Drawing:
    """Two cells."""
    d = Drawing()
    _cell(d)
    return d


def spoken() -> Drawing:
    """With words."""
    d = Drawing()
    d.text(0, 0, {"en": "twice", "zh": "两倍"})
    return d
'''


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A sound course whose lesson shows two pictures, one of them with words."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    root = tmp_path / "course"
    sound_course.write(root)
    (root / SOURCE).write_text(DRAWS)
    change(root / LESSON, "## Read on", "![two](cells.svg)\n\n![twice](spoken.svg)\n\n## Read on")
    change(root / ZH, "## 延伸阅读", "![两格](cells.svg)\n\n![两倍](spoken.zh.svg)\n\n## 延伸阅读")
    assert draw(root)[0] == 0
    return root


def draw(root, *names):
    """Exit code and output of `learn dev pictures`."""
    done = CliRunner().invoke(cli.learn, ["--course", str(root), "--lang", "en", "dev", "pictures", *names])
    return done.exit_code, done.stdout + done.stderr


def found(root):
    """(kind, file, line) of what is found without judging."""
    course = Course.at(root)
    return [
        (f.kind, str(f.path.relative_to(root)), f.line) for f in rules.structure(course, course["scaling"])
    ]  # fmt: skip


def test_a_section_with_pictures_is_sound(root):
    """Drawn, shown in each language, described: nothing is found, and drawing again changes nothing."""
    assert sorted(p.name for p in (root / E_).glob("*.svg")) == ["cells.svg", "spoken.svg", "spoken.zh.svg"]
    assert "twice" in (root / E_ / "spoken.svg").read_text() and "两倍" in (root / E_ / "spoken.zh.svg").read_text()
    assert found(root) == []
    assert draw(root, "1.1") == (0, "3 pictures drawn, 0 of them changed\n")


MORE = "def more() -> Drawing:\n    return Drawing()\n\n\ndef spoken"
BROKEN = {  # rule -> file, what is replaced, by what, where it is told, on which line
    "picture_missing": (LESSON, "cells.svg", "cell.svg", LESSON, 24),
    "picture_missing: no svg": (ZH, "(cells.svg)", "(cells.png)", ZH, 24),
    "picture_alt": (LESSON, "![two]", "![]", LESSON, 24),
    "picture_alt: blank": (ZH, "![两倍]", "![ ]", ZH, 26),
    "picture_unshown": (ZH, "![两倍](spoken.zh.svg)", "", f"{E_}/spoken.zh.svg", 1),
    "picture_unshown: in the other language": (ZH, "spoken.zh.svg", "spoken.svg", f"{E_}/spoken.zh.svg", 1),
    "picture_unshown: not drawn yet": (SOURCE, "def spoken", MORE, SOURCE, 17),
    "picture_undrawn": (SOURCE, "def cells", "def _cells", f"{E_}/cells.svg", 1),
    "picture_changed": (SOURCE, "[[1, 2]]", "[[1, 3]]", f"{E_}/cells.svg", 5),
    "picture_changed: by hand": (f"{E_}/cells.svg", "<svg ", "<svg  ", f"{E_}/cells.svg", 1),
    "picture_changed: line ends": (f"{E_}/cells.svg", "</svg>\n", "</svg>\r\n", f"{E_}/cells.svg", 6),
    "picture_raises": (SOURCE, '[[1, 2]], "blue"', '[[1, 2]], "bleu"', SOURCE, 10),
    "picture_raises: at once": (SOURCE, "\n\ndef _cell", "\n1 / 0\n\n\ndef _cell", SOURCE, 5),
    "picture_raises: a language less": (SOURCE, ', "zh": "两倍"', "", SOURCE, 17),
    "picture_none": (SOURCE, "    return d\n\n\ndef spoken", "\n\ndef spoken", SOURCE, 10),
    "picture_wide": (SOURCE, "[[1, 2]]", "[[1] * 14]", SOURCE, 10),
    "syntax": (SOURCE, "def cells()", "def cells(", SOURCE, 10),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_what_is_wrong_with_a_picture_is_told_with_its_place(root, rule):
    """Each by its kind, its file and its line, in both languages."""
    path, old, new, where, line = BROKEN[rule]
    if path.endswith(".svg"):
        data = (root / path).read_bytes()
        (root / path).write_bytes(data.replace(old.encode(), new.encode(), 1))
    else:
        change(root / path, old, new)
    assert (rule.partition(":")[0], where, line) in found(root)
    course = Course.at(root)
    for lang in ("en", "zh"):
        findings = list(rules.structure(course, course["scaling"]))
        lines = plain.proven(proof.Proof(course["scaling"], findings), str, lang)
        assert any(f"{where}:{line}: " in text for text in lines)


def test_one_picture_that_fails_does_not_hide_the_others(root):
    """The rest is drawn, the failure told with its line, exit 1."""
    change(root / SOURCE, "    _cell(d)\n", "    _cell(7)\n")
    change(root / SOURCE, "twice", "double")
    code, out = draw(root)
    assert code == 1 and re.search(r"pictures\.py:7: .*AttributeError", out) and "1 of them changed" in out
    assert "double" in (root / E_ / "spoken.svg").read_text()


def test_what_cannot_be_written_is_one_line(root):
    """Exit 2, no traceback."""
    (root / E_ / "cells.svg").unlink()
    (root / E_ / "cells.svg").mkdir()
    code, out = draw(root)
    assert code == 2 and out.count("\n") == 1 and "cells.svg" in out
    assert draw(root, "9.9")[0] == 2


def test_a_section_without_pictures_draws_none(root):
    """Nothing is written, nothing is found."""
    (root / SOURCE).unlink()
    course = Course.at(root)
    assert pictures.draw(course["scaling"], ["en"]) == ({}, [])


# the drawings


def _texts(svg):
    return [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


LOOKS = ["", "blue", "red dash", "green thick", "dim", "code orange small", "bold purple", "grey"]
COORDINATES = st.floats(-500, 500)


@given(
    st.lists(st.tuples(COORDINATES, COORDINATES, st.text(st.characters(codec="utf-8", exclude_categories=["C"]),
             min_size=1), st.sampled_from(LOOKS)), min_size=1)
)  # fmt: skip
def test_any_drawing_is_xml_that_holds_all_of_it(parts):
    """Whatever its labels say: well-formed, the same each time, each box inside of the canvas, each label as given."""
    first, second = Drawing(), Drawing()
    for d in (first, second):
        for x, y, label, look in parts:
            d.box(x, y, 30, 20, label, look)
            d.line((x, y), (x + 5, y), look=look, arrow=True)
    svg = first.svg("en")
    assert svg == second.svg("en") and _texts(svg) == [label for _, _, label, _ in parts]
    x, y, w, h = map(float, ElementTree.fromstring(svg).attrib["viewBox"].split())
    for r in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        a, b = float(r.attrib["x"]), float(r.attrib["y"])
        assert x <= a and a + 30 <= x + w + 0.2 and y <= b and b + 20 <= y + h + 0.2


def test_a_picture_stands_alone_and_has_a_dark_side():
    """No reference to anything outside, no background; every colour that is used has one for the dark."""
    d = Drawing()
    d.grid(0, 0, [["a", "b"]], lambda i, j: "blue" if j else "orange dash")
    d.line((0, 0), (9, 9), look="red", arrow=True)
    d.dot(3, 3, "green")
    d.ring(5, 5, 9, look="purple", label="c")
    svg = d.svg("en")
    light, dark = svg.partition("@media(prefers-color-scheme:dark)")[::2]
    for name in ("fill-blue", "fill-orange", "line-red", "text-green", "fill-purple", "text{", "path{", "ellipse{"):
        (a,), (b,) = (
            re.findall(re.escape(name) + r"[^#]*(#\w+)", s) for s in (light.partition("{fill:none}")[2], dark)
        )
        assert a != b
    assert re.findall(r"https?:[^\"]*|url\(|@import|href", svg) == ["http://www.w3.org/2000/svg"]
    assert not list(ElementTree.fromstring(svg).iter(f"{SVG}rect"))


def test_words_are_of_one_language_and_count_in_the_width():
    """A Chinese character is as wide as it is high; \\n begins a line below."""
    d = Drawing()
    d.text(0, 0, {"en": "one\ntwo", "zh": "一二三四五六七八九十"})
    assert _texts(d.svg("en")) == ["one", "two"] and _texts(d.svg("zh")) == ["一二三四五六七八九十"]
    assert d.speaks and d.extent("zh").w >= 130 > d.extent("en").w and d.extent("en").h > d.extent("zh").h
    with pytest.raises(KeyError):
        d.svg("fr")


def test_axes_map_values_to_places():
    """The axes cross at 0, or where the range is nearest to it."""
    d = Drawing()
    box = d.box(10, 20, 100, 50)
    at = d.axes(box, (-1, 1), (2, 4), ([-1, 1], [3]))
    assert at(-1, 2) == (10, 70) and at(1, 4) == (110, 20) and at(0, 3) == (60, 45)
    assert _texts(d.svg("en")) == ["-1", "1", "3"]
    assert steps(0, 1, 5) == [0, 0.25, 0.5, 0.75, 1]
    assert all(b > a for a, b in pairwise(steps(-3, 7, 40)))


# our own pictures


def test_our_pictures_can_be_read_on_a_phone():
    """None is wider than the canvas of a phone, and none is heavy."""
    course = Course.ours()
    svgs = sorted(course.exercises.glob("*/*/*.svg"))
    assert len(svgs) > 1
    for path in svgs:
        width = float(ElementTree.fromstring(path.read_text(encoding="utf-8")).attrib["viewBox"].split()[2])
        assert width <= WIDTH and path.stat().st_size < 20_000, path


@pytest.mark.parametrize("section", [s for s in Course.ours().sections if s.pictures.is_file()], ids=lambda s: s.slug)
def test_our_pictures_are_what_their_functions_draw(section):
    """Nothing is found: drawn now, shown in each lesson, described."""
    languages = Course.ours().about.languages
    assert list(pictures.check(section, languages, rules.linked(section))) == []


def test_each_picture_is_a_file_of_the_course():
    """Every SVG in exercises/ lies beside the lesson that shows it."""
    folders = {s.folder for s in Course.ours().sections}
    assert {p.parent for p in Path(Course.ours().exercises).rglob("*.svg")} <= folders
