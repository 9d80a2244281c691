"""Classroom 50's `result.json`, as an `autograder.py` of its leaves it for the runner."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from grader.exports.parts import Part

SCHEMA = "classroom50/result/v1"
_ENVIRONMENT = {  # field -> what the runner gives it in
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
}


def missing(environ: Mapping[str, str]) -> list[str]:
    """What Classroom 50's runner would have set and nobody has."""
    return [name for name in _ENVIRONMENT.values() if not environ.get(name)]


def result(parts: Sequence[Part], environ: Mapping[str, str], at: datetime) -> dict[str, Any]:
    """The document. `at` has a time zone; owner, kind of assignment and the time that counts are the runner's to set.

    Raises KeyError if the environment is not the runner's.
    """
    return {
        "schema": SCHEMA,
        **{field: environ[name] for field, name in _ENVIRONMENT.items()},
        "review": environ.get("REVIEW_URL") or environ["COMMIT_URL"],
        "datetime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "score": sum(p.score for p in parts),
        "max-score": sum(p.max_score for p in parts),
        "tests": [
            {
                "test-name": p.name,
                "passed": p.status == "pass",
                "score": p.score,
                "max-score": p.max_score,
                "message": p.message,
            }
            for p in parts
        ],
    }
