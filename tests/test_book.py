"""The pages that a browser shows: the lessons, and the road so far."""

import os
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
import tiny_course
from bs4 import BeautifulSoup
from click.testing import CliRunner

import cli
from grader import book, guide
from grader.model import Check, Outcome, Sandbox, Tier, Verdict
from grader.progress import Progress, path_for
from grader.reports import charts, plain

LESSON = """# 1.1 Doubling, {lang}

A **tensor** and $x^2$, <script>alert(1)</script>, [docs](https://pytorch.org/docs), [bad](https://evil.example/x),
[next](../02_again/lesson.{lang}.md), [file](doubling.py).

```python
import torch  # a comment
```

![the road]({picture})
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, English, and no browser, for each test."""
    for name in [n for n in os.environ if n.startswith(("LEARN_", "LC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BROWSER", "false %s")  # a program that cannot show anything
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def course(tmp_path):
    """The tiny course, with a lesson that has everything in it."""
    made = tiny_course.write(tmp_path / "course")
    with (tmp_path / "course/exercises/course.yaml").open("a") as f:
        f.write("hosts: [pytorch.org]\n")
    folder = made["doubling"].folder
    for lang in ("en", "zh"):
        (folder / f"lesson.{lang}.md").write_text(LESSON.format(lang=lang, picture="road.svg"), encoding="utf-8")
    (folder / "road.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return type(made).at(tmp_path / "course")


@pytest.fixture
def learn(course, tmp_path):
    """learn("read") -> exit code, stdout, stderr."""

    def run(*arguments):
        done = CliRunner().invoke(cli.learn, ["--course", str(tmp_path / "course"), *arguments])
        return done.exit_code, done.stdout, done.stderr

    return run


def record(slug, *outcomes, points="5", at=None):
    checks = tuple(Check(name="t", task=i, visible=False, outcome=o) for i, o in enumerate(outcomes, 1))
    verdict = Verdict(
        section=slug, section_digest="s", submission_digest="d", checks=checks, points=points, max_points="5",
        sandbox=Sandbox(tier=Tier.T3), versions={},
    )  # fmt: skip
    with Progress(path_for("tiny", os.environ)) as progress:
        progress.record(verdict, at)


PASSED = (Outcome.PASSED, Outcome.PASSED)


def soup(path):
    return BeautifulSoup(Path(path).read_text(encoding="utf-8"), "html.parser")


def written(out):
    """The path at the end of what was said."""
    return Path(re.search(r"(\S+\.html)$", out.strip())[1]).absolute()


def sound(page):
    """Every page: nothing from elsewhere, nothing that runs, every picture in words, ids once."""
    assert not page.find_all(["script", "iframe", "object", "link", "base", "form"])
    policy = page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'") and "script" not in policy
    for image in page.find_all("img"):
        assert image["src"].startswith("data:image/svg+xml;base64,") and image["alt"]
    for drawing in page.find_all("svg"):
        assert drawing["role"] == "img" and drawing["aria-label"] and drawing.title.string
    ids = [e["id"] for e in page.find_all(id=True)]
    assert len(ids) == len(set(ids)) and not [a for e in page.find_all() for a in e.attrs if a.startswith("on")]
    assert page.html["lang"] and page.title.string.strip() and page.find("meta", {"name": "viewport"})
    for part in page.select("div.tongue"):
        levels = [int(h.name[1]) for h in part.find_all(["h1", "h2", "h3"])]
        assert levels[:1] == [1] and all(b - a <= 1 for a, b in pairwise(levels))
        assert len(part.find_all("main")) == 1


def test_a_lesson_as_a_page(learn, home):
    """One file in the learner's home: both languages, code coloured, formulas as MathML, links where they may lead."""
    code, out, err = learn("read", "1.1", "--browser")
    assert code == 0 and not err
    path = written(out)
    assert path.parent == home / "tiny" / "pages"
    page = soup(path)
    sound(page)
    assert page.html["lang"] == "en" and [d["lang"] for d in page.select("div.tongue")] == ["zh", "en"]
    english = page.find(id="en")
    assert english.find("math") and english.select_one("pre.code .kn").string == "import"
    assert "<script>alert(1)</script>" in english.text
    links = {a.text.strip(): a["href"] for a in english.find("article").find_all("a")}
    assert links == {"docs": "https://pytorch.org/docs", "next": "again.html#en"}
    assert "learn check 1.1" in english.text


def test_pages_lead_to_each_other(learn):
    """Previous and next, both languages and the road: every link within leads to a page that is there."""
    first = written(learn("read", "1.1", "--browser")[1])
    seen = {p.name: soup(p) for p in first.parent.glob("*.html")}
    assert set(seen) == {"doubling.html", "again.html", book.ROAD}
    for page in seen.values():
        sound(page)
        for target in (a["href"] for a in page.find_all("a") if not a["href"].startswith("https:")):
            name, _, fragment = target.partition("#")
            assert (seen[name] if name else page).find(id=fragment), target
    turns = {a["rel"][0]: a["href"] for a in seen["again.html"].find(id="zh").select("nav.turn a")}
    assert turns == {"prev": "doubling.html#zh"}


def test_in_chinese(learn):
    """Whoever reads Chinese is shown Chinese first; what a page says is in each language throughout."""
    page = soup(written(learn("read", "1.1", "--browser", "--lang", "zh")[1]))
    assert page.html["lang"] == "zh" and page.select("div.tongue.first")[0]["id"] == "zh"
    assert re.search("[\u4e00-\u9fff]", page.title.string)
    assert page.find(id="zh").select_one("[aria-current]").string == "中文"
    assert not re.search("[\u4e00-\u9fff]", page.find(id="en").text.replace("中文", ""))


def test_a_lesson_in_one_language(learn, course):
    """Where there is no translation, there is no switch, and the page is in the language that there is."""
    (course["again"].folder / "lesson.zh.md").unlink()
    page = soup(written(learn("read", "1.2", "--browser", "--lang", "zh")[1]))
    sound(page)
    assert page.html["lang"] == "en" and [d["lang"] for d in page.select("div.tongue")] == ["en"]


def test_a_home_that_cannot_be_written(learn, tmp_path, monkeypatch):
    """The page is then in a folder for temporary files, and told."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    code, out, err = learn("read", "1.1", "--browser")
    assert code == 0 and err.count("\n") == 1 and "LEARN_HOME" in err
    assert written(out).is_file() and tmp_path in written(out).parents


def test_no_lesson_at_all(learn, course):
    """One line says which file is missing, and no page is left behind."""
    for lang in ("en", "zh"):
        (course["again"].folder / f"lesson.{lang}.md").unlink()
    code, out, err = learn("read", "1.2", "--browser")
    assert code == 2 and not out and err.count("\n") == 1 and "lesson.en.md" in err


def test_the_road(learn):
    """A picture of all sections with words for it, a curve of the points, and all of it as a table too."""
    began = datetime(2026, 3, 1, 9, tzinfo=UTC)
    record("doubling", Outcome.PASSED, Outcome.FAILED, points="2", at=began)
    record("doubling", *PASSED, at=began + timedelta(minutes=7))
    record("again", Outcome.FAILED, points="0", at=began + timedelta(days=2))
    page = soup(written(learn("progress", "--html")[1]))
    sound(page)
    english = page.find(id="en")
    road, curve = english.find_all("svg")
    assert "1 of 2 sections passed" in road["aria-label"] and {t.string for t in road.find_all("text")} >= {
        "1.1",
        "1.2",
    }
    assert "from 0 to 5" in curve["aria-label"]
    rows = [[c.get_text(" ", strip=True) for c in r.find_all(["th", "td"])] for r in english.find_all("tr")]
    assert ["1.1 Doubling", "passed", "5/5", "7 min"] in rows
    assert ["1.2 Doubling again", "begun you are here", "0/5", "15 min"] in rows
    assert english.progress["value"] == "5.0" and english.progress["max"] == "10.0"


def test_the_road_before_the_first_step(learn):
    """Nothing tried yet: the sections, no curve, no times."""
    page = soup(written(learn("progress", "--html")[1]))
    sound(page)
    assert len(page.find(id="en").find_all("svg")) == 1 and "0 of 2" in page.find(id="en").text


def test_progress_in_words(learn):
    """`learn progress` and `learn list`: chapters with bars, points and time; when, and what is next."""
    began = datetime(2026, 3, 1, 9, tzinfo=UTC)
    record("doubling", *PASSED, at=began)
    record("again", Outcome.FAILED, points="0", at=began + timedelta(minutes=5))
    _, out, _ = learn("progress")
    assert re.search(r"First chapter +\[#####-----\]  1/2  5/10 points  5 min", out)
    assert "Checks: 2" in out and "You are at 1.2" in out and "learn progress --html" in out
    _, out, _ = learn("list")
    assert re.search(r"… begun +1\.2  0/5 .* 5 min  <- you are here", out)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [32, 40, 50, 60, 80, 200])
def test_a_list_fits_its_terminal(learn, monkeypatch, width, lang):
    """No line of `learn list` or `learn progress` is wider than the terminal or 80; each section has its line."""
    record("doubling", *PASSED, at=datetime(2026, 3, 1, 9, tzinfo=UTC))
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = learn("list", "--lang", lang)
    cells = [sum(2 if ord(c) > 0x2E7F else 1 for c in line) for line in out.splitlines()]
    assert max(cells[3:]) <= min(width, 80)
    assert re.search(r"1\.1 +5/5", out) and re.search(r"1\.2 +0/5", out)


def test_time_at_work(tmp_path, course):
    """Each check counts the time since the one before, of any section, at most a quarter of an hour; a clock that is
    set back counts nothing.
    """
    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    for slug, minutes in (("doubling", 0), ("doubling", 10), ("again", 12), ("doubling", 600), ("again", 599)):
        record(slug, Outcome.FAILED, points="1", at=at + timedelta(minutes=minutes))
    with Progress(path_for("tiny", os.environ)) as progress:
        road = guide.road(course, progress)
    assert [p.spent for p in road.whole.places] == [timedelta(minutes=25), timedelta(minutes=2)]
    assert road.whole.spent == timedelta(minutes=27) and road.whole.attempts == 5
    assert [points for _, points in road.history] == [1, 1, 2, 2, 2] and road.chapters[0].points == Fraction(2)


def test_homework_weighs_the_curve_too(tmp_path, course):
    """The curve ends where the table does: at a section's weight, and without sections that were not set."""
    for slug in ("doubling", "again"):
        record(slug, *PASSED)
    homework = course.homework({"doubling": Fraction(30)})
    with Progress(path_for("tiny", os.environ)) as progress:
        road = guide.road(homework, progress)
    assert [points for _, points in road.history] == [30, 30] and road.whole.points == 30


def test_recheck_says_what_has_broken(learn, monkeypatch, course):
    """Passed sections whose file is gone, or a stub again, are told, and the exit code says so; no file is made."""
    record("doubling", *PASSED)
    target = course["doubling"].stub
    target.unlink()
    code, out, _ = learn("progress", "--recheck")
    assert code == 1 and "✗ 1.1 Doubling" in out and "0 of the 1" in out and not target.exists()


def test_a_section_that_was_begun_is_drawn_so():
    """Even without any points yet there is something of a ring, as there is a word in the list."""
    words = {"started": "begun", "open": "open"}
    begun, opened = (charts.road([charts.Stop("1.1", state, 0.0)], words).body for state in words)
    assert re.search(r'stroke-dasharray="[1-9]', begun) and "stroke-dasharray" not in opened


def test_recheck_of_a_folder_in_which_nothing_is_written(course):
    """Passed elsewhere, and a stub here: that is told, not how many points it has."""
    blank = Check(name="t", task=1, visible=False, outcome=Outcome.NOT_WRITTEN, kind="not_written")
    verdict = Verdict(
        section="doubling", section_digest="s", submission_digest="d", checks=(blank,), points="0", max_points="5",
        sandbox=Sandbox(tier=Tier.T3), versions={},
    )  # fmt: skip
    text = plain.rechecked(course["doubling"], "ws/doubling.py", verdict, "en")
    assert "nothing is written in ws/doubling.py" in text and "points" not in text


def test_recheck_of_nothing(learn):
    """Before the first pass there is nothing to judge again."""
    code, out, _ = learn("progress", "--recheck")
    assert code == 0 and "No section is passed yet" in out
    code, _, err = learn("progress", "--recheck", "--html")
    assert code == 2 and err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser(learn, chromium, width, scheme):
    """Nothing is wider than the screen, text stands out from its ground, the language can be switched without a script,
    and nothing is asked of the network.
    """
    record("doubling", *PASSED)
    folder = written(learn("read", "1.1", "--browser")[1]).parent
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: said.append(m.text))
    for name in ("doubling.html", book.ROAD):
        page.goto((folder / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#en").is_visible() and not page.locator("#zh").is_visible()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")
        page.locator("#en header nav a[hreflang=zh]").click()
        assert page.locator("#zh").is_visible() and not page.locator("#en").is_visible()
    assert not said and all(url.startswith(("file:", "data:")) for url in asked)
    page.locator("#zh table a").first.click()
    assert page.url.endswith("doubling.html#zh") and page.locator("#zh article").is_visible()
    context.close()
