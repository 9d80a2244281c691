"""Where a learner's files are, and how they start over.

In a clone `exercises/` itself is the workspace, so the stub on disk is the learner's file. The pristine text then comes
from git's history (the newest version in which no task is written), and without git it is rebuilt from the reference,
which has the same text outside the tasks. Both need no store of ours, so nothing can go stale after `git pull`, or be
taken from a file that was already half written.
"""

import ast
import contextlib
import os
import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from grader import home, yamls
from grader.course import Course, Section

_REGION = re.compile(r"(?ms)^([ \t]*# --- task \d+ ---[^\n]*\n)(.*?)(^[ \t]*# --- end ---)")
_UNWRITTEN = "NotImplementedError"
_LEFT_OUT = ("__pycache__", "*.pyc", ".*", "*.before-*", "*.new.*")
_NO_CODE = {".md", ".svg", ".png", ".jpg", ".gif", ".yaml", ".ini", ".csv", ".json", ".txt", ".pt"}
HOMEWORK = "assignment.yaml"  # in a workspace that `learn release` made: what was set, and nothing else is offered
GIVEN = Path(".learn", "given")  # below a workspace: each file as the course gave it out, for `learn update`


class WorkspaceError(Exception):
    """`kind` and `params` say what is wrong (worded in reports/)."""

    def __init__(self, kind: str, **params: Any) -> None:
        super().__init__(kind, params)
        self.kind = kind
        self.params = params


class Workspace(msgspec.Struct, frozen=True):
    """The tree of a learner's files, laid out as the course's `exercises/`."""

    course: Course
    root: Path

    @staticmethod
    def find(
        course: Course, cwd: Path, remembered: str | None = None, environ: Mapping[str, str] = os.environ
    ) -> "Workspace":
        """LEARN_WORKSPACE, else the one that cwd is in, else the remembered one, else the course's own in a clone.

        Raises WorkspaceError if there is none.
        """
        if asked := environ.get("LEARN_WORKSPACE"):
            if tree := _tree(Path(asked).expanduser(), course):
                return Workspace(course, tree)
            raise WorkspaceError("no_workspace_at", path=asked)
        for folder in (cwd, *cwd.parents):
            if tree := _tree(folder, course):
                return Workspace(course, tree)
        if remembered and (tree := _tree(Path(remembered), course)):
            return Workspace(course, tree)
        if not is_installed(course):
            return Workspace(course, course.exercises)
        raise WorkspaceError("no_workspace")

    @staticmethod
    def init(course: Course, folder: Path) -> tuple["Workspace", int]:
        """A workspace in that folder, and how many files were put there. No file that exists is ever touched.

        In a folder that is a workspace already only what is missing is added.
        """
        folder = folder.expanduser().absolute()
        with readable_errors(folder):
            if folder.exists() and not folder.is_dir():
                raise WorkspaceError("init_not_a_folder", path=str(folder))
            if (tree := _tree(folder, course)) and Workspace(course, tree).homework:
                raise WorkspaceError("init_homework", path=str(folder))
            if folder.is_dir() and any(folder.iterdir()) and _tree(folder, course) != folder.resolve():
                raise WorkspaceError("init_not_empty", path=str(folder))
            folder.mkdir(parents=True, exist_ok=True)
            return Workspace(course, folder.resolve()), _fill(course, folder.resolve())

    @property
    def in_place(self) -> bool:
        """True if the learner works in the course's own tree."""
        return self.root == self.course.exercises

    @property
    def homework(self) -> Path | None:
        """The file that says what was set, if this is homework. Raises WorkspaceError if that file is gone."""
        file, given = self.root / HOMEWORK, self.root / GIVEN / HOMEWORK
        if file.is_file():
            return file
        if given.is_file():
            raise WorkspaceError("homework_lost", path=str(file), copy=str(given))
        return None

    def path(self, section: Section) -> Path:
        """Where the learner's file of a section belongs, there or not."""
        return self.root / section.stub.relative_to(self.course.exercises)

    def file(self, section: Section) -> Path:
        """The learner's file of a section; if it is missing, it is made of the notebook beside it, else of the stub."""
        target = self.path(section)
        if not target.exists():
            with readable_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                text = _text(notebook_of(target))
                stub = text is None and pristine(section, self.course, trusted=not self.in_place)
                if stub:
                    self._give(target, stub)
                else:
                    write(target, (text or "").encode())
        return target

    def answer(self, section: Section) -> Path:
        """What to judge: `present`, or else the stub, which is put there first."""
        return self.present(section) or self.file(section)

    def present(self, section: Section) -> Path | None:
        """Of the learner's file and the notebook beside it the newer one, unless nothing is written in it (as when git
        has brought the stub back). None if there is neither.
        """
        target = self.path(section)
        there = [p for p in (notebook_of(target), target) if p.is_file()]
        with contextlib.suppress(OSError):  # an editor may be replacing it at this moment
            if len(there) == 2:
                newer, older = there if is_newer(*there) else reversed(there)
                return older if _written(newer) is False and _written(older) else newer
        return there[-1] if there else None

    def notebook(self, section: Section, intro: str) -> "Paired":
        """The learner's file and the notebook beside it say the same after this; what is missing is made.

        Where they differed, the one that `answer` chose wins. The cells of `notebook.with_checks` are added. A dated
        copy is kept of what is changed. Raises submission.Unreadable if the winner cannot be read.
        """
        from grader import submission

        source = self.answer(section)
        file = self.file(section)
        notebook = notebook_of(file)
        with readable_errors(file):
            differ = notebook.exists() and not _same(file, notebook)
            text = submission.read(source).text
            full = submission.with_checks(text, intro)
            lost = notebook if differ and source == file else file if differ else None
            changed = {lost, file if full != text and _written(file) else None} - {None}
            copies = {path: dated_copy(path, "sync") for path in changed if path}
            if differ or full != text:
                write(file, full.encode())
            if differ or full != text or not notebook.exists():
                _pair(file, notebook)
            _date_alike(file, notebook)
        return Paired(notebook, lost, copies)

    def reset(self, section: Section, intro: str = "") -> Path | None:
        """Puts the stub in the place of the learner's file. Returns the dated copy, None if nothing was different.

        A file with a notebook beside it gets the cells of `notebook.with_checks`.
        """
        target = self.path(section)
        stub = pristine(section, self.course, trusted=not self.in_place)
        with readable_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if notebook_of(target).exists() and intro:
                from grader import submission

                stub = submission.with_checks(stub.decode(), intro).encode()
            if not target.exists():
                self._give(target, stub)
                return None
            if target.read_bytes() == stub:
                return None
            copy = dated_copy(target, "reset")
            self._give(target, stub)
            return copy

    def reset_notebook(self, section: Section) -> Path | None:
        """Makes the notebook, if there is one, of the learner's file again. Returns the dated copy, None if nothing was
        different.
        """
        file = self.path(section)
        notebook = notebook_of(file)
        if not notebook.exists() or _same(file, notebook):
            return None
        with readable_errors(notebook):
            copy = dated_copy(notebook, "reset")
            _pair(file, notebook)
            return copy

    def _give(self, target: Path, stub: bytes) -> None:
        """A file of the course in place of the learner's; in a clone, git knows the original."""
        if self.in_place:
            write(target, stub)
        else:
            give(self.root, target.relative_to(self.root), stub)


class Paired(NamedTuple):
    """What `Workspace.notebook` did."""

    notebook: Path
    lost: Path | None  # of two that differed, the one that was given the other's text
    copies: dict[Path, Path]  # what was changed -> how it was before


def notebook_of(file: Path) -> Path:
    """Where the notebook of a learner's file is, there or not."""
    return file.with_suffix(".ipynb")


def is_newer(one: Path, other: Path) -> bool:
    """By the time of the last change."""
    return one.stat().st_mtime_ns > other.stat().st_mtime_ns


def of_one_time(one: Path, other: Path) -> bool:
    """True of a pair that says the same: `Workspace.notebook` sees to it."""
    return one.stat().st_mtime_ns == other.stat().st_mtime_ns


def is_installed(course: Course) -> bool:
    """True if the course came inside the package: its tree is then not for writing."""
    return course.exercises.parent.name == "_course"


def pristine(section: Section, course: Course, *, trusted: bool) -> bytes:
    """The stub as the course gave it out. Raises WorkspaceError if that cannot be known.

    `trusted`: nobody works in the course's own tree, so without any better source the file there is taken as it is.
    """
    on_disk = b""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        on_disk = section.stub.read_bytes()
        if is_installed(course) or _is_stub(on_disk.decode(), _reference(section)):
            return on_disk
    for text in _history(section.stub):
        if _is_stub(text, _reference(section)):
            return text.encode()
    if reference := _reference(section):
        return _rebuilt(reference).encode()
    if trusted and on_disk:
        return on_disk
    raise WorkspaceError("no_stub", section=section.number, path=str(section.stub))


def _is_stub(text: str, reference: str | None) -> bool:
    """No task is written: each still refuses, and the rest is as in the reference."""
    refusing = [_refusing(m[2]) for m in _REGION.finditer(text)]
    if reference is None or not all(refusing):
        return bool(refusing) and all(refusing)
    wanted = [_refusing(m[2]) for m in _REGION.finditer(_rebuilt(reference))]
    each = len(refusing) == len(wanted) and all(w <= r for w, r in zip(wanted, refusing, strict=True))
    return each and _outside(text) == _outside(reference)


def _refusing(body: str) -> set[str]:
    """The functions in a task that end in `raise NotImplementedError`; "" for the task. A comment does not count."""
    try:
        tree = ast.parse(textwrap.dedent(body))
    except SyntaxError:
        return set()
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module)]
    ends = {getattr(n, "name", ""): n.body[-1] for n in nodes if n.body}
    return {name for name, end in ends.items() if isinstance(end, ast.Raise) and _UNWRITTEN in ast.unparse(end)}


def _outside(text: str) -> str:
    return _REGION.sub(r"\1\3", text)


def _reference(section: Section) -> str | None:
    try:
        return section.reference.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _history(path: Path) -> Iterator[str]:
    """The versions of a file that git knows, newest first; none where there is no git or no repository."""
    listing = _git(path.parent, "log", "-n", "200", "--format=%H", "--", path.name)
    for commit in listing.split():
        yield _git(path.parent, "show", f"{commit}:./{path.name}")


def _git(folder: Path, *arguments: str) -> str:
    import subprocess  # 5 ms that only init and reset pay

    # GIT_DIR and its kin are set inside hooks, and would name another repository.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, env=environ, timeout=20, check=False
        )
        return done.stdout.decode() if done.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""


def _rebuilt(reference: str) -> str:
    """The reference with every task taken out again: signatures and docstrings stay, bodies refuse."""
    return _REGION.sub(lambda m: m[1] + _emptied(m[2]) + m[3], reference)


def _emptied(body: str) -> str:
    plain = textwrap.dedent(body)
    first = next((line for line in body.splitlines() if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    try:
        parsed = ast.parse(plain)
    except SyntaxError:
        parsed = ast.Module([], [])
    lines = plain.splitlines()
    functions = [n for n in ast.walk(parsed) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    outer = [n for n in parsed.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    if not outer:
        return f"{indent}raise {_UNWRITTEN}\n"
    inner = {id(n) for f in functions for n in ast.walk(f) if n is not f}
    for f in reversed([f for f in functions if id(f) not in inner]):
        described = ast.get_docstring(f) is not None
        start = f.body[0].end_lineno if described else f.body[0].lineno - 1
        refusal = f"{' ' * f.body[0].col_offset}raise {_UNWRITTEN}"
        if f.body[0].lineno == f.lineno:  # def f(x): return x
            start, refusal = f.lineno, f"{' ' * (f.col_offset + 4)}raise {_UNWRITTEN}"
            lines[f.lineno - 1] = lines[f.lineno - 1][: f.body[0].col_offset].rstrip()
        lines[start : f.end_lineno] = [refusal]
    return textwrap.indent("\n".join(lines), indent).rstrip() + "\n\n\n"


def _tree(folder: Path, course: Course) -> Path | None:
    """The exercises tree of this course that the folder is, or has in `exercises/`."""
    for tree in (folder, folder / "exercises"):
        if (tree / "course.yaml").is_file() and _id(tree, course) == course.about.id:
            return tree.resolve()
    return None


def _id(tree: Path, course: Course) -> str | None:
    if tree.resolve() == course.exercises:
        return course.about.id
    try:
        # The id alone: a workspace may be of an older course, with keys that are now unknown.
        return yamls.read(tree / "course.yaml", _Named).id
    except (OSError, ValueError):
        return None


class _Named(msgspec.Struct):
    id: str


def handed_out(course: Course) -> Iterator[Path]:
    """Every file that a learner gets, below exercises/; course.yaml first, so that what was interrupted can go on.

    No link, and of code only what a course has: what else lies there may be somebody's answer.
    """
    ignored = shutil.ignore_patterns(*_LEFT_OUT)
    code = {course.exercises / "conftest.py", *(f for s in course.sections for f in (s.stub, s.examples))}
    for folder, folders, names in os.walk(course.exercises):
        left_out = ignored(folder, [*folders, *names])
        folders[:] = sorted(set(folders) - left_out)
        for name in sorted(set(names) - left_out, key=lambda n: (n != "course.yaml", n)):
            file = Path(folder) / name
            if not file.is_symlink() and (file in code or file.suffix in _NO_CODE):
                yield file.relative_to(course.exercises)


def original(course: Course, part: Path) -> bytes:
    """Such a file as the course gives it out. Raises WorkspaceError if that cannot be known."""
    source = course.exercises / part
    section = next((s for s in course.sections if s.stub == source), None)
    return pristine(section, course, trusted=True) if section else source.read_bytes()


def give(root: Path, part: Path, data: bytes) -> None:
    """Puts a file of the course into a workspace. What it was is kept after that: killed between the two, the next
    `learn update` finds a file that is up to date, and not one that the learner seems to have changed.
    """
    write(root / part, data)
    write(root / GIVEN / part, data)


def _fill(course: Course, root: Path) -> int:
    """Copies what is missing."""
    missing = [part for part in handed_out(course) if not os.path.lexists(root / part)]
    for part in missing:
        give(root, part, original(course, part))
    return len(missing)


def write(target: Path, data: bytes) -> None:
    """All or nothing: a reader, or a kill, finds the old file or the new one. Folders are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target = target.resolve()  # a link stays a link
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
    home.write(target, data, mode, durable=True)


def _text(path: Path) -> str | None:
    """What the file or notebook says; None if that cannot be read."""
    from grader import submission

    try:
        return submission.read(path).text
    except submission.Unreadable:
        return None


def is_written(text: str) -> bool:
    """False if no task is."""
    return not _is_stub(text, None)


def _written(path: Path) -> bool | None:
    """False if no task is; None if nobody can tell."""
    text = _text(path)
    return None if text is None else is_written(text)


def _same(file: Path, notebook: Path) -> bool:
    from grader.notebook import same

    one, other = _text(file), _text(notebook)
    return one is not None and other is not None and same(one, other)


def _pair(file: Path, notebook: Path) -> None:
    """Writes the notebook of the file; what was in it and has not changed keeps its outputs."""
    from grader import submission

    old = notebook.read_bytes() if _text(notebook) is not None else b""
    write(notebook, submission.as_notebook(submission.read(file).text, old))
    _date_alike(file, notebook)


def _date_alike(file: Path, notebook: Path) -> None:
    """jupytext refuses to open a pair of which the notebook is newer."""
    latest = max(file.stat().st_mtime_ns, notebook.stat().st_mtime_ns)
    for path in (notebook, file):
        os.utime(path, ns=(latest, latest))


def dated_copy(path: Path, before: str) -> Path:
    """A copy beside it, under a name that was not there: `gradients.before-reset-20260131-120000.py`."""
    data = path.read_bytes()
    stem = f"{path.stem}.before-{before}-{datetime.now():%Y%m%d-%H%M%S}"
    for again in range(1, 1000):
        copy = path.with_name(f"{stem}{'' if again == 1 else f'-{again}'}{path.suffix}")
        with contextlib.suppress(FileExistsError):
            with copy.open("xb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())
            shutil.copystat(path, copy)
            return copy
    raise FileExistsError(17, os.strerror(17), str(path))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """An operating system's refusal becomes a WorkspaceError that names the file."""
    try:
        yield
    except OSError as e:
        raise WorkspaceError("cannot_write", path=str(e.filename or path), reason=e.strerror or str(e)) from None
