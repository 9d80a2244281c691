"""`learn dev check`: a broken rule is told with its place and a remedy; what is unchanged is not proved again."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import sound_course
from click.testing import CliRunner
from sound_course import add, change

import cli
from grader import cache, lessons, pool, proof, rules
from grader.course import Course, CourseError
from grader.model import Check, Finding, Outcome, Sandbox, Tier, Times, Verdict
from grader.reports import plain
from grader.sandbox import warden

ROOT = Path(__file__).resolve().parent.parent
E_, S_ = "exercises/01_first/01_scaling", "solutions/01_first/01_scaling"
LESSON, STUB, EXERCISE = f"{E_}/lesson.en.md", f"{E_}/scaling.py", f"{E_}/exercise.yaml"
TESTS, REFERENCE, ZH = f"{S_}/test_scaling.py", f"{S_}/scaling.py", f"{E_}/lesson.zh.md"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of a sound course, and a home of its own."""
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    sound_course.write(tmp_path / "course")
    return tmp_path / "course"


def structure(root):
    """What is found without judging."""
    course = Course.at(root)
    return list(rules.structure(course, course["scaling"]))


def told(root, finding):
    """The line that a person reads."""
    made = proof.Proof(Course.at(root).sections[0], [finding])
    return plain.proven(made, lambda p: str(p.relative_to(root)), "en")[1].strip()


def test_nothing_is_found_in_a_sound_section(root):
    """No rule is broken by what `learn dev new` writes, once every TODO is done."""
    assert structure(root) == []


BROKEN = {  # rule -> file, what is replaced, by what, where it is told, on which line
    "link_missing": (LESSON, "## Read on", "## Read on\n\n[more](more.md)", LESSON, 26),
    "link_missing: a folder up": (LESSON, "## Read on", "## Read on\n\n[b](../09_b/lesson.en.md#x)", LESSON, 26),
    "link_hidden": (LESSON, "## Read on", f"## Read on\n\n[x](../../../{REFERENCE})", LESSON, 26),
    "link_unread": (LESSON, "## Read on", "## Read on\n\n[x](https://pytorch.org/a b)", LESSON, 26),
    "link_scheme": (LESSON, "https://", "http://", LESSON, 26),
    "link_scheme: other": (f"{E_}/hints.zh.md", "## 1", "<ftp://pytorch.org/x>\n\n## 1", f"{E_}/hints.zh.md", 1),
    "link_unsound": (LESSON, "https://pytorch.org/", "https://pytorch..org/", LESSON, 26),
    "link_unsound: in exercise.yaml": (EXERCISE, "https://pytorch.org/", "https:///", EXERCISE, 7),
    "link_unsound: port": (LESSON, "https://pytorch.org/", "https://pytorch.org:x/", LESSON, 26),
    "link_host": (LESSON, "https://pytorch.org/", "https://pytorch.org.example.com/", LESSON, 26),
    "link_host: in exercise.yaml": (EXERCISE, "https://pytorch.org/", "https://example.com/", EXERCISE, 7),
    "link_host: in a mistake": (f"{S_}/mistakes.en.md", "No.", "<https://example.com>", f"{S_}/mistakes.en.md", 7),
    "term": (ZH, "## 延伸阅读", "多维数组\n\n## 延伸阅读", ZH, 24),
    "term: in the stub": (STUB, "用两种语言", "多维数组", STUB, 19),
    "term: in a test": (TESTS, "无论什么形状", "多维数组", TESTS, 10),
    "to_write": (f"{E_}/hints.en.md", "a gentle", "TODO: a gentle", f"{E_}/hints.en.md", 3),
    "to_write: in Chinese": (f"{E_}/hints.zh.md", "温和", "这里TODO：温和", f"{E_}/hints.zh.md", 3),
    "regions": (EXERCISE, "tasks:", "tasks:\n  2: {name: more, points: 1}", STUB, 29),
    "regions: wrong number": (STUB, "# --- task 1 ---", "# --- task 2 ---", STUB, 23),
    "written_in": (STUB, "    raise NotImplementedError", "    return x", STUB, 23),
    "outside_differs": (STUB, "# %%\n# ---", "# %%\n# Here.\n# ---", STUB, 23),
    "outside_differs: after a task": (REFERENCE, "# --- end ---\n", "# --- end ---\n\nprint()\n", STUB, 29),
    "round_trip": (STUB, "# %%\nfrom", "#%%\nfrom", STUB, 10),
    "round_trip: text beside code": (REFERENCE, "in both languages.\n", "in both languages.\nx = 1\n", REFERENCE, 5),
    "headings": (ZH, "## 延伸阅读", "### 延伸阅读", ZH, 24),
    "headings: one less": (ZH, "## 延伸阅读", "延伸阅读", ZH, 26),
    "half_width": (ZH, "一个要点\n", "一个要点\n\n甲,乙\n", ZH, 7),
    "no_title": (EXERCISE, ', zh: "Scaling"', "", EXERCISE, 1),
    "hint_tiers": (f"{E_}/hints.en.md", "---\n", "", f"{E_}/hints.en.md", 1),
    "hint_tiers: none": (f"{E_}/hints.zh.md", "## 1", "## 2", f"{E_}/hints.zh.md", 1),
    "hint_unknown": (f"{E_}/hints.zh.md", "## 1", "## 2\n\n## 1", f"{E_}/hints.zh.md", 1),
    "no_promise": (TESTS, "\n\n    无论什么形状，每个元素都乘以 factor。", "", TESTS, 7),
    "no_promise: two": (TESTS, "\n\n    无论什么", "\n\n    In two paragraphs.\n\n    无论什么", TESTS, 7),
    "task_unknown": (TESTS, "@task(1)", "@task(3)", TESTS, 7),
    "task_untested": (f"{E_}/test_examples.py", "@task(1)", "", f"{E_}/test_examples.py", 1),
    "not_from_rng": (TESTS, "rng.normal(", "torch.randn(", TESTS, 12),
    "not_from_rng: in place": (TESTS, "rng.normal(", "torch.empty(3).normal_(", TESTS, 12),
    "names_no_task": (f"{S_}/wrong/added.py", "Fails: 1.", "Fails:", f"{S_}/wrong/added.py", 1),
    "names_no_task: unknown": (f"{S_}/wrong/added.py", "Fails: 1.", "Fails: 4.", f"{S_}/wrong/added.py", 1),
    "also_untold": (
        f"{S_}/also/the_other_way_round.py", "\n\n把 factor 放在后面。", "", f"{S_}/also/the_other_way_round.py", 1),
    "mistake_untold": (f"{S_}/mistakes.zh.md", "## divided\n\nNo.", "## divided\n\n", f"{S_}/mistakes.zh.md", 5),
    "mistake_unused": (f"{S_}/mistakes.zh.md", "## divided", "## odd\n\nNo.\n\n## divided", f"{S_}/mistakes.zh.md", 5),
    "lesson_number": (ZH, "# 1.1 ", "# 1.2 ", ZH, 1),
    "syntax": (TESTS, "def test_scaled(", "def test_scaled((", TESTS, 7),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_told_with_its_place(root, rule):
    """Each by its kind, its file and its line."""
    path, old, new, where, line = BROKEN[rule]
    change(root / path, old, new)
    found = [f for f in structure(root) if f.kind == rule.partition(":")[0]]
    assert [(str(f.path.relative_to(root)), f.line) for f in found][:1] == [(where, line)], structure(root)
    assert told(root, found[0]).startswith(f"{where}:{line}: ")


@pytest.mark.parametrize("name", [LESSON, STUB, TESTS, REFERENCE, f"{S_}/mistakes.zh.md"])
def test_a_missing_file_is_told(root, name):
    """By its path; nothing that needs it is looked at, and nothing raises."""
    (root / name).unlink()
    (found,) = structure(root)
    assert found.kind == "missing_file" and told(root, found) == f"{name}: this file is missing; write it"


def test_other_things_that_are_missing_or_too_many(root):
    """Stray files, folders without a section, too few wrong answers, no other right one."""
    (root / E_ / "notes.txt").write_text("x")
    (root / "solutions/01_first/02_lost").mkdir()
    (root / "exercises/01_first/03_begun").mkdir()
    (root / S_ / "wrong/divided.py").unlink()
    (root / S_ / "also/the_other_way_round.py").unlink()
    assert {(f.kind, f.path.name) for f in structure(root)} == {
        ("stray_file", "notes.txt"), ("few_wrong", "wrong"), ("no_also", "also"),
    }  # fmt: skip
    found = {(f.kind, f.path.parent.name) for f in rules.strays(Course.at(root))}
    assert found == {("no_section", "01_first"), ("missing_file", "03_begun")}


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        (
            "- {was: return y, becomes: return, why: x}\n- {was: return gone, becomes: x, why: x}\n",
            "equivalent_stale",
            2,
        ),
        ("- {was: 1}\n", "equivalent_unreadable", 1),
        ("- [\n", "equivalent_unreadable", 1),
    ],
)
def test_a_record_of_changes_that_fits_no_line_is_told(root, text, kind, line):
    """equivalent.yaml is read, and each entry looked for in the reference."""
    section = Course.at(root)["scaling"]
    change(section.reference, "    return ", "    y = 1\n    return y  # twice\n    return ")
    section.equivalent.write_text(text)
    found = [f for f in structure(root) if f.path == section.equivalent]
    assert [(f.kind, f.line) for f in found] == [(kind, line)]


def test_a_file_that_is_not_utf8_is_told(root):
    """With the line; nothing raises."""
    (root / LESSON).write_bytes(b"# A\n\xff\n")
    (found,) = structure(root)
    assert (found.kind, found.line) == ("encoding", 2)


def test_a_file_that_is_no_notebook_is_told(root, monkeypatch):
    """Whatever jupytext raises over it."""
    monkeypatch.setattr("jupytext.reads", lambda *_, **__: 1 / 0)
    found = structure(root)
    assert [(f.kind, f.path.parent.parent.parent.name, f.line) for f in found] == [
        ("no_notebook", "exercises", 1), ("no_notebook", "solutions", 1),
    ]  # fmt: skip
    assert "ZeroDivisionError" in told(root, found[0])


def test_what_a_text_links_to_is_no_stray(root):
    """A picture beside the lesson belongs there; links with a fragment, or to another file of the course, are right."""
    (root / E_ / "a graph.png").write_bytes(b"\x89PNG")
    links = (
        "[a](#read-on) [b](exercise.yaml#x) [c](../../course.yaml) ![d](a%20graph.png) [e](https://docs.pytorch.org)\n"
    )
    change(root / LESSON, "## Read on", f"{links}\n## Read on")
    assert structure(root) == []


def test_code_is_not_taken_for_a_link(root):
    """Neither in a fence nor between backquotes."""
    change(root / LESSON, "## Read on", "`a[0](b c)`\n\n```python\nf = [print](1 2)\n```\n\n## Read on")
    assert structure(root) == []


def test_any_host_will_do_where_none_is_named(root):
    """A course without `hosts` trusts its authors."""
    change(root / "exercises/course.yaml", "hosts: [pytorch.org]\n", "")
    change(root / LESSON, "https://pytorch.org/", "https://example.com/")
    assert structure(root) == []


def test_a_right_term_may_hold_a_rejected_one(root):
    """数据加载器 is right although 数据加载 is not."""
    change(root / ZH, "## 延伸阅读", "数据加载器\n\n## 延伸阅读")
    assert structure(root) == []


def test_a_course_without_glossary_rejects_no_word(root):
    """And one that cannot be read is named."""
    (root / "exercises/glossary.yaml").write_text("- {en: a}\n")
    with pytest.raises(CourseError, match=r"glossary\.yaml.*zh"):
        structure(root)
    (root / "exercises/glossary.yaml").unlink()
    change(root / ZH, "## 延伸阅读", "多维数组\n\n## 延伸阅读")
    assert structure(root) == []


def test_our_own_glossary_is_of_one_mind():
    """No word is both right and rejected, and none is explained twice."""
    terms = Course.ours().glossary
    words = [t.zh for t in terms] + [w for t in terms for w in t.rejected]
    assert len(terms) > 40 and len(words) == len(set(words))


# what verdicts say


def _verdicts(root, **outcomes):
    """A verdict for each answer, as it must be, or with these checks in place of that answer's."""
    section = Course.at(root)["scaling"]
    made = {}
    for path in [
        section.stub,
        section.reference,
        *rules.files(section.hidden / "also"),
        *rules.files(section.hidden / "wrong"),
    ]:
        key = "stub" if path == section.stub else path.stem
        outcome = Outcome.NOT_WRITTEN if path == section.stub else Outcome.PASSED
        check = Check(name="test_scaled", task=1, visible=False, outcome=outcome)
        if path.parent.name == "wrong":
            check = msgspec.structs.replace(check, outcome=Outcome.FAILED, mistake=path.stem)
        check = msgspec.structs.replace(check, **outcomes.get(key, {}))
        made[path] = Verdict(
            section="scaling", section_digest="", submission_digest="", checks=(check,),
            points=outcomes.get("points", "2"), max_points="2", sandbox=Sandbox(tier=Tier.T3), versions={},
            times=Times(total=outcomes.get("seconds", 0.1)),
        )  # fmt: skip
    return section, made


JUDGED = {
    "stub_outcome": ({"stub": {"outcome": Outcome.PASSED}}, TESTS, 7),
    "right_fails": ({"scaling": {"outcome": Outcome.FAILED, "kind": "values"}}, REFERENCE, 23),
    "right_fails: at its line": ({"scaling": {"outcome": Outcome.FAILED, "where": 27}}, REFERENCE, 27),
    "right_fails: another": (
        {"the_other_way_round": {"outcome": Outcome.FAILED}}, f"{S_}/also/the_other_way_round.py", 7),
    "points": ({"points": "1"}, EXERCISE, 3),
    "slow": ({"seconds": 46.0}, REFERENCE, 1),
    "wrong_tasks": ({"added": {"outcome": Outcome.PASSED}}, f"{S_}/wrong/added.py", 1),
    "unrecognised": ({"added": {"mistake": "divided"}}, f"{S_}/wrong/added.py", 1),
    "unreadable": ({"added": {"flag": "unreadable: KeyError"}}, f"{S_}/wrong/added.py", 1),
    "broken": ({"added": {"outcome": Outcome.BROKEN, "kind": "internal"}}, TESTS, 7),
    "broken: an example": (
        {"added": {"name": "test_three_times_two[1]", "visible": True, "outcome": Outcome.BROKEN}},
        f"{E_}/test_examples.py", 9),
}  # fmt: skip


@pytest.mark.parametrize("rule", JUDGED)
def test_a_wrong_verdict_is_told_with_its_place(root, rule):
    """The line of the test, of the answer, or of exercise.yaml, as it may be mended there."""
    outcomes, where, line = JUDGED[rule]
    found = list(proof.judged(*_verdicts(root, **outcomes)))
    kinds = [(f.kind, str(f.path.relative_to(root)), f.line) for f in found]
    assert (rule.partition(":")[0], where, line) in kinds
    assert any(told(root, f).startswith(f"{where}:{line}: ") for f in found)


def test_verdicts_as_they_must_be_are_silent(root):
    """Nothing is found; one task that no wrong answer fails is."""
    assert list(proof.judged(*_verdicts(root))) == []
    section, verdicts = _verdicts(root)
    few = {p: v for p, v in verdicts.items() if p.parent.name != "wrong"}
    assert [f.kind for f in proof.judged(section, few)] == ["task_never_failed"]


# lessons


def test_the_blocks_of_a_lesson_and_what_they_claim():
    """Only a fence right below, without a language or with ```text, is a claim; lines are those of the file."""
    text = "a\n\n```python\nx = 1\n```\n\n```\n1\n```\n\n```python no-run\ny\n```\n\nb\n\n```\ndiagram\n```\n"
    text += "\n```sh\nls\n```\n"
    one, two = lessons.examples(text)
    assert (one.info, one.code, one.line, one.claim, one.claim_line) == ("python", "x = 1\n", 4, "1\n", 8)
    assert (two.info, two.code, two.line, two.claim, two.claim_line) == ("python no-run", "y\n", 12, "", 12)


@pytest.fixture(scope="module")
def cells():
    """A zygote for all lessons of this file."""
    with warden.Warden() as w:
        yield w


BLOCKS = {  # what a lesson says -> kind, line, a piece of the message
    "```python\nprint(1)\n```\n\n```\n1\n```\n": None,
    "```python\nprint(1)\n```\n\n```text\n1  \n```\n": None,
    "```python\nx = 2\n```\n\nText.\n\n```python\nprint(x)\n```\n\n```\n2\n```\n": None,
    "```python no-run\nboom(\n```\n\n```\n1\n```\n": None,
    "```\nboom(\n```\n": None,
    "```python\nprint(__name__)\nclass A: pass\nprint(A)\n```\n\n```\n__main__\n<class '__main__.A'>\n```\n": None,
    "```python\nprint(1)\n```\n": ("prints_unclaimed", 2, "prints `1`"),
    "```python\nprint(1)\n```\n\nText.\n\n```\n1\n```\n": ("prints_unclaimed", 2, "right below"),
    "```python\nprint(1)\nprint(2)\n```\n\n```\n1\n3\n```\n": ("prints_other", 8, "prints `2`, not `3`"),
    "```python\nprint(1)\n```\n\n```\n1\n2\n```\n": ("prints_less", 7, "does not print `2`"),
    "```python\nprint(1)\nprint(2)\n```\n\n```\n1\n```\n": ("prints_other", 7, "prints `2`"),
    "```python\nx = 1\n\n1 / 0\n```\n": ("block_raises", 4, "ZeroDivisionError: division by zero"),
    "```python\nx = 1\nboom(\n```\n": ("block_raises", 3, "SyntaxError"),
    "```python\ndef f():\n    raise ValueError\n```\n\n```python\nf()\n```\n": ("block_raises", 3, "ValueError"),
    "```python\nimport os\nos._exit(1)\n```\n": ("block_ends", 2, "Died"),
    "```python\nraise SystemExit\n```\n": ("block_raises", 2, "exited"),
    "```python norun\n1\n```\n": ("block_mark", 1, "`python norun`"),
    "```py\n1\n```\n": ("block_mark", 1, "`py`"),
}


@pytest.mark.parametrize("text", BLOCKS)
def test_a_lessons_code_runs_and_prints_what_it_claims(root, cells, text):
    """From top to bottom in one namespace; what differs is told with the line of the lesson."""
    (root / LESSON).write_text(text, encoding="utf-8")
    found = list(lessons.rehearse(Course.at(root)["scaling"], ["en"], cells))
    if BLOCKS[text] is None:
        assert found == []
    else:
        kind, line, piece = BLOCKS[text]
        assert [(f.kind, f.line) for f in found] == [(kind, line)]
        assert piece in told(root, found[0])


def test_what_hangs_on_a_seed_that_nobody_set_is_found(root, cells):
    """The languages have different seeds: equal claims cannot both be right."""
    block = "```python\nimport torch\nprint(torch.randint(10**9, (1,)).item() > {})\n```\n\n```\nTrue\n```\n"
    values = []
    for lang in ("en", "zh"):
        text = block.replace(" > {}", "")
        (root / E_ / f"lesson.{lang}.md").write_text(text)
    for f in lessons.rehearse(Course.at(root)["scaling"], ["en", "zh"], cells):
        values.append(f.params["got"])
    assert len(set(values)) == 2


def test_lessons_run_confined(root, cells):
    """No file of ours can be read from a lesson."""
    if cells.confinement().tier == "T1":
        pytest.skip("this host confines nothing")
    (root / LESSON).write_text(f"```python\nopen({str(root / TESTS)!r})\n```\n")
    (found,) = lessons.rehearse(Course.at(root)["scaling"], ["en"], cells)
    assert found.kind == "block_raises" and "Error" in found.params["error"]


# what is kept


@pytest.fixture
def proved(monkeypatch):
    """In place of judging, everything is as it must be; the list holds the sections that were judged."""
    seen = []

    def prove(course, jobs, slugs, workers=None):
        for slug in slugs:
            seen.append(slug)
            _, verdicts = _verdicts(course.exercises.parent)
            for job in jobs:
                yield msgspec.structs.replace(verdicts[Path(job.id)], job=job.id)
            yield pool.Rehearsal(slug, [])

    monkeypatch.setattr(pool, "prove", prove)
    return seen


def check(root, *names, **options):
    """The proofs of the course as it is now: (findings, kept)."""
    return [(len(p.findings), p.kept) for p in proof.check(Course.at(root), names, **options)]


def test_what_is_unchanged_is_not_proved_again(root, proved):
    """The second time nothing is judged, by whatever name; `anew` judges all the same."""
    assert check(root) == [(0, False)]
    assert check(root) == check(root, "1.1", "scaling") == [(0, True)]
    assert proved == ["scaling"]
    assert check(root, anew=True) == [(0, False)] and len(proved) == 2


ANY = [STUB, REFERENCE, TESTS, LESSON, EXERCISE, f"{S_}/wrong/added.py", f"{S_}/mistakes.en.md", f"{E_}/hints.en.md",
       "exercises/course.yaml", "exercises/glossary.yaml"]  # fmt: skip


@pytest.mark.parametrize("name", ANY)
def test_any_change_is_proved_again(root, proved, name):
    """Of any file of the section, of course.yaml, of the glossary."""
    check(root)
    with (root / name).open("a") as f:
        f.write("\n")
    check(root)
    assert len(proved) == 2


def test_a_file_more_or_less_is_a_change(root, proved):
    """Also one that is empty; caches of Python's are none."""
    check(root)
    (root / S_ / "__pycache__").mkdir()
    (root / S_ / "__pycache__" / "x.pyc").write_text("")
    check(root)
    assert len(proved) == 1
    (root / S_ / "wrong" / "divided.py").rename(root / S_ / "wrong" / "halved.py")
    check(root)
    assert len(proved) == 2


def test_a_link_that_leads_nowhere_now_is_a_change(root, proved):
    """Although the file that is gone was in no folder of the section."""
    (root / "exercises" / "more.md").write_text("More.")
    change(root / LESSON, "## Read on", "## Read on\n\n[more](../../more.md)")
    assert check(root) == [(0, False)] and check(root) == [(0, True)]
    (root / "exercises" / "more.md").unlink()
    assert check(root) == [(1, False)]


@pytest.mark.parametrize("what", ["engine", "version", "tier"])
def test_the_engine_its_libraries_and_the_tier_count(root, proved, monkeypatch, tmp_path, what):
    """Another grader, torch or sandbox has to prove it anew; other words for people do not."""
    check(root)
    engine = tmp_path / "engine"
    (engine / "reports").mkdir(parents=True)
    (engine / "judge.py").write_text("1")
    monkeypatch.setattr(cache, "_ENGINE", engine)
    check(root)
    (engine / "reports" / "words.py").write_text("2")
    check(root)
    assert len(proved) == 2
    if what == "engine":
        (engine / "judge.py").write_text("2")
    if what == "version":
        monkeypatch.setattr(cache, "_version", lambda name: "99")
    if what == "tier":
        monkeypatch.setattr(warden, "signs", lambda: ("another kernel",))
    check(root)
    assert len(proved) == 3


def test_findings_are_never_kept(root, proved):
    """They are told each time."""
    change(root / ZH, "## 延伸阅读", "多维数组\n\n## 延伸阅读")
    assert check(root) == check(root) == [(1, False)]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"scaling": 1}', b'{"scaling": {"digest": 5}}', b"\xff\x00"])
def test_a_damaged_file_is_ignored(root, proved, damage):
    """Everything is proved again, and kept again."""
    check(root)
    (kept,) = Path(os.environ["LEARN_HOME"]).rglob("proofs.json")
    kept.write_bytes(damage)
    assert check(root) == [(0, False)] and check(root) == [(0, True)]
    assert json.loads(kept.read_text()).keys() == {"scaling"}
    assert [p.name for p in kept.parent.iterdir() if p.name.startswith(".proofs")] == []


def test_a_home_that_cannot_be_written_costs_nothing_but_time(root, proved, tmp_path, monkeypatch):
    """No error."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "file"))
    assert check(root) == check(root) == [(0, False)]


def test_what_is_edited_meanwhile_is_not_taken_for_proved(root, proved):
    """The proof is of the files as they were at the beginning."""
    proofs = proof.check(
        Course.at(root), [], tell=lambda _: (root / LESSON).touch() or change(root / LESSON, "#", "# .")
    )
    assert next(proofs).findings == []
    list(proofs)
    assert check(root)[0][1] is False


def test_nothing_is_judged_while_a_file_cannot_be_read(root, proved):
    """The finding is told, and nothing else; no section is forgotten."""
    (root / TESTS).unlink()
    assert check(root) == [(1, False)]


def test_folders_without_a_section_are_told_each_time(root, proved):
    """Although every section is unchanged."""
    check(root)
    (root / "solutions/01_first/02_lost").mkdir()
    assert check(root) == [(1, False), (0, True)] and check(root, "1.1") == [(0, True)]


def test_progress_is_told(root, proved):
    """How many of how many, and how long it will take, down to nothing."""
    seen = []
    check(root, tell=seen.append)
    assert [(p.done, p.total) for p in seen] == [(i, 6) for i in range(7)]
    assert seen[0].left is None and seen[-1].left == 0
    assert plain.proving(proof.Progress(3, 6, 61.2), "en") == "3 of 6 answers judged, about 1:01 left"
    assert plain.proving(seen[0], "zh") == "已评判 0/6 份答案"


# the command


def learn(root, *arguments):
    """Exit code and output."""
    done = CliRunner().invoke(cli.learn, ["--course", str(root), "--lang", "en", "dev", "check", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_says_what_holds_and_what_does_not(root, proved):
    """Exit 0 or 1; no progress where no terminal is."""
    assert learn(root)[0] == 0
    code, out, err = learn(root)
    assert code == 0 and "1.1 scaling: unchanged" in out and "the course holds" in out and err == ""
    assert "unchanged" not in learn(root, "--all", "--jobs", "1")[1]
    change(root / LESSON, "https://", "http://")
    code, out, _ = learn(root)
    assert code == 1 and re.search(r"lesson\.en\.md:26: `http://.*use https", out) and "findings: 1" in out


@pytest.mark.slow
def test_a_section_proves_itself_in_truth(root):
    """With real cells all holds; broken in its verdicts and its lesson, it is told; unchanged, no torch is needed."""
    assert check(root) == [(0, False)]
    command = [sys.executable, "-X", "importtime", str(ROOT / "cli.py"), "--course", str(root), "dev", "check"]
    began = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "torch" not in run.stderr, run.stdout
    assert time.monotonic() - began < 10  # two on a computer that has nothing else to do
    change(root / TESTS, '"divided": x / factor', '"divided": x')
    change(root / LESSON, "-3.])", "-4.])")
    add(
        Course.at(root)["scaling"],
        "also/off",
        '"""Off.\n\n差一点。\n"""\n\n\ndef scaled(x, factor):\n    return factor * x + 1\n',
    )
    (proven,) = proof.check(Course.at(root))
    assert {f.kind for f in proven.findings} == {"prints_other", "right_fails", "unrecognised"}
    assert all(isinstance(f, Finding) for f in proven.findings)
