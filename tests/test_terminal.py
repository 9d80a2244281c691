"""What a learner reads after a check."""

import io
import re
from unicodedata import east_asian_width

import pytest
import tiny_course
from rich.console import Console
from test_words import KINDS

from grader.model import Check, Outcome, Sandbox, Tier, Verdict, score
from grader.reports import sentences, terminal

PARAMS = {
    "got": [3, 4], "want": [4, 3], "missing": ["a"], "extra": ["b"], "count": 2, "factor": 0.5, "by": 1.0, "wrong": 1,
    "total": 9, "bar": 0.9, "error": "ValueError", "name": "double", "origin": "learner", "message": "bad [bold]x[/]",
    "path": "[0]", "type": "generator", "code": 3, "signal": 11, "seconds": 10.0, "memory": 1024, "task": 1,
    "what": "network", "line": 7, "at": "['loss']",
}  # fmt: skip


@pytest.fixture
def section(tmp_path):
    """The first section of the tiny course."""
    return tiny_course.write(tmp_path)["doubling"]


def check(outcome=Outcome.FAILED, task=1, kind="values", **more):
    """One check."""
    fields = {"name": f"test_{task}", "visible": False, "promise": {"en": f"Promise of task {task}."}} | more
    return Check(outcome=outcome, task=task, kind=kind if outcome is not Outcome.PASSED else "", **fields)


def verdict(*checks, tier=Tier.T3, **more):
    """A verdict of these checks, with its points."""
    points, most = score(checks, {1: 2, 2: 3})
    return Verdict(
        section="doubling", section_digest="s", submission_digest="d", checks=checks, points=points, max_points=most,
        sandbox=Sandbox(tier=tier), versions={}, **more,
    )  # fmt: skip


GOOD = check(Outcome.PASSED, 1)
GOOD2 = check(Outcome.PASSED, 2)
BLANK = check(Outcome.NOT_WRITTEN, 1, "not_written", params={"name": "double"})
BLANK2 = check(Outcome.NOT_WRITTEN, 2, "not_written", params={"name": "halve"})


def screen(section, *checks, lang="en", path="ch/doubling.py", left=None, debug=False, task=None, height=0, **more):
    """What `learn check` would print of such a verdict, into a pipe."""
    out = io.StringIO()
    v = verdict(*checks, **more)
    return terminal.screen(v, section, path, lang, hints_left=left, debug=debug, task=task, height=height, file=out)


def cells(text):
    """The widest line, in cells of a terminal."""
    return max(sum(2 if east_asian_width(c) in "WF" else 1 for c in line) for line in text.splitlines())


def test_a_pass(section):
    """Says so in words, with all points, and what to do next."""
    text = screen(section, GOOD, GOOD2)
    assert "✓ task 1  double  2/2 points  passed" in text
    assert "5 of 5 points · 2 of 2 tasks passed" in text and text.rstrip().endswith(
        "→ Go on: `learn next` (how others wrote it: `learn solution 1.1`)"
    )
    assert "✗" not in text


def test_a_recognised_mistake_is_explained(section):
    """The author's words appear rendered, with the line as a plain path:line, and a hint is offered."""
    text = screen(section, check(mistake="doubled_twice", where=12), GOOD2, left={1: 2})
    assert "You doubled twice (en)." in text and "**" not in text
    assert "      ch/doubling.py:12\n" in text
    assert "Promise of task 1." in text and text.rstrip().endswith("`learn hint 1.1 1`")


def test_without_a_recognised_mistake_the_kind_is_said(section):
    """One sentence tells the kind of difference, with its parameters."""
    text = screen(section, check(kind="shape", params={"got": [3], "want": []}), GOOD2)
    assert "The shape is (3,); it should be ()." in text


def test_each_failure_is_told_and_equal_ones_are_counted(section):
    """Of one task, each failure that is different has its promise, its place and its reason; equal ones are counted."""
    text = screen(
        section,
        check(kind="nan", params={"count": 3}),
        check(kind="dtype", params={"got": "a", "want": "b"}, promise={"en": "Other promise."}, where=5),
        check(kind="nan", params={"count": 9}),
        GOOD2,
    )
    assert "There are NaN values (3)" in text and "(9)" not in text and "1 more like this" in text
    assert text.index("NaN") < text.index("Other promise.")
    other = ["    ✗ Other promise.", "      ch/doubling.py:5", "      The dtype is a; it should be b."]
    assert "\n".join(other) in text


def test_what_fails_alike_is_listed_for_one_task(section):
    """The count names the command that lists them, and that lists them."""
    alike = [check(promise={"en": f"Promised {n}."}) for n in "abc"]
    shown = screen(section, *alike, GOOD2)
    assert "Promised b." not in shown and "2 more like this; `learn check 1.1 1` lists them" in shown
    shown = screen(section, *alike, GOOD2, task=1)
    assert "✗ Promised b.\n    ✗ Promised c.\n" in shown and "more like" not in shown


def test_a_visible_test_speaks_for_those_that_fail_alike(section):
    """It has got and wanted; a mistake that only a hidden test recognised is told before it all the same."""
    seen = check(visible=True, params={"came": "3", "wanted": "4"})
    shown = screen(section, check(), check(mistake="summed"), seen, GOOD2)
    assert "got:    3" in shown and "1 more like this" in shown and shown.index("Summed") < shown.index("got:")


def test_what_says_nothing_is_left_out(section):
    """Of None there is nothing to see; and the author's words on what happened are not preceded by the same in ours."""
    shown = screen(section, check(kind="none", visible=True, params={"came": "None", "wanted": "4"}), GOOD2)
    assert "got:" not in shown and "wanted: 4" in shown
    changed = check(kind="argument_changed", mistake="argument_changed")
    assert not sentences.adds(changed) and sentences.adds(check(kind="shape", mistake="shape"))


def test_each_explanation_is_told_once(section):
    """Two mistakes in one task are both explained; the same one in another line is not explained twice."""
    mistakes = [
        check(kind="raised", mistake=m, where=n) for n, m in enumerate(("doubled_twice", "summed", "doubled_twice"), 3)
    ]
    text = screen(section, *mistakes, GOOD2)
    assert text.count("You doubled twice (en).") == text.count("Summed (en).") == 1 and "doubling.py:5" in text
    same_line = [check(kind="raised", where=3), check(kind="raised", mistake="summed", where=3)]
    text = screen(section, *same_line, GOOD2)
    assert text.count("doubling.py:3") == 1 and "Summed (en)." in text and "1 more like this" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_cut_on_a_terminal(section, lang, width, monkeypatch):
    """However long the promises and reasons are, every word is there, and no line is wider than the terminal."""
    monkeypatch.setattr(terminal, "console", lambda file=None: Console(file=file, force_terminal=True, width=width))
    promise = "This promise, which goes on and on, is told to its very last word: 这里是最后一个字。"
    many = [check(kind=k, params=PARAMS, promise={"en": promise, "zh": promise}) for k in ("nan", "below", "keys")]
    shown = re.sub(
        r"\x1b(\[[0-9;]*m|\]8;[^\x1b]*\x1b\\)", "", screen(section, *many, GOOD2, lang=lang, path="d.py", left={1: 1})
    )
    bare = re.sub(r"\s", "", shown)
    assert bare.count(re.sub(r"\s", "", promise)) == 3 and cells(shown) <= width and "…" not in shown
    for one in many:
        assert re.sub(r"\s", "", sentences.sentence(one, lang)) in bare


def test_the_file_that_was_judged_is_named(section):
    """Whoever has two folders sees which one it was."""
    assert screen(section, GOOD, GOOD2).splitlines()[:2] == ["1.1 Doubling", "ch/doubling.py"]


def test_the_explained_failure_goes_first(section):
    """If any test of a task recognised the mistake, that explanation is what the learner reads."""
    text = screen(
        section, check(promise={"en": "Seen first."}), check(mistake="summed", promise={"en": "Recognised."}), GOOD2
    )
    assert "Summed (en)." in text and text.index("Recognised.") < text.index("Seen first.")


def test_what_waits_says_for_which_task(section):
    """A skipped task names the one it stands on, once."""
    waits = check(Outcome.SKIPPED, 2, "needs", params={"task": 1})
    text = screen(section, check(), waits, waits)
    assert text.count("Needs task 1 to pass first.") == 1 and "waits" in text


@pytest.mark.parametrize(("lang", "told"), [("en", "Needs tasks 1, 2 and 3 to pass"), ("zh", "任务 1、2 和 3")])
def test_all_that_is_waited_for_is_named(lang, told):
    """Not only the first of several failed tasks."""
    waits = check(Outcome.SKIPPED, 4, kind="needs", params={"task": 1, "tasks": [1, 2, 3]})
    assert told in sentences.sentence(waits, lang)


def test_one_cause_is_said_once(section):
    """A syntax error is one thing to mend, not one per task, and the place is named."""
    broken = [check(task=t, kind="syntax", where=9, params={"message": "'(' was never closed"}) for t in (1, 1, 2)]
    text = screen(section, *broken)
    assert text.count("never closed") == 1 and text.count("ch/doubling.py:9") == 2 and "halve" not in text
    assert "Mend ch/doubling.py:9" in text


def test_a_common_cause_is_seen_through_skips_and_messages(section):
    """Tests that wait, and messages shown for visible tests only, do not hide that the cause is one."""
    broken = check(kind="import_raised", where=4, params={"error": "NameError"})
    told = check(kind="import_raised", where=4, params={"error": "NameError", "message": "no x"}, visible=True)
    text = screen(section, broken, told, check(Outcome.SKIPPED, 2, "needs", params={"task": 1}))
    assert text.count("NameError") == 1 and "no x" in text and "halve" not in text


def test_kinds_without_parameters(section):
    """Where the judge knows no number or name, the sentence does without."""
    for kind, part in (("memory", "memory"), ("section_time", "whole section"), ("timeout", "in time")):
        assert part in sentences.sentence(check(kind=kind), "en")
    assert (
        sentences.sentence(check(kind="not_written", params={"name": ""}), "en") == "This task is still to be written."
    )
    assert "takes 1" in sentences.sentence(check(kind="arity", params={"message": "f() takes 1"}), "en")


def test_the_same_wrong_values_are_no_common_cause(section):
    """Two tasks that fail alike are still two tasks."""
    text = screen(section, check(task=1), check(task=2))
    assert "task 1" in text and "task 2" in text


def test_nothing_written_is_no_failure(section):
    """An untouched file is met in a friendly way: no cross, what there is to write, and the lesson."""
    text = screen(section, BLANK, BLANK2)
    assert "Nothing is written yet" in text and "✗" not in text and "learn read 1.1" in text
    assert "· task 2  halve  0/3 points  not written yet" in text


def test_half_written(section):
    """What is right is said to be right; what waits for an unwritten task is no failure either."""
    waits = check(Outcome.SKIPPED, 2, "needs", params={"task": 1})
    assert "✗" not in screen(section, BLANK, waits)
    text = screen(section, GOOD, BLANK2)
    assert "What is written so far is right" in text and "write task 2" in text


def test_unwritten_and_waiting(section):
    """Of a task that is not written and stands on a failed one, the heading says the one and a line the other."""
    waits = check(Outcome.SKIPPED, 2, "needs", params={"task": 1})
    text = screen(section, check(), BLANK2, waits, BLANK2)
    assert "task 2  halve  0/3 points  not written yet\n    · Needs task 1" in text
    assert "still to be written" not in text and "more like this" not in text


def test_broken_is_an_apology(section):
    """Our fault: an apology, no points, no blame, no task."""
    text = screen(section, check(Outcome.BROKEN, kind="internal"), GOOD2)
    assert "Sorry" in text and "points" not in text and "task" not in text


def test_banner_for_the_weakest_tier(section):
    """Who is not protected is told so; who is, is not bothered."""
    assert "T1" in screen(section, GOOD, GOOD2, tier=Tier.T1)
    assert "T1" not in screen(section, GOOD, GOOD2, tier=Tier.T2)
    assert "nothing was recorded" in screen(section, GOOD, GOOD2, tier=Tier.T1, debug=True)


def test_suggestions_in_order(section):
    """Hints first; when all were shown, a page to read."""
    assert "learn hint 1.1 1" in screen(section, check(), GOOD2, left={1: 1})
    assert "https://pytorch.org/docs" in screen(section, check(), GOOD2, left={1: 0})


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", [*KINDS, "a_kind_of_tomorrow", ""])
def test_every_kind_on_the_screen(section, kind, lang):
    """Each kind has a sentence in each language, with or without its parameters, within 80 columns."""
    for params in (PARAMS, {}, {"origin": "probe", "error": "E"}):
        text = screen(section, check(kind=kind, params=params), GOOD2, lang=lang)
        assert cells(text) <= 80 and "{" not in text
    said = sentences.sentence(check(kind=kind, params=PARAMS), lang)
    general = "did not come out right" in said or "结果不对（" in said
    assert general == (kind not in KINDS) and "['loss']" in said


def test_chinese(section):
    """The whole screen is Chinese, and its lines fit although a character takes two cells."""
    text = screen(section, check(mistake="doubled_twice"), BLANK2, lang="zh", left={1: 1})
    assert "加倍" in text and "任务 1" in text and "(zh)" in text and "未通过" in text and "还没有写" in text
    assert not re.search(r"points|task \d|passed", re.sub("Promise of task .", "", text)) and cells(text) <= 80


def test_plain_in_a_pipe(section):
    """No escape sequences reach a file, and markup in a learner's text is text."""
    text = screen(section, check(kind="raised", params=PARAMS), GOOD2, stdout="\x1b[31mred\x1b[0m [bold]x[/bold]\n\x07")
    assert "\x1b" not in text and "\x07" not in text
    assert not re.search(r" +$", text, re.M)
    assert "  | red [bold]x[/bold]" in text and "bad [bold]x[/]" in text


def test_no_color(section, monkeypatch):
    """With NO_COLOR a terminal gets no colour, and the outcome is still in the words."""
    for name, value in (("FORCE_COLOR", "1"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = screen(section, check(), GOOD2)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = screen(section, check(), GOOD2)
    colours = r"\x1b\[[0-9;]*3[0-7][0-9;]*m"
    assert re.search(colours, coloured) and not re.search(colours, plain)
    assert "failed" in plain and "✗" in plain and "✓" in plain and "passed" in plain


def test_long_output_keeps_its_end(section):
    """Of much printing the last lines are kept, and the screen says how many are not."""
    text = screen(section, GOOD, GOOD2, stdout="\n".join(f"line {i}" for i in range(100)))
    assert "line 99" in text and "line 79" not in text and "(80 earlier lines left out)" in text


def test_a_long_path_is_not_broken(section):
    """path:line stays on one line, however long, so that it can be clicked."""
    path = "/".join(["a_long_folder_name"] * 8) + "/doubling.py"
    assert f"{path}:3\n" in screen(section, check(where=3), GOOD2, path=path)


@pytest.mark.parametrize(
    ("points", "shown"), [("3", "3"), ("7/2", "3.5"), ("7/3", "2.33"), ("1/3", "0.33"), ("0", "0")]
)
def test_points_are_shown_to_two_decimals(points, shown):
    """The exact fraction is in the verdict; a screen says 2.33."""
    assert sentences.number(points) == shown


def test_chinese_fills_its_lines(section):
    """A line ends where it is full, not at the last space before, and the next one never begins with a comma."""
    late = check(Outcome.TIMED_OUT, kind="timeout", params={"seconds": 5.0})
    text = screen(section, late, GOOD2, lang="zh")
    assert terminal.MAY_BREAK not in text and cells(text) <= 80
    assert re.search("5 秒后仍未完成。.*python", text, re.IGNORECASE | re.DOTALL)
    full = [line for line in text.splitlines() if line.strip().startswith("5 秒")]
    assert full and cells(full[0]) >= 76 and not re.search(r"^\s*[，。；：]", text, re.MULTILINE)


def test_a_picture_is_told_on_a_terminal():
    """Its alt text, wrapped like any other, and its file."""
    seen = "A column of three and a row of four, each repeated to a table; their sum is a table of 3 × 4"
    shown = terminal.markdown(f"Before.\n\n![{seen}](table.svg)\n\nAfter.\n", 60)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in shown.splitlines()]
    assert " ".join(" ".join(lines).split()) == f"Before. [{seen}] (table.svg) After."
    assert max(map(len, lines)) <= 60


def test_a_status_is_folded_and_the_next_takes_its_place(monkeypatch):
    """On a narrow terminal nothing of it is lost, and nothing of it stays."""
    monkeypatch.setenv("COLUMNS", "40")
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    board = terminal.Board(file=screen)
    text = "2.2 is not passed yet; n goes on once it is, and not before"
    board.status(text)
    shown = screen.getvalue().removeprefix("\r\x1b[J")
    assert shown.split() == text.split() and max(map(len, shown.splitlines())) < 40
    board.status("Checking")
    assert screen.getvalue().endswith(f"{shown}\r\x1b[1A\x1b[JChecking") and shown.count("\n") == 1


def test_with_hardly_any_room_why_goes_before_what(section):
    """Where test and reason do not both fit, the reason is told: it names the mistake."""
    promise = " ".join(["Promised."] * 60)
    first = check(mistake="doubled_twice", promise={"en": promise})
    shown = screen(section, first, lang="en", height=12, left={1: 1})
    assert "You doubled twice" in shown and "Promised" not in shown and len(shown.splitlines()) <= 12
    assert "Promised." in screen(section, first, lang="en", height=24, left={1: 1})


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("height", [10, 14, 20])
def test_a_screen_with_too_little_room_begins_at_the_top(section, height, lang):
    """Each task's first failure is told and the others named, as far as they fit; how much is left out, how to see it,
    and the next step are always there.
    """
    first = check(mistake="doubled_twice", promise={"en": "Seen first."})
    more = [
        check(task=2, kind=k, params=PARAMS, promise={"en": f"Promise {k}."}) for k in ("nan", "inf", "keys", "sign")
    ]
    shown = screen(section, first, *more, lang=lang, height=height, left={1: 1})
    assert len(shown.splitlines()) <= height and "Seen first." in shown
    assert shown.count("Promise") == {10: 0, 14: 1, 20: 4}[height]
    whole = [x for x in screen(section, first, *more, lang=lang, left={1: 1}).splitlines() if x.strip()]
    left = len(whole) - len(shown.splitlines()) + 1
    assert f"… {left} more lines" in shown or f"…… 还有 {left} 行" in shown
    assert "`learn check 1.1 2`" in shown
    assert "learn hint 1.1 1" in shown.splitlines()[-1] and (height == 10 or "halve" in shown)
    assert screen(section, first, *more, height=100) == screen(section, first, *more)


def test_one_task_alone(section):
    """Only that task is told, with the total of all; once it has passed, the next step is the next task."""
    shown = screen(section, check(), BLANK2, task=1, left={1: 1})
    assert "task 1" in shown and "task 2" not in shown and "0 of 5 points" in shown
    shown = screen(section, GOOD, check(task=2), task=1)
    assert shown.endswith("2 of 5 points · 1 of 2 tasks passed\n→ Next: task 2, then `learn check 1.1 2`.\n")
    assert "Passed: all tests" in screen(section, GOOD, GOOD2, task=1)


@pytest.mark.parametrize(
    "text", ["x = （1)", "x = (1", "x = 1)", "if True\n  pass", "  x = 1", "x = 'a", "f(1 2)", "x = “a”"]
)
def test_a_slip_of_the_pen_is_told_in_the_readers_language(text):
    """What Python itself says of the commonest ones is told in Chinese, too, and what to type instead."""
    with pytest.raises(SyntaxError) as raised:
        compile(text, "answer.py", "exec")
    broken = check(kind="syntax", where=1, params={"message": raised.value.msg})
    english, chinese = (sentences.sentence(broken, lang) for lang in ("en", "zh"))
    assert english.startswith("Python cannot read the file: ") and not re.search("[a-z]{3}", chinese.partition("：")[2])
