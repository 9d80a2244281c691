"""What a test saw, from its note to the picture: it decides nothing, fails nothing, and tells no secret."""

import math
import re
import xml.etree.ElementTree as ET
from ast import Call, Constant, parse, walk

import msgspec
import pytest
import tiny_course
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import pool, service
from grader.course import Course
from grader.model import Job, Picture
from grader.reports import charts
from grader.testing import Pictures

SVG = "{http://www.w3.org/2000/svg}"
ANY = st.floats(width=32) | st.integers(-5, 5).map(float)
EXAMPLES = '''import torch

from grader.testing import expect, task


@task(1)
def test_seen(learner, picture):
    """Twice.

    两倍。
    """
    values = [float(learner.double(i)) for i in range(1, 4)]
    picture.curves("doubles", {"twice": values}, x="number")
    picture.matrix("no_picture", learner.double(1))
    expect(values).close_to([2.0, 4.0, 6.0])
'''
HIDDEN = '''from grader.testing import expect, task


@task(2)
def test_half(learner, rng, picture):
    """Half.

    一半。
    """
    picture.curves("secret", {"half": [learner.halve(4.0)]})
    expect(learner.halve(4.0)).close_to(2.0)
'''
WORDS = """pictures:
  doubles: {en: Doubles, zh: 两倍}
  twice: {en: twice x, zh: x 的两倍}
  number: {en: "x < 4", zh: x}
"""


def texts(svg):
    return [e.text for e in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.fixture
def section(tmp_path):
    """A section whose example has something to be drawn."""
    course = tiny_course.write(tmp_path / "course")
    found = course["doubling"]
    found.examples.write_text(EXAMPLES, encoding="utf-8")
    found.tests.write_text(HIDDEN, encoding="utf-8")
    with (found.folder / "exercise.yaml").open("a", encoding="utf-8") as f:
        f.write(WORDS)
    course = Course.at(tmp_path / "course")
    return course, course["doubling"]


def _job(section, text):
    return Job(section=section.slug, section_digest=section.digest, text=text)


@settings(max_examples=60, deadline=None)
@given(
    value=st.recursive(
        st.none()
        | st.text(max_size=3)
        | st.floats()
        | st.integers()
        | st.just(torch.zeros(2, 2, dtype=torch.complex64)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=8,
    )
)
def test_no_value_is_too_odd(value):
    """Whatever a learner's code returns, a note of it raises nothing; what is kept are rows of floats."""
    noted = {}
    picture = Pictures(noted)
    picture.curves("a", {"s": value})
    picture.curves("b", value)
    picture.matrix("c", value)
    picture.paths("d", {"s": value}, behind=value)
    for p in noted.values():
        assert all(type(v) is float for rows in p.data.values() for row in rows for v in row)
        ET.fromstring(charts.drawn([p], {}, "en", "t"))


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(Pictures.MOST + 1),
        torch.zeros(3, 3),
        torch.zeros(0),
        torch.zeros(2, device="meta"),
        torch.zeros(2).to_sparse(),
        10**400,
        [[1.0], [2.0, 3.0]],
    ],
    ids=["too many", "not in one row", "nothing", "without values", "sparse", "too large", "ragged"],
)
def test_what_cannot_be_drawn_is_left_out(value):
    """Too much, too little, or no numbers: no picture, and an earlier one of that name is gone too."""
    noted = {}
    picture = Pictures(noted)
    picture.curves("a", {"s": [1.0]})
    assert noted
    picture.curves("a", {"s": value})
    assert not noted or value.is_sparse


def test_a_function_may_make_the_values():
    """It is asked once, and may fail; only running out of time goes through."""
    noted = {}
    Pictures(noted).matrix("a", lambda: {}["missing"])
    assert not noted
    Pictures(noted).matrix("a", lambda: torch.eye(2))
    assert noted["a"].data == {"": [[1.0, 0.0], [0.0, 1.0]]}

    def late():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        Pictures(noted).matrix("a", late)


def test_it_travels_beside_the_verdict(section):
    """The judge gives the picture apart: the verdict, as JSON too, is the same as without it, each time. A hidden test
    has no picture: what its inputs led to could tell them.
    """
    course, found = section
    with pool.Judge(course) as here:
        (verdict,) = here.grade([_job(found, tiny_course.REFERENCE)])
        seen = list(here.seen)
        assert verdict.passed and b"doubles" not in verdict.to_json()
        (again,) = here.grade([_job(found, tiny_course.REFERENCE)])
        assert again.timeless() == verdict.timeless() and here.seen == seen
        wrong = tiny_course.REFERENCE.replace("x + x", "x + 1")
        (failed,) = here.grade([_job(found, wrong)])
        assert not failed.passed and here.seen[0].data == {"twice": [[2.0, 3.0, 4.0]]}
        here.grade([_job(found, tiny_course.STUB)])
        assert here.seen == []
        (broken,) = here.grade([msgspec.structs.replace(_job(found, tiny_course.REFERENCE), section_digest="other")])
        assert broken.broken and here.seen == []
    assert seen == [Picture(name="doubles", kind="curves", data={"twice": [[2.0, 4.0, 6.0]]}, x="number")]


@pytest.mark.slow
def test_the_service_hands_it_over(section, tmp_path, monkeypatch):
    """What the warm grader saw arrives at the caller."""
    course, found = section
    monkeypatch.delenv("LEARN_SERVICE")
    seen = []
    try:
        verdict = service.judge(course, _job(found, tiny_course.REFERENCE), None, tmp_path / "home", seen=seen.extend)
    finally:
        service.stop(tmp_path / "home")
    assert verdict is not None and verdict.passed and [p.name for p in seen] == ["doubles"]


def test_words_are_the_sections_own(section):
    """Titles, series and axes in the learner's language; a name without words stands as it is; all of it escaped."""
    _, found = section
    picture = Picture(name="doubles", kind="curves", data={"twice": [[2.0, 4.0]], "<b>": [[1.0]]}, x="number")
    english = charts.drawn([picture], found.about.pictures, "en", "Doubling")
    assert {"Doubling", "Doubles", "twice x", "x < 4", "<b>"} <= set(texts(english))
    assert {"两倍", "x 的两倍"} <= set(texts(charts.drawn([picture], found.about.pictures, "zh", "加倍")))
    assert ET.fromstring(english).get("aria-label") == "Doubling: Doubles"


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(["curves", "paths", "matrix"]),
    rows=st.lists(st.lists(ANY, min_size=2, max_size=2), min_size=1, max_size=6),
)
def test_any_numbers_are_drawn(kind, rows):
    """Infinite, equal, tiny, huge: the SVG is well-formed, and nothing in it is no number."""
    svg = charts.drawn([Picture(name="n", kind=kind, data={"s": rows})], {}, "en", "t")
    ET.fromstring(svg)
    assert not re.search(r'[" ,LM](nan|inf)', svg)


def test_a_curve_says_where_it_is():
    """The line goes through its points: left to right, larger numbers higher; the axis names round numbers."""
    svg = charts.drawn([Picture(name="n", kind="curves", data={"s": [[0.0, 1.0, 4.0]]})], {}, "en", "t")
    line = next(e for e in ET.fromstring(svg).iter(f"{SVG}path") if e.get("stroke") == "var(--a)")
    points = [tuple(map(float, p.split())) for p in line.get("d")[1:].split("L")]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x0 < x1 < x2 and math.isclose(x1 - x0, x2 - x1, abs_tol=0.2)
    assert y0 > y1 > y2 and math.isclose((y0 - y2) / (y0 - y1), 4, rel_tol=0.01)
    assert {"0", "1", "2", "3", "4"} <= set(texts(svg))


def test_a_grid_says_its_numbers():
    """Each cell has its number, the largest the fullest cell, nothing for zero."""
    svg = charts.drawn([Picture(name="n", kind="matrix", data={"": [[2.0, 0.0], [1.0, 0.25]]})], {}, "en", "t")
    fills = [float(e.get("fill-opacity")) for e in ET.fromstring(svg).iter(f"{SVG}rect")]
    # the 1 of the second row's own label is among them
    assert fills == [1.0, 0.0, 0.5, 0.12] and texts(svg)[-4:] == ["2", "1", "1", ".25"]


ROWS = st.lists(st.lists(ANY, min_size=1, max_size=4), min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(rows=ROWS, box=st.lists(st.lists(ANY, min_size=2, max_size=2), min_size=2, max_size=2), marks=ROWS)
def test_any_regions_are_drawn(rows, box, marks):
    """The same of regions, whatever the box, with rows of different lengths."""
    data = {"": rows, " box": box, "s": marks}
    svg = charts.drawn([Picture(name="n", kind="regions", data=data)], {}, "en", "t")
    ET.fromstring(svg)
    assert not re.search(r'[" ,LMhv](nan|inf)', svg)


def test_regions_say_where_they_are():
    """Above 0 one colour, below another, the lowest row at the bottom, a line between, a ring and a cross."""
    data = {"": [[-1.0, -1.0], [-1.0, 2.0]], " box": [[0.0, 1.0], [0.0, 1.0]], "no": [[0.0, 0.0]], "yes": [[1.0, 1.0]]}
    svg = charts.drawn([Picture(name="n", kind="regions", data=data)], {}, "en", "t")
    cells = [(e.get("fill"), float(e.get("x")), float(e.get("y"))) for e in ET.fromstring(svg).iter(f"{SVG}rect")]
    assert [c for c, _, _ in cells] == ["var(--a)", "var(--a)", "var(--b)"]  # what is alike in a row is one
    (_, x, y), (_, x0, y0) = cells[2], cells[0]
    assert x > x0 and y < y0
    lines = [e.get("d") for e in ET.fromstring(svg).iter(f"{SVG}path")]
    assert lines[0].count("M") == 2 and "v" in lines[0] and "h" in lines[0]
    assert len(lines) == 5  # two points, and the two of the legend
    assert {"no", "yes"} <= set(texts(svg))


COURSE = Course.ours()
DRAWS = ("curves", "paths", "matrix", "regions")
DRAWN = [s for s in COURSE.sections if s.about.pictures]


def _names(section):
    """The names in what a section's tests draw."""
    calls = []
    for path in (section.examples, section.tests):
        tree = parse(path.read_text(encoding="utf-8"))
        calls += [n for n in walk(tree) if isinstance(n, Call) and getattr(n.func, "attr", "") in DRAWS]
    return {c.args[0].value for c in calls} | {
        k.value.value for c in calls for k in c.keywords if isinstance(k.value, Constant)
    }


@pytest.mark.parametrize("section", DRAWN, ids=lambda s: s.slug)
def test_our_pictures_have_words(section):
    """Every name that is drawn has words in each language, and no words are left over but those of series."""
    assert _names(section) <= set(section.about.pictures)
    assert all(set(words) == set(COURSE.about.languages) for words in section.about.pictures.values())


@pytest.mark.parametrize("section", [s for s in COURSE.sections if s not in DRAWN], ids=lambda s: s.slug)
def test_who_draws_has_words(section):
    """A section that draws names its pictures."""
    assert not _names(section)


@pytest.mark.slow
def test_the_right_answers_show_something():
    """Each section that draws does draw every picture that it has words for, of the reference."""
    with pool.Judge(COURSE) as here:
        for section in DRAWN:
            (verdict,) = here.grade([_job(section, section.reference.read_text(encoding="utf-8"))])
            assert verdict.passed
            names = {n for p in here.seen for n in (p.name, p.x, p.y, *p.data) if n.strip() and not n.startswith(" ")}
            assert names == set(section.about.pictures)
            drawn = charts.drawn(here.seen, section.about.pictures, "en", section.slug)
            assert len(drawn) < 40_000
