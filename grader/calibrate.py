"""How sure the tests of a course are of a right answer: `learn dev calibrate`.

The reference and each `also/` are judged over many draws of the inputs, and so is each `wrong/` that comes as far as a
threshold. How often a right answer fails is counted. For a quantity with a threshold it is estimated, too: its values
are taken to be normally distributed, on a scale that suits them. A count of n without a failure can exclude no less
than 3/n; the estimate says more, as far as the model holds.
"""

import math
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from grader import pool
from grader.course import Course, Section
from grader.model import Job, Outcome, Verdict

DRAWS = 20
WANTED = 1e-4  # the chance that a right answer may have to fail
SURE = 0.95  # of every bound
_NORMAL = statistics.NormalDist()
_REFERENCE = "reference"
_TOLD = frozenset(Outcome) - {Outcome.PASSED, Outcome.SKIPPED}  # a skipped test found nothing out

Values = Mapping[str, Sequence[float | None]]  # by answer, one for each draw that came so far; None: not finite


class Scale(NamedTuple):
    """Where the values of a quantity are taken to be normal."""

    name: str
    to: Callable[[float], float]
    back: Callable[[float], float]


# Of a share that was counted, as an accuracy is, the arcsine of the root has nearly the same spread and little skew
# wherever it lies; and 0 and 1 are on that scale, too, which they are not on the logit's.
ANGULAR = Scale(
    "angular",
    lambda p: math.asin(math.sqrt(min(max(p, 0.0), 1.0))),
    lambda t: math.sin(min(max(t, 0.0), math.pi / 2)) ** 2,
)
LOG = Scale("log", lambda v: math.log(max(v, sys.float_info.min)), math.exp)
PLAIN = Scale("plain", float, float)


def scale_for(values: Sequence[float], least: bool) -> Scale:
    """Angular for a share that must be large, log for a positive number that must be small, else no change."""
    if least and all(0 <= v <= 1 for v in values):
        return ANGULAR
    return LOG if not least and all(v > 0 for v in values) else PLAIN


@dataclass(frozen=True)
class Fit:
    """A normal distribution of values on a scale, and what it says of a threshold."""

    scale: Scale
    count: int
    mean: float  # on the scale, as the two below
    spread: float  # standard deviation, not 0
    room: float  # from the threshold to the mean, positive on the right side
    least: bool

    @staticmethod
    def of(values: Sequence[float], bar: float, least: bool, scale: Scale) -> "Fit | None":
        """None where there is nothing to fit: too few values, or all alike."""
        told = [scale.to(v) for v in values]
        spread = statistics.stdev(told) if len(told) > 2 else 0.0
        mean = statistics.fmean(told) if told else 0.0
        room = mean - scale.to(bar)
        return Fit(scale, len(told), mean, spread, room if least else -room, least) if spread else None

    @property
    def chance(self) -> float:
        """Of a value on the wrong side: the estimate."""
        return _NORMAL.cdf(-self.room / self.spread)

    @property
    def bound(self) -> float:
        """Of a value on the wrong side: at most this, one is SURE, for mean and spread are estimates themselves."""
        k, n = self.room / self.spread, self.count
        return _NORMAL.cdf(_NORMAL.inv_cdf(SURE) * math.sqrt(1 / n + k * k / (2 * (n - 1))) - k)

    @property
    def strictest(self) -> float:
        """The threshold for which `bound` is WANTED: a one-sided tolerance limit (Natrella's approximation)."""
        sure, tail = _NORMAL.inv_cdf(SURE), _NORMAL.inv_cdf(1 - WANTED)
        a, b = 1 - sure**2 / (2 * (self.count - 1)), tail**2 - sure**2 / self.count
        away = self.spread * (tail + math.sqrt(tail**2 - a * b)) / a
        return self.scale.back(self.mean - away if self.least else self.mean + away)


@dataclass(frozen=True)
class Quantity:
    """What a section's tests hold against one threshold."""

    name: str
    bar: float
    least: bool  # at least the threshold is right; else at most
    right: Values
    wrong: Values
    caught: frozenset[str] = frozenset()  # the wrong answers that fail another test, too, in every draw

    @cached_property
    def scale(self) -> Scale:
        """The one that suits right answers; what a wrong one returned may lie at its end."""
        return scale_for([self.bar, *_finite(self.right)], self.least)

    @cached_property
    def fit(self) -> Fit | None:
        """Of all the right answers together."""
        return Fit.of(_finite(self.right), self.bar, self.least, self.scale)

    @cached_property
    def least_sure(self) -> tuple[str, Fit] | None:
        """The right answer that is most likely to fail, by its own values alone."""
        return self._likeliest(self.right, self.least)

    @property
    def chance(self) -> float | None:
        """The estimate for a right answer: the higher of the two fits'. None: nothing could be fitted."""
        return max((f.chance for f in self._fits()), default=None)

    @property
    def bound(self) -> float | None:
        """As far as one can be SURE."""
        return max((f.bound for f in self._fits()), default=None)

    @property
    def strictest(self) -> float | None:
        """The strictest threshold that right answers allow."""
        ends = [f.strictest for f in self._fits()]
        return (min if self.least else max)(ends, default=None)

    @property
    def nearest_wrong(self) -> float | None:
        """The best value of a wrong answer that nothing but this threshold refuses."""
        return (max if self.least else min)(_finite(self._refused), default=None)

    @property
    def lucky(self) -> tuple[str, Fit] | None:
        """The wrong answer that is most likely to pass; the fit's wrong side is the threshold's right one."""
        return self._likeliest(self._refused, not self.least)

    @property
    def _refused(self) -> Values:
        return {a: vs for a, vs in self.wrong.items() if a not in self.caught}

    def _likeliest(self, answers: Values, least: bool) -> tuple[str, Fit] | None:
        fits = {a: Fit.of(_finite({a: vs}), self.bar, least, self.scale) for a, vs in answers.items()}
        return max(((a, f) for a, f in fits.items() if f), key=lambda af: af[1].chance, default=None)

    def _fits(self) -> list[Fit]:
        return [f for f in (self.fit, self.least_sure and self.least_sure[1]) if f]

    @property
    def good(self) -> bool:
        """True if nothing fitted says that a right answer fails more often than WANTED."""
        return self.bound is None or self.bound <= WANTED


class Fallen(NamedTuple):
    """An answer that was not judged as it should be, and in which draw: `learn dev calibrate` draws the same again."""

    answer: str
    draw: int
    how: str  # the check that failed; "" for a wrong answer that passed


@dataclass(frozen=True)
class Calibration:
    """What was found out about one section."""

    section: Section
    draws: int
    right: list[str]  # the right answers
    judged: int  # verdicts on right answers
    failed: list[Fallen]  # right answers that did not pass
    passed: list[Fallen]  # wrong answers that did
    unjudged: list[Fallen]  # for which the grader had no verdict
    quantities: list[Quantity]
    seconds: float  # of a check of the reference, the median
    tests: int
    examples: int

    @property
    def bound(self) -> float:
        """Of the share of right answers that fail, by the count alone."""
        return at_most(len(self.failed), self.judged)

    @property
    def good(self) -> bool:
        """True if no answer fell, and no threshold is too near."""
        return not (self.failed or self.passed or self.unjudged) and all(q.good for q in self.quantities)

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "section": self.section.slug,
            "number": self.section.number,
            "draws": self.draws,
            "right": self.right,
            "judged": self.judged,
            "bound": self.bound,
            "good": self.good,
            **{k: [f._asdict() for f in getattr(self, k)] for k in ("failed", "passed", "unjudged")},
            "seconds": round(self.seconds, 3),
            "quantities": [
                {
                    **{k: getattr(q, k) for k in ("name", "bar", "least", "chance", "bound", "strictest")},
                    **{k: getattr(q, k) for k in ("nearest_wrong", "good", "right", "wrong")},
                    "caught": sorted(q.caught),
                    "scale": q.scale.name,
                }
                for q in self.quantities
            ],
        }


def calibrate(
    course: Course, names: Sequence[str], draws: int = DRAWS, workers: int | None = None
) -> Iterator[Calibration]:
    """Calibrates these sections (by default all), one after the other. Raises UnknownSection."""
    for section in course.chosen(names):
        right = {_REFERENCE: section.reference.read_text(encoding="utf-8")} | _answers(section, "also")
        wrong = _answers(section, "wrong") if section.about.thresholds else {}
        jobs = [*_jobs(section, right, range(1, draws + 1)), *_jobs(section, wrong, range(1, 2))]
        verdicts = {v.job: v for v in pool.run(course, jobs, where="processes", workers=workers)}
        trained = {a: text for a, text in wrong.items() if _measured(verdicts[_job(a, 1)])}
        if more := list(_jobs(section, trained, range(2, draws + 1))):
            verdicts |= {v.job: v for v in pool.run(course, more, where="processes", workers=workers)}
        yield _calibration(section, draws, {j.id: verdicts[j.id] for j in [*jobs, *more]}, list(right))


def at_most(count: int, of: int) -> float:
    """The highest share under which so few of so many are not too improbable: Clopper and Pearson's bound, SURE."""
    low, high = (count / of, 1.0) if of else (1.0, 1.0)
    for _ in range(50):
        share = (low + high) / 2
        so_few = sum(math.comb(of, i) * share**i * (1 - share) ** (of - i) for i in range(count + 1))
        low, high = (share, high) if so_few > 1 - SURE else (low, share)
    return high


def _answers(section: Section, kind: str) -> dict[str, str]:
    paths = section.bank(kind)
    return {f"{kind}/{p.stem}": p.read_text(encoding="utf-8") for p in paths}


def _jobs(section: Section, answers: Mapping[str, str], draws: range) -> Iterator[Job]:
    for answer, text in answers.items():
        for draw in draws:
            yield Job(section=section.slug, section_digest=section.digest, text=text, id=_job(answer, draw), draw=draw)


def _job(answer: str, draw: int) -> str:
    return f"{draw} {answer}"


def _measured(verdict: Verdict) -> dict[str, tuple[bool, float | None]]:
    """Of each quantity, on which side is right, and its worst value: that is the one which decides."""
    found: dict[str, tuple[bool, float | None]] = {}
    for m in (m for c in verdict.checks for m in c.measured):
        before = found.get(m.bar, (m.least, m.value))[1]
        worst = None if before is None or m.value is None else (min if m.least else max)(before, m.value)
        found[m.bar] = m.least, worst
    return found


def _calibration(section: Section, draws: int, verdicts: Mapping[str, Verdict], right: list[str]) -> Calibration:
    failed: list[Fallen] = []
    passed: list[Fallen] = []
    unjudged: list[Fallen] = []
    seen: dict[str, dict[str, list[float | None]]] = {}
    sides: dict[str, bool] = {}
    alone: set[tuple[str, str]] = set()  # (threshold, answer): in some draw, no other test failed
    for job, verdict in verdicts.items():
        draw, answer = job.split(" ", 1)
        bad = next((c for c in verdict.checks if c.outcome is not Outcome.PASSED), None)
        how = " ".join(filter(None, (bad.name, bad.outcome.value, bad.kind, bad.mistake))) if bad else ""
        if verdict.broken:
            unjudged.append(Fallen(answer, int(draw), how))
        elif (answer in right) is not verdict.passed:
            (failed if answer in right else passed).append(Fallen(answer, int(draw), how))
        for name, (least, value) in _measured(verdict).items():
            sides[name] = least
            seen.setdefault(name, {}).setdefault(answer, []).append(value)
            if all(any(m.bar == name for m in c.measured) for c in verdict.checks if c.outcome in _TOLD):
                alone.add((name, answer))
    references = [verdicts[_job(_REFERENCE, d)] for d in range(1, draws + 1)]
    return Calibration(
        section=section,
        draws=draws,
        right=right,
        judged=sum(j.split(" ", 1)[1] in right and not v.broken for j, v in verdicts.items()),
        failed=failed,
        passed=passed,
        unjudged=unjudged,
        quantities=[
            Quantity(
                name=name,
                bar=section.about.thresholds[name],
                least=sides[name],
                right={a: vs for a, vs in values.items() if a in right},
                wrong={a: vs for a, vs in values.items() if a not in right},
                caught=frozenset(a for a in values if a not in right and (name, a) not in alone),
            )
            for name, values in sorted(seen.items())
        ],
        seconds=statistics.median(v.times.total for v in references),
        tests=sum(not c.visible for c in references[0].checks),
        examples=sum(c.visible for c in references[0].checks),
    )


def _finite(values: Values) -> list[float]:
    return [v for vs in values.values() for v in vs if v is not None]
