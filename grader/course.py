"""Reads the two trees of a course, `exercises/` and `solutions/`, into sections.

Nothing here runs or imports a learner's file, or torch.
"""

import copy
import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from grader import __version__, yamls
from grader.model import Limits

_T = TypeVar("_T")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FOLDER = re.compile(r"(\d\d)_([a-z][a-z0-9_]*)")
# What a learner writes for one task: its number, and the lines between.
REGION = re.compile(r"(?m)^# --- task (\d+) ---\n(.*?)^# --- end ---$", re.DOTALL)


class CourseError(Exception):
    """A course that cannot be read; the message names the file and what is wrong with it."""


class UnknownSection(LookupError):
    """No section of that name. `suggestions` are near ones, best first (numbers)."""

    def __init__(self, name: str, suggestions: list[str]) -> None:
        super().__init__(name)
        self.name = name
        self.suggestions = suggestions


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One function or class to write."""

    name: str
    points: Annotated[int, msgspec.Meta(ge=0)]


class Chapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chapter's titles by language."""

    title: dict[str, str]


class CourseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`exercises/course.yaml`."""

    id: str
    title: dict[str, str]
    languages: list[str]
    chapters: dict[str, Chapter]
    limits: Limits = Limits()
    preload: list[str] = []  # modules that most answers import, in the end: loaded once, before any cell is forked
    packages: list[str] = []  # distributions a cell may import beside torch
    hosts: list[str] = []  # that a text may link to, each with its subdomains; empty: any


class ExerciseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`exercise.yaml` of a section."""

    title: dict[str, str]
    tasks: dict[int, Task]
    requires: list[str] = []
    limits: dict[str, float | int] = {}
    preload: list[str] = []  # as in course.yaml, when the first answer to this section is judged
    needs: list[str] = []  # "loopback", "workers": what the tier must give
    docs: list[str] = []  # pages to read on, shown with a failed check
    pictures: dict[str, dict[str, str]] = {}  # names in what the tests draw -> words by language
    thresholds: dict[str, float] = {}  # bars of trained quantities; the `bar` of the hidden tests


class Equivalent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the reference that makes no difference that a test could see; an entry of `equivalent.yaml`."""

    was: str  # the changed lines, stripped and without comments, as `learn dev mutants` shows them
    becomes: str
    why: str
    within: str = ""  # the function or class, dotted


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"rejected": "not"}):
    """A word of the field in English and Chinese; an entry of `glossary.yaml`."""

    en: str
    zh: str
    rejected: list[str] = []  # other Chinese words for it, which this course does not use


class Section(msgspec.Struct, frozen=True, dict=True):
    """One learner file with its tasks, and all that surrounds it."""

    number: str  # "2.2", from the folders
    slug: str  # identity that stores use
    folder: Path  # in exercises/
    hidden: Path  # in solutions/
    about: ExerciseFile
    limits: Limits
    homework: bool = False  # its hints and answers are the teacher's to give
    weight: Fraction | None = None  # what it counts in homework; None: its points

    @property
    def worth(self) -> Fraction:
        """What it counts against other sections."""
        return Fraction(sum(self.points.values())) if self.weight is None else self.weight

    @property
    def stub(self) -> Path:
        """The file a learner starts from."""
        return self.folder / f"{self.slug}.py"

    @property
    def reference(self) -> Path:
        """A right answer."""
        return self.hidden / f"{self.slug}.py"

    @property
    def examples(self) -> Path:
        """The tests that a learner may read."""
        return self.folder / "test_examples.py"

    @property
    def tests(self) -> Path:
        """The hidden tests."""
        return self.hidden / f"test_{self.slug}.py"

    @property
    def probes(self) -> Path:
        """Code that runs beside the learner's and observes; may be absent."""
        return self.hidden / "probes.py"

    @property
    def equivalent(self) -> Path:
        """Changes of the reference that are known to make no difference; may be absent."""
        return self.hidden / "equivalent.yaml"

    @property
    def pictures(self) -> Path:
        """The functions that draw the pictures of its lessons; may be absent."""
        return self.hidden / "pictures.py"

    def equivalents(self) -> list[Equivalent]:
        """The entries of that file. Raises CourseError."""
        return _yaml(self.equivalent, list[Equivalent]) if self.equivalent.is_file() else []

    def bank(self, kind: str) -> list[Path]:
        """The recorded answers of a kind, "also" (right ones) or "wrong", by name."""
        return sorted((self.hidden / kind).glob("*.py"))

    @property
    def points(self) -> dict[int, int]:
        """Points of each task."""
        return {n: t.points for n, t in self.about.tasks.items()}

    def lesson(self, lang: str) -> str:
        """The lesson's Markdown."""
        return _text(self.folder / f"lesson.{lang}.md")

    def hints(self, lang: str) -> dict[int, list[str]]:
        """Hints of each task, from gentle to direct."""
        parts = sections_of(_text(self.folder / f"hints.{lang}.md"))
        return {int(k): [h.strip() for h in re.split(r"(?m)^---\s*$", v)] for k, v in parts.items() if k.isdigit()}

    def mistakes(self, lang: str) -> dict[str, str]:
        """What to say when a mistake is recognised, by its id. Empty where the course has no solutions/."""
        path = self.hidden / f"mistakes.{lang}.md"
        return sections_of(_text(path)) if path.is_file() else {}

    @functools.cached_property
    def digest(self) -> str:
        """Hash of what a verdict depends on: tests, probes, tasks, limits, grader version.

        Not the stub: in a clone that is the file which the learner edits.
        """
        h = hashlib.sha256(__version__.encode())
        for path in (self.examples, self.tests, self.probes):
            data = path.read_bytes() if path.is_file() else b""
            h.update(f"\0{path.name}\0{len(data)}\0".encode() + data)
        h.update(msgspec.json.encode([self.about, self.limits]))
        return h.hexdigest()

    def digest_now(self) -> str:
        """The digest again, by what the files hold at this moment: whoever judges for hours must know."""
        return msgspec.structs.replace(self).digest


class Course:
    """A folder with `exercises/` and, unless it is a learner's copy, `solutions/`."""

    def __init__(self, exercises: Path, solutions: Path) -> None:
        self.exercises = exercises.resolve()
        self.solutions = solutions.resolve()
        self.about = _yaml(self.exercises / "course.yaml", CourseFile)
        self.sections = list(self._read())
        by_slug: dict[str, Section] = {}
        for s in self.sections:
            if s.slug in by_slug:
                raise CourseError(f"{s.folder}: the slug `{s.slug}` is taken by {by_slug[s.slug].folder}; rename one")
            by_slug[s.slug] = s
        self._by_slug = by_slug
        self.left_out: dict[str, Path] = {}  # sections that are no part of it, by slug: their folders

    @staticmethod
    def at(root: Path) -> "Course":
        """The course in that folder. Raises CourseError if there is none."""
        if not (root / "exercises" / "course.yaml").is_file():
            raise CourseError(f"{root}: no course here (exercises/course.yaml is missing)")
        return Course(root / "exercises", root / "solutions")

    @staticmethod
    def ours() -> "Course":
        """The course that comes along: beside this package in a clone, inside it when installed."""
        package = Path(__file__).resolve().parent
        installed = package / "_course"
        return Course.at(installed if installed.is_dir() else package.parent)

    def __getitem__(self, name: str) -> Section:
        """The section with that number or slug. Raises UnknownSection with suggestions."""
        for s in self.sections:
            if name in (s.number, s.slug):
                return s
        raise UnknownSection(name, self._near(name))

    def homework(self, weights: Mapping[str, Fraction]) -> "Course":
        """The same course with no other sections than these (by slug), as a class was set them."""
        part, only = copy.copy(self), weights.keys()
        part.sections = [
            msgspec.structs.replace(s, homework=True, weight=weights[s.slug]) for s in self.sections if s.slug in only
        ]
        part._by_slug = {s.slug: s for s in part.sections}
        part.left_out = {s.slug: s.folder for s in self.sections if s.slug not in only}
        return part

    def requires(self, section: Section) -> list[str]:
        """The slugs of what should be passed before it, as far as that is a part of the course."""
        return [r for r in section.about.requires if r not in self.left_out]

    def chosen(self, names: Iterable[str]) -> list[Section]:
        """The sections of these numbers or slugs, each once; all if there are no names. Raises UnknownSection."""
        return list({s.slug: s for s in map(self.__getitem__, names)}.values()) or self.sections

    def at_path(self, path: Path) -> Section | None:
        """The section that a file of this name, in a folder of this name, belongs to."""
        for part in (path.stem, path.parent.name[3:], path.name[3:]):
            if part in self._by_slug:
                return self._by_slug[part]
        return None

    def in_order(self) -> list[Section]:
        """Sections by number, each after what it requires."""
        done: dict[str, Section] = {}

        def visit(s: Section, path: tuple[str, ...]) -> None:
            if s.slug in path:
                raise CourseError(f"{s.folder}: `requires` goes in a circle: {' -> '.join((*path, s.slug))}")
            if s.slug in done:
                return
            for r in self.requires(s):
                if r not in self._by_slug:
                    raise CourseError(f"{s.folder / 'exercise.yaml'}: requires `{r}`, which is no section")
                visit(self._by_slug[r], (*path, s.slug))
            done[s.slug] = s

        for s in self.sections:
            visit(s, ())
        return list(done.values())

    @functools.cached_property
    def glossary(self) -> list[Term]:
        """The entries of `exercises/glossary.yaml`; empty where there is none. Raises CourseError."""
        path = self.exercises / "glossary.yaml"
        return _yaml(path, list[Term]) if path.is_file() else []

    def chapter(self, section: Section) -> Chapter:
        """The chapter a section is in."""
        return self.about.chapters[section.folder.parent.name]

    def _near(self, name: str) -> list[str]:
        names = {s.number: s.number for s in self.sections} | {s.slug: s.number for s in self.sections}
        import difflib

        return list(dict.fromkeys(names[m] for m in difflib.get_close_matches(name, names, n=3, cutoff=0.7)))

    def _read(self) -> "list[Section]":
        found = []
        for chapter in sorted(p for p in self.exercises.iterdir() if p.is_dir()):
            if not (c := _FOLDER.fullmatch(chapter.name)):
                continue
            if chapter.name not in self.about.chapters:
                raise CourseError(f"{self.exercises / 'course.yaml'}: chapter {chapter.name} has no title here")
            for folder in sorted(p for p in chapter.iterdir() if p.is_dir()):
                m = _FOLDER.fullmatch(folder.name)
                if m and (folder / "exercise.yaml").is_file():  # else not begun yet; `dev check` says so
                    about = _yaml(folder / "exercise.yaml", ExerciseFile)
                    found.append(
                        Section(
                            number=f"{int(c[1])}.{int(m[1])}",
                            slug=m[2],
                            folder=folder,
                            hidden=self.solutions / chapter.name / folder.name,
                            about=about,
                            limits=_limits(self.about.limits, about.limits, folder),
                        )
                    )
        return found


def paragraphs(docstring: str | None) -> list[str]:
    """Each in one line: what a docstring says in one language after the other."""
    return [" ".join(p.split()) for p in re.split(r"\n\s*\n", docstring or "") if p.strip()]


def sections_of(markdown: str) -> dict[str, str]:
    """`## title` -> text below it. A `##` inside a code fence is text."""
    parts: dict[str, list[str]] = {}
    current: list[str] | None = None
    fence = ""
    for line in markdown.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line.strip(mark[1][0] + " "):
            fence = ""
        if line.startswith("## ") and not fence:
            current = parts.setdefault(line[3:].strip(), [])
        elif current is not None:
            current.append(line)
    return {k: "\n".join(v).strip() for k, v in parts.items()}


def _limits(base: Limits, changes: dict[str, Any], folder: Path) -> Limits:
    try:
        return msgspec.convert(msgspec.to_builtins(base) | changes, Limits)
    except msgspec.ValidationError as e:
        raise CourseError(f"{folder / 'exercise.yaml'}: limits: {e}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise CourseError(f"{path}: {e.strerror if isinstance(e, OSError) else e}") from None


def _yaml(path: Path, kind: type[_T]) -> _T:
    try:
        return yamls.read(path, kind)
    except OSError as e:
        raise CourseError(f"{path}: {e.strerror}") from None
    except ValueError as e:
        said = " ".join(str(e).replace('in "<byte string>", ', "").split())
        raise CourseError(f"{path}:{_line(path, said)}: {said}") from None


def _line(path: Path, said: str) -> int:
    """Where in a YAML file an error is: as PyYAML says, else where the field stands that msgspec names; else 1."""
    if numbers := re.findall(r"line (\d+)", said):
        return int(numbers[-1])
    names = re.findall(r"unknown field `(\w+)`", said) or re.findall(r"\.(\w+)`", said)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((n for n, text in enumerate(lines, 1) if names and re.search(rf"\b{names[-1]}\s*:", text)), 1)
