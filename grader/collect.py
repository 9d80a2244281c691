"""What a class has handed in: folders, files and archives -> answers, each with its student and section.

Nothing is extracted and nothing run or imported: files are taken as bytes, by the names that sections expect. What
cannot be placed is named. Links are not followed.
"""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from grader import archive, submission
from grader.course import Section
from grader.model import Handed, Mendable, Student
from grader.roster import Roster

OF_CLASS = archive.Limits(packed=2 << 30, unpacked=2 << 30, member=64 << 20, entries=60_000)
_ANSWERS = (".py", ".ipynb")
_METADATA = "submission_metadata.yml"
_EXPORT = re.compile(r"assignment_\d+_export.*")  # the folder, or the archive, that Gradescope hands out
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:(?P<late>LATE)_)?(?P<id>\d+)_\d+_(?P<rest>.+)", re.DOTALL)
_AGAIN = re.compile(r"(?P<stem>.+?)(?:[ _]?\((?P<copy>\d+)\)|-(?P<again>\d{1,3}))")  # "x (1)", "x-1"
_OTHER_ARCHIVE = re.compile(r".*\.(rar|7z|gz|bz2|xz|zst|lzma|cab|z\d\d)", re.IGNORECASE | re.DOTALL)
_OTHER_ANSWER = re.compile(r".*\.(py|ipynb)([.~ ].*|\d*)", re.IGNORECASE | re.DOTALL)  # "x.py.txt", "x.py~", "x.py (1)"
_DOCUMENTS = (".txt", ".doc", ".docx", ".odt", ".rtf", ".pdf", ".html")
_SILENT = (".git", ".ipynb_checkpoints", ".learn", ".venv", ".virtual_documents")  # programs fill these
_NOT_THEIRS = re.compile(r"test_.*|conftest|setup|__init__")  # what comes with a course
_NO_ATTACK = ("too_big", "encrypted", "broken", "twice")
_DEPTH = 2  # archives in archives
_NESTED = 8  # levels of an export's metadata, which has four


class CollectError(Mendable):
    """Something that was given and cannot be looked into."""


class Unplaced(NamedTuple):
    """A file that is nobody's answer, and why: an id for the wording."""

    name: str
    why: str
    student: str = ""  # if that much is known
    params: Mapping[str, Any] = {}


class Collected(NamedTuple):
    """What was understood."""

    handed: list[Handed]  # at most one for each student and section, by student
    unplaced: list[Unplaced]
    missing: list[Student]  # on the roster, and nothing of theirs was found
    refused: list[Student]  # of whose answers none could be taken; why is in `unplaced`
    layouts: Counter[str]  # how many answers were named as: folders, flat, moodle, canvas, gradescope


class _Entry(NamedTuple):
    """A file, wherever it lies."""

    parts: tuple[str, ...]  # its path; an archive is a folder; the first is what was given on the command line
    shown: str  # for people
    data: Callable[[], bytes]
    refused: Unplaced | None = None  # it stands for what an archive would have held


class _Owned(NamedTuple):
    """A file whose student is known by some label."""

    entry: _Entry
    student: Student
    aliases: tuple[str, ...]
    inner: tuple[str, ...]  # the path below what names the student
    layout: str
    at: datetime | None = None
    late: bool = False


def collect(
    paths: Sequence[Path],
    sections: Sequence[Section],
    roster: Roster | None = None,
    zone: tzinfo | None = None,
) -> Collected:
    """All answers to these sections. `zone`: of times that say none. Raises CollectError for a path not to be had."""
    unplaced: list[Unplaced] = []
    names = _Names(sections)
    owned: list[_Owned] = []
    for path in paths:
        entries = list(_entries(path, names, unplaced))
        owned += _owners(entries, names, roster, unplaced, alone=len(paths) == 1, is_folder=path.is_dir())
    owned = list(_known(owned, roster, unplaced))
    handed, refused, layouts = _placed(owned, names, roster, zone, unplaced)
    there = {h.student.id for h in handed}
    refused = {who: student for who, student in refused.items() if who not in there}
    missing = [s for s in roster.students if s.id not in there] if roster else []
    handed.sort(key=lambda h: (h.student.id, h.section))
    return Collected(handed, sorted(unplaced, key=lambda u: u[:3]), missing, list(refused.values()), layouts)


def of_student(folder: Path, sections: Sequence[Section], student: Student, at: datetime | None) -> Collected:
    """What one student has handed in, all of it in this folder. Raises CollectError if there is no such folder."""
    unplaced: list[Unplaced] = []
    names = _Names(sections)
    entries = [e for e in _entries(folder, names, unplaced) if e.parts[-1] != _METADATA]
    owned = [_Owned(e, student, (), e.parts[1:], "gradescope", at) for e in entries]
    handed, refused, layouts = _placed(owned, names, None, None, unplaced)
    return Collected(handed, sorted(unplaced, key=lambda u: u[:3]), [], [] if handed else [*refused.values()], layouts)


def there(path: Path) -> Path:
    """The same path, in full. Raises CollectError if nothing can be collected from it."""
    try:
        given = path.resolve(strict=True)
        if given.is_dir():
            os.scandir(given).close()
        elif not (_wanted(given.name) and given.is_file()):
            raise CollectError("collect_no_kind", path=str(path))
        return given
    except (OSError, RuntimeError, ValueError) as e:
        raise CollectError("collect_not_found", path=str(path), reason=getattr(e, "strerror", "") or str(e)) from None


class _Names:
    """What the files of the sections may be called."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self.slugs = {s.slug.lower(): s.slug for s in sections}
        self.only = sections[0].slug if len(sections) == 1 else ""
        # Of a course's own folders none is a student's.
        self.folders = {p.lower() for s in sections for p in (s.folder.name, s.folder.parent.name, s.slug, s.number)}
        self.folders |= {"exercises"}
        one_of = "|".join(sorted(map(re.escape, self.slugs), key=len, reverse=True))
        number = r"(?:\d\d_)?"
        self._whole = re.compile(f"{number}({one_of})", re.IGNORECASE)
        self._after = re.compile(rf"(?P<who>.+?)[\s_.\-]+{number}(?P<slug>{one_of})", re.IGNORECASE | re.DOTALL)
        self._before = re.compile(rf"{number}(?P<slug>{one_of})[\s_.\-]+(?P<who>.+)", re.IGNORECASE | re.DOTALL)

    def section(self, stem: str) -> str:
        """The slug of a file that is called exactly as expected, "" for any other."""
        m = self._whole.fullmatch(stem)
        return self.slugs[m[1].lower()] if m else ""

    def nearly(self, name: str) -> str:
        """Why a file that could have been meant for an answer is none: an id for the wording, "" for any other file."""
        stem, dot, ending = name.rpartition(".")
        if _OTHER_ARCHIVE.fullmatch(name):
            return "other_archive"
        document = f"{dot}{ending}".lower() in _DOCUMENTS and (
            self._whole.fullmatch(stem) or self._after.fullmatch(stem)
        )
        return "other_kind" if document or _OTHER_ANSWER.fullmatch(name) else ""

    def student_and_section(self, stem: str) -> tuple[str, str] | None:
        """Of `li.hua_gradients`, `gradients-li.hua`; of `li.hua` where there is but one section."""
        for pattern in (self._after, self._before):
            if m := pattern.fullmatch(stem):
                return m["who"].strip(), self.slugs[m["slug"].lower()]
        return (stem, self.only) if stem and self.only and not _NOT_THEIRS.fullmatch(stem) else None


# -- what files there are


def _entries(path: Path, names: "_Names", unplaced: list[Unplaced]) -> Iterator[_Entry]:
    """Every file that could matter below this path, in order."""
    given = there(path)
    if not given.is_dir():
        yield from _file(given, (_nfc(given.name),), str(path), names, unplaced)
        return
    barred = lambda e: unplaced.append(Unplaced(e.filename, "unreadable", params={"reason": e.strerror}))  # noqa: E731
    for folder, folders, files in os.walk(given, onerror=barred):
        here = Path(folder)
        for name in sorted(folders):
            if (here / name).is_symlink():
                unplaced.append(Unplaced(_shown(path / (here / name).relative_to(given)), "link"))
            elif _beside(name) and name not in _SILENT and _holds_answers(here / name):
                unplaced.append(Unplaced(_shown(path / (here / name).relative_to(given)), "hidden"))
        folders[:] = sorted(f for f in folders if not _beside(f))
        for name in sorted(files):
            file = here / name
            inside = file.relative_to(given)
            if _wanted(name) and not _beside(name):
                parts = (_nfc(given.name), *map(_nfc, inside.parts))
                yield from _file(file, parts, str(path / inside), names, unplaced)
            elif not _beside(name) and (why := names.nearly(name)):
                unplaced.append(Unplaced(_shown(path / inside), why))


def _holds_answers(folder: Path) -> bool:
    return any(_wanted(name) for _, _, files in os.walk(folder) for name in files)


def _file(
    path: Path, parts: tuple[str, ...], shown: str, names: "_Names", unplaced: list[Unplaced]
) -> Iterator[_Entry]:
    shown = _shown(shown)
    if path.is_symlink():
        unplaced.append(Unplaced(shown, "link"))
    elif archive.is_archive(path.name):
        try:
            limits = OF_CLASS if len(parts) == 1 else archive.OF_ONE
            yield from _unpacked(submission.load(path, limits.packed), parts, shown, limits, 1, names, unplaced)
        except submission.Unreadable as e:
            unplaced.append(Unplaced(shown, "unreadable", params={"reason": e.params.get("reason", e.kind)}))
    else:
        yield _Entry(parts, shown, lambda: submission.load(path, submission.cap_of(path)))


def _unpacked(
    data: bytes,
    parts: tuple[str, ...],
    shown: str,
    limits: archive.Limits,
    depth: int,
    names: "_Names",
    unplaced: list[Unplaced],
) -> Iterator[_Entry]:
    """An archive's files. Those of a whole class hold many; a student's own, an answer's."""
    passed_over: dict[str, str] = {}

    def wanted(name: str) -> bool:
        *folders, file = name.split("/")
        hidden = next((i for i, f in enumerate(folders) if _beside(f)), None)
        if hidden is not None and _wanted(file) and folders[hidden] not in _SILENT:
            passed_over["/".join(folders[: hidden + 1])] = "hidden"
        if hidden is not None or _beside(file):
            return False
        if not _wanted(file) and (why := names.nearly(file)):
            passed_over[name] = why
        return _wanted(file)

    try:
        contents = archive.read(data, wanted, limits)
    except archive.NotAnArchive as e:
        why = Unplaced(shown, f"archive_{e.kind}")
        if len(parts) > 1:  # else it is a class's
            yield _refused(parts, why)
        else:
            unplaced.append(why)
        return
    unplaced += [Unplaced(_shown(f"{shown}/{name}"), why) for name, why in passed_over.items()]
    for r in contents.refused:
        told = Unplaced(f"{shown}/{r.name}", "refused", params={"reason": r.why})
        if r.why in _NO_ATTACK and wanted(r.name) and not archive.is_archive(r.name):
            yield _refused((*parts, *map(_nfc, r.name.split("/"))), told)
        else:
            unplaced.append(told)
    left = limits.unpacked - sum(map(len, contents.files.values()))  # for all archives in it together
    for name, inner in sorted(contents.files.items()):
        below = (*parts, *(_nfc(p) for p in name.split("/") if p not in ("", ".")))
        if not archive.is_archive(name):
            yield _Entry(below, _shown(f"{shown}/{name}"), lambda inner=inner: inner)  # type: ignore[misc]
        elif depth < _DEPTH:
            mine = archive.OF_ONE._replace(unpacked=max(0, min(archive.OF_ONE.unpacked, left)))
            for entry in _unpacked(inner, below, _shown(f"{shown}/{name}"), mine, depth + 1, names, unplaced):
                left -= len(entry.data())
                yield entry
        else:
            unplaced.append(Unplaced(_shown(f"{shown}/{name}"), "nested"))


def _refused(parts: tuple[str, ...], why: Unplaced) -> _Entry:
    """In place of what could not be had, so that it is known whose it was."""
    return _Entry((*parts, "") if archive.is_archive(parts[-1]) else parts, why.name, bytes, why)


def _wanted(name: str) -> bool:
    return name.lower().endswith((*_ANSWERS, *archive.SUFFIXES)) or PurePosixPath(name).name == _METADATA


def _beside(name: str) -> bool:
    """True of what computers put beside the files."""
    return name.startswith((".", "__MACOSX", "__pycache__"))


def _nfc(name: str) -> str:
    """A name as it can be kept and shown: one spelling, no control characters, no bytes that are no text."""
    return _shown(unicodedata.normalize("NFC", name))


def _shown(name: object) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(name))


# -- whose they are


def _owners(
    entries: list[_Entry],
    names: _Names,
    roster: Roster | None,
    unplaced: list[Unplaced],
    *,
    alone: bool,
    is_folder: bool,
) -> Iterator[_Owned]:
    """Each file's student, by what the first way of naming that fits says.

    What is in a student's own folder or archive never says whose it is: anybody can put there what he likes.
    """
    metadata = [e for e in entries if e.parts[-1] == _METADATA and _of_platform(e.parts[:-1], entries, alone=alone)]
    answers = [e for e in entries if e.parts[-1] != _METADATA]
    for file in metadata:
        root = file.parts[:-1]
        submitters = _gradescope(file, unplaced)
        theirs = [e for e in answers if e.parts[: len(root)] == root and e.parts[len(root)] in submitters]
        answers = [e for e in answers if e not in theirs]
        for entry in theirs:
            at, students = submitters[entry.parts[len(root)]]
            for student in students:  # a group's answer is each one's
                inner = entry.parts[len(root) + 1 :]
                yield _Owned(entry, student, (student.id, student.email, student.name), inner, "gradescope", at)
    rest: list[_Entry] = []
    level = _level(answers, alone=alone)
    for entry in answers:
        if found := _platform(entry, level, unplaced):
            yield from found
        else:
            rest.append(entry)
    if not rest:
        return
    depth = _depth(rest, names, is_class=alone and is_folder)
    all_options = [_options(e, names) for e in rest]
    if not alone:  # each path is a student
        all_options, depth = [o[:1] for o in all_options], 0
    wrapped = len({o[min(depth, len(o) - 1)][0] for o in all_options if o}) == 1
    for entry, options in zip(rest, all_options, strict=True):
        near = options if wrapped else options[: depth + 1]
        on_roster = [o for o in near if roster and roster.find(o[0], *_ends(o[0]))]
        label, inner = (on_roster or options[depth : depth + 1] or options[-1:] or [("", ())])[0]
        layout = "folders" if len(inner) < len(entry.parts) and inner[-1:] == entry.parts[-1:] else "flat"
        yield _Owned(entry, Student(id=label, name=label), (label, *_ends(label)), inner, layout)


def _of_platform(folder: tuple[str, ...], entries: list[_Entry], *, alone: bool) -> bool:
    """True of a folder in which Gradescope, and no student, has put its metadata."""
    outermost = alone and (len(folder) == 1 or (len(folder) == 2 and all(e.parts[:2] == folder for e in entries)))
    return outermost or (len(folder) <= 1 + alone and bool(_EXPORT.fullmatch(folder[-1])))


def _level(entries: list[_Entry], *, alone: bool) -> int:
    """How deep in their paths Moodle's and Canvas's names can stand: in what was given, in that, or in the one folder
    in that.
    """
    if not alone or any(_MOODLE.fullmatch(e.parts[0]) or _CANVAS.fullmatch(e.parts[0]) for e in entries):
        return 0
    tops = {e.parts[1] for e in entries if len(e.parts) > 1}
    wrapper = len(tops) == 1 and all(len(e.parts) > 2 for e in entries)
    return 2 if wrapper and not any(map(_MOODLE.fullmatch, tops)) and not any(map(_CANVAS.fullmatch, tops)) else 1


def _platform(entry: _Entry, level: int, unplaced: list[Unplaced]) -> list[_Owned]:
    """By the names that Moodle and Canvas give."""
    for i, part in list(enumerate(entry.parts))[level : level + 1]:
        if m := _MOODLE.fullmatch(part):
            if m["kind"] != "file":
                unplaced.append(Unplaced(entry.shown, "not_a_file", m["name"]))
            rest = (m["rest"],) if m["rest"] else ()
            student = Student(id=m["id"], name="" if m["name"] == "Participant" else m["name"])
            inner = (*rest, *entry.parts[i + 1 :])
            return [_Owned(entry, student, (m["id"], m["name"]), inner, "moodle")] if m["kind"] == "file" else []
        is_file = i == len(entry.parts) - 1 or archive.is_archive(part)
        if is_file and (m := _CANVAS.fullmatch(part)):
            student = Student(id=m["id"], name=m["name"])
            inner = (m["rest"], *entry.parts[i + 1 :])
            return [_Owned(entry, student, (m["id"], m["name"]), inner, "canvas", late=bool(m["late"]))]
    return []


def _gradescope(file: _Entry, unplaced: list[Unplaced]) -> dict[str, tuple[datetime | None, list[Student]]]:
    """folder -> when, and by whom, from an export's metadata."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # as text: an id such as 0123 is no number
    found: dict[str, tuple[datetime | None, list[Student]]] = {}
    try:
        text = file.data().decode()
        depth = 0
        for event in yaml.parse(text, loader):  # before it is built, which recurses and follows aliases
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _NESTED or isinstance(event, yaml.AliasEvent):
                raise ValueError
        raw = yaml.load(text, loader)
        for folder, about in raw.items():
            students = [
                Student(id=_shown(s.get(":sid") or email or s[":name"]), name=_shown(s[":name"]), email=email)
                for s in about[":submitters"]
                for email in [_shown(s.get(":email", ""))]
            ]
            found[folder] = _utc(about.get(":created_at", "")), students
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError, submission.Unreadable):
        unplaced.append(Unplaced(file.shown, "metadata"))
    return found


def _utc(text: str) -> datetime | None:
    """Ruby's `2020-10-01 17:19:45.276236000 Z`."""
    try:
        when = datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text).replace(" Z", "Z").replace(" +", "+"))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _options(entry: _Entry, names: _Names) -> list[tuple[str, tuple[str, ...]]]:
    """What in a path may be the student's name, from the left, each with the path below it."""
    *folders, file = entry.parts
    found: list[tuple[str, tuple[str, ...]]] = []
    for i, folder in enumerate(folders):
        if folder.lower() in names.folders and found:
            return found
        found.append((_bare(folder) if archive.is_archive(folder) else folder, entry.parts[i + 1 :]))
    bare = _bare(file)
    if not names.section(bare) and not names.section(_stem(bare)) and (both := names.student_and_section(bare)):
        found.append((both[0], (f"{both[1]}{PurePosixPath(file).suffix}",)))
    return found


def _depth(entries: list[_Entry], names: _Names, *, is_class: bool) -> int:
    """Which of the options are the students, for all files of one path given.

    Those of which two have the same section; what was given alone and is a folder is a class in any case.
    """
    options = [_options(e, names) for e in entries]
    for depth in range(1, max(map(len, options), default=0)):
        labels: dict[str, set[str]] = {}
        for label, inner in (o[min(depth, len(o) - 1)] for o in options if o):
            labels.setdefault(_section_of(inner, names), set()).add(label)
        if any(section and len(by) > 1 for section, by in labels.items()):
            return depth
    return int(is_class and all(len(o) > 1 for o in options))


def finder(roster: Roster) -> Callable[..., Student | None]:
    """Finds whoever was collected without the roster under these names, the first of them his id."""
    return lambda first, *names: roster.find(first, *_ends(first), *names)


def _ends(label: str) -> list[str]:
    """What a repository's name may end with: `hw1-li-hua` -> li-hua, hua."""
    return [label[m.end() :] for m in re.finditer(r"[-_]", label)]


def _bare(name: str) -> str:
    """A name without the ending of an answer or an archive."""
    lower = name.lower()
    ending = next((s for s in (*archive.SUFFIXES[::-1], *_ANSWERS) if lower.endswith(s)), "")
    return name[: len(name) - len(ending)]


def _stem(name: str) -> str:
    """Without what a browser or Canvas adds to a second copy."""
    m = _AGAIN.fullmatch(name)
    return m["stem"] if m else name


def _known(owned: Iterable[_Owned], roster: Roster | None, unplaced: list[Unplaced]) -> Iterator[_Owned]:
    """With the students as the roster has them; who is not on it has nothing placed."""
    for o in owned:
        if not o.student.id:
            unplaced.append(o.entry.refused or Unplaced(o.entry.shown, "no_student"))
        elif roster is None:
            yield o
        elif student := roster.find(*o.aliases):
            yield o._replace(student=student)
        else:
            who = o.student.name or o.student.id
            unplaced.append(o.entry.refused or Unplaced(o.entry.shown, "not_on_roster", who))


# -- which section they answer


def _section_of(inner: tuple[str, ...], names: _Names) -> str:
    """The slug of a file, "" if it is called like none."""
    bare = _bare(inner[-1])
    return names.section(bare) or names.section(_stem(bare))


def _placed(
    owned: list[_Owned], names: _Names, roster: Roster | None, zone: tzinfo | None, unplaced: list[Unplaced]
) -> tuple[list[Handed], dict[str, Student], Counter[str]]:
    refused: dict[str, Student] = {}
    candidates: dict[tuple[str, str], list[_Owned]] = {}
    strangers: dict[str, list[_Owned]] = {}
    for o in owned:
        if o.entry.refused:
            unplaced.append(o.entry.refused._replace(student=o.student.id))
            refused[o.student.id] = o.student
        elif section := _section_of(o.inner, names) if o.inner else "":
            candidates.setdefault((o.student.id, section), []).append(o)
        else:
            strangers.setdefault(o.student.id, []).append(o)
    handed: list[Handed] = []
    layouts: Counter[str] = Counter()
    for (_, section), found in candidates.items():
        if chosen := _chosen(found, section, unplaced):
            one, answer = chosen
            at = one.at or (roster.time(one.student, zone) if roster else None)
            layouts[one.layout] += 1
            handed.append(
                Handed(
                    student=one.student,
                    section=section,
                    text=answer.text,
                    digest=answer.digest,
                    name=one.entry.shown,
                    at=at,
                    marked_late=one.late and at is None,
                )
            )
        else:
            refused[found[0].student.id] = found[0].student
    for student, files in strangers.items():
        # Who has all that is expected may have other files; of the others each could be the missing one.
        if any((student, s) not in candidates for s in names.slugs.values()):
            own = [o for o in files if not _NOT_THEIRS.fullmatch(_bare(o.entry.parts[-1]))]
            unplaced += [Unplaced(o.entry.shown, "unknown_name", student) for o in own]
    return handed, refused, layouts


def _chosen(found: list[_Owned], section: str, unplaced: list[Unplaced]) -> tuple[_Owned, submission.Submission] | None:
    """Of several files for one section, the one at the place that the course gives it, or Canvas's last; else, unless
    they are the same, none: nobody shall be marked by a guess.
    """
    if len(found) > 1 and all(o.layout == "canvas" and len(o.inner) == 1 for o in found):
        last = max(map(_count, found))
        found = [o for o in found if _count(o) == last]
    labels = {o.aliases[0] for o in found if o.aliases}
    far = {label for label in labels if any(_nearer(other, label) for other in labels)}
    unplaced += [Unplaced(o.entry.shown, "not_on_roster", o.aliases[0]) for o in found if {*o.aliases[:1]} & far]
    found = [o for o in found if not {*o.aliases[:1]} & far]
    at_home = [o for o in found if len(o.inner) > 1 and o.inner[-2].lower()[3:] == section]
    found = at_home or found
    read: list[tuple[_Owned, submission.Submission]] = []
    for o in found:
        try:
            suffix = PurePosixPath(o.entry.parts[-1]).suffix.lower()
            read.append((o, submission.of_bytes(o.entry.data(), Path(f"{section}{suffix}"))))
        except submission.Unreadable as e:
            params = {"reason": e.params.get("reason", "")} | e.params
            unplaced.append(Unplaced(o.entry.shown, f"answer_{e.kind}", o.student.id, params))
    if len({answer.digest for _, answer in read}) > 1 or (read and len(read) < len(found)):
        unplaced += [Unplaced(o.entry.shown, "several", o.student.id, {"section": section}) for o, _ in read]
        return None
    return read[0] if read else None


def _nearer(one: str, other: str) -> bool:
    """True if both end alike and the other has something before that: `hw1-bob` is rather bob's than `hw1-x-bob`."""
    cuts = [0, *(m.end() for m in re.finditer(r"[-_]", one))]
    return len(one) < len(other) and any(other.startswith(one[:i]) and other.endswith(one[i:]) for i in cuts)


def _count(o: _Owned) -> int:
    m = _AGAIN.fullmatch(_bare(o.inner[-1]))
    return int(m["again"] or 0) if m else 0
