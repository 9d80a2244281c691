"""One folder, one behaviour: an answer, and what the judge must say of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from grader import pool, submission
from grader.course import Course
from grader.model import Check, Job, Tier, Verdict

HERE = Path(__file__).parent
CASES = sorted(p.name for p in (HERE / "golden").iterdir() if p.is_dir())


@pytest.fixture(scope="module")
def course() -> Course:
    return Course.at(HERE / "mini_course")


@pytest.fixture(scope="module")
def verdicts(course: Course) -> Iterator[dict[str, Verdict]]:
    section = course["double"]
    texts = {name: submission.read(HERE / "golden" / name / "double.py").text for name in CASES}
    jobs = [Job(section="double", section_digest=section.digest, text=t, id=n) for n, t in texts.items()]
    yield {v.job: v for v in pool.run(course, jobs)}


def told(check: Check) -> str:
    """A check as the expected files write it."""
    parts = [check.outcome.value, check.kind]
    parts += [f"mistake={check.mistake}"] if check.mistake else []
    parts += [f"line={check.where}"] if check.where else []
    return " ".join(filter(None, parts))


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, verdicts: dict[str, Verdict]) -> None:
    """Each answer gets its own outcome, kind, mistake and line, and costs only the tests it touches."""
    expected = yaml.safe_load((HERE / "golden" / name / "expected.yaml").read_text())
    verdict = verdicts[name]
    assert {"points": verdict.points} | {c.name: told(c) for c in verdict.checks} == expected | {
        "points": str(expected["points"])
    }


def test_all_under_the_best_tier(verdicts: dict[str, Verdict]) -> None:
    """Nothing was judged with less confinement than this machine gives at its best."""
    assert {v.sandbox.tier for v in verdicts.values()} == {Tier.T3}


def test_printing_is_kept_up_to_the_cap(verdicts: dict[str, Verdict]) -> None:
    """A flood of output is cut off, marked, and harms nobody."""
    flooded = verdicts["huge_print"]
    assert 0 < len(flooded.stdout) <= 3 * (16 << 10)
    assert any(c.flag == "flooded" for c in flooded.checks)


def test_same_answer_same_verdict(course: Course, verdicts: dict[str, Verdict]) -> None:
    """Judged again, in another process and another cell, the verdict is the same to the byte, times aside."""
    section = course["double"]
    names = ["right", "recognised", "raises", "segfault"]
    texts = [submission.read(HERE / "golden" / n / "double.py").text for n in names]
    named = zip(names, texts, strict=True)
    jobs = [Job(section="double", section_digest=section.digest, text=t, id=n) for n, t in named]
    for again in pool.run(course, jobs, where="processes", workers=1):
        assert again.timeless().to_json() == verdicts[again.job].timeless().to_json()
