"""Gradescope's `results.json`: what one student is told of an assignment, and what each test is worth."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from grader.exports.tables import rounded
from grader.model import Check, Outcome, Verdict, score
from grader.reports.plain import title
from grader.reports.sentences import clean, details, explanation, number, outcome, promise, sentence
from grader.reports.words import LANGUAGES, say

if TYPE_CHECKING:
    from grader.assignment import Assignment, Part
    from grader.course import Section
    from grader.scores import Score, Total


def results(
    total: "Total",
    assignment: "Assignment",
    sections: "Mapping[str, Section]",
    verdicts: Mapping[str, Verdict],
    lang: str,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The object. `sections`, `verdicts`: by slug; the latter of what was handed in. `notes`: to be told first.

    A section's tests are together worth its weight, to the hundredth, and what they earned is what lateness has not yet
    been taken off from. `score` is what counts in the end, as in every other export.
    """
    worth = sum((p.weight for p in assignment.parts), Fraction(0))
    tests: list[dict[str, Any]] = []
    said = [*map(_plain, notes), *_late(total.scores, lang)]
    for part, counted in zip(assignment.parts, total.scores, strict=True):
        section, verdict = sections[part.section], verdicts.get(part.section)
        said += _said(section, counted, verdict, lang)
        tests += _tests(part, section, verdict, lang) if verdict else [_missing(part, section, lang)]
    return {
        "score": float(rounded(total.share * worth, worth)),
        "output": "\n\n".join(said),
        "output_format": "md",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(sum(v.times.total for v in verdicts.values()), 2),
        "tests": tests,
        "extra_data": {
            "share": str(total.share),
            "sections": {
                v.section: {"points": v.points, "max_points": v.max_points, "digest": v.submission_digest}
                for v in verdicts.values()
            },
        },
    }


def _late(scores: "Sequence[Score]", lang: str) -> list[str]:
    """What lateness took, once for all sections of which the same is true."""
    alike: dict[tuple[str, str], list[str]] = {}
    for s in scores:
        if s.late and not (s.standing and s.standing.adjustment):
            hours = number(Fraction(int(s.late.total_seconds()), 3600))
            alike.setdefault((hours, number((1 - s.share) * 100)), []).append(s.number)
    return [
        say("gradescope.late", lang, sections=", ".join(numbers), hours=hours, percent=off)
        for (hours, off), numbers in alike.items()
    ]


def _said(section: "Section", counted: "Score", verdict: Verdict | None, lang: str) -> list[str]:
    """What else is to be said of a section as a whole."""
    said = []
    stands = counted.standing
    if stands and stands.adjustment:
        said.append(
            say("gradescope.by_hand", lang, section=section.number, points=number(stands.points or Fraction(0)))
        )
    if verdict and (printed := clean(verdict.stdout).rstrip()):
        said += [say("gradescope.printed", lang, section=section.number), re.sub("(?m)^", "    ", printed)]
    return said


def _missing(part: "Part", section: "Section", lang: str) -> dict[str, Any]:
    """A section without an answer."""
    return {
        "name": _heading(section, lang),
        "number": section.number,
        "score": 0.0,
        "max_score": float(_hundredths(part.weight)),
        "status": "failed",
        "visibility": "visible",
        "output": say("gradescope.missing", lang, file=section.stub.name),
        "output_format": "text",
    }


def _tests(part: "Part", section: "Section", verdict: Verdict, lang: str) -> list[dict[str, Any]]:
    mistakes = next(filter(None, map(section.mistakes, (lang, *LANGUAGES))), {})
    points = _points(verdict.checks, section.points, part.weight)
    hidden = {n: [c for c in checks if not c.visible] for n, checks in verdict.tasks().items()}
    tests = []
    for place, (check, most) in enumerate(zip(verdict.checks, points, strict=True), 1):
        passed = check.outcome is Outcome.PASSED
        about = {"section": section.number, "task": section.about.tasks[check.task].name}
        if check.visible:
            name = say("gradescope.example", lang, **about, promise=promise(check, lang) or check.name)
        else:  # the function's name and its parameters can tell what is expected
            of_task = hidden[check.task]
            place_in = next(i for i, c in enumerate(of_task, 1) if c is check)
            name = say("gradescope.hidden", lang, **about, place=place_in, count=len(of_task))
        tests.append(
            {
                "name": name,
                "number": f"{section.number}.{place}",
                "score": float(most) if passed else 0.0,
                "max_score": float(most),
                "status": "passed" if passed else "failed",
                "visibility": "visible" if check.visible else part.hidden_tests,
                "output": _output(check, mistakes, section.stub.name, lang),
                "output_format": "md",
            }
        )
    return tests


def _points(checks: Sequence[Check], points: Mapping[int, int], weight: Fraction) -> list[Fraction]:
    """What each test is worth, in whole hundredths: all together the weight, and those that passed what was earned.

    Each gets what is missing to the rounded sum so far; so those that passed come first.
    """
    possible = sum(points.values())
    factor = weight / possible if possible else Fraction(0)
    reached = Fraction(score(tuple(checks), dict(points))[0]) * factor
    most = _hundredths(weight)
    earned = most if reached == weight else min(rounded(reached, weight), most)
    exact = [_share(c, checks, points) * factor for c in checks]
    worth = [Fraction(0)] * len(checks)
    so_far = given = Fraction(0)
    for i in sorted(range(len(checks)), key=lambda i: checks[i].outcome is not Outcome.PASSED):
        so_far += exact[i]
        now = most if so_far == weight else earned if so_far == reached else _hundredths(so_far)
        now = min(now, earned) if so_far < reached else now
        worth[i], given = now - given, now
    return worth


def _share(check: Check, checks: Sequence[Check], points: Mapping[int, int]) -> Fraction:
    """The points of one test, as `model.score` shares them."""
    of_task = [c for c in checks if c.task == check.task]
    counted = [c for c in of_task if not c.visible] or of_task
    return Fraction(points[check.task], len(counted)) if any(c is check for c in counted) else Fraction(0)


def _hundredths(value: Fraction) -> Fraction:
    return Fraction(round(value * 100), 100)


def _heading(section: "Section", lang: str) -> str:
    return f"{section.number} {title(section.about.title, lang)}"


def _output(check: Check, mistakes: Mapping[str, str], file: str, lang: str) -> str:
    """What a learner reads of a test, as Markdown; what their own code said in it is plain text."""
    said = [_plain(promise(check, lang))] if not check.visible else []
    if check.outcome is not Outcome.PASSED:
        place = say("gradescope.at", lang, file=file, line=check.where) if check.where else ""
        explained = explanation(check, mistakes)
        told = _plain(sentence(check, lang)) if check.kind else outcome(check, lang)
        said += [place, *([told] if explained is None or check.mistake == check.kind else [explained])]
        said += [_plain(d) for d in details(check, lang)]
    return "\n\n".join(filter(None, said))


def _plain(text: str) -> str:
    """A text that Markdown shows as it is, but for `code`."""
    parts = re.split(r"(`[^`\n]+`)", text)
    return "".join(p if i % 2 else re.sub(r"([\\`*_\[\]<>#|~$&]|(?m:^)[-+])", r"\\\1", p) for i, p in enumerate(parts))
