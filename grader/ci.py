"""A repository with one learner's answers, judged where nobody watches: `learn ci`.

Of the checkout nothing is used but the texts of the answers, at the places that the course gives them. It may hold
modules, conftest files and settings for Python and pytest: none is imported or read. What is printed cannot be taken
for commands by GitHub's runner, and no process that is started here knows its tokens.
"""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import NamedTuple

from grader import archive, home, pool, submission
from grader.assignment import Assignment
from grader.course import Course, Section
from grader.exports import junit
from grader.exports.parts import Answer
from grader.model import Job, Mendable, Tier, Verdict
from grader.reports.plain import title
from grader.reports.words import say
from grader.shell import refusal, told
from grader.workspace import is_written

_BUNDLE = archive.Limits(packed=256 << 20, unpacked=256 << 20, member=64 << 20, entries=20_000)
_KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "USER", "LOGNAME", "GITHUB_ACTIONS")
_KEPT_STARTS = ("LC_", "LEARN_", "XDG_", "OMP_", "MKL_", "OPENBLAS_")


class CiError(Mendable):
    """It cannot be judged like this."""


class Found(NamedTuple):
    """A section's answer in a checkout."""

    section: Section
    file: str  # its path there
    text: str | None = None
    why: str = ""  # if there is no text, in words
    note: str = ""  # in words
    there: bool = True  # False: no such file


def find(checkout: Path, course: Course, sections: Sequence[Section], lang: str) -> list[Found]:
    """The answers in a clone, where git gives all files the same age: of a file and the notebook beside it the one in
    which something is written, and the file if both are and differ, with a note.

    Raises CiError if there is no such folder.
    """
    try:
        root = checkout.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as e:
        reason = getattr(e, "strerror", "") or str(e)
        raise CiError("collect_not_found", path=str(checkout), reason=reason) from None
    return [_found(root, course, s, lang) for s in sections]


def _found(root: Path, course: Course, section: Section, lang: str) -> Found:
    place = section.stub.relative_to(course.exercises)
    pairs = [(part.with_suffix(".py"), part.with_suffix(".ipynb")) for part in ("exercises" / place, place)]
    pair = next((p for p in pairs if any(os.path.lexists(root / f) for f in p)), pairs[0])
    texts: dict[str, str] = {}
    refused: dict[str, str] = {}
    for part in pair:
        if os.path.lexists(root / part):
            try:
                texts[str(part)] = _text(root, part)
            except submission.Unreadable as e:
                refused[str(part)] = told(refusal(e, str(part)), lang) or e.kind
    # The first that is written, else the first that can be read; min() keeps the order of equal ones.
    if file := min(texts, key=lambda f: not is_written(texts[f]), default=""):
        return Found(section, file, texts[file], note=_note(file, texts, refused, lang))
    if refused:
        file, why = next(iter(refused.items()))
        return Found(section, file, why=why)
    return Found(section, str(pair[0]), why=say("ci.no_file", lang, path=pair[0]), there=False)


def _text(root: Path, part: Path) -> str:
    """The text of a plain file. A link could lead to whatever else is on this machine. Raises submission.Unreadable."""
    path = root / part
    if path.resolve() != path:
        raise submission.Unreadable("link", path=str(part))
    data = submission.load(path, submission.cap_of(path))
    return submission.of_bytes(data, path).text


def _note(file: str, texts: Mapping[str, str], refused: Mapping[str, str], lang: str) -> str:
    from grader.notebook import same

    for other, text in texts.items():
        if other != file and is_written(text) and not same(text, texts[file]):
            return say("ci.both", lang, path=file, other=other)
    return next((say("ci.refused", lang, path=file, why=why) for why in refused.values()), "")


def judge(course: Course, found: Sequence[Found], *, visible: bool, require: Tier | None) -> dict[str, Verdict]:
    """Verdicts by slug. `visible`: by the tests that a learner may read, and no other.

    Raises CiError if there are no others, warden.Unavailable, warden.Lost.
    """
    blind = [f.section.number for f in found if not visible and not f.section.tests.is_file()]
    if blind:
        raise CiError("ci_no_tests", sections=", ".join(blind))
    jobs = [
        Job(section=f.section.slug, section_digest=f.section.digest, text=f.text, visible_only=visible)
        for f in found
        if f.text is not None
    ]
    workers = min(len(jobs), os.cpu_count() or 1)
    verdicts = pool.run(course, jobs, where="processes", workers=workers, require=require) if jobs else ()
    return {v.section: v for v in verdicts}


def answers(
    found: Sequence[Found], verdicts: Mapping[str, Verdict], set_: Assignment | None, lang: str
) -> list[Answer]:
    """What came of each, with all that is needed to tell it."""
    weights = {p.section: p.weight for p in set_.parts} if set_ else {}
    return [
        Answer(
            number=f.section.number,
            slug=f.section.slug,
            title=title(f.section.about.title, lang),
            tasks={n: (t.name, t.points) for n, t in f.section.about.tasks.items()},
            file=f.file,
            verdict=(verdict := verdicts.get(f.section.slug)),
            why=f.why,
            note=f.note,
            mistakes=f.section.mistakes(lang),
            lines=_lines(f),
            cells=_cells(f, verdict, lang),
            weight=weights.get(f.section.slug),
        )
        for f in found
    ]


def suites(answers: Sequence[Answer]) -> Iterator[junit.Suite]:
    """The same for JUnit."""
    for a in answers:
        tasks = {n: name for n, (name, _) in a.tasks.items()}
        yield junit.Suite(f"{a.number} {a.title}", a.verdict, a.file, tasks, a.mistakes, a.why)


def _lines(found: Found) -> dict[int, int]:
    """Where each task's function or class begins."""
    lines = {}
    for number, task in found.section.about.tasks.items():
        if m := re.search(rf"(?m)^[ \t]*(?:async[ ]+def|def|class)[ ]+{re.escape(task.name)}\b", found.text or ""):
            lines[number] = (found.text or "").count("\n", 0, m.start()) + 1
    return lines


def _cells(found: Found, verdict: Verdict | None, lang: str) -> dict[int, str] | None:
    """How the lines that a verdict names are told where they are a notebook's."""
    from grader import notebook

    if not found.file.endswith(".ipynb"):
        return None
    places = {}
    lines = (found.text or "").splitlines()
    for where in {c.where for c in verdict.checks if c.where} if verdict else ():
        cell, line = notebook.place(found.text or "", where)
        code = lines[where - 1].strip() if where <= len(lines) else ""
        places[where] = say("place.cell", lang, path=Path(found.file).name, cell=cell, line=line, code=code)
    return places


@contextlib.contextmanager
def unpacked(course: str | None) -> Iterator[str | None]:
    """The course that was asked for; of a bundle, a folder with its files for the time being. Raises CiError."""
    if course is None or not archive.is_archive(course):
        yield course
        return
    try:
        data = submission.load(Path(course).expanduser(), _BUNDLE.packed)
        files = archive.read(data, lambda name: not name.endswith("/"), _BUNDLE).files
    except submission.Unreadable as e:
        raise CiError("course", reason=f"{course}: {e.params.get('reason', e.kind)}") from None
    except archive.NotAnArchive as e:
        raise CiError("course", reason=f"{course}: {e.kind}") from None
    with tempfile.TemporaryDirectory(prefix="learn-course-") as folder:  # its mode is 700
        for name, content in files.items():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        yield folder


@contextlib.contextmanager
def without_tokens(environ: MutableMapping[str, str] = os.environ) -> Iterator[dict[str, str]]:
    """The environment as it was; meanwhile it holds what a program needs to run, and nothing else."""
    before = dict(environ)
    for name in before:
        if name not in _KEPT and not name.startswith(_KEPT_STARTS):
            del environ[name]
    try:
        yield before
    finally:
        environ.update(before)


@contextlib.contextmanager
def no_commands(on_github: bool) -> Iterator[None]:
    """What is printed meanwhile is text to GitHub's runner, whatever it looks like."""
    token = secrets.token_hex(16)
    if on_github:
        print(f"::stop-commands::{token}", flush=True)
    try:
        yield
    finally:
        if on_github:
            print(f"\n::{token}::", flush=True)


def write(path: Path, text: str | bytes, checkout: Path) -> None:
    """A whole file; a link that lies there gives way to it. A folder that is a link in the learner's repository is not
    gone through. Raises CiError.
    """
    for folder in (Path.cwd() / path).parents:
        if folder.is_symlink() and folder.parent.resolve().is_relative_to(checkout.resolve()):
            raise CiError("link_on_the_way", path=str(path), link=str(folder))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        home.write(path, text if isinstance(text, bytes) else text.encode(errors="replace"), 0o644)
    except OSError as e:
        raise CiError("cannot_write", path=str(path), reason=e.strerror or str(e)) from None


def append(path: str, text: str) -> None:
    """To one of the files that GitHub's runner reads afterwards. Raises CiError."""
    try:
        with Path(path).open("ab") as file:
            file.write(text.encode(errors="replace"))
    except OSError as e:
        raise CiError("cannot_write", path=path, reason=e.strerror or str(e)) from None
