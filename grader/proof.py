"""The course proves itself, through `pool` like anyone: `learn dev check`.

What it finds is a kind with parameters and a place; the words are in the reports.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from grader import pool
from grader.course import Course, Section, sections_of
from grader.model import Job, Outcome, Verdict

_REGION = re.compile(r"(?m)^# --- task (\d+) ---\n(.*?)^# --- end ---$", re.DOTALL)
_FAILS = re.compile(r"Fails: (\d+(?:, ?\d+)*)\. \S")
_UNWRITTEN = (Outcome.NOT_WRITTEN, Outcome.FAILED)
_HALF_WIDTH = re.compile(r"[\u4e00-\u9fff）」”][,:;?!]")  # Chinese has punctuation of its own
_TIERS = 3
_WRONGS = 3


class Finding(NamedTuple):
    """Something about the course that is not as it must be."""

    path: Path
    kind: str
    params: dict[str, Any]
    line: int | None = None


class Proof(NamedTuple):
    """What was found out about one section."""

    section: Section
    findings: list[Finding]
    judged: int  # how many answers
    seconds: float  # the reference's


def check(course: Course, names: Sequence[str]) -> Iterator[Proof]:
    """Proves these sections (by default all), one after the other. Raises UnknownSection, CourseError."""
    course.in_order()
    sections = [course[n] for n in names] or course.sections
    plans = {s.slug: _answers(s) for s in sections}
    found = {s.slug: list(structure(course, s)) for s in sections}
    if not names:
        found[sections[0].slug] += _strays(course)
    jobs = [
        Job(section=s.slug, section_digest=s.digest, text=path.read_text(encoding="utf-8"), id=str(path))
        for s in sections
        for path in plans[s.slug]
    ]
    verdicts: dict[str, dict[Path, Verdict]] = {s.slug: {} for s in sections}
    for verdict in pool.run(course, jobs, where="processes"):
        so_far = verdicts[verdict.section]
        so_far[Path(verdict.job)] = verdict
        if len(so_far) == len(plans[verdict.section]):
            section = course[verdict.section]
            reference = so_far.get(section.reference)
            findings = found[section.slug] + list(judged(section, so_far))
            yield Proof(section, findings, len(so_far), reference.times.total if reference else 0.0)


def structure(course: Course, section: Section) -> Iterator[Finding]:
    """What can be seen without judging anything."""
    languages = course.about.languages
    wanted = [section.stub, section.examples, section.reference, section.tests]
    wanted += [section.folder / f"{n}.{lang}.md" for n in ("lesson", "hints") for lang in languages]
    wanted += [section.hidden / f"mistakes.{lang}.md" for lang in languages]
    missing = [p for p in wanted if not p.is_file()]
    yield from (Finding(p, "missing_file", {}) for p in missing)
    known = {*wanted, section.folder / "exercise.yaml", section.probes, section.equivalent}
    for path in [*_files(section.folder), *_files(section.hidden)]:
        if path not in known and path.parent.name not in ("also", "wrong"):
            yield Finding(path, "stray_file", {})
    if missing:
        return
    yield from _regions(section)
    yield from _languages(section, languages)
    yield from _promises(section, languages)
    yield from _bank(section, languages)


def judged(section: Section, verdicts: dict[Path, Verdict]) -> Iterator[Finding]:
    """What the verdicts on stub, reference, also/ and wrong/ say of the section."""
    caught: set[int] = set()
    for path, verdict in sorted(verdicts.items()):
        broken = next((c for c in verdict.checks if c.outcome is Outcome.BROKEN), None)
        if broken is not None:
            what = f"{broken.kind}: {broken.params.get('what', '')}"
            yield Finding(path, "broken", {"name": broken.name, "what": what})
        elif path == section.stub:
            yield from _stub(section, verdict)
        elif path.parent.name == "wrong":
            yield from _wrong(path, verdict)
            caught |= set(_named(path) or ())
        else:
            yield from _right(section, path, verdict)
    for task in section.about.tasks.keys() - caught:
        yield Finding(section.hidden / "wrong", "task_never_failed", {"task": task})


def _answers(section: Section) -> list[Path]:
    paths = [section.stub, section.reference, *_files(section.hidden / "also"), *_files(section.hidden / "wrong")]
    return [p for p in paths if p.is_file() and p.suffix == ".py"]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        p for p in folder.rglob("*") if p.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(p.parts)
    )


def _strays(course: Course) -> Iterator[Finding]:
    """Folders that belong to no section."""
    for folder in sorted(p for p in course.exercises.glob("*_*/*_*") if p.is_dir()):
        if not (folder / "exercise.yaml").is_file():
            yield Finding(folder / "exercise.yaml", "missing_file", {})
    homes = {s.hidden for s in course.sections}
    for chapter in sorted(p for p in course.solutions.glob("*_*") if p.is_dir()):
        yield from (Finding(p, "no_section", {}) for p in sorted(chapter.iterdir()) if p.is_dir() and p not in homes)


def _regions(section: Section) -> Iterator[Finding]:
    stub, reference = (p.read_text(encoding="utf-8") for p in (section.stub, section.reference))
    for path, text in ((section.stub, stub), (section.reference, reference)):
        numbers = [int(n) for n, _ in _REGION.findall(text)]
        if numbers != sorted(section.about.tasks):
            yield Finding(path, "regions", {"found": numbers, "tasks": sorted(section.about.tasks)})
    for n, (a, b) in enumerate(zip(_outside(stub), _outside(reference), strict=False), 1):
        if a != b:
            yield Finding(section.stub, "outside_differs", {"text": a.strip()[:60]}, n)
            return
    if len(_outside(stub)) != len(_outside(reference)):
        yield Finding(section.stub, "outside_differs", {"text": "…"})


def _outside(text: str) -> list[str]:
    return _REGION.sub(r"# --- task \1 ---", text).splitlines()


def _languages(section: Section, languages: Sequence[str]) -> Iterator[Finding]:
    first = languages[0]
    for path in [*section.folder.glob("*.zh.md"), *section.hidden.glob("*.zh.md")]:
        blank = re.sub(r"(?ms)^```.*?^```$", lambda m: "\n" * m[0].count("\n"), path.read_text(encoding="utf-8"))
        for number, text in enumerate(blank.splitlines(), 1):
            if m := _HALF_WIDTH.search(re.sub(r"`[^`]*`", "`", text)):
                yield Finding(path, "half_width", {"text": m[0]}, number)
    for lang in languages:
        path = section.folder / f"lesson.{lang}.md"
        if _shape(section.lesson(lang)) != _shape(section.lesson(first)):
            yield Finding(path, "headings", {"other": first})
        if not (section.about.title.get(lang) or "").strip():
            yield Finding(section.folder / "exercise.yaml", "no_title", {"lang": lang})
        hints = section.hints(lang)
        for task in section.about.tasks:
            tiers = [h for h in hints.get(task, []) if h]
            if len(tiers) != _TIERS:
                params = {"task": task, "tiers": len(tiers), "wanted": _TIERS}
                yield Finding(section.folder / f"hints.{lang}.md", "hint_tiers", params)


def _shape(markdown: str) -> list[int]:
    """The levels of the headings, in order."""
    outside = re.sub(r"(?ms)^```.*?^```$", "", markdown)
    return [len(m) for m in re.findall(r"(?m)^(#+) ", outside)]


def _promises(section: Section, languages: Sequence[str]) -> Iterator[Finding]:
    for path in (section.examples, section.tests):
        tested: set[int] = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                if len(_paragraphs(ast.get_docstring(node))) < len(languages):
                    yield Finding(path, "no_promise", {"name": node.name}, node.lineno)
                tested |= {n for d in node.decorator_list if (n := _task_of(d)) is not None}
        for task in section.about.tasks.keys() ^ tested:
            yield Finding(path, "task_untested", {"task": task})


def _paragraphs(docstring: str | None) -> list[str]:
    return [p for p in re.split(r"\n\s*\n", docstring or "") if p.strip()]


def _task_of(decorator: ast.expr) -> int | None:
    if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "task":
        number = decorator.args[0] if decorator.args else None
        return number.value if isinstance(number, ast.Constant) and isinstance(number.value, int) else None
    return None


def _bank(section: Section, languages: Sequence[str]) -> Iterator[Finding]:
    wrong = [p for p in _files(section.hidden / "wrong") if p.suffix == ".py"]
    if len(wrong) < _WRONGS:
        yield Finding(section.hidden / "wrong", "few_wrong", {"found": len(wrong), "wanted": _WRONGS})
    if not _files(section.hidden / "also"):
        yield Finding(section.hidden / "also", "no_also", {})
    for path in wrong:
        if not (named := _named(path)) or not set(named) <= section.about.tasks.keys():
            yield Finding(path, "names_no_task", {}, 1)
    for lang in languages:
        path = section.hidden / f"mistakes.{lang}.md"
        told = sections_of(path.read_text(encoding="utf-8"))
        for mistake in sorted({p.stem for p in wrong} | section.mistakes(languages[0]).keys()):
            if not told.get(mistake):
                yield Finding(path, "mistake_untold", {"mistake": mistake})


def _named(path: Path) -> list[int] | None:
    """The tasks that a wrong answer's docstring says it fails."""
    try:
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    except SyntaxError:
        docstring = path.read_text(encoding="utf-8")  # a broken file may say it in a comment
    m = _FAILS.search(docstring)
    return [int(n) for n in m[1].split(",")] if m else None


def _stub(section: Section, verdict: Verdict) -> Iterator[Finding]:
    unwritten = {c.task for c in verdict.checks if c.outcome in _UNWRITTEN}
    for c in verdict.checks:
        waits = c.outcome is Outcome.SKIPPED and c.params.get("task") in unwritten
        if c.outcome not in _UNWRITTEN and not waits:
            yield Finding(section.stub, "stub_outcome", {"name": c.name, "outcome": c.outcome.value})


def _right(section: Section, path: Path, verdict: Verdict) -> Iterator[Finding]:
    for c in verdict.checks:
        if c.outcome is not Outcome.PASSED:
            how = " ".join(filter(None, (c.outcome.value, c.kind, c.mistake)))
            yield Finding(path, "right_fails", {"name": c.name, "how": how}, c.where)
    if verdict.passed and verdict.points != verdict.max_points:
        yield Finding(path, "points", {"points": verdict.points, "possible": verdict.max_points})
    limit = section.limits.section
    if verdict.times.total > limit / 2:
        yield Finding(path, "slow", {"seconds": round(verdict.times.total, 1), "limit": limit})


def _wrong(path: Path, verdict: Verdict) -> Iterator[Finding]:
    failed = {c.task for c in verdict.checks if c.outcome not in (Outcome.PASSED, Outcome.SKIPPED)}
    named = set(_named(path) or ())
    if failed != named:
        yield Finding(path, "wrong_tasks", {"failed": sorted(failed), "named": sorted(named)})
    recognised = {c.mistake for c in verdict.checks if c.mistake}
    if path.stem not in recognised:
        yield Finding(path, "unrecognised", {"seen": sorted(recognised) or "-"})
    for c in verdict.checks:
        if c.flag.startswith("unreadable"):
            yield Finding(path, "unreadable", {"name": c.name, "what": c.flag})
