"""What a class hands in, as each platform packs it, is understood; the rest is named; nothing is followed."""

import io
import os
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import tiny_course
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.collect import CollectError, collect, of_student
from grader.model import Student
from grader.roster import RosterError, parse

SLUGS = ["doubling", "again"]
NAMES = ["li.hua", "José", "王小明", "o'brien", "Anna Maria", "x-9", "s01"]
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Two sections: doubling and again."""
    return tiny_course.write(tmp_path_factory.mktemp("course") / "c")


# student's number in the class -> section -> text; two at least hand in the first section
CLASSES = st.dictionaries(
    st.integers(0, len(NAMES) - 1),
    st.fixed_dictionaries({"doubling": st.text("abc #\n", max_size=20)}, optional={"again": st.just("x = 1\n")}),
    min_size=2,
)


def zipped(files):
    """A zip of these files, by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return out.getvalue()


def _folders(made):
    return {f"{NAMES[i]}/{slug}.py": text for i, slug, text in made}


def _course_trees(made):
    place = {"doubling": "01_first/01_doubling", "again": "01_first/02_again"}
    return {f"{NAMES[i]}/exercises/{place[slug]}/{slug}.py": text for i, slug, text in made}


def _flat(made):
    return {f"{NAMES[i]}_{slug}.py": text for i, slug, text in made}


def _flat_behind(made):
    return {f"{slug}-{NAMES[i]}.py": text for i, slug, text in made}


def _moodle(made):
    return {f"{NAMES[i]}_10{i}_assignsubmission_file/{slug}.py": text for i, slug, text in made}


def _moodle_old(made):
    return {f"{NAMES[i]}_10{i}_assignsubmission_file_/{slug}.py": text for i, slug, text in made}


def _moodle_flat(made):
    return {f"{NAMES[i]}_10{i}_assignsubmission_file_{slug}.py": text for i, slug, text in made}


def _canvas(made):
    return {f"lihua_{'LATE_' * (i % 2)}10{i}_99{i}_{slug}{'-1' * (i % 3 == 0)}.py": text for i, slug, text in made}


def _packed_again(made):
    inner = {i: {f"hw/{slug}.py": t for j, slug, t in made if j == i} for i, _, _ in made}
    return {f"Ann_10{i}_assignsubmission_file/my work.zip": zipped(files) for i, files in inner.items()}


def _gradescope(made):
    about = "---\n" + "".join(
        f"submission_5{i}:\n  :created_at: 2026-05-0{i + 1} 10:00:00.123456000 Z\n  :submitters:\n"
        f"  - :name: \"{NAMES[i]}\"\n    :sid: '010{i}'\n    :email: a{i}@x.edu\n  :score: 1.0\n"
        for i in {i for i, _, _ in made}
    )
    files = {f"assignment_7_export/submission_5{i}/{slug}.py": text for i, slug, text in made}
    return files | {"assignment_7_export/submission_metadata.yml": about}


BY_NAME = {f.__name__: (f, lambda i: NAMES[i]) for f in (_folders, _course_trees, _flat, _flat_behind)}
BY_NUMBER = {f.__name__: (f, lambda i: f"10{i}") for f in (_moodle, _moodle_old, _moodle_flat, _canvas, _packed_again)}
LAYOUTS = BY_NAME | BY_NUMBER | {"_gradescope": (_gradescope, lambda i: f"010{i}")}


def _write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("layout", LAYOUTS)
@given(members=CLASSES)
@QUICK
def test_every_layout_gives_back_what_was_put_in(layout, packed, members, course, tmp_path_factory):
    """Each answer comes back with its student, section and text, nothing else does, and nothing is left unplaced."""
    make, known = LAYOUTS[layout]
    made = [(i, slug, text) for i, answers in members.items() for slug, text in answers.items()]
    folder = tmp_path_factory.mktemp("class")
    if packed:
        given_path = folder / "hw1.zip"
        given_path.write_bytes(zipped(make(made)))
    else:
        given_path = _write(folder / "hw1", make(made))
    found = collect([given_path], course.sections)
    told = {(h.student.id, h.section): h.text for h in found.handed}
    assert told == {(known(i), slug): text for i, slug, text in made}
    assert found.unplaced == [] and len(found.handed) == len(made)


@given(members=CLASSES)
@QUICK
def test_a_path_for_each_student(members, course, tmp_path_factory):
    """`learn grade subs/*`: every path is a student, be it a folder, a zip or a file."""
    folder = tmp_path_factory.mktemp("class")
    paths, expected = [], {}
    for i, answers in members.items():
        name = NAMES[i]
        if i % 3 == 0:
            paths.append(_write(folder / name, {f"src/{s}.py": t for s, t in answers.items()}))
        elif i % 3 == 1:
            paths.append(folder / f"{name}.zip")
            paths[-1].write_bytes(zipped({f"homework/{s}.py": t for s, t in answers.items()}))
        else:
            answers = {"doubling": answers["doubling"]}
            paths.append(folder / f"{name}_doubling.py")
            paths[-1].write_text(answers["doubling"])
        expected |= {(name, s): t for s, t in answers.items()}
    found = collect(paths, course.sections)
    assert {(h.student.id, h.section): h.text for h in found.handed} == expected


PARTS = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda p: p not in (".", "..") and len(p.encode()) < 100
)
FILES = st.dictionaries(
    st.tuples(
        st.lists(PARTS, max_size=3).map(tuple),
        PARTS,
        st.sampled_from([".py", ".ipynb", ".zip", "_doubling.py", ".tar.gz"]),
    ),
    st.binary(max_size=60),
    max_size=6,
)


@given(files=FILES)
@QUICK
def test_nothing_that_is_handed_in_stops_the_rest(files, course, tmp_path_factory):
    """Whatever files are called and hold: no error, an honest answer beside them is still found, and no file is lost
    without a word, but for those that sections do not expect of somebody who has everything.
    """
    folder = tmp_path_factory.mktemp("class")
    for (folders, stem, ending), data in files.items():
        try:
            path = folder.joinpath(*folders, stem + ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError:
            continue  # a file where a folder should be
    for student in ("zz1", "zz2"):
        _write(folder / student, dict.fromkeys(("doubling.py", "again.py"), "x = 2\n"))
    found = collect([folder], course.sections)
    assert {(h.student.id, h.section) for h in found.handed} >= {(s, c) for s in ("zz1", "zz2") for c in SLUGS}
    assert len({(h.student.id, h.section) for h in found.handed}) == len(found.handed)


def test_links_are_not_followed(course, tmp_path):
    """Neither a file nor a folder of somebody else's can be handed in by a link to it."""
    root = _write(tmp_path / "subs", {"a/doubling.py": "mine = 1\n", "b/again.py": "x = 1\n"})
    (root / "b" / "doubling.py").symlink_to(root / "a" / "doubling.py")
    (root / "c").symlink_to(root / "a")
    found = collect([root], course.sections)
    assert {(h.student.id, h.section) for h in found.handed} == {("a", "doubling"), ("b", "again")}
    assert {(Path(u.name).relative_to(root).as_posix(), u.why) for u in found.unplaced} == {
        ("b/doubling.py", "link"),
        ("c", "link"),
    }


def test_a_pipe_is_not_waited_for(course, tmp_path):
    """A file that is none is named."""
    root = _write(tmp_path / "subs", {"a/again.py": "", "b/again.py": ""})
    os.mkfifo(root / "a" / "doubling.py")
    assert [u.why for u in collect([root], course.sections).unplaced] == ["answer_not_found"]


def test_hostile_archives(course, tmp_path):
    """A bomb, a damaged archive and links in a tar cost their student the answer, and nobody else."""
    bomb = zipped({"doubling.py": b"#" * (80 << 20), "again.py": b"#" * (80 << 20)})
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as t:
        info = tarfile.TarInfo("doubling.py")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        t.addfile(info)
    deep = zipped({"in.zip": zipped({"in.zip": zipped({"doubling.py": "x"})})})
    files = {"a/w.zip": bomb, "b/w.zip": b"PK\3\4 no", "c/w.tar": tar.getvalue(), "d/w.zip": deep, "e/doubling.py": ""}
    root = _write(tmp_path / "subs", files | {"f/doubling.py": ""})
    found = collect([root], course.sections)
    assert {h.student.id for h in found.handed} == {"e", "f"}
    assert sorted((u.why, u.params.get("reason")) for u in found.unplaced) == [
        ("archive_broken", None),
        ("nested", None),
        ("refused", "link"),
        ("refused", "too_big"),
        ("refused", "too_big"),
    ]


def test_two_different_answers_are_nobodys_guess(course, tmp_path):
    """Of two files for one section neither is taken, unless they say the same or one lies where the course has it."""
    root = _write(
        tmp_path / "subs",
        {
            "a/doubling.py": "1", "a/old/doubling.py": "2",
            "b/doubling.py": "1", "b/old/doubling.py": "1",
            "c/doubling.py": "1", "c/exercises/01_first/01_doubling/doubling.py": "3",
        },
    )  # fmt: skip
    found = collect([root], course.sections)
    assert {h.student.id: h.text for h in found.handed} == {"b": "1", "c": "3"}
    assert [(u.why, u.student) for u in found.unplaced] == [("several", "a")] * 2


def test_a_notebook_is_an_answer(course, tmp_path):
    """A .ipynb counts like the .py that it is opened from; one that is none is named."""
    cells = (
        '{"cells":[{"cell_type":"code","id":"a","metadata":{},"source":"x = 5","outputs":[],"execution_count":null}],'
    )
    good = cells + '"metadata":{},"nbformat":4,"nbformat_minor":5}'
    root = _write(tmp_path / "subs", {"a/doubling.ipynb": good, "b/doubling.ipynb": "{", "c/doubling.py": b"\xff\xfe"})
    found = collect([root], course.sections)
    assert [(h.student.id, "x = 5" in h.text) for h in found.handed] == [("a", True)]
    assert {(u.student, u.why) for u in found.unplaced} >= {("b", "answer_not_a_notebook"), ("c", "answer_encoding")}


def test_clones_are_read_and_git_is_not(course, tmp_path):
    """A clone's answers lie where the course has them; what is in .git, and the course's own tests, is nobody's."""
    tree = "exercises/01_first/01_doubling"
    files = {f"hw1-{s}/{tree}/{f}": s for s in ("ann", "bob") for f in ("doubling.py", "test_examples.py")}
    root = _write(tmp_path / "clones", files | {"hw1-ann/.git/doubling.py": "", "hw1-bob/.git/hooks/doubling.py": ""})
    roster = parse(b"login,name\nann,Ann A\nbob,Bob B\n")
    found = collect([root], course.sections, roster)
    assert {h.student.id: h.text for h in found.handed} == {"ann": "ann", "bob": "bob"} and found.unplaced == []


def test_a_roster_names_everybody(course, tmp_path):
    """Files are found by id, name or e-mail; strangers are named, and so is who handed in nothing."""
    roster = parse("学号,姓名,邮箱\n1001,王小明,w@x.edu\n1002,Li Hua,lihua@x.edu\n1003,Zoë,z@x.edu\n".encode())
    names = ["王小明", "lihua", "stranger"]
    root = _write(tmp_path / "subs", {f"{n}/doubling.py": n for n in names})
    found = collect([root], course.sections, roster)
    assert {h.student.id: h.text for h in found.handed} == {"1001": "王小明", "1002": "lihua"}
    assert [(u.why, u.student) for u in found.unplaced] == [("not_on_roster", "stranger")]
    assert [s.name for s in found.missing] == ["Zoë"]


def test_when_it_was_handed_in(course, tmp_path):
    """Gradescope's metadata and a roster's column tell the time; of Canvas we know only that it was late."""
    made = [(0, "doubling", "a"), (1, "doubling", "b")]
    (tmp_path / "g.zip").write_bytes(zipped(_gradescope(made)))
    times = {h.student.id: h.at for h in collect([tmp_path / "g.zip"], course.sections).handed}
    assert times["0100"] == datetime(2026, 5, 1, 10, 0, 0, 123456, UTC)
    (tmp_path / "c.zip").write_bytes(zipped(_canvas(made)))
    late = {h.student.id: (h.marked_late, h.at) for h in collect([tmp_path / "c.zip"], course.sections).handed}
    assert late == {"100": (False, None), "101": (True, None)}
    zone = timezone(timedelta(hours=2))
    roster = parse(
        b"Identifier,Full name,Last modified (submission)\nParticipant 100,li.hua,2026-05-03 23:59\n"
        b'Participant 101,Jo,"Sunday, 3 May 2026, 11:59 PM"\n'
    )
    (tmp_path / "m.zip").write_bytes(zipped(_moodle(made)))
    told = {h.student.id: h.at for h in collect([tmp_path / "m.zip"], course.sections, roster, zone).handed}
    assert set(told.values()) == {datetime(2026, 5, 3, 23, 59, tzinfo=zone)} and len(told) == 2


def test_paths_that_are_not_there(course, tmp_path):
    """What was given and cannot be looked into is an error, since it was meant."""
    (tmp_path / "notes.txt").write_text("")
    for path, kind in ((tmp_path / "none", "collect_not_found"), (tmp_path / "notes.txt", "collect_no_kind")):
        with pytest.raises(CollectError) as e:
            collect([path], course.sections)
        assert e.value.kind == kind


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(lambda t: ("id,name\n" + t).encode()))
@QUICK
def test_any_bytes_are_a_roster_or_refused(data):
    """A roster is read, or refused with a reason; every student is found by his id."""
    try:
        roster = parse(data)
    except RosterError as e:
        assert e.kind.startswith("roster_")
        return
    assert all(s.id for s in roster.students) and len({s.id for s in roster.students}) == len(roster.students)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a,b\n1,2\n", "roster_no_column"),
        ("", "roster_no_column"),
        ("id\nx\nx\n", "roster_twice"),
        ("\0", "roster_encoding"),
        ("id,submitted at\nx,-\ny,5 May\n", "roster_time"),
        ("id,submitted at\nx,05/05/2026 10:00 AM\n", "roster_time"),
    ],
)
def test_what_is_no_roster(text, kind):
    """The reason is told."""
    with pytest.raises(RosterError) as e:
        parse(text.encode())
    assert e.value.kind == kind


def test_rosters_of_platforms():
    """Canvas's gradebook, Moodle's worksheet and Gradescope's roster are read as they are."""
    canvas = parse(
        b"Student,ID,SIS User ID,SIS Login ID,Section,HW (1)\n    Points Possible,,,,,10\n"
        b',,,,,Manual Posting\n"Hua, Li",4711,u123,lihua,S1,\n"Student, Test",4799,,x1,S1,\n'
    )
    assert [s.id for s in canvas.students] == ["u123"]
    assert canvas.find("4711") == canvas.find("HuaLi") == canvas.find("lihua") == canvas.students[0]
    moodle = parse("\ufeffIdentifier,Full name,Email address,Grade\nParticipant 88,Li Hua,l@x.edu,\n".encode())
    assert moodle.find("88") == moodle.students[0] and moodle.students[0].name == "Li Hua"
    scope = parse(b"First Name,Last Name,SID,Email,Role\nLi,Hua,0012,l@x.edu,Student\n")
    assert scope.students[0].id == "0012" and scope.students[0].name == "Li Hua" and scope.find("l@x.edu")


# -- nobody takes the place of somebody else


GRADESCOPE = """submission_7:
  :submitters:
  - {:name: Bob, :sid: '222', :email: bob@x.org}
  :created_at: 2020-01-01 00:00:00 Z
"""


def _whose(found):
    return {(h.student.id, h.section): h.text for h in found.handed}


@pytest.mark.parametrize("inside", ["submission_metadata.yml", "w/submission_metadata.yml"])
def test_metadata_in_an_answer_say_nothing(tmp_path, course, inside):
    """What a student puts into his own folder names neither him nor anybody else, nor when it was handed in."""
    mine = {inside: GRADESCOPE, "submission_7/doubling.py": "mine", "w/submission_7/doubling.py": "mine"}
    for name, text in {"bob/doubling.py": "bob's", **{f"mallory/{n}": t for n, t in mine.items()}}.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = collect([tmp_path / "class"], course.sections)
    assert _whose(found) == {("bob", "doubling"): "bob's", ("mallory", "doubling"): "mine"}
    assert not any(h.at for h in found.handed)


@pytest.mark.parametrize(
    "name", ["Bob_222_assignsubmission_file_/01_doubling/doubling.py", "x_222_1_doubling.py", "222/doubling.py"]
)
def test_names_in_an_answer_say_nothing(tmp_path, course, name):
    """A platform's names count where the platform puts them; deeper down anybody could have written them."""
    for path, text in {f"111/{name}": "mine", "222/doubling.py": "bob's"}.items():
        (tmp_path / "class" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "class" / path).write_text(text)
    whole = [tmp_path / "class"]
    each = [tmp_path / "class" / "111", tmp_path / "class" / "222"]
    for paths in (whole, each):
        found = _whose(collect(paths, course.sections))
        assert found[("222", "doubling")] == "bob's"


def test_an_ending_belongs_to_who_is_nearer(tmp_path, course):
    """`hw1-mallory-bob` ends as bob's clone does, and takes nothing from it; it is named."""
    roster = parse(b"login\nbob\n")
    for name in ("hw1-bob", "hw1-mallory-bob"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "doubling.py").write_text(name)
    found = collect([tmp_path / "class"], course.sections, roster)
    assert _whose(found) == {("bob", "doubling"): "hw1-bob"}
    assert [u.student for u in found.unplaced] == ["hw1-mallory-bob"]


@pytest.mark.parametrize("text", ["[" * 200_000, "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n"])
def test_metadata_that_would_bring_it_down(tmp_path, course, text):
    """Neither depth nor aliases cost more than that file."""
    (tmp_path / "submission_1").mkdir()
    (tmp_path / "submission_1" / "doubling.py").write_text("mine")
    (tmp_path / "submission_metadata.yml").write_text(text)
    assert "metadata" in {u.why for u in collect([tmp_path], course.sections).unplaced}


def test_archives_in_an_archive_share_its_room(tmp_path, course):
    """A student's archive of archives unpacks to no more than one archive may."""
    inner = zipped({"doubling.ipynb": b" " * (15 << 20)})
    (tmp_path / "class" / "li").mkdir(parents=True)
    (tmp_path / "class" / "li" / "hw.zip").write_bytes(zipped({f"{i}.zip": inner for i in range(8)}))
    found = collect([tmp_path / "class"], course.sections)
    assert sum(u.why.startswith("archive_") or u.why == "refused" for u in found.unplaced) >= 3


def _named(found, root):
    return {(Path(u.name).relative_to(root).as_posix(), u.why, u.student) for u in found.unplaced}


@pytest.mark.parametrize("packed", [False, True])
def test_what_could_have_been_an_answer_is_named(course, tmp_path, packed):
    """Another ending, an archive of another kind, a hidden folder with answers; never what programs put there, nor what
    is nobody's answer.
    """
    named = {
        "doubling.py.txt": "other_kind",
        "doubling.ipynb (1)": "other_kind",
        "doubling.docx": "other_kind",
        "a.rar": "other_archive",
        "b.7z": "other_archive",
        ".work/doubling.py": "hidden",
    }
    silent = [
        ".git/x.py",
        ".ipynb_checkpoints/doubling.ipynb",
        "README.txt",
        "x.pyc",
        "data.csv",
        ".github/w.yml",
        ".x.py",
    ]
    root = tmp_path / "class"
    mine = {"again.py": "x = 1\n", **dict.fromkeys([*named, *silent], "x")}
    if packed:
        _write(root, {"ann.zip": zipped(mine), "bob.zip": zipped({"again.py": "x = 2\n"})})
    else:
        _write(root, {f"ann/{name}": text for name, text in mine.items()} | {"bob/again.py": "x = 2\n"})
    found = collect([root], course.sections)
    where = "ann.zip" if packed else "ann"
    told = {(f"{where}/{name.removesuffix('/doubling.py')}", why, "") for name, why in named.items()}
    assert _named(found, root) == told and [h.student.id for h in found.handed] == ["ann", "bob"]


def test_whose_answers_could_not_be_taken(course, tmp_path):
    """Too big, a broken archive, a broken file in one: it is known whose they are, and nobody else is moved by it."""
    root = tmp_path / "class"
    whole = zipped({"doubling.py": "x = 1\n" * 99})
    torn = whole.replace(whole[40:50], b"\xff" * 10, 1)  # of what is packed
    _write(
        root, {"ann/doubling.py": "x = 1\n", "big/doubling.py": "#" * (1 << 20), "fay.zip": "broken", "tom.zip": torn}
    )
    for sections in (course.sections, course.sections[:1]):
        found = collect([root], sections)
        assert [h.student.id for h in found.handed] == ["ann"]
        assert {s.id for s in found.refused} == {"big", "fay", "tom"}
        assert {(name, student) for name, _, student in _named(found, root)} == {
            ("big/doubling.py", "big"),
            ("fay.zip", "fay"),
            ("tom.zip/doubling.py", "tom"),
        }


def test_an_empty_folder_holds_nothing(course, tmp_path):
    """Of a class, and of one student, who may have handed in nothing yet."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert collect([tmp_path], course.sections)[:2] == ([], [])
    assert of_student(tmp_path, course.sections, Student(id="li"), None)[:2] == ([], [])
