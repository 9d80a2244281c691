"""Every section's reference passes at every tier, or the verdict says what the tier lacks."""

import pytest

from grader import pool
from grader.course import Course
from grader.model import Job, Tier

COURSE = Course.ours()


@pytest.mark.slow
@pytest.mark.parametrize("tier", [Tier.T3, Tier.T2])
def test_references_run_at_this_tier(tier: Tier) -> None:
    """At T3 all; at T2 all but those that need sockets and processes, which are not judged and say so."""
    jobs = [
        Job(section=s.slug, section_digest=s.digest, text=s.reference.read_text(encoding="utf-8"))
        for s in COURSE.sections
    ]
    for verdict in pool.run(COURSE, jobs, at_most=tier):
        needs = COURSE[verdict.section].about.needs if tier is Tier.T2 else []
        assert verdict.sandbox.tier is tier
        assert verdict.passed is not bool(needs), (verdict.section, [c.kind for c in verdict.checks])
        assert bool(verdict.unmet) is bool(needs)
