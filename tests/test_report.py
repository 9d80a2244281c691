"""`learn report`: what it says is so, whoever the students are; nothing of theirs is lost, and a browser shows it."""

import csv
import io
import json
import os
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import class_of
import pytest
import tiny_course
from bs4 import BeautifulSoup
from class_of import check
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cli
from grader.gradebook import Gradebook
from grader.model import Outcome, Student
from grader.report import _excerpt, file_names
from grader.reports.sentences import clean
from grader.roster import parse

# Made up, with what no page may take for its own.
ANSWER = """import torch


# --- task 1 ---
def double(x):
    return x < 3 & "</code><script>alert(1)</script>"


# --- end ---
def halve(x):
    return x
"""
HOSTILE = [
    Student(id="../../x", name="<script>alert('name')</script>"),
    Student(id="ann", name='"><img src=x onerror=alert(1)>'),
    Student(id="Ann", name="=HYPERLINK(1)"),
    Student(id="con", name="a & b"),
    Student(id="李华", name="李华"),
    Student(id="x" * 200, name=""),
]
WELL = [check(1, "seen", visible=True), check(1, "unseen"), check(2, "halves")]
TRIPLED = [check(1, "seen", visible=True), check(1, "unseen", False, mistake="doubled_twice"), check(2, "halves")]
ODD = [check(1, "seen", visible=True), check(1, "unseen", False), check(2, "halves", False)]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, English, and an empty current folder, for each test."""
    for name in [n for n in os.environ if n.startswith(("LEARN_", "LC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def course(tmp_path):
    """Two sections, 1.1 doubling and 1.2 again, five points each."""
    return tiny_course.write(tmp_path / "course")


@pytest.fixture
def learn(course, tmp_path):
    """learn("report") -> exit code, stdout, stderr."""

    def run(*arguments):
        done = CliRunner().invoke(cli.learn, ["--course", str(tmp_path / "course"), *arguments])
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def graded(course):
    """graded(answers) -> a gradebook in the current folder in which they stand."""

    def made(answers, people=()):
        class_of.judged("gradebook.sqlite", course, answers, {s.id: s for s in people}, ANSWER)

    return made


def soup(path):
    return BeautifulSoup(Path(path).read_text(encoding="utf-8"), "html.parser")


def rows(page, part):
    """The cells of the table below the heading with that id."""
    table = page.find(id=part).find_next("table")
    return [[c.get_text(" ", strip=True) for c in r.find_all(["th", "td"])] for r in table.tbody.find_all("tr")]


def test_every_file_and_what_is_in_it(learn, graded):
    """The page, the tables and a page for each student, and they all say the same."""
    graded({("ann", "doubling"): WELL, ("bob", "doubling"): TRIPLED, ("cas", "again"): ODD}, [Student(id="zoe")])
    code, out, err = learn("report")
    assert code == 0 and not err and out.endswith("report/index.html\n")
    names = {p.relative_to("report").as_posix() for p in Path("report").rglob("*") if p.is_file()}
    pages = {f"students/{s}.html" for s in ("ann", "bob", "cas", "zoe")}
    assert names == {"index.html", "scores.csv", "scores.json", "tests.csv", ".learn-files.json", *pages}
    told = json.loads(Path("report/scores.json").read_text(encoding="utf-8"))
    assert (told["schema"], told["count"], told["active"]) == ("learn/report/v1", 4, 3)
    shares = {s["id"]: Fraction(s["share"]) for s in told["students"]}
    assert shares == {"ann": Fraction(1, 2), "bob": Fraction(3, 10), "cas": 0, "zoe": 0}
    assert told["mistakes"][0]["name"] == {"en": "You doubled twice (en).", "zh": "You doubled twice (zh)."}
    page = soup("report/index.html")
    assert {r[1]: r[2] for r in rows(page, "students")} == {"ann": "50%", "bob": "30%", "cas": "0%", "zoe": "0%"}
    assert rows(page, "sections")[0][:6] == ["1.1 Doubling", "2", "80%", "80%", "1", "0"]
    assert rows(page, "attention")[0][0] == "zoe"
    tests = list(csv.DictReader(io.StringIO(Path("report/tests.csv").read_text(encoding="utf-8-sig"))))
    assert [(t["section"], t["test"], t["answers"], t["passed"]) for t in tests[:3]] == [
        ("1.1", "seen", "2", "2"), ("1.1", "unseen", "2", "1"), ("1.1", "halves", "2", "2"),
    ]  # fmt: skip
    assert len(rows(page, "tests")) == len(tests) == len(told["tests"]) == 6
    students = list(csv.DictReader(io.StringIO(Path("report/scores.csv").read_text(encoding="utf-8-sig"))))
    assert {s["student"]: s["percent"] for s in students} == {"ann": "50", "bob": "30", "cas": "0", "zoe": "0"}
    assert (Path("report") / told["students"][1]["feedback"]).is_file()


def test_the_documented_json(learn, graded):
    """What docs/classes.md says of scores.json is what it holds, key by key."""
    graded({("ann", "doubling"): TRIPLED, ("bob", "doubling"): WELL}, [Student(id="zoe")])
    learn("report")
    told = json.loads(Path("report/scores.json").read_text(encoding="utf-8"))
    text = (Path(__file__).parents[1] / "docs" / "classes.md").read_text(encoding="utf-8")
    rows_ = re.findall(r"(?m)^\| (`\w+`(?:, `\w+`)*) \| (.*) \|$", text.partition("### scores.json")[2])
    documented = {key: said for keys, said in rows_ for key in re.findall(r"\w+", keys)}
    assert documented.keys() == told.keys()
    for key in ("sections", "tasks", "tests", "mistakes", "concerns"):
        assert set(told[key][0]) <= set(re.findall(r"`(\w+)`", documented[key])), key
    assert all(f"`{key}`" in text for key in told["totals"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_most_planted_mistakes_come_first(learn, graded, course, lang):
    """On the page, in the JSON and at the terminal, by the number of their students, under the names that they have."""
    planted = {"summed": 9, "fifth": 2, "fourth": 4, "doubled_twice": 7, "third": 5, "rare": 1}
    for one in ("en", "zh"):
        with (course["doubling"].hidden / f"mistakes.{one}.md").open("a", encoding="utf-8") as f:
            f.writelines(f"\n## {name}\nName of `{name}`. And more.\n" for name in ("third", "fourth", "fifth", "rare"))
    made = [m for m, count in planted.items() for _ in range(count)]
    answers = {
        (f"s{i:02d}", "doubling"): [check(1, "t", False, mistake=m), check(1, "u", False, mistake=m), check(2, "v")]
        for i, m in enumerate(made)
    }
    graded(answers)
    code, out, _ = learn("report", "--lang", lang)
    first = sorted(planted, key=lambda m: -planted[m])[:5]
    page = soup("report/index.html")
    assert [r[0].split()[-1] for r in rows(page, "mistakes")][:5] == first
    assert [int(r[1]) for r in rows(page, "mistakes")] == sorted(planted.values(), reverse=True)
    assert "Name of third." in page.find(id="mistakes").find_next("table").text
    told = json.loads(Path("report/scores.json").read_text(encoding="utf-8"))
    assert [(m["id"], len(m["students"])) for m in told["mistakes"][:5]] == [(m, planted[m]) for m in first]
    assert code == 0 and re.findall(r"(?m)^  \d+  1\.1  (\w+)", out) == first


def test_a_test_that_looks_broken_is_named(learn, graded):
    """At the terminal and on the page, with how many right answers fail it."""
    right = [check(1, "a"), check(1, "b"), check(2, "c"), check(2, "odd_one")]
    graded({(f"s{i}", "doubling"): [*right[:3], check(2, "odd_one", i < 4)] for i in range(10)})
    _, out, _ = learn("report")
    assert "odd_one" in out and "6 of 10" in out
    (broken,) = [r for r in rows(soup("report/index.html"), "tests") if "Looks broken" in r[-1]]
    assert "odd_one" in broken[0] and "6 of 10" in broken[-1] and broken[5] == "40%"


def test_hostile_students(learn, graded):
    """A name, an id or an answer is text: it makes no element, no file elsewhere and no formula; ids that differ by
    case have a page each.
    """
    graded({(s.id, "doubling"): [check(1, "a", False, visible=True, where=6), check(2, "b")] for s in HOSTILE}, HOSTILE)
    code, _, err = learn("report", "deep/er")
    assert code == 0, err
    assert {p.name for p in Path.cwd().iterdir()} == {"gradebook.sqlite", "deep"}
    folder = Path("deep/er/students").resolve()
    told = json.loads(Path("deep/er/scores.json").read_text(encoding="utf-8"))["students"]
    files = [Path("deep/er", t["feedback"]).resolve() for t in told]
    assert len({str(f).lower() for f in files}) == len(HOSTILE) and all(f.parent == folder for f in files)
    page = soup("deep/er/index.html")
    assert len(page.find_all("script")) == 1 and not page.find_all("img")
    links = [Path("deep/er", a["href"]) for a in page.select("table.students a")]
    assert len(links) == len(HOSTILE) and all(link.is_file() for link in links)
    for student, file in ((s, f) for s in HOSTILE for t, f in zip(told, files, strict=True) if t["id"] == s.id):
        shown = soup(file)
        assert not shown.find_all(["script", "img"]) and (student.name or student.id) in shown.text
        assert "</code><script>alert(1)</script>" in shown.select_one("pre.lines").text
        assert shown.select_one("pre.lines i.here").text == "6"
    with Path("deep/er/scores.csv").open(encoding="utf-8-sig") as f:
        assert {s["name"] for s in csv.DictReader(f)} >= {"'=HYPERLINK(1)"}


@given(st.lists(st.text(max_size=30), unique=True))
def test_names_of_files(ids):
    """Each its own, also where case makes no difference, and none leads out of its folder or is a device's."""
    names = file_names(ids)
    assert len({n.casefold() for n in names.values()}) == len(ids) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", n) and len(n) < 70 for n in names.values())
    assert not any(re.match(r"(?i)(con|nul)(\.|$)", n) for n in names.values())


def test_a_name_that_another_would_be_given():
    """Who is called as a file of somebody else's would be, has another file."""
    (other,) = file_names(["../x"]).values()
    assert len(set(file_names(["../x", other]).values())) == 2


@given(
    st.text(st.sampled_from("def double(x):\n\r\t '\"#\x0c\u2028\ud800<&é"), max_size=80),
    st.integers(0, 99),
    st.booleans(),
)
def test_lines_of_any_answer(text, where, marked):
    """Never an error, whatever stands there; numbered as Python numbers them, and each line in one element."""
    answer = f"# --- task 1 ---\n{text}\n# --- end ---\n" if marked else text
    lines = re.split(r"\r\n|\r|\n", answer)
    for n, html, here in _excerpt(answer, where or None, 1, "double"):
        shown = BeautifulSoup(f"<pre>{html}</pre>", "html.parser").text
        assert shown == clean(lines[n - 1])[:200] and here == (n == where)
        assert html.count("<span") == html.count("</span>")


def test_an_answer_that_is_no_text(learn, graded, course):
    """What cannot be written as UTF-8 is replaced, and costs nobody the report."""
    answers = {("ann", "doubling"): [check(1, "a", False, visible=True, where=1), check(2, "b")]}
    class_of.judged("gradebook.sqlite", course, answers, text="x = '\udcff\x1b[31m\0'")
    assert learn("report")[0] == 0
    assert "x = '?'" in soup("report/students/ann.html").select_one("pre.lines").text


RULES = {"hidden": (False, False, False), "after_due_date": (False, True, True), "visible": (True, True, True)}


@pytest.mark.parametrize("rule", [*RULES, "after_published"])
def test_hidden_tests(learn, graded, rule):
    """Until they may be seen, hidden tests are counted, and neither what they check nor what came out is told; what is
    known of the mistake is.
    """
    graded({("ann", "doubling"): TRIPLED, ("bob", "doubling"): ODD})
    now = datetime.now(UTC)
    for i, (due, more) in enumerate([(1, []), (-1, []), (-1, ["--published"])]):
        due_date = (now + timedelta(days=due)).isoformat()
        Path("hw.yaml").write_text(f"sections: [1.1]\nhidden_tests: {rule}\ndue: {due_date}\n")
        assert learn("report", "--assignment", "hw.yaml", *more)[0] == 0
        ann, bob = soup("report/students/ann.html").text, soup("report/students/bob.html").text
        shown = RULES.get(rule, (False, False, True))[i]
        assert "hidden tests: 0 of 1 passed" in ann and "examples: 1 of 1 passed" in ann
        assert "You doubled twice (en)." in ann
        assert ("Promise of unseen" in ann) == ("Promise of unseen" in bob) == ("Promise of halves" in bob) == shown
        assert ("none of the known mistakes was recognised" in bob) == (not shown)
        assert ("the values are not" in bob) == shown


def test_feedback(learn, graded, course):
    """Points for each task, the explanation beside the learner's own lines, a person's points with why, lateness."""
    passed = [check(1, "seen", visible=True), check(2, "halves", outcome=Outcome.NOT_WRITTEN, kind="not_written")]
    graded({("ann", "doubling"): TRIPLED, ("ann", "again"): passed})
    with Gradebook("gradebook.sqlite") as book:
        book.adjust("ann", "again", Fraction(7, 2), "prof", "told me <how>")
    due = (class_of.AT - timedelta(hours=30)).isoformat()
    Path("hw.yaml").write_text(
        f"title: Homework 2\nsections: {{1.1: 5, 1.2: 10}}\ndue: {due}\nlate: {{percent_per_day: 10}}\n",
        encoding="utf-8",
    )
    assert learn("report", "--assignment", "hw.yaml")[0] == 0
    page = soup("report/students/ann.html")
    assert page.h1.text == "Homework 2" and page.html["lang"] == "en"
    shown = [[c.get_text(" ", strip=True) for c in r.find_all(["th", "td"])] for r in page.table.tbody.find_all("tr")]
    late = "Handed in 30 h 00 min late."
    assert shown[0] == ["1.1 Doubling", "2.4/5", "2.4 of 5", f"{late} 20% of the points are taken off for it: 0.6."]
    by_hand = "3.5 points were given by hand. The tests gave 2. Why: told me <how>"
    assert shown[1] == ["1.2 Doubling again", "3.5/5", "7 of 10", f"{by_hand} {late}"]
    assert page.caption.text == "Together: 9.4 of 15 points (62%)" and "Due 20" in page.h1.find_next("p").text
    task, other, *_ = page.select("article")
    assert task.h3.text == "✗ task 1 double 0/2" and other.h3.text == "✓ task 2 halve 3/3"
    assert task.em is None and task.strong.text == "twice" and "You doubled twice (en)." in task.text
    assert [i.text for i in task.select("pre.lines i")] == ["5", "6"] and "return x < 3" in task.text
    assert task.select_one("pre.lines .k").text == "def"
    assert page.select("article")[3].get("class") == ["task", "quiet"]


def test_a_file_that_cannot_run(learn, graded):
    """What is wrong with all of it is told once, at its line, and of no task."""
    whole = [check(t, n, False, kind="syntax", where=6, params={"message": "no"}) for t, n in ((1, "a"), (2, "b"))]
    graded({("ann", "doubling"): whole})
    assert learn("report")[0] == 0
    page = soup("report/students/ann.html")
    assert not page.select("article") and len(page.select("pre.lines")) == 1
    assert "Python cannot read the file" in page.text


def test_in_the_students_language(learn, graded):
    """The roster's column says it, else the command's language; `--feedback-lang` goes first."""
    graded({(s, "doubling"): WELL for s in ("ann", "bob", "cas")})
    Path("roster.csv").write_text("login,name,Language\nann,Ann,Chinese\nbob,Bob,en-GB\ncas,Cas,fr\n", encoding="utf-8")
    expected = {(): "en en en", ("--roster", "roster.csv"): "zh en en", ("--feedback-lang", "zh"): "zh zh zh"}
    for more, langs in expected.items():
        assert learn("report", *more)[0] == 0
        assert [soup(f"report/students/{s}.html").html["lang"] for s in ("ann", "bob", "cas")] == langs.split()
        assert soup("report/index.html").html["lang"] == "en"
    assert "Task 1" not in soup("report/students/ann.html").text and "任务 1" in soup("report/students/ann.html").text
    learn("report", "--roster", "roster.csv", "--lang", "zh")
    assert soup("report/students/cas.html").html["lang"] == soup("report/index.html").html["lang"] == "zh"


@pytest.mark.parametrize(("said", "lang"), [("zh-CN", "zh"), ("中文", "zh"), ("English", "en"), ("fr", ""), ("", "")])
def test_languages_of_a_roster(said, lang):
    """As people write them; one that we do not speak is none."""
    roster = parse(f"学号,语言\n1,{said}\n".encode())
    assert roster.lang(roster.students[0]) == lang


def test_nobodys_file_is_overwritten(learn, graded):
    """A file of another's, or a page that somebody wrote into, stops it with one line; its own are replaced, and the
    page of who is gone goes.
    """
    graded({("ann", "doubling"): WELL, ("bob", "doubling"): WELL})
    assert learn("report")[0] == 0 and learn("report", "--lang", "zh")[0] == 0
    Path("report/notes.txt").write_text("mine")
    Path("report/index.html").write_text("mine")
    code, out, err = learn("report", "--lang", "en")
    assert code == 2 and not out and err.count("\n") == 1 and "index.html" in err
    assert Path("report/index.html").read_text() == "mine"
    Path("report/index.html").unlink()
    Path("gradebook.sqlite").unlink()
    graded({("bob", "doubling"): WELL})
    assert learn("report")[0] == 0
    assert [p.name for p in Path("report/students").iterdir()] == ["bob.html"]
    assert Path("report/notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--feedback-lang", "fr"),
        ("--roster", "none.csv"),
        ("--assignment", "none.yaml"),
        ("--gradebook", "none.sqlite"),
        ("gradebook.sqlite",),
        ("gradebook.sqlite/below",),
    ],
)
def test_bad_commands(learn, graded, arguments):
    """One clear line, exit 2, and nothing is written."""
    graded({("ann", "doubling"): WELL})
    code, out, err = learn("report", *arguments)
    assert code == 2 and not out and err.count("\n") == 1 and err.startswith("learn"), err
    assert [p.name for p in Path.cwd().iterdir()] == ["gradebook.sqlite"]


def test_before_anything_was_judged(learn, graded):
    """A class of whom nobody has handed in anything, and one of nobody, are reports too."""
    graded({}, [Student(id="ann")])
    assert learn("report")[0] == 0
    assert "Nothing was handed in." in soup("report/students/ann.html").text
    Path("gradebook.sqlite").unlink()
    graded({})
    code, out, _ = learn("report", "other")
    assert code == 0 and out.startswith("Students: 0")


def a_class(graded):
    """Thirty students, three of them hostile, in two sections."""
    people = [*HOSTILE[:3], *(Student(id=f"s{i:02d}", name=f"Student {i:02d}") for i in range(27))]
    kinds = [WELL, TRIPLED, ODD]
    answers = {(p.id, "doubling"): kinds[i % 3] for i, p in enumerate(people)}
    graded(answers | {(p.id, "again"): kinds[i % 2] for i, p in enumerate(people)}, people)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_in_a_browser(learn, graded, chromium, width, scheme, lang):
    """From a file, offline: nothing is asked of the network and nothing complains; the page is as wide as the screen;
    light or dark as asked for; a click sorts and a word narrows.
    """
    a_class(graded)
    assert learn("report", "--lang", lang)[0] == 0
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, has_touch=width < 400
    )
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("dialog", lambda d: said.append(d.message))
    page.goto(Path("report/index.html").resolve().as_uri())
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground != "rgb(255, 255, 255)") == (scheme == "dark")

    students = page.locator("table.students")
    total = students.locator("thead th").nth(2)

    def column(i):
        return [float(v) for v in students.locator(f"tbody tr > :nth-child({i})").evaluate_all(
            "cells => cells.map(c => c.dataset.v)")]  # fmt: skip

    total.get_by_role("button").click()
    assert total.get_attribute("aria-sort") == "descending" and column(3) == sorted(column(3), reverse=True)
    total.get_by_role("button").press("Enter")
    assert total.get_attribute("aria-sort") == "ascending" and column(3) == sorted(column(3))
    students.locator("thead th").nth(1).get_by_role("button").click()
    ids = students.locator("tbody tr > :nth-child(2)").all_text_contents()
    assert total.get_attribute("aria-sort") is None and ids[-1] == "s26" and len(ids) == 30

    page.get_by_role("searchbox").fill("student 07")
    assert students.locator("tbody tr:visible").count() == 1
    assert re.search(r"\d", page.locator("#found").text_content())
    assert not page.locator("#sections").is_visible()
    page.get_by_role("searchbox").fill("no such thing")
    assert page.locator("tbody tr:visible").count() == 0 and page.evaluate(wide) <= width
    page.get_by_role("searchbox").fill("")
    assert students.locator("tbody tr:visible").count() == 30 and page.locator("#sections").is_visible()

    page.locator("#mistakes ~ div summary").first.click()
    assert page.locator("#mistakes ~ div .names a").first.is_visible() and page.evaluate(wide) <= width
    page.locator("#mistakes ~ div .names a").first.click()
    assert "/students/" in page.url and page.locator("article").first.is_visible() and page.evaluate(wide) <= width
    assert not said and all(url.startswith(("file:", "data:")) for url in asked)
    context.close()


@pytest.mark.slow
def test_without_script_and_on_paper(learn, graded, chromium):
    """Without scripts the tables are all there, and no control that would do nothing; on paper they are whole, without
    colours on the ground, and without what only a screen can do.
    """
    a_class(graded)
    assert learn("report")[0] == 0
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(Path("report/index.html").resolve().as_uri())
    assert page.locator("table.students tbody tr").count() == 30
    assert not page.get_by_role("searchbox").is_visible() and page.locator("th button").count() == 0
    context.close()
    context = chromium.new_context(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(Path("report/index.html").resolve().as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.get_by_role("searchbox").is_visible()
    sizes = "boxes => boxes.map(b => [b.scrollHeight - b.clientHeight, b.scrollWidth - b.clientWidth])"
    assert all(max(size) <= 1 for size in page.locator(".scroll").evaluate_all(sizes)), "something is cut off"
    assert page.pdf(format="A4").count(b"/Type /Page\n") >= 2
    context.close()


@pytest.mark.slow
def test_for_a_keyboard_and_a_screen_reader(learn, graded, chromium):
    """Every table has a caption, every head a scope; what scrolls can be reached and has a name; headings go down by
    one; each control has a label.
    """
    a_class(graded)
    assert learn("report")[0] == 0
    for path in (Path("report/index.html"), Path("report/students/s01.html")):
        page = soup(path)
        for table in page.find_all("table"):
            assert table.caption.text.strip() and all(th.get("scope") in ("col", "row") for th in table.find_all("th"))
            assert table.parent.get("tabindex") == "0" and table.parent.get("role") == "region"
            assert page.find(id=table.parent["aria-labelledby"])
        levels = [int(h.name[1]) for h in page.find_all(["h1", "h2", "h3"])]
        assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))
        ids = [e["id"] for e in page.find_all(id=True)]
        assert len(ids) == len(set(ids)) and page.html["lang"] == "en"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(Path("report/index.html").resolve().as_uri())
    assert page.get_by_label("Search all tables").is_visible()
    reached = set()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"search", "BUTTON", "DIV", "A"} <= reached
    context.close()


@pytest.mark.slow
def test_a_large_class(learn, graded):
    """A page grows with the class and no faster: three hundred students' report stays small."""
    graded({(f"s{i:03d}", s): [WELL, TRIPLED, ODD][i % 3] for i in range(300) for s in ("doubling", "again")})
    assert learn("report")[0] == 0
    sizes = [p.stat().st_size for p in Path("report").rglob("*") if p.is_file()]
    assert sum(sizes) < 8 << 20 and max(sizes) < 1 << 20
