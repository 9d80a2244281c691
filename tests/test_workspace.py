"""The learner's files: found, made, started over, and never lost."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest
import tiny_course

from grader.course import Course
from grader.workspace import GIVEN, Workspace, WorkspaceError, is_installed, pristine


@pytest.fixture
def course(tmp_path):
    """A course in a folder without git."""
    return tiny_course.write(tmp_path / "course")


@pytest.fixture
def installed(tmp_path):
    """A course as an installed package holds it."""
    return tiny_course.write(tmp_path / "site-packages" / "grader" / "_course")


def _git(root, *arguments):
    # Inside a hook GIT_DIR is set, and these commits would go to the project itself.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, env=environ)


def _commit(root, message):
    _git(root, "add", "-A")
    _git(root, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--no-gpg-sign", "-qm", message)


@pytest.fixture
def clone(course, tmp_path):
    """The course as a git clone."""
    _git(tmp_path / "course", "init", "-q")
    _commit(tmp_path / "course", "stubs")
    return course


def _find(course, cwd, remembered=None, **environ):
    return Workspace.find(course, cwd, remembered, environ).root


def test_a_clone_is_its_own_workspace(course, tmp_path):
    """Without anything else, a course that is not inside a package is worked in where it is."""
    assert _find(course, tmp_path) == course.exercises


def test_an_installed_course_needs_init(installed, tmp_path):
    """An installed course is never written to: the error tells of `learn init`."""
    assert is_installed(installed)
    with pytest.raises(WorkspaceError) as e:
        _find(installed, tmp_path)
    assert e.value.kind == "no_workspace"


def test_order_of_places(installed, tmp_path):
    """LEARN_WORKSPACE goes before the folder one is in, that before the remembered one."""
    a, b, c = (Workspace.init(installed, tmp_path / n)[0].root for n in "abc")
    inside = b / "01_first" / "01_doubling"
    assert _find(installed, inside, str(c), LEARN_WORKSPACE=str(a)) == a
    assert _find(installed, inside, str(c)) == b
    assert _find(installed, tmp_path, str(c)) == c
    assert _find(installed, tmp_path / "course", str(tmp_path / "gone"), LEARN_WORKSPACE=str(a)) == a


def test_learn_workspace_that_is_none(course, tmp_path):
    """A wrong LEARN_WORKSPACE is an error, not silently passed over."""
    with pytest.raises(WorkspaceError) as e:
        _find(course, tmp_path, LEARN_WORKSPACE=str(tmp_path / "nowhere"))
    assert e.value.kind == "no_workspace_at"


def test_the_folder_above_exercises_is_found(course, tmp_path):
    """Anywhere in a clone, above exercises/ or in it, finds the clone's tree."""
    elsewhere = Course.at(tmp_path / "course")
    assert _find(elsewhere, tmp_path / "course" / "solutions") == course.exercises


def test_a_workspace_of_another_course_is_passed_over(course, tmp_path):
    """A course.yaml with another id, or none that can be read, is not this course's workspace."""
    for name, text in (("other", "id: other\n"), ("broken", "id: [\n"), ("binary", "\x00\x01")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "course.yaml").write_text(text)
        assert _find(course, tmp_path / name) == course.exercises


def test_init_copies_what_a_learner_may_see(installed, tmp_path):
    """The whole exercises tree arrives, without build litter; and once more for `learn update` to compare with."""
    litter = installed.exercises / "01_first" / "__pycache__"
    litter.mkdir()
    (litter / "x.pyc").write_bytes(b"")
    made, count = Workspace.init(installed, tmp_path / "ws")
    copied, given = (
        {p.relative_to(tree) for p in tree.glob("[!.]*/**/*") if p.is_file()} | {Path("course.yaml")}
        for tree in (made.root, made.root / GIVEN)
    )
    assert given == copied
    expected = {p.relative_to(installed.exercises) for p in installed.exercises.rglob("*") if p.suffix != ".pyc"}
    assert copied == {p for p in expected if (installed.exercises / p).is_file()}
    assert count == len(copied)


def test_init_never_overwrites(installed, tmp_path):
    """Run again it adds only what is missing; the learner's text stays."""
    made, _ = Workspace.init(installed, tmp_path / "ws")
    mine, gone = (made.file(s) for s in installed.sections)
    mine.write_text("mine")
    gone.unlink()
    assert Workspace.init(installed, tmp_path / "ws")[1] == 1
    assert mine.read_text() == "mine"
    assert gone.read_text() == tiny_course.STUB


def test_init_goes_on_after_an_interruption(installed, tmp_path):
    """Killed half way, with only course.yaml there, it can be run again."""
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "course.yaml").write_bytes((installed.exercises / "course.yaml").read_bytes())
    made, count = Workspace.init(installed, tmp_path / "ws")
    assert count > 0 and made.file(installed["doubling"]).is_file()


@pytest.mark.parametrize("kind", ["init_not_empty", "init_not_a_folder"])
def test_init_refuses_a_place_that_is_taken(installed, tmp_path, kind):
    """A folder with other files in it, or a file, is left as it is."""
    place = tmp_path / "taken"
    if kind == "init_not_empty":
        place.mkdir()
        (place / "thesis.tex").write_text("x")
    else:
        place.write_text("x")
    with pytest.raises(WorkspaceError) as e:
        Workspace.init(installed, place)
    assert e.value.kind == kind
    assert not place.is_dir() or [p.name for p in place.iterdir()] == ["thesis.tex"]


def test_init_from_a_clone_that_was_worked_in(clone, tmp_path):
    """A new workspace gets the stubs, not the answers already written in the clone."""
    clone["doubling"].stub.write_text(tiny_course.REFERENCE)
    made, _ = Workspace.init(clone, tmp_path / "ws")
    assert made.file(clone["doubling"]).read_text() == tiny_course.STUB


def test_a_missing_file_comes_back(installed, tmp_path):
    """A file that was deleted is put there again."""
    made, _ = Workspace.init(installed, tmp_path / "ws")
    made.path(installed["again"]).unlink()
    assert made.file(installed["again"]).read_text() == tiny_course.STUB


def test_reset_keeps_a_dated_copy(installed, tmp_path):
    """Reset any number of times within a second, each version is kept under its own name."""
    made, _ = Workspace.init(installed, tmp_path / "ws")
    section = installed["doubling"]
    copies = []
    for text in ("one", "two", "three"):
        made.file(section).write_text(text)
        copies.append(made.reset(section))
        assert made.file(section).read_text() == tiny_course.STUB
    assert [c.read_text() for c in copies] == ["one", "two", "three"]
    assert all(re.fullmatch(r"doubling\.before-reset-\d{8}-\d{6}(-\d)?\.py", c.name) for c in copies)


def test_reset_of_an_untouched_file_does_nothing(installed, tmp_path):
    """No copy of what is no work."""
    made, _ = Workspace.init(installed, tmp_path / "ws")
    assert made.reset(installed["doubling"]) is None
    assert not list(made.root.rglob("*before-reset*"))


def test_reset_leaves_no_litter_and_keeps_the_link(installed, tmp_path):
    """The file is replaced in one step; a link stays one, and the mode of the file too."""
    made, _ = Workspace.init(installed, tmp_path / "ws")
    path = made.file(installed["doubling"])
    real = tmp_path / "elsewhere.py"
    real.write_text("mine")
    real.chmod(0o640)
    path.unlink()
    path.symlink_to(real)
    made.reset(installed["doubling"])
    assert path.is_symlink() and real.read_text() == tiny_course.STUB and real.stat().st_mode & 0o777 == 0o640
    assert not [p for p in (*path.parent.iterdir(), *tmp_path.iterdir()) if p.name.startswith(".doubling")]


def test_reset_in_a_clone_by_git(clone, tmp_path):
    """Even when the answer was committed, the newest version in which nothing is written comes back."""
    section = clone["doubling"]
    section.stub.write_text(tiny_course.REFERENCE)
    _commit(tmp_path / "course", "my answer")
    section.stub.write_text("half")
    made = Workspace(clone, clone.exercises)
    copy = made.reset(section)
    assert section.stub.read_text() == tiny_course.STUB
    assert copy.read_text() == "half"


def test_git_of_a_half_written_file_is_no_stub(clone, tmp_path):
    """A commit in which one task is written is passed over."""
    section = clone["doubling"]
    half = tiny_course.STUB.replace("    raise NotImplementedError", "    return 2 * x", 1)
    section.stub.write_text(half)
    _commit(tmp_path / "course", "half")
    section.stub.write_text(half + "# more\n")
    assert pristine(section, clone, trusted=False).decode() == tiny_course.STUB


def test_reset_without_git_rebuilds_the_stub(course):
    """In an unpacked archive the stub is made of the reference: it imports, and every task refuses."""
    section = course["doubling"]
    section.stub.write_text("all gone")
    Workspace(course, course.exercises).reset(section)
    text = section.stub.read_text()
    names: dict = {}
    exec(compile(text, "stub", "exec"), names)
    for name in ("double", "halve"):
        with pytest.raises(NotImplementedError):
            names[name](1)
    assert "Half of x." in text and "helper" not in text and "y = x + x" not in text


CLASSES = '''# --- task 1 ---
class Net(Base):
    """A net."""

    size = 3

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x, *,
                scale=1.0):
        def inner():
            return 1
        return x * scale + inner()

    def short(self): return 1
# --- end ---

def given(x):
    # --- task 2 ---
    y = x + 1
    return y
    # --- end ---
'''


def test_rebuilding_classes_and_bodies():
    """Methods are emptied one by one, a region inside a function as a whole; no answer is left."""
    from grader.workspace import _rebuilt

    text = _rebuilt(CLASSES)
    ast.parse(text)
    assert text.count("raise NotImplementedError") == 4
    for kept in ("size = 3", "scale=1.0", '"""A net."""', "def short(self):", "def given(x):"):
        assert kept in text
    for gone in ("inner", "self.n", "y = x + 1", "return 1"):
        assert gone not in text


def test_nothing_to_reset_from(course):
    """Without git, reference and an untouched file the stub is not invented, and the file stays."""
    section = course["doubling"]
    section.stub.write_text("mine")
    section.reference.unlink()
    with pytest.raises(WorkspaceError) as e:
        Workspace(course, course.exercises).reset(section)
    assert e.value.kind == "no_stub" and section.stub.read_text() == "mine"


def test_real_sections_can_be_rebuilt():
    """The course that comes along: each reference, emptied, is Python with a refusal for every task."""
    from grader.workspace import _is_stub, _rebuilt

    for section in Course.ours().sections:
        if section.reference.is_file():
            reference = section.reference.read_text(encoding="utf-8")
            text = _rebuilt(reference)
            ast.parse(text)
            assert _is_stub(text, reference), section.reference


def test_an_unwritable_folder_is_one_error(installed, tmp_path):
    """An operating system's refusal is a WorkspaceError that names the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError) as e:
        Workspace.init(installed, tmp_path / "file" / "below")
    assert e.value.kind == "cannot_write" and str(Path("file") / "below") in e.value.params["path"]


def test_the_newer_of_file_and_notebook_is_the_answer(course, tmp_path):
    """A notebook beside the file counts if it is newer, or alone; no stub is put beside it then."""
    section = course.sections[0]
    workspace, _ = Workspace.init(course, tmp_path / "work")
    mine = workspace.path(section)
    notebook = mine.with_suffix(".ipynb")
    mine.unlink()
    notebook.write_text("{}")
    assert workspace.answer(section) == notebook and not mine.exists()
    mine.write_text("x = 1")
    os.utime(notebook, (1, 1))
    assert workspace.answer(section) == mine
