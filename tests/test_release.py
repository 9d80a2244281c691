"""`learn release`: what goes out to a class, and that nothing else does."""

import hashlib
import zipfile
from pathlib import Path

import pytest
import tiny_course

from cli import learn
from grader import releases
from grader.course import Course

SET = "title: Homework 2\nsections: [1.1, 2.2, '3.1']\n"


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
