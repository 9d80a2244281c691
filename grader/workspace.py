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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.course import Course, Section

_REGION = re.compile(r"(?ms)^([ \t]*# --- task \d+ ---[^\n]*\n)(.*?)(^[ \t]*# --- end ---)")
_UNWRITTEN = "NotImplementedError"
_LEFT_OUT = ("__pycache__", "*.pyc", ".*", "*.before-reset-*")


class WorkspaceError(Exception):
    """`kind` and `params` say what is wrong (worded in reports/)."""

    def __init__(self, kind: str, **params: Any) -> None:
        super().__init__(kind, params)
        self.kind = kind
        self.params = params


@dataclass(frozen=True)
class Workspace:
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
        with _readable_errors(folder):
            if folder.exists() and not folder.is_dir():
                raise WorkspaceError("init_not_a_folder", path=str(folder))
            if folder.is_dir() and any(folder.iterdir()) and _tree(folder, course) != folder.resolve():
                raise WorkspaceError("init_not_empty", path=str(folder))
            folder.mkdir(parents=True, exist_ok=True)
            return Workspace(course, folder.resolve()), _fill(course, folder.resolve())

    @property
    def in_place(self) -> bool:
        """True if the learner works in the course's own tree."""
        return self.root == self.course.exercises

    def path(self, section: Section) -> Path:
        """Where the learner's file of a section belongs, there or not."""
        return self.root / section.stub.relative_to(self.course.exercises)

    def file(self, section: Section) -> Path:
        """The learner's file of a section; if it is missing the stub is put there first."""
        target = self.path(section)
        if not target.exists():
            with _readable_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(target, pristine(section, self.course, trusted=not self.in_place))
        return target

    def present(self, section: Section) -> Path | None:
        """The notebook beside the learner's file, if there is one and it is newer, else the file; None without both."""
        target = self.path(section)
        notebook = target.with_suffix(".ipynb")
        if notebook.is_file() and (not target.exists() or notebook.stat().st_mtime > target.stat().st_mtime):
            return notebook
        return target if target.exists() else None

    def answer(self, section: Section) -> Path:
        """What to judge: what is there, else the stub, which is put there first."""
        return self.present(section) or self.file(section)

    def reset(self, section: Section) -> Path | None:
        """Puts the stub in the place of the learner's file. Returns the dated copy, None if nothing was different."""
        target = self.path(section)
        stub = pristine(section, self.course, trusted=not self.in_place)
        with _readable_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                _write(target, stub)
                return None
            if target.read_bytes() == stub:
                return None
            copy = _dated_copy(target)
            _write(target, stub)
            return copy


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
    bodies = [m[2] for m in _REGION.finditer(text)]
    refuses = bool(bodies) and all(_UNWRITTEN in body for body in bodies)
    return refuses and (reference is None or _outside(text) == _outside(reference))


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
    import yaml

    try:
        # The id alone: a workspace may be of an older course, with keys that are now unknown.
        found = yaml.load((tree / "course.yaml").read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None
    return found.get("id") if isinstance(found, dict) else None


def _fill(course: Course, root: Path) -> int:
    """Copies what is missing; course.yaml first, so that an init that was interrupted can be run again."""
    stubs = {s.stub: s for s in course.sections}
    ignored = shutil.ignore_patterns(*_LEFT_OUT)
    added = 0
    for folder, folders, names in os.walk(course.exercises):
        left_out = ignored(folder, [*folders, *names])
        folders[:] = sorted(set(folders) - left_out)
        for name in sorted(set(names) - left_out, key=lambda n: (n != "course.yaml", n)):
            source = Path(folder) / name
            target = root / source.relative_to(course.exercises)
            if not os.path.lexists(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                section = stubs.get(source)
                _write(target, pristine(section, course, trusted=True) if section else source.read_bytes())
                added += 1
    return added


def _write(target: Path, data: bytes) -> None:
    """All or nothing: a reader, or a kill, finds the old file or the new one."""
    import tempfile

    target = target.resolve()  # a link stays a link
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _dated_copy(path: Path) -> Path:
    data = path.read_bytes()
    stem = f"{path.stem}.before-reset-{datetime.now():%Y%m%d-%H%M%S}"
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
def _readable_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise WorkspaceError("cannot_write", path=str(e.filename or path), reason=e.strerror or str(e)) from None
