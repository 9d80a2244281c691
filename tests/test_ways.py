"""One assignment of three sections, five students, every way out of the gradebook: the same scores, each read back by a
reader that is not ours.
"""

import base64
import csv
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
import sheets
import yaml

from grader.course import Course

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = ("1.1", "2.2", "3.1")
WORTH = Fraction(75, 2)
SET = """title: Homework 2
sections: {1.1: 10, 2.2: {weight: 7.5, hidden_tests: visible}, 3.1: {weight: 20, hidden_tests: after_due_date}}
due: 2026-05-03 23:59
timezone: UTC
late: {percent_per_day: 10}
"""
WHEN = {"u5": "2026-05-04 10:00:00.000000000 Z"}  # else in time
PEOPLE = {"u1": "Wright, Ann", "u2": '=1+1, "Bob"', "u3": "李 华", "u4": "Zoë, Émile", "u5": "Late, Lee"}


def learn(folder, *arguments):
    """What it says, as somebody at a terminal would give it."""
    command = [sys.executable, str(ROOT / "cli.py"), *arguments, "--lang", "en"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answers(course):
    """By student and file: right, wrong, partly (one section, one mistake, one missing), empty, right and late."""
    sections = [course[n] for n in NUMBERS]
    right = {s.stub.name: s.reference.read_text(encoding="utf-8") for s in sections}
    wrong = {s.stub.name: s.bank("wrong")[0].read_text(encoding="utf-8") for s in sections}
    first, second, _ = right
    partly = {first: right[first], second: wrong[second]}
    return {"u1": right, "u2": wrong, "u3": partly, "u4": dict.fromkeys(right, ""), "u5": right}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder of the class: what Gradescope exported, graded."""
    folder = tmp_path_factory.mktemp("class")
    about = {}
    for number, (who, files) in enumerate(answers(Course.ours()).items(), 101):
        for name, text in files.items():
            path = folder / "export" / f"submission_{number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        about[path.parent.name] = {
            ":submitters": [{":name": PEOPLE[who], ":sid": who, ":email": f"{who}@x.edu"}],
            ":created_at": WHEN.get(who, "2026-05-02 10:00:00.000000000 Z"),
        }
    (folder / "export" / "submission_metadata.yml").write_text(yaml.safe_dump(about), encoding="utf-8")
    (folder / "hw.yaml").write_text(SET, encoding="utf-8")
    learn(folder, "grade", "export", "--assignment", "hw.yaml")
    return folder


@pytest.fixture(scope="module")
def shares(graded):
    """The truth, by JSON: what each has of the whole."""
    told = json.loads(learn(graded, "export", "json"))
    found = {s["id"]: Fraction(s["share"]) for s in told["students"]}
    assert found["u1"] == 1 and found["u4"] == 0 and found["u5"] == Fraction(9, 10)
    assert 0 < found["u2"] < found["u1"] and 0 < found["u3"] < found["u1"]
    return found


def test_csv(graded, shares):
    """Percent, to the hundredth; and a name that could be a formula is none."""
    learn(graded, "export", "csv", "--out", "scores.csv")
    with (graded / "scores.csv").open(encoding="utf-8-sig", newline="") as f:
        rows = {r["student"]: r for r in csv.DictReader(f)}
    assert rows.keys() == shares.keys()
    for who, share in shares.items():
        assert abs(Fraction(rows[who]["percent"]) / 100 - share) <= Fraction(1, 20_000)
        assert not rows[who]["name"].startswith("=")


def test_canvas(graded, shares):
    """Through the sheet that Canvas exported and what it takes of the one that comes back."""
    with (graded / "canvas.csv").open("w", encoding="utf-8-sig", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 2 (9)", "Final Score"])
        writer.writerow(["    Points Possible", "", "", "", "", "37.50", "(read only)"])
        writer.writerows([name, 4711 + i, who, f"{who}@x", "A", "", ""] for i, (who, name) in enumerate(PEOPLE.items()))
    said = learn(graded, "export", "canvas", "canvas.csv")
    assert "marks written: 5" in said and len(said.splitlines()) == 1
    taken = sheets.canvas((graded / "canvas.graded.csv").read_bytes())
    for i, who in enumerate(PEOPLE):
        assert abs(Fraction(taken[str(4711 + i)]["Homework 2 (9)"]) - shares[who] * WORTH) <= Fraction(1, 100)


def test_moodle(graded, shares):
    """Through the worksheet that Moodle gave, by e-mail address, and with a word on each section."""
    heads = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments"
    with (graded / "moodle.csv").open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(heads.split(","))
        for i, (who, name) in enumerate(PEOPLE.items()):
            writer.writerow([f"Participant {i}", name, f"{who}@x.edu", "-", "", "100.00", "-", ""])
    learn(graded, "export", "moodle", "moodle.csv")
    heads = ("Identifier", "Grade", "Last modified (grade)", "Feedback comments")
    taken = sheets.moodle((graded / "moodle.graded.csv").read_bytes(), heads, "Participant ", ".")
    for i, who in enumerate(PEOPLE):
        assert abs(taken[i][0] - shares[who] * 100) <= Fraction(1, 100)
    assert taken[2][1].endswith("3.1: –") and "(-10 %)" in taken[4][1]


def test_junit(graded, shares):
    """A suite for each student and section; its points, weighed, are the share."""
    learn(graded, "export", "junit", "--out", "junit.xml")
    weights = dict(zip(NUMBERS, (10, Fraction(15, 2), 20), strict=True))
    reached = dict.fromkeys(shares, Fraction(0))
    for suite in ET.parse(graded / "junit.xml").getroot():
        who, section, _ = suite.get("name").split(" ", 2)
        told = {p.get("name"): p.get("value") for p in suite.iter("property")}
        assert told["student"] == who
        if "points" in told:
            reached[who] += Fraction(told["points"]) / Fraction(told["max_points"]) * weights[section] / WORTH
        assert int(suite.get("tests")) == len(list(suite.iter("testcase")))
    for who, share in shares.items():
        assert abs(reached[who] - share) < Fraction(1, 1000)


def test_gradescope(graded, shares):
    """The autograder's own scripts, on what each handed in, say what `learn grade` and `learn export` say."""
    learn(graded, "export", "gradescope", "--out", "results")
    learn(graded, "release", "hw.yaml", "--to", "gradescope")
    root = graded / "autograder"
    with zipfile.ZipFile(graded / "homework-2-autograder.zip") as archive:
        archive.extractall(root / "source")
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    (root / "run_autograder").chmod(0o755)  # which Python's zipfile leaves out
    (root / "venv" / "bin").mkdir(parents=True)
    python = root / "venv" / "bin" / "python"  # in the place of what setup.sh makes
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for number, who in enumerate(PEOPLE, 101):
        shutil.rmtree(root / "submission", ignore_errors=True)
        shutil.copytree(graded / "export" / f"submission_{number}", root / "submission")
        at = "2026-05-04T03:00:00.000000-07:00" if who == "u5" else "2026-05-02T03:00:00.000000-07:00"
        users = [{"email": f"{who}@x.edu", "id": number, "name": PEOPLE[who]}]
        (root / "submission_metadata.json").write_text(json.dumps({"created_at": at, "users": users}))
        done = autograded(root)
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads((root / "results" / "results.json").read_text(encoding="utf-8"))
        assert Fraction(told["extra_data"]["share"]) == shares[who]
        assert abs(Fraction(told["score"]) - shares[who] * WORTH) <= Fraction(1, 100)
        exported = json.loads((graded / "results" / f"{who}.json").read_text(encoding="utf-8"))
        assert {**told, "execution_time": 0} == {**exported, "execution_time": 0}
        assert (root / "results" / "results.json").stat().st_mode & 0o777 == 0o644
    (root / "source" / "solutions" / "02_autograd" / "02_gradients" / "test_gradients.py").write_text("import nothing!")
    done = autograded(root)
    assert done.returncode == 1 and "could not be judged" in done.stderr
    assert not (root / "results" / "results.json").exists(), "our fault is no score"


def test_github(graded, shares):
    """The template, cloned and written into: what `learn ci` hands to the reporter of GitHub Classroom, and what the
    teacher's own `learn grade` over all clones says. Neither knows when anything was handed in.
    """
    learn(graded, "release", "hw.yaml", "--to", "github", "--out", "template")
    course, most = Course.ours(), 937_500  # so that rounding to whole points is next to nothing
    in_time = shares | {"u5": Fraction(1)}
    for who, files in answers(course).items():
        clone = graded / "clones" / f"hw2-{who}"
        shutil.copytree(graded / "template", clone)
        for section in (course[n] for n in NUMBERS):
            if section.stub.name in files:
                place = clone / "exercises" / section.stub.relative_to(course.exercises)
                place.write_text(files[section.stub.name], encoding="utf-8")
        output = graded / f"output-{who}"
        environ = os.environ | {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output)}
        command = [sys.executable, str(ROOT / "cli.py"), "ci", "--checkout", str(clone), "--assignment", "hw.yaml"]
        done = subprocess.run([*command, "--points", str(most)], cwd=graded, env=environ, check=False, timeout=600)
        assert done.returncode == (in_time[who] < 1)
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines() if "=" in line)
        told = json.loads(base64.b64decode(outputs["result"]))
        reached = sum(t["score"] for t in told["tests"])  # as the reporter adds it up
        assert told["max_score"] == most and abs(Fraction(reached, most) - in_time[who]) < Fraction(1, 50_000)
    learn(graded, "grade", "clones", "--assignment", "hw.yaml", "--gradebook", "central.sqlite")
    central = json.loads(learn(graded, "export", "json", "--gradebook", "central.sqlite"))
    assert {s["id"]: Fraction(s["share"]) for s in central["students"]} == {f"hw2-{w}": in_time[w] for w in in_time}


def autograded(root):
    """One run, as Gradescope starts it."""
    environ = {"PATH": os.environ["PATH"], "AUTOGRADER": str(root), "HOME": str(root)}
    command = [str(root / "run_autograder")]
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=600)
