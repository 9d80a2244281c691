"""Makes a class whose true scores are known: right, other right, wrong, empty, broken and hostile answers, mixed.

    python benchmarks/made_class.py FOLDER [--students 300] [--sections 2.2 1.2 3.2] [--layout folders] [--seed 1]

writes `FOLDER/submissions` (or `FOLDER/submissions.zip`), `FOLDER/roster.csv` and `FOLDER/truth.json`: for each student
and section the tasks that fail, by what the answer's author wrote in it, and the points, by judging each recorded
answer once, alone. `--compare GRADEBOOK` holds a gradebook against that, and `--report FOLDER` the report that
`learn report` made of it: the mistakes planted most must lead it. Every text is another one (a comment with the
student's name), and some mistakes are made far more often than others, as in life.
"""

import argparse
import collections
import io
import json
import random
import re
import sys
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from grader import pool
from grader.course import Course, Section
from grader.gradebook import Gradebook
from grader.model import Job, Outcome, Verdict

HOSTILE = {
    "syntax": "def broken(:\n",
    "exits": "import os\nos._exit(0)\n",
    "endless": "while True:\n    pass\n",
    "hungry": "x = bytearray(1 << 34)\n",
    "raises": "raise RuntimeError('no')\n",
    "killer": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)\n",
    "prober": "import pathlib\npathlib.Path('/tmp/learn-was-here').write_text('x')\nimport socket\nsocket.socket()\n",
    "forger": "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'passed')\n    except OSError: pass\n",
    "chatty": "print('passed ' * 100000)\n",
}
UNREADABLE = {"latin": b"x = '\xff\xfe\xfa'\n", "notebook": b"{ no notebook", "huge": b"#" * (600 << 10)}
MOST = 5  # mistakes
MIX = [
    ("reference", 6),
    ("also", 5),
    ("wrong", 12),
    ("stub", 2),
    ("empty", 1),
    ("hostile", 2),
    ("unreadable", 1),
    ("none", 1),
]


def failing(path: Path) -> set[int]:
    """The tasks that a recorded wrong answer says it fails."""
    m = re.search(r"Fails: ([\d, ]+)\.", path.read_text(encoding="utf-8"))
    assert m, path
    return {int(n) for n in m[1].split(",")}


def worth(course: Course, sections: list[Section]) -> dict[str, str]:
    """The points of each recorded wrong answer, judged alone in this process."""
    jobs = [
        Job(section=s.slug, section_digest=s.digest, text=path.read_text(encoding="utf-8"), id=f"{s.slug}/{path.stem}")
        for s in sections
        for path in s.bank("wrong")
    ]
    return {v.job: v.points for v in pool.run(course, jobs)}


def answer(kind: str, section: Section, draw: random.Random) -> tuple[str | bytes | None, set[int], str]:
    """A text, the tasks that it fails, and what it was made of."""
    every = set(section.points)
    if kind in ("also", "wrong"):
        bank = section.bank(kind)
        if not bank:
            return answer("reference", section, draw)
        path = draw.choices(bank, [1 / rank for rank in range(1, len(bank) + 1)])[0]
        return path.read_text(encoding="utf-8"), failing(path) if kind == "wrong" else set(), f"{kind}/{path.stem}"
    if kind == "hostile":
        name = draw.choice(sorted(HOSTILE))
        # what it does is done before anything is defined; some then go on as if nothing were
        return HOSTILE[name], every, f"hostile/{name}"
    if kind == "unreadable":
        name = draw.choice(sorted(UNREADABLE))
        return UNREADABLE[name], every, f"unreadable/{name}"
    if kind == "none":
        return None, every, kind
    if kind == "empty":
        return "", every, kind
    path = section.stub if kind == "stub" else section.reference
    return path.read_text(encoding="utf-8"), every if kind == "stub" else set(), kind


def make(root: Path, course: Course, names: list[str], students: int, layout: str, seed: int) -> None:
    """Writes the class, and the truth: student -> slug -> what it is, the tasks that fail, points, whether it counts as
    handed in.
    """
    sections = course.chosen(names)
    points_of = worth(course, sections)
    draw = random.Random(seed)
    kinds, weights = zip(*MIX, strict=True)
    files: dict[str, bytes] = {}
    truth: dict[str, dict[str, dict[str, Any]]] = {}
    roster = ["Student,ID,SIS Login ID,Section"]
    for i in range(students):
        student = f"s{i:03d}"
        roster.append(f'"Nr{i:03d}, Made",{1000 + i},{student},A')
        truth[student] = {}
        for section in sections:
            text, failed, what = answer(draw.choices(kinds, weights)[0], section, draw)
            full = sum((Fraction(p) for p in section.points.values()), Fraction(0))
            points = (
                points_of[f"{section.slug}/{what[6:]}"] if what.startswith("wrong/") else str(0 if failed else full)
            )
            there = what != "none" and not what.startswith("unreadable/")
            truth[student][section.slug] = {"points": points, "what": what, "failed": sorted(failed), "there": there}
            if text is None:
                continue
            data = text if isinstance(text, bytes) else f"{text}\n# {student}\n".encode() if text else b""
            suffix = ".ipynb" if what == "unreadable/notebook" else ".py"
            files[_name(layout, i, student, section, suffix)] = data
    root.mkdir(parents=True, exist_ok=True)
    (root / "roster.csv").write_text("\n".join(roster) + "\n", encoding="utf-8")
    (root / "truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")
    if layout in ("folders", "flat"):
        for name, data in files.items():
            path = root / "submissions" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    else:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            for name, data in files.items():
                z.writestr(name, data)
        (root / "submissions.zip").write_bytes(out.getvalue())


def _name(layout: str, i: int, student: str, section: Section, suffix: str) -> str:
    file = f"{section.slug}{suffix}"
    return {
        "folders": f"{student}/{section.folder.parent.name}/{section.folder.name}/{file}",
        "flat": f"{student}_{file}",
        "moodle": f"Made Nr{i:03d}_{1000 + i}_assignsubmission_file/{file}",
        "canvas": f"nr{i:03d}made_{1000 + i}_{9000 + i}_{file}",
    }[layout]


def compare(
    truth: dict[str, dict[str, dict[str, Any]]], book: Gradebook, course: Course
) -> tuple[list[str], list[str]]:
    """Where the gradebook does not say the truth, or not exactly once; and what had to be settled.

    Inputs are drawn for each text, so the part of a wrong answer's points that luck gives may be another one with a
    comment more: where only that differs, the very text is judged alone.
    """
    standings = book.standings()
    found = {(s.student.id, s.section): s for s in standings}
    wrong = [] if len(found) == len(standings) else ["somebody stands there twice"]
    settled = []
    for student, sections in truth.items():
        for slug, about in sections.items():
            s = found.pop((student, slug), None)
            what = f"{student} {slug} ({about['what']})"
            if s is None or not about["there"]:
                wrong += [f"{what}: handed in?"] if about["there"] == (s is None) else []
                continue
            verdict = book.verdict(s)
            failed = failed_tasks(verdict) if verdict else []
            if s.due or (about["what"].startswith("wrong/") and failed != about["failed"]):
                wrong.append(f"{what}: failed {failed}, not {about['failed']}")
            elif s.points != Fraction(about["points"]):
                job = Job(section=slug, section_digest=course[slug].digest, text=book.text(s))
                (alone,) = pool.run(course, [job])
                settled.append(f"{what}: {s.points}, the recorded answer {about['points']}, alone {alone.points}")
                if not about["what"].startswith("wrong/") or s.points != alone.earned:
                    wrong.append(settled[-1])
    return wrong + [f"{k}: nobody's" for k in found], settled


def misreported(truth: dict[str, dict[str, dict[str, Any]]], folder: Path, course: Course) -> list[str]:
    """The mistakes planted most that a report does not tell first, of as many students at least. A recorded wrong
    answer has the name of its mistake.
    """
    planted = collections.Counter(
        (slug, about["what"][6:])
        for sections in truth.values()
        for slug, about in sections.items()
        if about["what"].startswith("wrong/") and about["what"][6:] in course[slug].mistakes("en")
    )
    told = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["mistakes"]
    found = {(m["section"], m["id"]): len(m["students"]) for m in told}
    first = {(m["section"], m["id"]) for m in told[:MOST]}
    least = min(n for _, n in planted.most_common(MOST))  # others may have been made as often
    wrong = [f"{k}: planted {n} times, told {found.get(k, 0)}" for k, n in planted.items() if found.get(k, 0) < n]
    return wrong + [f"{k}: among the first, planted {planted[k]} times" for k in first if planted[k] < least]


def failed_tasks(verdict: Verdict) -> list[int]:
    """The tasks of which something was wrong."""
    return sorted({c.task for c in verdict.checks if c.outcome not in (Outcome.PASSED, Outcome.SKIPPED)})


def main() -> int:
    """Writes a class, or compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--sections", nargs="*", default=["2.2", "1.2", "3.2"])
    parser.add_argument("--layout", choices=["folders", "flat", "moodle", "canvas"], default="folders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--course", type=Path)
    parser.add_argument("--compare", metavar="GRADEBOOK")
    parser.add_argument("--report", metavar="FOLDER", type=Path)
    args = parser.parse_args()
    course = Course.at(args.course) if args.course else Course.ours()
    if args.compare:
        truth = json.loads((args.folder / "truth.json").read_text(encoding="utf-8"))
        with Gradebook(args.compare) as book:
            wrong, settled = compare(truth, book, course)
        there = sum(about["there"] for sections in truth.values() for about in sections.values())
        print("\n".join(wrong or [*settled, f"all {there} scores are the truth"]))
        if args.report:
            amiss = misreported(truth, args.report, course)
            print("\n".join(amiss or [f"the report tells the {MOST} mistakes planted most first"]))
            wrong += amiss
        return bool(wrong)
    make(args.folder, course, args.sections, args.students, args.layout, args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
