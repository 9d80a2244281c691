"""What is known of the tests of each section, kept beside the course: `learn dev quality`.

`docs/quality.json` holds the figures, from which `docs/quality.md` and the totals in README.md are written. Each
section's are of the files that its digest names; where these have changed since, the page says so.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from grader import calibrate, mutants
from grader.course import Course, CourseError, Section

_TOTALS = re.compile(r"(?s)(<!-- quality -->\n).*?(<!-- /quality -->)")


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one threshold."""

    bar: float
    chance: float | None  # that a right answer misses it; None: nothing could be fitted
    bound: float | None  # and the most that this may be


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was found out about one section."""

    digest: str
    tests: int  # hidden ones
    examples: int
    wrong: int
    also: int
    mutants: int  # that make a difference
    killed: int
    checks: int  # of right answers, over all draws
    failed: int
    bound: float  # of the share that fails, by this count alone
    thresholds: dict[str, Estimate]
    seconds: float  # of a check of the reference, the median

    @property
    def percent(self) -> float:
        """Of mutants killed, rounded down to a tenth."""
        return self.killed * 1000 // self.mutants / 10 if self.mutants else 100.0


Records = Mapping[str, Record]  # by slug


def digest(section: Section) -> str:
    """Hash of what the figures depend on: the tests, and the answers they were tried with."""
    h = hashlib.sha256(section.digest.encode())
    for path in (section.reference, section.equivalent, *section.bank("also"), *section.bank("wrong")):
        data = path.read_bytes() if path.is_file() else b""
        h.update(f"\0{path.name}\0{len(data)}\0".encode() + data)
    return h.hexdigest()[:16]


def record(section: Section, m: mutants.Measure, c: calibrate.Calibration) -> Record:
    """The figures to keep, of what was found out just now."""
    return Record(
        digest=digest(section),
        tests=c.tests,
        examples=c.examples,
        wrong=len(section.bank("wrong")),
        also=len(section.bank("also")),
        mutants=m.total - m.equivalent,
        killed=m.killed,
        checks=c.judged,
        failed=len(c.failed),
        bound=_short(c.bound),
        thresholds={
            q.name: Estimate(q.bar, *(None if p is None else _short(p) for p in (q.chance, q.bound)))
            for q in c.quantities
        },
        seconds=round(c.seconds, 2),
    )


def measure(
    course: Course, names: Sequence[str], workers: int | None = None
) -> Iterator[tuple[mutants.Measure, calibrate.Calibration]]:
    """Measures and calibrates these sections, one after the other. Raises UnknownSection, CourseError."""
    for slug in dict.fromkeys(course[n].slug for n in names):
        (m,) = mutants.measure(course, [slug], workers)
        (c,) = calibrate.calibrate(course, [slug], workers=workers)
        yield m, c


def stale(course: Course, records: Records) -> list[Section]:
    """The sections of which nothing is known, or that have changed since."""
    return [s for s in course.sections if s.slug not in records or records[s.slug].digest != digest(s)]


def read(course: Course) -> dict[str, Record]:
    """The records that were kept; none of sections that there are no more. Raises CourseError."""
    path = _docs(course) / "quality.json"
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, Record]) if path.is_file() else {}
    except (OSError, msgspec.DecodeError) as e:
        raise CourseError(f"{path}: {e}") from None
    return {s.slug: kept[s.slug] for s in course.sections if s.slug in kept}


def write(course: Course, records: Records, page: str, totals: str) -> list[Path]:
    """Keeps the records, and the page and the totals that were made of them; returns what was written."""
    docs, readme = _docs(course), _docs(course).parent / "README.md"
    docs.mkdir(exist_ok=True)
    kept = msgspec.json.format(msgspec.json.encode(records, order="sorted"), indent=1)
    texts = {docs / "quality.json": kept.decode() + "\n", docs / "quality.md": page}
    if readme.is_file():
        texts[readme] = with_totals(readme.read_text(encoding="utf-8"), totals)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return list(texts)


def with_totals(readme: str, totals: str) -> str:
    """The README with these totals where it has a place for them."""
    return _TOTALS.sub(lambda m: f"{m[1]}{totals}{m[2]}", readme)


def _docs(course: Course) -> Path:
    return course.exercises.parent / "docs"


def _short(p: float) -> float:
    """To two digits, and no further into the tail than `reports.quality.chance` tells."""
    return float(f"{max(p, 1e-9):.2g}")
