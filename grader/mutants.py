"""Measures the tests of a course: `learn dev mutants`.

Every small change of a reference is judged like any answer. One that passes is a survivor: a wrong answer would pass,
too, unless the change is recorded beside the section as equivalent, with the reason.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grader import pool
from grader.course import Course, CourseError, Equivalent, Section
from grader.model import Job, Outcome, Verdict
from grader.operators import Mutant, mutants

__all__ = ["WANTED", "Measure", "Mutant", "measure", "mutants"]

WANTED = 98  # of a hundred that make a difference, so many must be killed
_REFERENCE = "reference"


@dataclass(frozen=True)
class Measure:
    """What was found out about the tests of one section."""

    section: Section
    total: int  # mutants that were judged
    killed: int
    silent: int  # those that never raised, crashed or hung, without the equivalent ones
    silent_killed: int
    equivalent: int  # recorded so, and alive
    survivors: list[Mutant]  # the others that are alive
    stale: list[Equivalent]  # entries that no mutant matches any more
    refuted: list[Equivalent]  # entries whose mutants are killed
    unjudged: list[Mutant]  # for which the grader had no verdict; not counted in `total`
    seconds: float  # of judging, added up
    fault: str = ""  # the check that the reference itself does not pass; then nothing is known, and nothing counted

    @property
    def good(self) -> bool:
        """True if enough are killed, of all and of the silent ones, and every entry of equivalent.yaml holds."""
        enough = _enough(self.killed, self.total - self.equivalent) and _enough(self.silent_killed, self.silent)
        return enough and not (self.stale or self.refuted or self.unjudged or self.fault)

    @property
    def percent(self) -> float:
        """Killed, of those that make a difference; rounded down to a tenth, so that 97.96 is not 98."""
        of = self.total - self.equivalent
        return self.killed * 1000 // of / 10 if of else 100.0

    def diff(self, mutant: Mutant) -> list[str]:
        """The change, as `diff -u` shows it."""
        name = self.section.reference.name
        old = self.section.reference.read_text(encoding="utf-8").splitlines()
        return list(difflib.unified_diff(old, mutant.text.splitlines(), name, mutant.operator, n=1, lineterm=""))

    def facts(self) -> dict[str, Any]:
        """For programs."""
        changes = {"survivors": self.survivors, "unjudged": self.unjudged}
        entries = {"stale": self.stale, "refuted": self.refuted}
        return {
            "section": self.section.slug,
            "number": self.section.number,
            "mutants": self.total,
            "killed": self.killed,
            "silent": self.silent,
            "silent_killed": self.silent_killed,
            "equivalent": self.equivalent,
            "good": self.good,
            "fault": self.fault,
            "seconds": round(self.seconds, 1),
            **{k: [_told(m) | {"diff": "\n".join(self.diff(m))} for m in ms] for k, ms in changes.items()},
            **{k: [{"within": e.within, "was": e.was, "becomes": e.becomes} for e in es] for k, es in entries.items()},
        }


def measure(course: Course, names: Sequence[str], workers: int | None = None) -> Iterator[Measure]:
    """Measures these sections (by default all), as they get ready. Raises UnknownSection, CourseError."""
    sections = course.chosen(names)
    changes = {s.slug: _mutants_of(s) for s in sections}
    recorded = {s.slug: s.equivalents() for s in sections}
    jobs = [job for s in sections for job in _jobs(s, changes[s.slug])]
    verdicts: dict[str, dict[str, Verdict]] = {s.slug: {} for s in sections}
    for verdict in pool.run(course, jobs, where="processes", workers=workers):
        so_far = verdicts[verdict.section]
        so_far[verdict.job] = verdict
        if len(so_far) == len(changes[verdict.section]) + 1:
            found = [(m, so_far[str(i)]) for i, m in enumerate(changes[verdict.section])]
            yield _measured(course[verdict.section], so_far[_REFERENCE], found, recorded[verdict.section])


def _mutants_of(section: Section) -> list[Mutant]:
    try:
        return list(mutants(section.reference.read_text(encoding="utf-8")))
    except (OSError, SyntaxError) as e:
        raise CourseError(f"{section.reference}: {e}") from None


def _jobs(section: Section, changes: Sequence[Mutant]) -> Iterator[Job]:
    texts = {str(i): m.text for i, m in enumerate(changes)}
    reference = section.reference.read_text(encoding="utf-8")
    for name, text in ({_REFERENCE: reference} | texts).items():
        yield Job(section=section.slug, section_digest=section.digest, text=text, id=name, until_loud=True)


def _measured(
    section: Section, reference: Verdict, found: Sequence[tuple[Mutant, Verdict]], recorded: Sequence[Equivalent]
) -> Measure:
    seconds = sum(v.times.total for _, v in found)
    if not reference.passed:
        bad = next(c for c in reference.checks if c.outcome is not Outcome.PASSED)
        fault = " ".join(filter(None, (bad.name, bad.outcome.value, bad.kind)))
        return Measure(section, 0, 0, 0, 0, 0, [], [], [], [], seconds, fault)
    judged = [(m, v) for m, v in found if not v.broken]
    alive = [m for m, v in judged if v.passed]
    killed = [v for _, v in judged if not v.passed]
    quiet = [v for v in killed if not any(c.loud for c in v.checks)]
    entries = {_key(e) for e in recorded}
    known, living = {_key(m) for m, _ in found}, {_key(m) for m in alive}
    survivors = [m for m in alive if _key(m) not in entries]
    return Measure(
        section=section,
        total=len(judged),
        killed=len(killed),
        silent=len(quiet) + len(survivors),
        silent_killed=len(quiet),
        equivalent=len(alive) - len(survivors),
        survivors=survivors,
        stale=[e for e in recorded if _key(e) not in known],
        refuted=[e for e in recorded if _key(e) in {_key(m) for m, _ in judged} - living],
        unjudged=[m for m, v in found if v.broken],
        seconds=seconds,
    )


def _key(change: Mutant | Equivalent) -> tuple[str, str, str]:
    """What a change is known by. The same line may stand twice in a function; where one of the two lives, both do."""
    return change.within, change.was.strip(), change.becomes.strip()


def _told(mutant: Mutant) -> dict[str, Any]:
    return {k: v for k, v in mutant._asdict().items() if k != "text"}


def _enough(killed: int, of: int) -> bool:
    return killed * 100 >= WANTED * of
