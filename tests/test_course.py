"""A course is read whole or refused with the file's name; sections are found by number, slug and near misses."""

import re
import string
from pathlib import Path

import pytest
import tiny_course
from hypothesis import given
from hypothesis import strategies as st

from grader import course
from grader.course import Course, CourseError, UnknownSection, sections_of
from grader.model import Limits


@pytest.fixture
def root(tmp_path):
    """The folder of a course of two sections."""
    tiny_course.write(tmp_path)
    return tmp_path


@pytest.fixture
def about(root):
    """`exercise.yaml` of the first section."""
    return root / "exercises" / "01_first" / "01_doubling" / "exercise.yaml"


def change(path, old, new):
    """One piece of text for another."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def add_section(root, chapter, folder, requires=()):
    """A section with nothing but its `exercise.yaml`."""
    path = root / "exercises" / chapter / folder
    path.mkdir(parents=True)
    text = f"title: {{en: A}}\ntasks: {{1: {{name: f, points: 1}}}}\nrequires: [{', '.join(requires)}]\n"
    (path / "exercise.yaml").write_text(text, encoding="utf-8")
    return path


def test_sections_have_number_slug_and_paths(root):
    """Two trees, one list."""
    first, second = Course.at(root).sections
    assert (first.number, first.slug, second.number, second.slug) == ("1.1", "doubling", "1.2", "again")
    shown, hidden = (root / tree / "01_first" / "01_doubling" for tree in ("exercises", "solutions"))
    assert (first.stub, first.examples) == (shown / "doubling.py", shown / "test_examples.py")
    assert (first.reference, first.tests) == (hidden / "doubling.py", hidden / "test_doubling.py")
    assert first.probes == hidden / "probes.py"
    assert first.points == {1: 2, 2: 3}


def test_numbers_have_no_leading_zeros(root):
    """Folder 12 of chapter 01 is 1.12."""
    add_section(root, "01_first", "12_late")
    assert Course.at(root)["1.12"].slug == "late"


def test_other_folders_are_no_sections(root):
    """Caches, hidden folders, plain files, names without a number."""
    for name in ("__pycache__", ".git", "notes", "3_short", "03-dash", "03_Big"):
        (root / "exercises" / "01_first" / name).mkdir()
        (root / "exercises" / name).mkdir()
    (root / "exercises" / "02_file").write_text("")
    (root / "exercises" / "01_first" / "03_file").write_text("")
    assert len(Course.at(root).sections) == 2


def test_a_section_is_found_by_number_and_by_slug(root):
    """Both mean the same."""
    c = Course.at(root)
    assert c["1.2"] is c["again"] is c.sections[1]
    assert c.chapter(c["1.2"]).title["en"] == "First chapter"


PLACES = ["stub.py", "01_doubling/doubling.py", "01_doubling", "doubling.ipynb", "x/doubling.py"]


@pytest.mark.parametrize("name", PLACES)
def test_a_section_is_found_by_its_file(root, name):
    """The name of the file, or of its folder."""
    found = Course.at(root).at_path(root / name)
    assert (found and found.slug) == (None if name == "stub.py" else "doubling")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("2.22", ["2.2"]), ("1.11", ["1.1"]), ("doublin", ["1.1"]), ("agian", ["1.2"]), ("zzzzzz", []), ("", [])],
)
def test_unknown_names_are_answered_with_near_ones(root, asked, expected):
    """`no section 2.22; did you mean 2.2?`: numbers, best first, each once."""
    change(root / "exercises" / "course.yaml", "chapters:", "chapters:\n  02_next: {title: {en: Next}}")
    add_section(root, "02_next", "02_gradients")
    with pytest.raises(UnknownSection) as e:
        Course.at(root)[asked]
    assert e.value.name == asked
    assert e.value.suggestions[: len(expected)] == expected
    assert len(e.value.suggestions) == len(set(e.value.suggestions)) <= 3
    assert bool(e.value.suggestions) == bool(expected)


@given(name=st.text())
def test_any_name_is_found_or_unknown(tmp_path_factory, name):
    """Whatever is asked for."""
    with pytest.raises(UnknownSection):
        _tiny(tmp_path_factory)[name]


def _tiny(factory, made=[]):  # noqa: B006 (one course for all examples)
    made[:] = made or [tiny_course.write(factory.mktemp("tiny"))]
    return made[0]


def test_sections_come_after_what_they_require(root):
    """Else by number."""
    change(root / "exercises" / "01_first" / "02_again" / "exercise.yaml", "[doubling]", "[]")
    change(root / "exercises" / "01_first" / "01_doubling" / "exercise.yaml", "requires: []", "requires: [last]")
    add_section(root, "01_first", "03_last")
    assert [s.slug for s in Course.at(root).in_order()] == ["last", "doubling", "again"]


@pytest.mark.parametrize("requires", ["doubling", "again"])
def test_a_circle_of_requires_is_an_error(root, about, requires):
    """A section that waits for itself could never be done."""
    change(about, "requires: []", f"requires: [{requires}]")
    with pytest.raises(CourseError, match=r"01_doubling.*circle.*doubling"):
        Course.at(root).in_order()


def test_requiring_what_does_not_exist_is_an_error(root, about):
    """With the file and the name."""
    change(about, "requires: []", "requires: [nothing]")
    with pytest.raises(CourseError, match=r"01_doubling.exercise\.yaml.*`nothing`"):
        Course.at(root).in_order()


def test_two_sections_of_one_slug_are_an_error(root):
    """Stores know a section by its slug alone."""
    change(root / "exercises" / "course.yaml", "chapters:", "chapters:\n  02_next: {title: {en: Next}}")
    add_section(root, "02_next", "05_doubling")
    with pytest.raises(CourseError, match=r"05_doubling.*`doubling`.*01_doubling"):
        Course.at(root)


def test_a_chapter_without_a_title_is_an_error(root):
    """It names course.yaml and the chapter."""
    add_section(root, "02_next", "01_more")
    with pytest.raises(CourseError, match=r"course\.yaml.*02_next"):
        Course.at(root)


def test_no_course_is_an_error(tmp_path):
    """With the folder."""
    with pytest.raises(CourseError, match=tmp_path.name):
        Course.at(tmp_path)


BAD = {
    "empty": b"",
    "text": b"hello",
    "list": b"- 1\n- 2\n",
    "null": b"null",
    "syntax": b"title: {en: A\n",
    "tab": b"title:\n\ten: A\n",
    "not UTF-8": "title: {en: é}".encode("latin-1"),
    "NUL": b"title: \0",
    "control character": b"title: \x01",
    "unknown anchor": b"title: *a",
    "Python object": b"!!python/object/apply:os.system ['true']",
    "two documents": b"a: 1\n---\nb: 2\n",
    "itself": b"&a {title: {en: A}, tasks: {1: {name: f, points: 1}}, thresholds: *a}",
    "list in itself": b"&a [*a]",
    "deep": b"[" * 5000,
    "unhashable key": b"{[1]: 2}",
    "a date for a key": b"2020-01-01: 1",
    "huge number": b"{title: {en: A}, tasks: {1: {name: f, points: 1" + b"0" * 5000 + b"}}}",
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["course.yaml", "01_first/01_doubling/exercise.yaml"])
def test_a_file_that_cannot_be_read_is_named(root, name, bad):
    """Whatever is wrong with it, the error is one kind and says which file."""
    path = root / "exercises" / name
    path.write_bytes(BAD[bad])
    with pytest.raises(CourseError) as e:
        Course.at(root)
    assert str(path) in str(e.value)


WRONG = {
    "unknown field": ("requires:", "require:"),
    "unknown limit": ("requires: []", "requires: []\nlimits: {memory: 5}"),
    "limit of a wrong type": ("requires: []", "requires: []\nlimits: {memory_mb: 1.5}"),
    "limit that is text": ("requires: []", "requires: []\nlimits: {test: long}"),
    "limit that is true": ("requires: []", "requires: []\nlimits: {test: true}"),
    "negative limit": ("requires: []", "requires: []\nlimits: {test: -1}"),
    "no time at all": ("requires: []", "requires: []\nlimits: {section: 0}"),
    "endless limit": ("requires: []", "requires: []\nlimits: {test: .nan}"),
    "points that are no number": ("points: 2", "points: many"),
    "points in halves": ("points: 2", "points: 1.5"),
    "negative points": ("points: 2", "points: -2"),
    "task without points": (", points: 2", ""),
    "task with a word for a number": ("1: {name", "one: {name"),
    "no title": ("title: {en: Doubling, zh: 加倍}\n", ""),
    "title in no language": ("title: {en: Doubling, zh: 加倍}", "title: Doubling"),
    "requires one word": ("requires: []", "requires: again"),
    "threshold that is text": ("requires: []", "requires: []\nthresholds: {accuracy: high}"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_entry_is_refused_by_file(root, about, wrong):
    """A field that is misspelt, missing, of a wrong type or impossible is not passed over."""
    change(about, *WRONG[wrong])
    with pytest.raises(CourseError) as e:
        Course.at(root)
    assert str(about) in str(e.value)


def test_a_folder_without_its_file_is_not_begun_yet(root, about):
    """It is no section; the others are read."""
    about.unlink()
    assert [s.slug for s in Course.at(root).sections] == ["again"]


@pytest.mark.parametrize("name", ["lesson", "hints"])
def test_a_missing_text_is_an_error_when_it_is_asked_for(root, name):
    """With the file's name; so is one that is not UTF-8."""
    section = Course.at(root)["1.1"]
    path = section.folder / f"{name}.en.md"
    path.write_bytes(b"\xff")
    with pytest.raises(CourseError, match=rf"{name}\.en\.md"):
        getattr(section, "lesson" if name == "lesson" else "hints")("en")
    path.unlink()
    with pytest.raises(CourseError, match=rf"{name}\.en\.md"):
        getattr(section, "lesson" if name == "lesson" else "hints")("en")


def test_limits_of_a_section_change_those_of_the_course(root, about):
    """Only those that it names; the course's change the defaults."""
    change(root / "exercises" / "course.yaml", "chapters:", "limits: {test: 3, memory_mb: 77}\nchapters:")
    change(about, "requires: []", "requires: []\nlimits: {test: 5}")
    first, second = Course.at(root).sections
    assert first.limits == Limits(test=5, memory_mb=77)
    assert second.limits == Limits(test=3, memory_mb=77)


def test_hints_have_tiers(root):
    """By task, from gentle to direct, in each language."""
    section = Course.at(root)["1.1"]
    assert section.hints("en") == {1: ["First hint, en.", "Second hint, en."], 2: ["Only hint, en."]}
    assert section.hints("zh")[2] == ["Only hint, zh."]


def test_a_learners_copy_has_no_mistakes_and_no_hidden_tests(root):
    """Without solutions/ a course still reads."""
    (root / "solutions").rename(root / "elsewhere")
    section = Course.at(root)["1.1"]
    assert section.mistakes("en") == {}
    assert not section.tests.exists()
    assert section.lesson("en").startswith("# Lesson")


# sections_of


def test_headings_and_the_text_below():
    """What stands before the first belongs to none; deeper headings are text."""
    assert sections_of("intro\n## a\none\n\n### deeper\ntwo\n## b c \n") == {"a": "one\n\n### deeper\ntwo", "b c": ""}


@pytest.mark.parametrize("fence", ["```", "```python", "````", "~~~"])
def test_a_heading_in_a_fence_is_text(fence):
    """A comment in code that looks like a heading."""
    body = f"{fence}\n## not a heading\n{fence[:4].rstrip('p')}"
    assert sections_of(f"## a\n{body}\n## b\nafter") == {"a": body, "b": "after"}


def test_a_fence_of_four_may_hold_a_fence_of_three():
    """Only as many marks as opened a fence close it."""
    body = "````\n```\n## not a heading\n```\n## nor this\n````"
    assert sections_of(f"## a\n{body}\n## b\nafter") == {"a": body, "b": "after"}


@given(st.lists(st.tuples(st.text(string.ascii_letters, min_size=1), st.text(string.ascii_letters + " \n."))))
def test_what_is_written_is_read(parts):
    """Any headings with any prose, the last of equal headings added to the first."""
    text = "\n".join(f"## {title}\n{body}" for title, body in parts)
    read = sections_of(text)
    assert list(read) == list(dict.fromkeys(t for t, _ in parts))
    assert all(body.strip() in read[title] for title, body in parts)


# digest


def digest(root):
    """Of the first section, read anew."""
    return Course.at(root)["1.1"].digest


def test_equal_courses_have_equal_digests(tmp_path):
    """Wherever they lie."""
    tiny_course.write(tmp_path / "a")
    tiny_course.write(tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


@pytest.mark.parametrize(
    "name",
    ["exercises/X/test_examples.py", "solutions/X/test_doubling.py", "solutions/X/probes.py"],
)
def test_the_digest_changes_with_the_tests(root, name):
    """Examples, hidden tests, probes: a verdict depends on them."""
    before = digest(root)
    path = root / name.replace("X", "01_first/01_doubling")
    path.write_text("x = 1\n", encoding="utf-8")
    assert digest(root) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("requires: []", "requires: []\nlimits: {test: 5}"),
        ("points: 2", "points: 4"),
        ("requires: []", "requires: []\nthresholds: {accuracy: 0.9}"),
        ("requires: []", "requires: []\nneeds: [loopback]"),
    ],
)
def test_the_digest_changes_with_limits_and_tasks(root, about, old, new):
    """What exercise.yaml says counts too."""
    before = digest(root)
    change(about, old, new)
    assert digest(root) != before


def test_the_digest_changes_with_the_courses_limits_and_the_grader(root, monkeypatch):
    """Neither is in the section's own folder."""
    before = digest(root)
    monkeypatch.setattr(course, "__version__", "another")
    other = digest(root)
    change(root / "exercises" / "course.yaml", "chapters:", "limits: {test: 3}\nchapters:")
    assert len({before, other, digest(root)}) == 3


@pytest.mark.parametrize(
    "name",
    [
        "exercises/X/doubling.py",
        "exercises/X/lesson.en.md",
        "exercises/X/hints.zh.md",
        "exercises/X/notes.txt",
        "solutions/X/doubling.py",
        "exercises/01_first/02_again/test_examples.py",
    ],
)
def test_the_digest_does_not_change_with_what_no_verdict_depends_on(root, name):
    """Above all not with the stub: in a clone that is the file which the learner edits."""
    before = digest(root)
    (root / name.replace("X", "01_first/01_doubling")).write_text("changed", encoding="utf-8")
    assert digest(root) == before


def test_text_that_moves_from_one_file_to_another_changes_the_digest(root):
    """The files' contents are not merely run together."""
    section = Course.at(root)["1.1"]
    section.examples.write_bytes(b"ab")
    section.tests.write_bytes(b"c")
    before = digest(root)
    section.examples.write_bytes(b"a")
    section.tests.write_bytes(b"bc")
    assert digest(root) != before


# ours


def test_our_own_course_reads():
    """The one that comes along, from a clone: every section has its stub and its hidden tests."""
    sections = Course.ours().sections
    assert sections
    assert all(s.stub.is_file() and s.tests.is_file() for s in sections)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("requires: []", "require: []", 5, "require"),
        ("points: 2", "points: two", 3, "points"),
        ("points: 3", "pionts: 3", 4, "pionts"),
        ("requires: []", "requires: [", 6, "expected"),
        ("tasks:", "tasks", 2, ""),
    ],
)
def test_an_error_in_exercise_yaml_has_its_line(tmp_path, old, new, line, said):
    """File and line, whoever found it: YAML's parser, or the types."""
    path = tiny_course.write(tmp_path)["doubling"].folder / "exercise.yaml"
    change(path, old, new)
    with pytest.raises(CourseError) as e:
        Course.at(tmp_path)
    found = re.fullmatch(r"(.*):(\d+): (.*)", str(e.value))
    assert found and Path(found[1]) == path and abs(int(found[2]) - line) <= 1 and said in found[3]
