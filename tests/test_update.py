"""`learn update`: what is new arrives, and nothing of the learner's is lost, wherever it is interrupted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cli
from grader.course import Course
from grader.update import Change, merge, update
from grader.workspace import GIVEN, Workspace

ROOT = Path(__file__).resolve().parent.parent
DOUBLING = Path("01_first/01_doubling")
STUB = DOUBLING / "doubling.py"
MINE = tiny_course.STUB.replace("    raise NotImplementedError", "    return 2 * x", 1)
HEAD = tiny_course.STUB.replace("# # Double", "# # Doubling a number")  # far from any task
BODY = tiny_course.STUB.replace("    raise NotImplementedError", "    raise NotImplementedError('later')", 1)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course as an installed package holds it."""
    return tiny_course.write(tmp_path / "grader" / "_course")


@pytest.fixture
def root(course: Course, tmp_path: Path) -> Path:
    """A learner's workspace, made by `learn init`."""
    return Workspace.init(course, tmp_path / "ws")[0].root


def newer(course: Course, **texts: str) -> Course:
    """The course with other texts: newer(course, doubling="...") for a stub, lesson="..." for a lesson."""
    for name, text in texts.items():
        path = course["doubling"].folder / "lesson.en.md" if name == "lesson" else course[name].stub
        path.write_text(text)
    return Course(course.exercises, course.solutions)


def tree(root: Path) -> dict[str, bytes]:
    """Every file of the learner's, and its content."""
    files = (p for p in root.rglob("*") if p.is_file() and ".learn" not in p.parts)
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


def done(course: Course, root: Path, *, dry: bool = False) -> list[Change]:
    """The changes, in order."""
    return list(update(course, root, dry=dry))


def test_nothing_to_do(course: Course, root: Path) -> None:
    """Right after init, and right after an update, there is nothing; an edit alone is no reason either."""
    assert done(course, root) == []
    (root / STUB).write_text(MINE)
    assert done(newer(course, lesson="# New\n"), root) == [Change("replaced", DOUBLING / "lesson.en.md")]
    assert done(course, root) == [] and (root / STUB).read_text() == MINE


def test_new_sections_arrive(course: Course, root: Path) -> None:
    """All files of a section that was not there."""
    shutil.copytree(course.exercises / DOUBLING, course.exercises / "01_first" / "03_third")
    (course.exercises / "01_first/03_third/doubling.py").rename(course.exercises / "01_first/03_third/third.py")
    changes = done(Course(course.exercises, course.solutions), root)
    assert {c.kind for c in changes} == {"new"} and (root / "01_first/03_third/third.py").is_file()
    assert len(changes) == len(list((course.exercises / "01_first" / "03_third").iterdir()))


def test_an_untouched_stub_is_replaced_and_an_edited_one_merged(course: Course, root: Path) -> None:
    """Both changes are in the merged file, and the file as it was is kept."""
    (root / STUB).write_text(MINE)
    changes = done(newer(course, doubling=HEAD, again=HEAD), root)
    (merged,) = (c for c in changes if c.kind == "merged")
    assert [c.part.name for c in changes if c.kind == "replaced"] == ["again.py"]
    assert "Doubling a number" in (text := (root / STUB).read_text()) and "return 2 * x" in text
    assert merged.other and (root / merged.other).read_text() == MINE
    assert done(course, root) == []


def test_a_conflict_leaves_the_learners_file(course: Course, root: Path) -> None:
    """The new stub is put aside and named; told once; a later change elsewhere is then merged again."""
    (root / STUB).write_text(MINE)
    (change,) = done(newer(course, doubling=BODY), root)
    assert change == Change("conflict", STUB, DOUBLING / "doubling.new.py")
    assert (root / STUB).read_text() == MINE and (root / change.other).read_text() == BODY
    assert done(course, root) == []
    both = BODY.replace("# # Double", "# # Doubling a number")
    (later,) = done(newer(course, doubling=both), root)
    assert later.kind == "merged" and "return 2 * x" in (root / STUB).read_text()


def test_what_was_put_aside_is_the_learners_too(course: Course, root: Path) -> None:
    """A .new.py that somebody has written into is not overwritten by the next conflict without a copy."""
    (root / STUB).write_text(MINE)
    done(newer(course, doubling=BODY), root)
    aside = root / DOUBLING / "doubling.new.py"
    aside.write_text("notes")
    done(newer(course, doubling=BODY.replace("later", "still later")), root)
    assert "still later" in aside.read_text()
    assert [p.read_text() for p in aside.parent.glob("doubling.new.before-update-*")] == ["notes"]


def test_a_merge_that_is_no_python_is_a_conflict(course: Course, root: Path) -> None:
    """Lines that fit side by side and make no sense together are not put into a file that worked."""
    base = "def f():\n    pass\n\n\nkept = 1\n\n\nz = 1\n"
    theirs = base.replace("def f():\n    pass\n\n\nkept = 1", "f = 2\nkept = 1")

    def merged(mine: str) -> bytes | None:
        return merge(base.encode(), mine.encode(), theirs.encode())

    assert merged(base.replace("z = 1", "z = 3")) == theirs.replace("z = 1", "z = 3").encode()
    assert merged(base.replace("kept = 1", "    kept = 1").replace("z = 1", "    z = 1")) is None
    assert merged(base.replace("z = 1", "z = (")) == theirs.replace("z = 1", "z = (").encode()  # nor was mine


def test_a_file_that_was_deleted_stays_deleted(course: Course, root: Path) -> None:
    """Nor is anything of the learner's own touched."""
    (root / DOUBLING / "lesson.en.md").unlink()
    (root / DOUBLING / "notes.txt").write_text("mine")
    assert done(newer(course, lesson="# New\n"), root) == []
    assert (root / DOUBLING / "notes.txt").read_text() == "mine"


def test_a_file_without_a_record(course: Course, root: Path) -> None:
    """Where it is not known what was given out, a file that differs is the learner's; one that does not is ours."""
    shutil.rmtree(root / GIVEN)
    (root / STUB).write_text(MINE)
    assert done(course, root) == [Change("conflict", STUB, DOUBLING / "doubling.new.py")]
    assert done(newer(course, lesson="# New\n"), root) == [Change("replaced", DOUBLING / "lesson.en.md")]


def _renumbered(course: Course) -> Course:
    (course.exercises / DOUBLING).rename(course.exercises / "01_first" / "05_doubling")
    shutil.copytree(course.solutions / DOUBLING, course.solutions / "01_first" / "05_doubling")
    return newer(Course(course.exercises, course.solutions), doubling=HEAD)


def test_a_section_with_another_number(course: Course, root: Path) -> None:
    """The learner's folder moves along, with all that is in it, and the file is merged where it now is."""
    (root / STUB).write_text(MINE)
    (root / DOUBLING / "notes.txt").write_text("mine")
    changes = done(_renumbered(course), root)
    assert changes[0] == Change("moved", DOUBLING, Path("01_first/05_doubling"))
    text = (root / "01_first/05_doubling/doubling.py").read_text()
    assert "return 2 * x" in text and "Doubling a number" in text and not (root / DOUBLING).exists()
    assert (root / "01_first/05_doubling/notes.txt").read_text() == "mine"
    assert done(Course(course.exercises, course.solutions), root) == []


def test_a_section_that_is_there_already_under_its_new_number(course: Course, root: Path) -> None:
    """`learn next` may have put the new stub there: it gives way while it is untouched, and stays once it is not."""
    for touched in (False, True):
        shutil.rmtree(root)
        fresh = tiny_course.write(course.exercises.parents[1] / f"again{touched}" / "_course")
        Workspace.init(fresh, root)
        (root / STUB).write_text(MINE)
        now = _renumbered(fresh)
        new = Workspace(now, root).file(now["doubling"])
        if touched:
            new.write_text("written into")
        changes = done(now, root)
        left = [c for c in changes if c.kind == "left"]
        assert [c.part.name for c in left] == (["doubling.py"] if touched else [])
        assert ("return 2 * x" in new.read_text()) is not touched
        assert (root / STUB).exists() is touched


def test_dry_run_says_the_same_and_does_nothing(course: Course, root: Path) -> None:
    """Also of a section that moves."""
    (root / STUB).write_text(MINE)
    now = newer(_renumbered(course), again=HEAD)
    before = tree(root)
    planned = done(now, root, dry=True)
    assert tree(root) == before
    real = done(now, root)
    assert [(c.kind, c.part) for c in planned] == [(c.kind, c.part) for c in real]


KILLED = """
import os, sys
from pathlib import Path
from grader.course import Course
from grader.update import update

left = int(sys.argv[3])

def watch(event, _):
    global left
    if event in ("open", "os.rename", "os.rmdir", "os.remove") and armed:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)

armed = False
sys.addaudithook(watch)
course = Course(Path(sys.argv[1]) / "exercises", Path(sys.argv[1]) / "solutions")
import grader.pool  # nothing of it is read later
armed = True
for _ in update(course, Path(sys.argv[2])):
    pass
"""


def test_killed_at_any_point_nothing_is_lost(course: Course, root: Path, tmp_path: Path) -> None:
    """Killed before its 1st, 8th, 15th … step on files, and run again: the same end, and no answer is gone."""
    (root / STUB).write_text(MINE)
    (root / "01_first/02_again/again.py").write_text(MINE)
    now = newer(_renumbered(course), again=BODY, lesson="# New\n")
    shutil.copytree(root, tmp_path / "whole")
    done(now, tmp_path / "whole")
    whole = tree(tmp_path / "whole")
    merged = whole["01_first/05_doubling/doubling.py"]
    ended, at = False, 0
    while not ended:
        work = tmp_path / f"killed{at}"
        shutil.copytree(root, work)
        command = [sys.executable, "-c", KILLED, str(course.exercises.parent), str(work), str(at)]
        ended = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
        texts = tree(work).values()
        assert MINE.encode() in texts or merged in texts
        done(now, work)
        after = {k: v for k, v in tree(work).items() if "before-update" not in k and not Path(k).name.startswith(".")}
        assert after == {k: v for k, v in whole.items() if "before-update" not in k}, at
        at += 7
    assert at > 28  # the last run was not the first


lines = st.lists(st.sampled_from(["a = 1\n", "b = 2\n", "# c\n", "\n"]), max_size=8).map("".join)


@given(lines, lines, lines)
def test_merging_keeps_both_sides(base: str, mine: str, theirs: str) -> None:
    """A side that changed nothing gives way to the other; what either has written is in the merge, and nothing else."""
    b, m, t = (x.encode() for x in (base, mine, theirs))
    assert merge(b, b, t) == t and merge(b, m, b) == m and merge(b, m, m) == m
    if (both := merge(b, m, t)) is not None:
        was, ours, new, now = (set(x.splitlines()) for x in (b, m, t, both))
        assert (ours | new) - was <= now <= ours | new


def test_the_command(course: Course, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change in a line of either language; in a clone it says what to do instead, with exit code 2."""
    for name in [n for n in os.environ if n.startswith(("LEARN_", "LC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEARN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(root)
    (root / STUB).write_text(MINE)
    newer(course, doubling=HEAD, again=BODY)

    def learn(*arguments: str) -> tuple[int, str]:
        ran = CliRunner().invoke(cli.learn, ["--course", str(course.exercises.parent), *arguments])
        return ran.exit_code, ran.output

    code, out = learn("update", "--dry-run", "--lang", "zh")
    assert code == 0 and "现在不做任何改动" in out and "待合并" in out and (root / STUB).read_text() == MINE
    code, out = learn("update", "--lang", "en")
    assert (
        code == 0 and "Merged: " in out and "before-update" in out and "had not changed, now as in the course: 1" in out
    )
    assert "up to date" in learn("update")[1]
    assert learn("update", "--dry-run") == (0, "Your workspace is up to date.\n")
    monkeypatch.chdir(tmp_path)
    clone = tiny_course.write(tmp_path / "clone")
    ran = CliRunner().invoke(cli.learn, ["--course", str(clone.exercises.parent), "update"])
    assert ran.exit_code == 2 and "git pull" in ran.stderr and ran.stderr.count("\n") == 1
