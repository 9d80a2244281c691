"""A course of these sections alone, packed, for `learn ci --course BUNDLE`: with the hidden tests, so for nobody's eyes
but the teacher's. The right answers stay at home: no verdict needs them.
"""

from pathlib import Path

from grader.release import Release, handout, write_zip

OWN = True
_JUDGED_BY = ("test_*.py", "probes.py", "mistakes.*.md")


def write(release: Release, out: Path) -> None:
    """The archive."""
    write_zip(course(release), out)


def course(release: Release) -> dict[str, bytes]:
    """The files of that course: `exercises/` as it is handed out, of `solutions/` what judges."""
    hidden = {
        f"solutions/{path.relative_to(release.course.solutions).as_posix()}": path.read_bytes()
        for section in release.sections
        for pattern in _JUDGED_BY
        for path in sorted(section.hidden.glob(pattern))
    }
    return handout(release) | hidden
