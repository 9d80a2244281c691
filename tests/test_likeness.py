"""`learn similar` finds who has somebody else's answer, and is not led to those who merely had the same thought."""

import io
import json
import subprocess
import sys
from pathlib import Path

import alike_class
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import batch, likeness
from grader.course import Course
from grader.gradebook import Gradebook
from grader.model import Handed, Student
from grader.reports.similar import Found, same
from grader.reports.words import messages
from grader.submission import of_text

ROOT = Path(__file__).resolve().parent.parent
SECTION = Course.at(ROOT)["gradients"]
STUB = SECTION.stub.read_text(encoding="utf-8")
KNOWN = likeness.given(SECTION, ["en", "zh"])
OWN = """
def clipped_mean(values, low, high):
    inside = [v for v in values if low <= v <= high]
    total = sum(inside, start=0.0)
    if not inside:
        raise ValueError("nothing is left")
    return total / len(inside) ** 1.0


def spread(values):
    ordered = sorted(values, reverse=True)
    return ordered[0] - ordered[-1] if ordered else float("nan")
"""


@pytest.fixture(scope="module")
def class_():
    """Sixty who worked alone."""
    return alike_class.write(STUB, 60, seed=5)


def compare(texts, known=KNOWN, least=0.5):
    """Shorter."""
    return likeness.compare(texts, known, least)


def _foremost(found):
    return [(p.left[0], p.right[0]) for p in found.pairs]


@pytest.mark.parametrize("who", ["s004", "s010", "s020"])
def test_a_disguised_copy_is_foremost(class_, who):
    """Other names, another order and no comment do not hide it: it is the first of 1,830 pairs, far beyond the rest."""
    found = compare(class_ | {"zoe": alike_class.disguised(class_[who])})
    assert _foremost(found)[0] == (who, "zoe")
    first = found.pairs[0]
    assert first.as_alike == 1 and first.share > 0.8 > 0.7 > found.seldom > found.usual
    assert any(p.others == 0 for p in first.passages)


def test_who_worked_alone_is_rarely_named(class_):
    """Without a copy at most one pair in a hundred is listed, and of none it is said that it stands alone with a whole
    answer.
    """
    found = compare(class_)
    assert len(found.pairs) <= found.compared / 100
    assert not [p for p in found.pairs if p.share > 0.9 and sum(not m.others for m in p.passages) > 1]


def test_what_changes_nothing():
    """Comments, docstrings, layout, names and the order of functions are nothing: all is in common."""
    first, second = OWN.split("\n\n\n")
    other = f'"""Mine."""\n{second}\n\n# note\n{first}'
    for old, new in {"values": "xs", "inside": "kept", "ordered": "s", "low": "a", "spread": "width"}.items():
        other = other.replace(old, new)
    other = other.replace("(xs, a, high)", "(\n    xs,   # those\n    a, high\n)").replace(
        "    s = ", "    '''How wide.'''\n    s = "
    )
    (pair,) = compare({"a": OWN, "b": other}, []).pairs
    assert pair.share == 1.0 and [p[:2] for p in pair.passages] == [((2, 7), (10, 18)), ((10, 12), (2, 5))]
    assert compare({"a": OWN, "b": OWN.replace("sum(", "max(").replace("sorted", "list")}, []).pairs[0].share < 1.0


def test_what_was_given_is_nobodys(class_):
    """The stub, the reference and the recorded right answers, with whatever names, make nobody alike."""
    right = [t.replace("w =", "weights =").replace("y =", "out =") for t in KNOWN if "def slope" in t]
    texts = {str(n): t for n, t in enumerate(right)}
    texts |= {f"again {n}": t + "\n# mine\n" for n, t in texts.items()}
    texts |= {f"same {n}": right[1] for n in range(3)}
    found = compare(texts)
    assert len(texts) > 8 and found.pairs == []


def test_what_most_of_the_class_has_counts_for_nothing(class_):
    """Two of those who have it are not alike by it; two who alone have it are."""
    with_it = {who: (t + OWN if who < "s040" else t) for who, t in class_.items()}
    plain, common = compare(class_, least=0.0), compare(with_it, least=0.0)
    assert _foremost(plain)[:3] == _foremost(common)[:3]
    alone = compare(class_ | {who: class_[who] + OWN for who in ("s001", "s050")})
    assert _foremost(alone)[0] == ("s001", "s050") and alone.pairs[0].passages[-1].others == 0


def test_the_same_text_is_one_group(class_):
    """Whoever handed in the same text is told as one, and compared with the others once."""
    found = compare(class_ | {"zoe": class_["s003"], "yan": class_["s003"], "x": class_["s007"]})
    assert found.copies == [["s003", "yan", "zoe"], ["s007", "x"]] and found.answers == 60


def test_the_same_text_is_told_whatever_it_is():
    """Also where nothing in it is anybody's own: the course's own answer, the stub; which it is, is said."""
    reference = SECTION.reference.read_text(encoding="utf-8")
    texts = {"a": reference, "b": reference, "c": STUB, "d": STUB, "e": OWN, "f": OWN}
    alike = compare(texts)
    assert alike.copies == [["a", "b"], ["c", "d"], ["e", "f"]]
    found = Found(SECTION, alike, texts, {who: Student(id=who) for who in texts})
    said = [same(found, whose, "en") for whose in alike.copies]
    assert "word for word" in said[0] and "nothing written" in said[1] and said[2].startswith("The same text")


def test_few_have_little_to_say():
    """Nobody, one, and two without a line of their own: nothing is told, and nothing fails."""
    for texts in ({}, {"a": OWN}, {"a": "", "b": "x = 1\n"}):
        found = compare(texts, [])
        assert found.pairs == [] and found.copies == []
    assert compare({"a": OWN, "b": OWN}, []).copies == [["a", "b"]]


@given(st.lists(st.text(max_size=300) | st.lists(st.sampled_from(OWN.splitlines())).map("\n".join), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_compared(texts):
    """Half a program, bytes that are no text, anything: shares are between 0 and 1, lines are lines of the texts that
    say something, and who comes first makes no difference.
    """
    named = {f"s{n}": t for n, t in enumerate(texts)}
    found = compare(named, [], 0.0)
    assert found.answers == len(set(texts)) and 0 <= found.usual <= found.seldom <= 1
    assert all(a.as_alike <= b.as_alike for a, b in zip(found.pairs, found.pairs[1:], strict=False))
    for pair in found.pairs:
        assert 0 <= pair.share <= 1 + 1e-9 and pair.passages
        for who, side in ((pair.left[0], 0), (pair.right[0], 1)):
            lines = io.StringIO(named[who], newline=None).read().split("\n")
            for first, last in (p[side] for p in pair.passages):
                assert 1 <= first <= last <= len(lines) and lines[first - 1].strip() and lines[last - 1].strip()
    turned = compare({f"s{9 - n}": t for n, t in enumerate(texts)}, [], 0.0)
    assert sorted(round(p.share, 9) for p in turned.pairs) == sorted(round(p.share, 9) for p in found.pairs)


def test_a_text_of_one_line_a_thousand_times():
    """It is compared as quickly as any."""
    texts = {"a": "total = total + value * 2 - other\n" * 1000, "b": "total = total + value * 2 - other\n" * 999}
    (pair,) = compare(texts | {"c": OWN}, [], 0.0).pairs
    assert (pair.left, pair.right) == (["a"], ["b"])


@pytest.fixture
def graded(tmp_path, class_, monkeypatch):
    """A gradebook with that class, in which one has another's answer and a third the same text."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    texts = class_ | {"zoe": alike_class.disguised(class_["s004"]) + "\f# \udc80\r\n", "yan": class_["s004"]}
    answers = [
        Handed(student=Student(id=who, name=f"<{who}>"), section="gradients", text=t, digest=of_text(t).digest)
        for who, t in texts.items()
    ]
    with Gradebook(str(tmp_path / "gradebook.sqlite")) as book:
        book.begin(batch.now([SECTION]), answers)
    return tmp_path


def similar(folder, *arguments):
    """The command, as given at a terminal: its exit code and what it said."""
    command = [sys.executable, str(ROOT / "cli.py"), "similar", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_command(graded):
    """On a screen, for programs and as a page: who, how much, how unusual, where; only a page is written over."""
    code, said = similar(graded, "2.2", "--html", "page.html", "--lang", "en")
    assert code == 0 and "<s004> (s004), <yan> (yan) | <zoe> (zoe): look here; 1 of 1,830 pairs" in said, said
    assert "The same text (students: 2): <s004> (s004), <yan> (yan)" in said and "no verdict" in said
    page = (graded / "page.html").read_text(encoding="utf-8")
    assert page.count("<mark>") > 20 and "&lt;zoe&gt;" in page and "<zoe>" not in page and "look here" in page
    code, said = similar(graded, "--json", "--html", "page.html")
    (section,) = json.loads(said)["sections"]
    first = section["pairs"][0]
    assert code == 0 and first["left"] == ["s004", "yan"] and first["right"] == ["zoe"] and first["share"] > 0.8
    assert section["same_text"] == [["s004", "yan"]] and section["pairs_compared"] == 1830
    before = (graded / "gradebook.sqlite").read_bytes()
    code, said = similar(graded, "--html", "gradebook.sqlite")
    assert code == 2 and said.count("\n") == 1 and (graded / "gradebook.sqlite").read_bytes() == before
    code, said = similar(graded, "2.1", "--lang", "zh")
    assert code == 0 and said.startswith("没有可比较的内容")


@pytest.mark.parametrize(
    "arguments", [("9.9",), ("--least", "2"), ("--least", "x"), ("--gradebook", "none"), ("--html", "no/such/file")]
)
def test_bad_commands(graded, arguments):
    """One clear line, exit 2."""
    if arguments[0] == "--html":
        (graded / "no").write_text("a file, and no folder", encoding="utf-8")
    code, said = similar(graded, *arguments)
    assert code == 2 and "Traceback" not in said and said.rstrip().splitlines()[-1].startswith("learn"), said


def test_nobody_is_accused():
    """No message of the product says more than that one should look."""
    words = ("plagia", "cheat", "copied from", "抄袭", "作弊", "剽窃", "舞弊")
    assert not [k for k, t in messages().items() for w in words if w in (t["en"] + t["zh"]).lower()]
