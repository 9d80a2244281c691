"""What Gradescope runs for each submission, out of the archive that `learn release --to gradescope` makes.

The class is this one student: the answers go into a gradebook and come out of it as in `learn grade`, so that the
score is the same. A fault of ours leaves no results.json: Gradescope then says that the autograder failed.
"""

import json
import sys
import tempfile
import traceback
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from grader import assignment, batch, pool, scores
from grader.assignment import Assignment
from grader.collect import Unplaced, of_student
from grader.course import Course
from grader.exports import gradescope
from grader.gradebook import Gradebook
from grader.home import write
from grader.model import Student, Tier, Verdict
from grader.reports.words import say


class Failed(Exception):
    """There is no verdict, through no fault of the student."""


def main(root: Path) -> int:
    """Judges what lies in `root/submission`, into `root/results/results.json`. The exit code: 0, or 1 for a failure."""
    out = root / "results" / "results.json"
    lang = "en"
    try:
        out.unlink(missing_ok=True)
        settings = json.loads((root / "source" / "settings.json").read_text(encoding="utf-8"))
        lang = settings["lang"]
        told = json.dumps(results(root, lang, Tier(settings["require"])), ensure_ascii=False, indent=1)
        out.parent.mkdir(exist_ok=True)
        write(out, told.encode(), 0o644)
    except Exception as e:
        traceback.print_exc()  # for the teacher: Gradescope shows what is printed to nobody else
        print(say("gradescope.failed", lang, why=f"{type(e).__name__}: {e}"), file=sys.stderr)
        return 1
    return 0


def results(root: Path, lang: str, require: Tier) -> dict[str, Any]:
    """What `results.json` says. `require`: the least sandbox. Raises Failed, and whatever else goes wrong."""
    source = root / "source"
    course = Course.at(source)
    about = _metadata(root / "submission_metadata.json")
    set_ = assignment.read(source / "assignment.yaml", course)
    set_, student, at = _handed(set_, about)
    sections = course.chosen(set_.sections)
    found = of_student(root / "submission", sections, student, at)
    with (
        tempfile.TemporaryDirectory() as folder,
        Gradebook(f"{folder}/gradebook.sqlite") as book,
        pool.Judge(course, require, key=(source / "secret").read_bytes()) as judge,
    ):
        book.begin(batch.now(sections), found.handed, [student])
        for _, jobs in groupby(book.jobs(), lambda j: j.section):
            for verdict in judge.grade(list(jobs)):
                _sound(verdict)
                book.record(verdict)
        standings = book.standings()
        verdicts = {o.standing.section: o.verdict for o in book.opened(standings) if o.verdict}
        (total,) = scores.totals(standings, [student], set_)
    by_slug = {s.slug: s for s in sections}
    return gradescope.results(total, set_, by_slug, verdicts, lang, [_note(u, lang) for u in found.unplaced])


def _sound(verdict: Verdict) -> None:
    if verdict.broken:
        first = verdict.checks[0]
        raise Failed(f"{verdict.section}: {first.kind} {dict(first.params)}")


def _metadata(path: Path) -> dict[str, Any]:
    """What Gradescope says of this submission; nothing where the autograder is tried out by hand."""
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def _handed(set_: Assignment, about: Mapping[str, Any]) -> tuple[Assignment, Student, datetime | None]:
    """Who handed in and when; and the assignment, due when Gradescope says if it does not say so itself.

    Of a group, whoever has most time counts.
    """
    given = str(about.get("created_at") or "")
    at = datetime.fromisoformat(given) if given else None
    due = str((about.get("assignment") or {}).get("due_date") or "")
    if set_.due is None and due:
        set_ = msgspec.structs.replace(set_, due=datetime.fromisoformat(due))
    users = [
        Student(id=i, name=str(u.get("name") or ""), email=str(u.get("email") or ""))
        for u in about.get("users") or [{}]
        for i in (str(u.get("sid") or ""), str(u.get("email") or u.get("name") or "student"))
        if i
    ]
    extended = [u for u in users if u.id in set_.extensions]
    return set_, max(extended, key=lambda u: set_.extensions[u.id], default=users[0]), at


def _note(file: Unplaced, lang: str) -> str:
    about = {"student": file.student, "reason": "", "section": "", **file.params}
    return say("gradescope.unplaced", lang, name=file.name, why=say(f"unplaced.{file.why}", lang, **about))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
