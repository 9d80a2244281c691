"""`learn export canvas` and `moodle`: marks reach the right cells, and nothing else in the sheet changes."""

import csv
import io
import os
import subprocess
import sys
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
import sheets
from hypothesis import given
from hypothesis import strategies as st

import cli
from grader.exports import canvas, moodle
from grader.exports.tables import Line, Sheet, SheetError, decimals, matched, number, rounded
from grader.gradebook import Gradebook, SectionNow, Standing
from grader.model import Student
from grader.scores import Score, Total

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = ("Identifier", "Grade", "Last modified (grade)", "Feedback comments")


def total(id, share=Fraction(1), name="", email="", *, handed=True, due=False):
    """A student with one section, worth six points."""
    who = Student(id=id, name=name, email=email)
    points = share * 6
    stands = Standing(
        who, "double", "1.1", "d", "", None, False, points, Fraction(6), due, "T3", {}, False, None, None, 1
    )
    score = Score("1.1", "double", points if handed else Fraction(0), Fraction(6), timedelta(), Fraction(1), stands)
    return Total(who, [score if handed else score._replace(standing=None)], share, due)


CANVAS = (
    b"\xef\xbb\xbfStudent,ID,SIS User ID,SIS Login ID,Section,"
    b"Homework 1 (70),Homework 2 (71),Current Score,Final Score\r\n"
    b",,,,,Manual Posting,,,\r\n"
    b"    Points Possible,,,,,10.00,17.50,(read only),(read only)\r\n"
    b'"Li, Hua",4711,u001,li.hua,A,9.00,,90.0,45.0\r\n'
    b'"O""Neil, =cmd()",4712,u002,on@x.edu,"A, B",,EX,,\r\n'
    b'"M\xc3\xbcller, Zo\xc3\xab",4713,,zoe,A,,"",,\r\n'
    b'"Student, Test",4799,,test,A,,,,\r\n'
)


def test_canvas_marks_reach_their_cells_and_nothing_else_changes():
    """By any of the ids; EX, blank cells, quotes, the byte order mark, the line endings and every other byte stay."""
    class_ = [total("4711", Fraction(3, 5)), total("u002"), total("zoe", Fraction(1, 3)), total("gone")]
    done = canvas.fill(CANVAS, "g.csv", class_, "Homework 2", Fraction(6))
    expected = CANVAS.replace(b"A,9.00,,90.0", b"A,9.00,10.50,90.0").replace(b'A,,"",,', b'A,,"5.83",,')
    assert done.data == expected
    assert (done.marks, done.most, done.column) == (2, Fraction("17.5"), "Homework 2 (71)")
    assert done.left == {"excused": ["u002"], "absent": ["gone"], "doubtful": [], "strangers": []}
    taken = sheets.canvas(done.data)
    assert [taken[i]["Homework 2 (71)"] for i in ("4711", "4712", "4713", "4799")] == ["10.50", "EX", "5.83", ""]


def test_nobody_is_given_a_mark_that_there_is_not():
    """Who handed in nothing, and who is not judged by the tests of now, keeps the cell as it was."""
    class_ = [total("4711", handed=False, share=Fraction(0)), total("zoe", due=True)]
    done = canvas.fill(CANVAS, "g.csv", class_, "Homework 1", Fraction(6))
    assert done.data == CANVAS and done.left["nothing"] == ["4711"] and done.left["due"] == ["zoe"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [("Homework 3", "sheet_no_column"), ("Current Score", "sheet_no_column"), ("Section", "sheet_no_column")],
)
def test_a_column_that_there_is_not_is_refused(column, kind):
    """With the near names, since Canvas would make an assignment of it; its own columns are none."""
    with pytest.raises(SheetError) as e:
        canvas.fill(CANVAS, "g.csv", [total("4711")], column, Fraction(6))
    assert e.value.kind == kind and "Homework 1 (70)" in e.value.params["found"]


def test_a_new_column_has_points():
    """`--new` adds it at the end of each line that needs it, with what the assignment is worth."""
    done = canvas.fill(CANVAS, "g.csv", [total("4711", Fraction(1, 2))], "Essay; part 1", Fraction(6), new=True)
    assert sheets.canvas(done.data)["4711"]["Essay; part 1"] == "3.00"
    assert sheets.canvas_points(done.data)["Essay; part 1"] == "6.00"
    assert sheets.canvas(done.data)["4712"]["Homework 2 (71)"] == "EX"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (b"17.50", b"(read only)", "sheet_read_only"),
        (b"17.50", b"", "sheet_no_points"),
        (b"17.50", b"0.00", "sheet_no_points"),
        (b"Points Possible", b"points", "sheet_no_points_row"),
        (b"Homework 1 (70)", b"Homework 2 (70)", "sheet_column_twice"),
        (b"Student,ID", b"Name,Number", "sheet_heads"),
        (b"\xc3\xbc", b"\xfc", "sheet_encoding"),
    ],
)
def test_a_canvas_sheet_that_cannot_be_filled(old, new, kind):
    """Each has its own words."""
    with pytest.raises(SheetError) as e:
        canvas.fill(CANVAS.replace(old, new), "g.csv", [total("4711")], "Homework 2", Fraction(6))
    assert e.value.kind == kind


def test_a_sheet_of_a_land_with_commas():
    """Semicolons stay, and the decimals are written as the sheet has them."""
    sheet = CANVAS.decode().replace(",", ";").replace(".50", ",50").replace(".0", ",0").encode()
    done = canvas.fill(sheet, "g.csv", [total("4711", Fraction(3, 5))], "Homework 2", Fraction(6))
    assert b";9,00;10,50;90,0" in done.data and sheets.canvas(done.data)["4711"]["Homework 2 (71)"] == "10.50"


MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 4711","Li Hua",li.hua@x.edu,"Submitted for grading - ",,10.00,Yes,"Monday, 4 May 2026, 1:00 PM",-,\n'
    '"Participant 4712","=cmd(), ""Eve""",eve@x.edu,"No submission - ",4.00,10.00,Yes,-,"Tuesday, 5 May",Well done\n'
    '"Participant 4713",Zoë Müller,zoe@x.edu,"Submitted for grading - ",,10.00,Yes,-,-,"1.1: 1/6; 2.2: –"\n'
)
GERMAN = (
    'ID,"Vollständiger Name",E-Mail-Adresse,Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",'
    '"Zuletzt geändert (Abgabe)","Zuletzt geändert (Bewertung)","Feedback als Kommentar"\n'
    'Teilnehmer/in4711,"Li Hua",li.hua@x.edu,Abgegeben,,"10,00",Ja,-,-,\n'
    'Teilnehmer/in4712,Eve,eve@x.edu,Abgegeben,"4,00","10,00",Ja,-,-,\n'
)
CHINESE = (
    "识别码,全名,Email地址,状态,成绩,最高成绩,允许更改成绩,最后修改（教师）\n"
    "参与者4711,李华,li.hua@x.edu,已提交,,100.00,是,-\n参与者4712,伊芙,eve@x.edu,已提交,,100.00,是,-\n"
)
FINNISH = (  # a language that nothing here knows
    'Tunniste,"Koko nimi",Sähköposti,Tila,Arviointi,Maksimi,Muokattavissa,"Viimeksi muutettu (arviointi)"\n'
    'Osallistuja4711,"Li Hua",li.hua@x.edu,Palautettu,,"20,00",Kyllä,-\nOsallistuja4712,Eve,e@x.edu,-,,"20,00",Ei,-\n'
)


def test_moodle_marks_reach_their_cells_and_nothing_else_changes():
    """By participant's number, e-mail address or name; times are not touched, nor is a comment that somebody wrote."""
    class_ = [total("4711", Fraction(2, 3)), total("eve@x.edu"), total("s3", Fraction(1, 2), name="Müller, Zoë")]
    done = moodle.fill(MOODLE.encode(), "w.csv", class_)
    expected = MOODLE.replace('grading - ",,10.00,Yes,"Monday', 'grading - ",6.67,10.00,Yes,"Monday')
    expected = expected.replace('PM",-,\n', 'PM",-,1.1: 4/6\n').replace(",4.00,10.00", ",10.00,10.00")
    expected = expected.replace(
        'grading - ",,10.00,Yes,-,-,"1.1: 1/6; 2.2: –"', 'grading - ",5.00,10.00,Yes,-,-,"1.1: 3/6"'
    )
    assert done.data.decode() == expected and done.marks == 3
    taken = sheets.moodle(done.data, ENGLISH, "Participant ", ".")
    assert taken == {4711: (Fraction("6.67"), "1.1: 4/6"), 4712: (10, "Well done"), 4713: (5, "1.1: 3/6")}


@pytest.mark.parametrize(
    ("text", "heads", "prefix", "mark", "most"),
    [
        (GERMAN, ("ID", "Bewertung", "Zuletzt geändert (Bewertung)", "x"), "Teilnehmer/in", ",", 10),
        (CHINESE, ("识别码", "成绩", "最后修改（教师）", "x"), "参与者", ".", 100),
        (FINNISH, ("Tunniste", "Arviointi", "Viimeksi muutettu (arviointi)", "x"), "Osallistuja", ",", 20),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_worksheet_in_the_sites_language(text, heads, prefix, mark, most, bom):
    """The headings are the site's, and so is the decimal mark; an unknown language is read by what the columns hold."""
    done = moodle.fill(bom + text.encode(), "w.csv", [total("4711", Fraction(1, 8)), total("4712", Fraction(0))])
    taken = sheets.moodle(done.data, heads, prefix, mark)
    assert [taken[n][0] for n in (4711, 4712)] == [Fraction(most, 8), 0]
    assert done.data.startswith(bom) and done.most == most


def test_moodle_takes_no_more_than_the_highest_grade():
    """It would skip such a line without a word; so the highest is written, and the student is named."""
    done = moodle.fill(MOODLE.encode(), "w.csv", [total("4711", Fraction(6, 5))])
    assert sheets.moodle(done.data, ENGLISH, "Participant ", ".")[4711][0] == 10 and done.capped == ["4711"]


@pytest.mark.parametrize(
    ("old", "new", "column", "kind"),
    [
        ("10.00", '"fail pass"', "", "sheet_scale"),
        ("Grade,", "Mark,", "Note", "sheet_no_column"),
        ("Participant", "", "", "sheet_no_worksheet"),
    ],
)
def test_a_worksheet_that_cannot_be_filled(old, new, column, kind):
    """A scale is no number; a column that there is not; nothing in it that is a participant."""
    text = MOODLE.replace(old, new) if old != "Participant" else MOODLE.partition("\n")[0] + "\n"
    with pytest.raises(SheetError) as e:
        moodle.fill(text.encode(), "w.csv", [total("4711")], column)
    assert e.value.kind == kind


# -- the commands


@pytest.fixture
def classroom(tmp_path, monkeypatch):
    """A folder with a gradebook in which Li Hua has three of twelve points, and the sheets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEARN_LANG", "en")
    with Gradebook("gradebook.sqlite") as book:
        book.begin([SectionNow("gradients", "2.2", "d", Fraction(12))], [], [Student(id="4711"), Student(id="zoe")])
        book.adjust("4711", "gradients", Fraction(3), "me", "on paper")
    (tmp_path / "canvas.csv").write_bytes(CANVAS)
    (tmp_path / "moodle.csv").write_bytes(MOODLE.encode())
    return tmp_path


def learn(*arguments):
    """`learn export …`; its exit code."""
    with pytest.raises(SystemExit) as end:
        cli.learn.main(["export", *arguments])
    return end.value.code


def test_the_sheet_itself_is_never_written_over(classroom, capsys):
    """The filled one is beside it, and once it is there it stays, as does anything else that is named by --out."""
    assert learn("canvas", "canvas.csv", "--column", "Homework 2") == 0
    done = (classroom / "canvas.graded.csv").read_bytes()
    assert (
        sheets.canvas(done)["4711"]["Homework 2 (71)"] == "4.38" and (classroom / "canvas.csv").read_bytes() == CANVAS
    )
    said = capsys.readouterr().out
    assert "canvas.graded.csv" in said and "marks written: 1" in said and "Handed in nothing" in said and "zoe" in said
    for out in ((), ("--out", "moodle.csv"), ("--out", "canvas.csv")):
        assert learn("canvas", "canvas.csv", "--column", "Homework 1", *out) == 2
    assert (classroom / "canvas.graded.csv").read_bytes() == done
    assert learn("moodle", "moodle.csv", "--out", "filled.csv") == 0
    assert sheets.moodle((classroom / "filled.csv").read_bytes(), ENGLISH, "Participant ", ".")[4711][0] == Fraction(
        "2.5"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("canvas", "none.csv", "--column", "x"), "none.csv"),
        (("canvas", ".", "--column", "x"), "directory"),
        (("canvas", "canvas.csv"), "--column"),
        (("canvas", "canvas.csv", "--column", "Homwork 2"), "Homework 2 (71)"),
        (("canvas", "moodle.csv", "--column", "Grade"), "Identifier"),
        (("canvas",), "SHEET"),
        (("moodle", "canvas.csv"), "Student"),
        (("moodle", "gradebook.sqlite"), "UTF-8"),
        (("csv", "--out", "canvas.csv"), "canvas.csv"),
        (("json", "--gradebook", "none.sqlite"), "none.sqlite"),
        (("gradescope", "--out", "."), "."),
        (("junit", "--out", "canvas.csv/x"), "canvas.csv"),
    ],
)
def test_bad_commands(classroom, capsys, arguments, said):
    """One clear line, exit 2, and nothing is written."""
    before = {p.name: p.read_bytes() for p in classroom.iterdir()}
    assert learn(*arguments) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1, told
    assert {p.name: p.read_bytes() for p in classroom.iterdir()} == before


# -- which line is whose


def test_a_number_that_means_something_else_there_gives_nobody_a_mark():
    """The class is known by its SIS ids; where one of them is somebody else's Canvas id, no mark goes there, whether
    its own line is there or not.
    """
    lines = [Line(3, ("101", "u1", "a"), "Ann"), Line(4, ("102", "u2", "b"), "Bob"), Line(5, ("103", "101", "c"), "Cy")]
    students = [Student(id="u1"), Student(id="u2"), Student(id="101", name="Cy")]
    assert matched(lines, students).rows == {"u1": 3, "u2": 4}
    left_the_class = matched(lines[:2], students)
    assert left_the_class.rows == {"u1": 3, "u2": 4} and [s.id for s in left_the_class.doubtful] == ["101"]


def test_names_count_only_where_they_are_unique():
    """Two of one name in the class or in the sheet are nobody's, and "Li, Hua" is "hua li"."""
    lines = [Line(1, ("1",), "Li, Hua"), Line(2, ("2",), "Ann"), Line(3, ("3",), "Ann"), Line(4, ("4",), "Bob")]
    students = [Student(id="a", name="hua li"), Student(id="b", name="Ann"), *(Student(id=i, name="Bob") for i in "cd")]
    found = matched(lines, students)
    assert found.rows == {"a": 1} and [s.id for s in found.absent] == ["b", "c", "d"]
    assert [line.row for line in found.strangers] == [2, 3, 4]


def test_a_line_that_two_lay_claim_to_is_nobodys():
    """An id of one and an e-mail address of the other: both are named."""
    found = matched([Line(1, ("7", "x@y.z"), "")], [Student(id="7"), Student(id="8", email="x@y.z")])
    assert found.rows == {} and [s.id for s in found.doubtful] == ["7", "8"]


# -- any sheet

# Python's csv module does not quote a "\r" alone, and then cannot read it.
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8) | st.sampled_from(
    ['a "b" c', "x, y", "x; y", "two\nlines", "two\r\nlines", "=cmd()", "+1", "李华", "é́", "", " ", "1.5"]
)


@given(st.text('ab",;\t\r\n ', max_size=40), st.sampled_from(",;\t"))
def test_cells_are_found_as_the_csv_module_finds_them(text, delimiter):
    """Whatever the file is like, each cell says what the csv module says, and an unchanged file is the same bytes."""
    sheet = Sheet(text.encode(), "s.csv", lambda _: True)
    assert sheet.changed({}) == text.encode()
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=","))
    assert [[c.text for c in row] for row in sheet.rows] == ([r or [""] for r in rows] or [[""]])


@given(
    st.lists(st.tuples(CELL, st.integers(1, 999_999), CELL), unique_by=lambda p: p[1], min_size=1, max_size=6),
    st.data(),
    st.sampled_from([",", ";"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.booleans(),
)
def test_any_class_comes_back_from_canvas(people, data, delimiter, ending, quoting, bom):
    """Whatever the names are like: the marks are those that were written, and all else reads as before."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerow(["Student", "ID", "SIS Login ID", "Section", "HW (1)", "Final Score"])
    writer.writerow(["Points Possible", "", "", "", "30.00", "(read only)"])
    for name, id, section in people:
        writer.writerow([f"x{name}", id, "", section, "", ""])
    before = ("\ufeff" if bom else "") + out.getvalue()
    shares = {str(id): data.draw(st.fractions(0, 1, max_denominator=97)) for _, id, _ in people}
    done = canvas.fill(before.encode(), "g.csv", [total(i, s) for i, s in shares.items()], "HW", Fraction(6))
    was, now = (list(csv.reader(io.StringIO(t, newline=""), delimiter=delimiter)) for t in (before, done.data.decode()))
    assert [r[:4] + r[5:] for r in was] == [r[:4] + r[5:] for r in now]
    for row in now[2:]:
        mark, exact = number(row[4]), shares[row[1]] * 30
        assert abs(mark - exact) <= Fraction(1, 100) and (mark == 30) == (exact == 30)
    empty = [[*r[:4], "", *r[5:]] for r in now[2:]]
    assert empty == was[2:]


@given(st.fractions(0, 2), st.fractions(Fraction(1, 100), 1000, max_denominator=1000))
def test_rounding(share, most):
    """Two decimals, halves to the even one; the highest mark is for those who have it all, and less is never more."""
    exact = share * most
    mark = rounded(exact, most)
    assert (mark >= most) == (exact >= most) and abs(mark - exact) <= Fraction(1, 100)
    assert number(decimals(mark)) == number(decimals(mark, ",")) == round(mark, 6)
    assert rounded(Fraction(1, 200), Fraction(1)) == 0 and rounded(Fraction(3, 200), Fraction(1)) == Fraction(2, 100)


def test_a_sheet_of_no_course_is_refused(classroom, capsys):
    """It would take minutes: one line, exit code 2, and nothing is written."""
    Path("canvas.csv").write_bytes(CANVAS + b'"x",1,2,3,4,5\n' * (1 << 20))
    assert learn("canvas", "canvas.csv", "--column", "Homework 2") == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "larger than 8 MB" in said.err
    assert not Path("canvas.graded.csv").exists()


@pytest.mark.parametrize("command", [("export", "csv"), ("scores", "--json"), ("scores",), ("export", "--help")])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written(classroom, command, unbuffered):
    """A full disk: one line that says so. A reader who has seen enough: not a word. Neither is our fault, nor a 1."""
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    line = [sys.executable, str(ROOT / "cli.py"), *command]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, env=env)
    assert done.returncode == 5 and done.stderr == "learn: the output could not be written: No space left on device\n"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, text=True, env=env)
    os.close(writer)
    assert (done.returncode, done.stderr) == (5, "")
