"""The script that makes a class with a known truth, and `learn grade` and `learn report` on what it makes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_a_made_class_gets_its_true_scores(tmp_path):
    """Forty students, right, wrong, broken and hostile: every score is the truth, a second run judges and changes
    nothing, and the report tells first the mistakes that were planted most. A score that is not the truth is found.
    """
    environ = os.environ | {"LEARN_HOME": str(tmp_path / "home"), "LEARN_LANG": "en", "PYTHONPATH": str(ROOT)}

    def run(*command, code=0):
        ran = subprocess.run(
            [sys.executable, *map(str, command)], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=500
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout

    made = (ROOT / "benchmarks/made_class.py", tmp_path)
    learn = ROOT / "cli.py"
    run(*made, "--students", 40, "--sections", "2.2", "--seed", 3)
    first = json.loads(run(learn, "grade", "submissions", "--roster", "roster.csv", "--json"))
    again = json.loads(run(learn, "grade", "submissions", "--roster", "roster.csv", "--json"))
    assert first["run"]["judged"] > 20 and again["run"]["judged"] == 0 and again["students"] == first["students"]
    run(learn, "report")
    compared = ("--compare", "gradebook.sqlite", "--report", "report")
    assert "scores are the truth" in run(*made, *compared)
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    student = next(s for s, sections in truth.items() if sections["gradients"]["what"] == "reference")
    truth[student]["gradients"]["points"] = "1"
    (tmp_path / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    assert f"{student} gradients" in run(*made, *compared, code=1)
