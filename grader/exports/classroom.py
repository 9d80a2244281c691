"""The output `result` of a grading step, as GitHub Classroom's `autograding-grading-reporter` reads it.

The points that are reported are the sum of the tests' scores, so a task that failed may have some.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

from grader.exports.parts import Part

_MESSAGE = 300  # characters
_ENCODED = 100_000  # bytes: the reporter gets it as one environment variable, of which Linux takes 128 KiB


def result(parts: Sequence[Part], *, messages: bool = True) -> dict[str, Any]:
    """Version 1. `test_code` is empty, since the reporter prints it for the student to see."""
    states = {p.status for p in parts}
    return {
        "version": 1,
        "status": next((s for s in ("error", "fail") if s in states), "pass"),
        "max_score": sum(p.max_score for p in parts),
        "tests": [
            {
                "name": p.name,
                "status": p.status,
                "score": p.score,
                "max_score": p.max_score,
                "message": p.message[:_MESSAGE] if messages else "",
                "test_code": "",
                "filename": p.answer.file,
                "line_no": p.line or 0,
                "duration": round(1000 * p.seconds),
            }
            for p in parts
        ],
    }


def encoded(parts: Sequence[Part]) -> str:
    """The same as base64 of JSON, in one line; without messages if it would not fit into a variable."""
    for messages in (True, False):
        text = json.dumps(result(parts, messages=messages), ensure_ascii=False)
        data = base64.b64encode(text.encode(errors="replace")).decode()
        if len(data) <= _ENCODED:
            break
    return data
