"""`learn release`: what goes out to a class, and that nothing else does."""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import tiny_course

from cli import learn
from grader import progress, releases
from grader.course import Course
from grader.model import Check, Outcome, Sandbox, Tier, Verdict, score

SET = """title: Homework 2
sections: {1.1: 6, 2.2: 10, '3.1': 4}
due: 2026-12-01
timezone: Asia/Shanghai
late: {percent_per_day: 10, at_most_percent: 50, refused_after_days: 7, grace_minutes: 15}
extensions: {zhou-min: 2026-12-05}
"""


def release(tmp_path, *arguments):
    """`learn release` of three sections, in that folder; its exit code."""
    (tmp_path / "assignment.yaml").write_text(SET, encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        learn.main(["release", str(tmp_path / "assignment.yaml"), *arguments])
    return end.value.code


def unpacked(path):
    """Every file under it by name, those inside archives too: (name, contents)."""
    found = {}
    for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
        found[str(file)] = file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                found |= {n: archive.read(n) for n in archive.namelist()}
    return found


@pytest.mark.parametrize("to", [n for n in releases.NAMES if not releases.target(n).OWN])
def test_nothing_of_the_solutions_goes_out(tmp_path, to):
    """Whatever students get holds no file of solutions/, by its contents, and no reference by its text."""
    assert release(tmp_path, "--to", to, "--out", str(tmp_path / "out" / "given.zip")) == 0
    out = unpacked(tmp_path / "out")
    course = Course.ours()
    secret = {hashlib.sha256(p.read_bytes()).digest(): p for p in course.solutions.rglob("*") if p.is_file()}
    secret = {d: p for d, p in secret.items() if p.stat().st_size and p.suffix in (".py", ".md", ".yaml")}
    assert out and [n for n, data in out.items() if hashlib.sha256(data).digest() in secret] == []
    for name in ("1.1", "2.2", "3.1"):
        tests = course[name].tests.read_text(encoding="utf-8").splitlines()
        telling = {line.strip() for line in tests if len(line.strip()) > 60}
        public = "".join(p.read_text(encoding="utf-8") for p in course[name].folder.glob("*.*"))
        telling = {line for line in telling if line not in public}
        assert telling
        whole = "".join(data.decode(errors="replace") for data in out.values())
        assert [line for line in telling if line in whole] == []


def test_what_lies_beside_a_stub_stays_here(tmp_path, monkeypatch):
    """A solved notebook, a backup, a link to the tests, a stub that somebody filled in: none of them goes out."""
    course = tiny_course.write(tmp_path / "c")
    section = course.sections[0]
    right = section.reference.read_text(encoding="utf-8")
    (section.folder / f"{section.slug}.ipynb").write_text(right)
    for name in (f"{section.slug}.py.bak", f"{section.slug}.py~", f"{section.slug}_mine.py"):
        (section.folder / name).write_text(right)
    (section.folder / "notes.md").symlink_to(section.reference)
    section.stub.write_text(right.replace("# --- end ---", "    # was: raise NotImplementedError\n# --- end ---"))
    (tmp_path / "assignment.yaml").write_text(f"sections: [{section.slug}]\n")
    with pytest.raises(SystemExit) as end:
        learn.main(
            [
                "--course",
                str(tmp_path / "c"),
                "release",
                str(tmp_path / "assignment.yaml"),
                "--out",
                str(tmp_path / "out"),
            ]
        )
    assert end.value.code == 0
    out = unpacked(tmp_path / "out")
    body = max(right.split("# --- end ---")[0].splitlines(), key=lambda line: line.startswith("    return"))
    assert body.startswith("    return") and not any(body.encode() in data for data in out.values())
    assert not any("mine" in n or "bak" in n or "notes" in n or n.endswith("~") for n in out)


def test_a_folder_has_what_a_student_needs(tmp_path):
    """Stubs, lessons and examples of the three sections, and of no other."""
    assert release(tmp_path, "--out", str(tmp_path / "hw")) == 0
    stubs = {p.stem for p in (tmp_path / "hw" / "exercises").glob("*/*/*.py")} - {"test_examples"}
    assert stubs == {Course.ours()[n].slug for n in ("1.1", "2.2", "3.1")}
    assert (tmp_path / "hw" / "exercises" / "course.yaml").is_file()
    for stub in (tmp_path / "hw").glob("exercises/*/*/*.py"):
        assert stub.name == "test_examples.py" or "raise NotImplementedError" in stub.read_text(encoding="utf-8")


def test_an_archive_is_the_same_bytes_each_time(tmp_path):
    """Two releases of one assignment do not differ."""
    for name in ("a.zip", "b.zip"):
        assert release(tmp_path, "--to", "zip", "--out", str(tmp_path / name)) == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("to", releases.NAMES)
def test_nothing_is_overwritten(tmp_path, to, capsys):
    """What is there already stays as it is, and is named."""
    out = tmp_path / "out"
    (out / "mine").mkdir(parents=True)
    assert release(tmp_path, "--to", to, "--out", str(out)) == 2
    assert str(out) in capsys.readouterr().err
    assert [p.name for p in out.iterdir()] == ["mine"]


def test_help_names_every_target(capsys):
    """Whoever asks for help sees where an assignment can go."""
    with pytest.raises(SystemExit):
        learn.main(["release", "--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in releases.NAMES)


def test_an_unknown_target_is_told(tmp_path, capsys):
    """The names there are stand in the message."""
    assert release(tmp_path, "--to", "blackboard") == 2
    assert "folder" in capsys.readouterr().err
    assert [p.name for p in Path(tmp_path).iterdir()] == ["assignment.yaml"]


@pytest.fixture
def homework(tmp_path, monkeypatch, run):
    """A student in the folder that was given out."""
    assert release(tmp_path, "--out", str(tmp_path / "hw"), "--lang", "en") == 0
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "hw")
    run("--lang", "en", "list")
    return tmp_path / "hw"


@pytest.fixture
def run(capsys):
    """`learn` with these arguments: its exit code, and all that it said."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            learn.main(list(arguments))
        said = capsys.readouterr()
        return end.value.code or 0, said.out + said.err

    return run


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            ("10 of 20 points", "2026-12-01 23:59", "Asia/Shanghai", "costs 10 %", "at most 50 %", "7 days", "15 min"),
        ),
        ("zh", ("10 分（共 20 分）", "2026-12-01 23:59", "Asia/Shanghai", "扣 10%", "最多扣 50%", "7 天", "15 分钟")),
    ],
)
@pytest.mark.parametrize("to", ["folder", "zip", "github"])
def test_students_are_told_what_counts(tmp_path, to, lang, said):
    """Weights, due date and late policy stand in the README; whose due date is another is nobody else's business."""
    assert release(tmp_path, "--to", to, "--out", str(tmp_path / "out" / "hw"), "--lang", lang) == 0
    out = unpacked(tmp_path / "out")
    readme = next(data.decode() for name, data in out.items() if name.endswith("README.md"))
    assert [part for part in said if part not in readme] == []
    assert not any(b"zhou-min" in data for data in out.values())


@pytest.mark.parametrize("late", ["{}", "{grace_minutes: 15}", "{percent_per_day: 10, at_most_percent: 0}"])
def test_a_policy_that_costs_nothing_is_not_told(tmp_path, late):
    """Only what being late costs is said."""
    (tmp_path / "hw.yaml").write_text(f"sections: [1.1]\ndue: 2026-12-01T12:00+08:00\nlate: {late}\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        learn.main(["release", str(tmp_path / "hw.yaml"), "--out", str(tmp_path / "hw"), "--lang", "en"])
    readme = (tmp_path / "hw" / "README.md").read_text(encoding="utf-8")
    assert "Due: **2026-12-01 12:00** (UTC+08:00).\n" in readme


@pytest.mark.parametrize("to", releases.NAMES)
@pytest.mark.parametrize("flags", [(), ("--hints",)])
def test_hints_go_out_if_they_are_asked_for(tmp_path, to, flags):
    """Hints are half answers: none without --hints."""
    assert release(tmp_path, "--to", to, "--out", str(tmp_path / "out" / "hw.zip"), *flags) == 0
    assert any("hints." in name for name in unpacked(tmp_path / "out")) == bool(flags)


def test_homework_offers_what_was_set_and_nothing_else(homework, run):
    """Only its sections are listed, none waits for one outside of it, and no other can be named."""
    assert [s for s in ("1.1", "1.2", "2.1", "2.2", "3.1") if f" {s} " in run("list")[1]] == ["1.1", "2.2", "3.1"]
    assert "waits" not in run("list")[1]
    assert "of 3 sections" in run()[1]
    assert run("check", "2.1")[0] == 2
    assert run("next")[0] == 0
    assert not list(homework.glob("exercises/*/*_tensors"))


def test_homework_keeps_its_answers(homework, run):
    """No solution is shown or offered, given up or not; hints are, if they were given out."""
    assert run("solution", "2.2", "--give-up") == (
        2,
        "learn: this is homework; its solutions are shown by your teacher\n",
    )
    assert "no hints were given out for this homework" in run("hint", "2.2", "1")[1]
    folder = Course.ours()["2.2"].folder
    given = homework / folder.relative_to(Course.ours().exercises.parent) / "hints.en.md"
    given.write_bytes((folder / "hints.en.md").read_bytes())
    last = [run("hint", "2.2", "1")[1] for _ in range(4)][-1]
    assert "These are all the hints" in last and "solution" not in last


@pytest.mark.parametrize("command", [("update",), ("init", "."), ("init", "exercises")])
def test_homework_stays_as_it_was_given_out(homework, run, command):
    """Neither `update` nor `init` brings the rest of the course into it."""
    before = unpacked(homework)
    code, said = run(*command)
    assert code == 2 and "is homework" in said
    assert unpacked(homework) == before


def test_a_list_of_what_was_set_that_is_gone_is_told(homework, run):
    """Never the whole course instead; what is told to be done helps."""
    file = homework / "exercises" / "assignment.yaml"
    before = file.read_bytes()
    file.unlink()
    for command in ("list", "next", "check", "update"):
        code, said = run(command)
        assert code == 2 and str(file) in said and len(said.splitlines()) == 1
    shutil.copy(re.search(r"copy (\S+) there", said)[1], file)
    assert file.read_bytes() == before and run("list")[0] == 0


def test_homework_counts_by_its_weights(homework, run):
    """What `learn list` and `learn` say is what the answers would come to, lateness aside."""
    assert "0 of 20 points by their weights" in run("list")[1] and "0 of 20 points by" in run()[1]
    text = "sections: {1.1: 7/2, 2.2: 0, 3.1: 10}\n"
    (homework / "exercises" / "assignment.yaml").write_text(text, encoding="utf-8")
    with progress.Progress(progress.path_for(Course.ours().about.id)) as kept:
        section = Course.ours()["1.1"]
        checks = [Check(name="t", task=n, visible=False, outcome=Outcome.PASSED) for n in section.points]
        points, most = score(tuple(checks), section.points)
        kept.record(
            Verdict(
                section=section.slug,
                section_digest="",
                submission_digest="",
                checks=tuple(checks),
                points=points,
                max_points=most,
                sandbox=Sandbox(tier=Tier.T3),
                versions={},
            )
        )
    shown = run("list")[1]
    assert "1 of 3 sections passed · 3.5 of 13.5 points by their weights" in shown
    assert " 3.5/3.5 " in shown and " 0/0 " in shown and " 0/10 " in shown


def test_an_assignment_that_cannot_be_read_is_told(homework, run):
    """A damaged list of what was set is one line with its file's name, and never the whole course."""
    (homework / "exercises" / "assignment.yaml").write_text("sections: [9.99]\n", encoding="utf-8")
    code, said = run("next")
    assert code == 2 and "assignment.yaml" in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("to", ["folder", "zip", "github", "central"])
def test_the_teacher_is_told_what_is_installed(tmp_path, to, capsys):
    """The last line says what pip will install, and how to have it install another."""
    given = ("--install", "git+https://example.org/x@1")
    assert release(tmp_path, "--to", to, "--out", str(tmp_path / "out"), *given) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "git+https://example.org/x@1" in last and "--install" in last.replace(given[1], "")
