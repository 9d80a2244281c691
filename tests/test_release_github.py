"""`learn release --to github|bundle|central`: repositories whose workflows run, tried by bash as a runner would."""

import ast
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
import yaml

from cli import learn
from grader.course import Course
from grader.reports.words import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
MINI = ROOT / "tests" / "mini_course"
PLACE = Path("exercises/01_mini/01_double/double.py")
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "tests/data/github-workflow.schema.json").read_bytes())
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
OURS = "title: 'Homework 2: \"shapes\"'\nsections: {1.1: 10, 2.2: 5, '3.1': 1}\n"
OWN = "title: Doubling\nsections: [1.1]\n"


def release(folder, text, to, *arguments, course=None, lang="en"):
    """`learn release`; where it is, and the exit code."""
    folder.mkdir(exist_ok=True)
    (folder / "assignment.yaml").write_text(text, encoding="utf-8")
    out = folder / ("bundle.zip" if to == "bundle" else to)
    chosen = ["--course", str(course)] if course else []
    with pytest.raises(SystemExit) as end:
        given = ["release", str(folder / "assignment.yaml"), "--to", to, "--out", str(out), "--lang", lang, *arguments]
        learn.main([*chosen, *given])
    return out, end.value.code


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Every repository there is, by target and language, of our course and of one's own."""
    folder = tmp_path_factory.mktemp("released")
    return {
        (to, lang, own): release(
            folder / f"{lang}{own}", OWN if own else OURS, to, course=MINI if own else None, lang=lang
        )[0]
        for to in ("github", "central")
        for lang in LANGUAGES
        for own in (False, True)
    }


def workflows(root):
    """Every workflow in it."""
    return [*root.glob(".github/workflows/*.yml"), *root.glob("*.yml")]


def test_workflows_are_workflows_with_pins_and_few_rights(released):
    """By GitHub's schema; actions by commit; no rights but to read; scripts that bash can parse, and no expressions."""
    for root in released.values():
        for path in workflows(root):
            text = path.read_text(encoding="utf-8")
            made = yaml.load(text, yaml.CSafeLoader)
            made["on"] = made.pop(True, made.get("on"))  # YAML 1.1 takes `on` for true
            jsonschema.Draft7Validator(SCHEMA).validate(made)
            assert made["permissions"] == {}
            for job in made["jobs"].values():
                assert job["permissions"] == {"contents": "read"}
                for step in job.get("steps", []):
                    assert "run" in step or PINNED.fullmatch(step["uses"])
                    assert "${{" not in step.get("run", "")
                    subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=True)
                    if "checkout" in step.get("uses", ""):
                        assert step["with"]["persist-credentials"] is False


def test_what_else_is_there_can_be_read(released):
    """The dev container is JSON, Classroom 50's script is Python, no placeholder of ours is left."""
    for (to, lang, own), root in released.items():
        if to == "github":
            container = json.loads((root / ".devcontainer/devcontainer.json").read_bytes())
            assert container["containerEnv"]["LEARN_LANG"] == lang
            assert ("LEARN_COURSE" in container["containerEnv"]) == own
        else:
            ast.parse((root / "classroom50/autograder.py").read_text(encoding="utf-8"))
        readme = (root / "README.md").read_text(encoding="utf-8")
        assert bool(re.search("[\u4e00-\u9fff]", readme.replace("动手学", ""))) == (lang == "zh")
        texts = [p for p in root.rglob("*") if p.suffix in (".yml", ".json", ".txt") or p.name == "README.md"]
        assert [p for p in texts if re.search(r"\[\[|\[%|\]\](?!\()", p.read_text(encoding="utf-8"))] == []


def test_a_requirement_is_one_line(tmp_path):
    """What pip is to install goes into its file as it is; options and further lines are refused."""
    out, code = release(tmp_path / "a", OURS, "github", "--install", "git+https://example.org/learn@abc")
    assert code == 0
    assert (out / ".github/learn/requirements.txt").read_text(encoding="utf-8") == "git+https://example.org/learn@abc\n"
    for bad in ("--index-url https://evil.example", "a\nb", ""):
        out, code = release(tmp_path / "b", OURS, "github", "--install", bad)
        assert code == 2 and not out.exists()


def test_a_course_of_ones_own_comes_without_what_is_hidden(tmp_path):
    """Of solutions/ the probes that visible tests ask for, nothing else; what it requires elsewhere is dropped."""
    ours = Course.ours()
    copy = tmp_path / "course"
    shutil.copytree(ours.exercises, copy / "exercises")
    shutil.copytree(ours.solutions, copy / "solutions")
    root, _ = release(tmp_path / "r", "sections: [1.2, 2.2, 2.3]\n", "github", course=copy)
    hidden = sorted(p.name for p in (root / ".github/course/solutions").rglob("*") if p.is_file())
    assert set(hidden) == {"probes.py"} and len(hidden) == 2  # 2.3 has probes for hidden tests alone
    made = Course.at(root / ".github/course")
    assert [s.number for s in made.in_order()] == ["1.2", "2.2", "2.3"]
    assert not list(root.rglob("test_gradients.py"))


def test_a_bundle_has_what_judges_and_no_answer(tmp_path):
    """Hidden tests, probes and words; no reference, no recorded answer."""
    out, code = release(tmp_path, "sections: [2.2]\n", "bundle")
    with zipfile.ZipFile(out) as archive:
        names = {n.rpartition("/")[2] for n in archive.namelist() if n.startswith("solutions/")}
    assert code == 0
    assert names == {"test_gradients.py", "probes.py", "mistakes.en.md", "mistakes.zh.md"}


class Runner:
    """Runs a workflow's scripts as GitHub's runner does: by `bash -e`, with its variables and files."""

    def __init__(self, root, temp, workspace):
        self.job = next(iter(yaml.load((root).read_text(encoding="utf-8"), yaml.CSafeLoader)["jobs"].values()))
        self.temp, self.workspace = temp, workspace
        (temp / "venv/bin").mkdir(parents=True)
        entry = temp / "venv/bin/learn"  # what the step `Install` would have put there
        entry.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "cli.py"} "$@"\n', encoding="utf-8")
        entry.chmod(0o755)
        self.env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LEARN_COURSE", "LEARN_LANG")}
        self.env |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
            "GITHUB_TOKEN": "t0ken",
            "RUNNER_TEMP": str(temp),
            "LEARN_HOME": str(temp / "home"),
        }

    def step(self, name):
        """One step, by its name."""
        step = next(s for s in self.job["steps"] if s.get("name") == name)
        script = self.temp / "script.sh"
        script.write_text(step["run"], encoding="utf-8")
        where = self.temp if "temp" in step.get("working-directory", "") else self.workspace
        own = {k: self._value(v) for k, v in step.get("env", {}).items()}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        return subprocess.run(command, cwd=where, env=self.env | own, capture_output=True, text=True, check=False)

    def _value(self, text):
        return text.replace("${{ github.workspace }}", str(self.workspace)).replace("${{ secrets.LEARN_SECRET }}", "s")


def classroom_points(output):
    """What `autograding-grading-reporter` adds up: the scores and maxima in base64 of JSON."""
    line = next(line for line in output.read_text(encoding="utf-8").splitlines() if line.startswith("result="))
    result = json.loads(base64.b64decode(line.removeprefix("result=")))
    return sum(t["score"] for t in result["tests"]), result["max_score"], result["status"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "points", "code"),
    [
        (("", ""), (12, 12, "pass"), 0),
        (("return a[:, None] * b", "return a[:, None] + b"), (8, 12, "fail"), 1),
        (("import torch", "import os\nos._exit(0)"), (0, 12, "fail"), 1),
        (("import torch", "print('::error::t0')\nprint('::add-mask::x')\nimport torch"), (12, 12, "pass"), 0),
    ],
    ids=["right", "partly", "exits", "hostile"],
)
def test_a_students_push_is_checked(tmp_path, change, points, code):
    """From the template repository to a clone with an answer to the points that the reporter reads, by weight."""
    origin, _ = release(tmp_path / "origin", "title: Doubling\nsections: {1.1: 12}\n", "github", course=MINI)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "template"]):
        subprocess.run([*git, *command], cwd=origin, check=True)
    clone, temp = tmp_path / "clone", tmp_path / "temp"
    subprocess.run([*git, "clone", "-q", str(origin), str(clone)], check=True)
    (clone / PLACE).write_text(RIGHT.replace(*change), encoding="utf-8")
    (clone / PLACE).with_name("torch.py").write_text("raise SystemExit(77)", encoding="utf-8")
    runner = Runner(clone / ".github/workflows/learn.yml", temp, clone)
    assert runner.job["steps"][3]["run"].endswith("|| true")
    done = runner.step("Check")
    assert (done.returncode, classroom_points(temp / "output")) == (code, points), done.stdout + done.stderr
    told = re.split(r"(?m)^::stop-commands::(\w+)$.*?^::\1::$", done.stdout, flags=re.DOTALL)
    assert "::add-mask" not in told[0] + told[-1] and "t0ken" not in done.stdout
    assert "learn solution" not in done.stdout + (temp / "summary").read_text(encoding="utf-8")
    assert {p.name for p in (temp / "report").iterdir()} == {"junit.xml", "result.json", "badge.svg"}
    assert "visible" in (temp / "summary").read_text(encoding="utf-8")


@pytest.mark.slow
def test_all_students_are_graded_centrally(released, tmp_path):
    """The scheduled workflow's step: hidden tests over all clones, scores as CSV, nothing of theirs as a command."""
    work, temp = tmp_path / "work", tmp_path / "temp"
    shutil.copytree(released["central", "en", True], work / "class")
    wrong = "print('::error::x')\n" + RIGHT.replace("return 2 * x", "return x * 3")
    for student, text in (("li-hua", RIGHT), ("max", wrong)):
        place = temp / "submissions" / student / PLACE
        place.parent.mkdir(parents=True)
        place.write_text(text, encoding="utf-8")
    runner = Runner(work / "class/.github/workflows/grade.yml", temp, work)
    done = runner.step("Grade")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (temp / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert rows[1].startswith("li-hua,") and rows[1].split(",")[3:5] == ["6", "6"] and rows[2].startswith("max,")
    assert float(rows[2].split(",")[5]) < 100
    shares = {s["id"]: s["share"] for s in json.loads((temp / "scores.json").read_bytes())["students"]}
    assert shares["li-hua"] == "1" and "/" in shares["max"]
    assert done.stdout.startswith("::stop-commands::") and done.stdout.rstrip().endswith("::")


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed; GitHub's runners have it")
def test_scores_are_returned_as_they_are(released, tmp_path):
    """The filter that turns scores into percent: exact shares, rounded down."""
    made = yaml.load((released["central", "en", True] / ".github/workflows/grade.yml").read_bytes(), yaml.CSafeLoader)
    script = next(s for s in made["jobs"]["grade"]["steps"] if s.get("name") == "Return scores")["run"]
    scores = {"students": [{"id": i, "share": s} for i, s in (("a", "1"), ("b", "2/3"), ("c", "0"), ("d", "199/200"))]}
    (tmp_path / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    subprocess.run(["bash", "-ec", script.splitlines()[0]], cwd=tmp_path, check=True)
    assert (tmp_path / "shares.tsv").read_text(encoding="utf-8").split() == ["a", "100", "b", "66", "c", "0", "d", "99"]


@pytest.mark.slow
def test_a_bundle_judges_by_the_hidden_tests(tmp_path):
    """`learn ci --course bundle.zip`: what passes the examples alone does not pass."""
    bundle, _ = release(tmp_path, OWN, "bundle", course=MINI)
    place = tmp_path / "clone" / PLACE
    place.parent.mkdir(parents=True)
    command = [sys.executable, str(ROOT / "cli.py"), "ci", "--course", str(bundle), "--json", str(tmp_path / "r.json")]
    env = os.environ | {"LEARN_HOME": str(tmp_path / "home")}
    for text, code, score in ((RIGHT, 0, 6), (RIGHT.replace("return 2 * x", "return x + 3"), 1, 2)):
        place.write_text(text, encoding="utf-8")
        done = subprocess.run(command, cwd=tmp_path / "clone", env=env, capture_output=True, text=True, check=False)
        tests = json.loads((tmp_path / "r.json").read_bytes())["tests"]
        assert (done.returncode, sum(t["score"] for t in tests)) == (code, score), done.stdout + done.stderr
