"""The course proves itself, through `pool` like anyone: `learn dev check`.

What it finds is a kind with parameters and a place; the words are in the reports.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grader import pool
from grader.cache import Cache
from grader.course import Course, Section
from grader.model import Check, Finding, Job, Outcome, Verdict
from grader.rules import line_of, named, strays, structure

__all__ = ["Finding", "Progress", "Proof", "check", "judged", "structure"]

_FIRST = ("missing_file", "encoding", "syntax")  # nothing can be judged before these are mended
_UNWRITTEN = (Outcome.NOT_WRITTEN, Outcome.FAILED)


class Proof(NamedTuple):
    """What was found out about one section."""

    section: Section | None  # None: about the course as a whole
    findings: list[Finding]
    judged: int = 0  # how many answers
    seconds: float = 0.0  # the reference's
    kept: bool = False  # nothing that it depends on has changed since it was found


class Progress(NamedTuple):
    """How far a check is."""

    done: int  # answers judged
    total: int
    left: float | None  # seconds, as far as can be told


def check(
    course: Course,
    names: Sequence[str] = (),
    *,
    anew: bool = False,
    workers: int | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Iterator[Proof]:
    """Proves these sections (by default all), as they get ready; first those whose last proof still holds.

    `anew`: without looking at what was kept. Raises UnknownSection, CourseError, warden.Lost.
    """
    course.in_order()
    sections = course.chosen(names)
    if not names and (found := list(strays(course))):
        yield Proof(None, found)
    cache = Cache(course)
    digests = {s.slug: cache.digest(s) for s in sections}  # of now: whoever edits meanwhile has something to prove
    waiting: list[Section] = []
    for section in sections:
        kept = None if anew else cache.holding(section, digests[section.slug])
        if kept:
            yield Proof(section, [], kept.judged, kept.seconds, kept=True)
        else:
            waiting.append(section)
    for proof in _prove(course, waiting, workers, tell):
        if proof.section and not proof.findings:
            cache.keep(proof.section, digests[proof.section.slug], proof.judged, proof.seconds)
        yield proof


def _prove(
    course: Course, sections: Sequence[Section], workers: int | None, tell: Callable[[Progress], None]
) -> Iterator[Proof]:
    if not sections:
        return
    found = {s.slug: list(structure(course, s)) for s in sections}
    plans = {s.slug: [] if any(f.kind in _FIRST for f in found[s.slug]) else _answers(s) for s in sections}
    jobs = [
        Job(section=s.slug, section_digest=s.digest, text=path.read_text(encoding="utf-8"), id=str(path))
        for s in sections
        for path in plans[s.slug]
    ]
    verdicts: dict[str, dict[Path, Verdict]] = {s.slug: {} for s in sections}
    played: set[str] = set()
    done, began = 0, time.monotonic()
    tell(Progress(0, len(jobs), None))
    for result in pool.prove(course, jobs, list(found), workers):
        slug = result.section
        if isinstance(result, Verdict):
            verdicts[slug][Path(result.job)] = result
            done += 1
            tell(Progress(done, len(jobs), (time.monotonic() - began) * (len(jobs) - done) / done))
        else:
            played.add(slug)
            found[slug] += result.findings
        if slug in played and len(verdicts[slug]) == len(plans[slug]):
            section, so_far = course[slug], verdicts[slug]
            reference = so_far.get(section.reference)
            findings = found[slug] + (list(judged(section, so_far)) if so_far else [])
            yield Proof(section, findings, len(so_far), reference.times.total if reference else 0.0)


def judged(section: Section, verdicts: dict[Path, Verdict]) -> Iterator[Finding]:
    """What the verdicts on stub, reference, also/ and wrong/ say of the section."""
    caught: set[int] = set()
    faulty: set[str] = set()
    for path, verdict in sorted(verdicts.items()):
        broken = next((c for c in verdict.checks if c.outcome is Outcome.BROKEN), None)
        if broken is not None:
            if broken.name not in faulty:  # it will be so for every answer
                what = f"{broken.kind}: {broken.params.get('what', '')}"
                test, line = _test(section, broken)
                yield Finding(test, "broken", {"name": broken.name, "answer": path.name, "what": what}, line)
            faulty.add(broken.name)
        elif path == section.stub:
            yield from _stub(section, verdict)
        elif path.parent.name == "wrong":
            yield from _wrong(path, verdict)
            caught |= set(named(path) or ())
        else:
            yield from _right(section, path, verdict)
    for task in sorted(section.about.tasks.keys() - caught) if not faulty else ():
        yield Finding(section.hidden / "wrong", "task_never_failed", {"task": task})


def _answers(section: Section) -> list[Path]:
    paths = [section.stub, section.reference, *section.bank("also"), *section.bank("wrong")]
    return [p for p in paths if p.is_file() and p.suffix == ".py"]


def _test(section: Section, check: Check) -> tuple[Path, int]:
    """Where the test of that check stands."""
    path = section.examples if check.visible else section.tests
    return path, line_of(path, f"def {check.name.partition('[')[0]}(")


def _stub(section: Section, verdict: Verdict) -> Iterator[Finding]:
    unwritten = {c.task for c in verdict.checks if c.outcome in _UNWRITTEN}
    for c in verdict.checks:
        waits = c.outcome is Outcome.SKIPPED and c.params.get("task") in unwritten
        if c.outcome not in _UNWRITTEN and not waits:
            test, line = _test(section, c)
            yield Finding(test, "stub_outcome", {"name": c.name, "outcome": c.outcome.value}, line)


def _right(section: Section, path: Path, verdict: Verdict) -> Iterator[Finding]:
    for c in verdict.checks:
        if c.outcome is not Outcome.PASSED:
            how = " ".join(filter(None, (c.outcome.value, c.kind, c.mistake)))
            at = c.where or line_of(path, f"# --- task {c.task} ---", f"{section.about.tasks[c.task].name}(")
            yield Finding(path, "right_fails", {"name": c.name, "how": how}, at)
    if verdict.passed and verdict.points != verdict.max_points:
        exercise = section.folder / "exercise.yaml"
        params = {"answer": path.name, "points": verdict.points, "possible": verdict.max_points}
        yield Finding(exercise, "points", params, line_of(exercise, "tasks:"))
    limit = section.limits.section
    if verdict.times.total > limit / 2:
        yield Finding(path, "slow", {"seconds": round(verdict.times.total, 1), "limit": limit}, 1)


def _wrong(path: Path, verdict: Verdict) -> Iterator[Finding]:
    failed = {c.task for c in verdict.checks if c.outcome not in (Outcome.PASSED, Outcome.SKIPPED)}
    said = set(named(path) or ())
    if failed != said:
        yield Finding(path, "wrong_tasks", {"failed": sorted(failed), "named": sorted(said)}, 1)
    recognised = {c.mistake for c in verdict.checks if c.mistake}
    if path.stem not in recognised:
        seen = ", ".join(sorted(recognised)) or "-"
        yield Finding(path, "unrecognised", {"mistake": path.stem, "seen": seen}, 1)
    for c in verdict.checks:
        if c.flag.startswith("unreadable"):
            yield Finding(path, "unreadable", {"name": c.name, "what": c.flag}, c.where or 1)
