"""How fast `nbgrader autograde` is with our judge in it, against its own way, on the same submissions.

    python benchmarks/nbgrader_speed.py [--section 2.2] [--submissions 20] [--rounds 2]

The section is released by us and made by nbgrader; right, wrong and untouched answers are handed in, in turn. Both ways
are the real command on the same files, each on a part of them in turn, so that a busy machine is so for both. Counted
are wall clock and the processor time of all processes below the command, per submission: starting up included, and
without what a command takes that finds but one submission to grade. nbgrader's own way runs the visible tests alone, in
a kernel; ours runs all of them, in a cell. What counts is the ratios; the times depend on the machine.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.course import REGION, Course, Section

ROOT = Path(__file__).resolve().parents[1]
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
CONFIG = "from grader.nbgraded import configure\nconfigure(c)\n"


def run(folder: Path, *command: str) -> tuple[float, float]:
    """Seconds of wall clock and of processors that a command takes in that folder."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by its name
    env = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    with contextlib.suppress(ChildProcessError):  # what it left behind is ours now, and counts once it has ended
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def hand_in(folder: Path, section: Section, count: int) -> list[str]:
    """Right, wrong and untouched answers in turn; the students."""
    given = (folder / "release" / "hw" / f"{section.slug}.ipynb").read_text(encoding="utf-8")
    kinds = {"right": section.reference, "wrong": section.bank("wrong")[0], "stub": None}
    students = []
    for i in range(count):
        kind, path = list(kinds.items())[i % len(kinds)]
        notebook = json.loads(given)
        text = path.read_text(encoding="utf-8") if path else ""
        regions = {m[1]: m[0] for m in REGION.finditer(text)}
        for cell in notebook["cells"] if path else ():
            if cell["metadata"].get("nbgrader", {}).get("solution"):
                task = cell["metadata"]["nbgrader"]["grade_id"].removeprefix("answer-")
                cell["source"] = regions.get(task, text)
                text = ""
        students.append(f"s{i:02d}{kind}")
        target = folder / "submitted" / students[-1] / "hw" / f"{section.slug}.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(notebook), encoding="utf-8")
    return students


def autograde(folder: Path, students: list[str]) -> tuple[float, float]:
    """Seconds for these students; the others' files are aside meanwhile."""
    aside = folder / "aside"
    (folder / "submitted").rename(aside)
    for student in students:
        shutil.copytree(aside / student, folder / "submitted" / student)
    took = run(folder, "-m", "nbgrader", "autograde", "hw", "--force")
    shutil.rmtree(folder / "submitted")
    aside.rename(folder / "submitted")
    return took


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", default="2.2")
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2, help="how often the two ways take turns")
    args = parser.parse_args()
    section = Course.ours()[args.section]
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    with tempfile.TemporaryDirectory() as scratch:
        plain, ours = Path(scratch, "plain"), Path(scratch, "ours")
        plain.mkdir()
        (plain / "hw.yaml").write_text(f"sections: ['{section.number}']\n", encoding="utf-8")
        run(plain, str(ROOT / "cli.py"), "release", "hw.yaml", "--to", "nbgrader", "--out", "source/hw")
        (plain / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
        run(plain, "-m", "nbgrader", "generate_assignment", "hw")
        students = hand_in(plain, section, args.submissions)
        shutil.copytree(plain, ours)
        (ours / "nbgrader_config.py").write_text(f"c = get_config()\n{CONFIG}", encoding="utf-8")

        first, *rest = students
        spent = {way: [0.0, 0.0, 0.0, 0.0] for way in (plain, ours)}
        for number in range(args.rounds):
            for way in (plain, ours):
                once = autograde(way, [first])
                whole = autograde(way, [first, *rest[number :: args.rounds]])
                spent[way] = [a + b for a, b in zip(spent[way], (*whole, *once), strict=True)]
        graded = len(rest) + args.rounds
        print(f"section {section.number}, {graded} submissions, {args.rounds} commands each way")
        for name, less, count in (("starting up included", 0, graded), ("once it runs", 1, len(rest))):
            print(f"  {name}, a submission")
            for label, at in (("wall clock", 0), ("processor", 1)):
                theirs, own = ((spent[way][at] - less * spent[way][at + 2]) / count for way in (plain, ours))
                print(
                    f"    {label:12} nbgrader {theirs * 1000:8.0f} ms   ours {own * 1000:7.0f} ms"
                    f"   {theirs / own:5.1f} times the rate"
                )


if __name__ == "__main__":
    main()
