"""Judges the whole corpus in one process, as a class would be: `judge_all.py COURSE TIER CANARY`, one JSON line each.

Its argv, environment and heap carry the canary; every attack is judged between an honest answer and a wrong one, in the
same batch. Attacks without code for a cell (archives, CI files) are test_attacks' own business.
"""

import json
import os
import sys
from io import StringIO
from pathlib import Path

import torch
import yaml

from grader import pool
from grader.course import Course
from grader.model import Job, Tier
from grader.reports import terminal

SECTIONS = {"relu": "relu", "batch": "relu", "ci": "relu", "module": "net", "train": "manual", "loader": "loading"}


def main(folder: str, tier: str, canary: str) -> None:
    """Prints for each attack the verdicts on the honest answer before it, on itself, and on the wrong one after it."""
    os.environ["GITHUB_TOKEN"] = os.environ["EXPECTED"] = canary
    kept = [canary.encode(), {"expected": canary}, torch.tensor(list(canary.encode()))]
    course = Course.at(Path(folder))
    attacks = yaml.safe_load(Path(__file__).with_name("attacks.yaml").read_text(encoding="utf-8"))["attacks"]
    jobs = []
    for attack in attacks:
        if "code" not in attack or attack["entry"] not in SECTIONS or attack["id"] in ("G05", "G07"):
            continue
        section = course[SECTIONS[attack["entry"]]]
        honest = section.reference.read_text(encoding="utf-8")
        wrong = "def relu(x):\n    return x\n"
        for role, text in (("before", honest), ("attack", attack["code"]), ("after", wrong)):
            name = f"{attack['id']} {role}"
            # A comment tells the answers apart, so that each has inputs of its own.
            text = f"{text}\n# {name}\n"
            jobs.append(Job(section=section.slug, section_digest=section.digest, text=text, id=name))
    for verdict in pool.run(course, jobs, at_most=Tier(tier)):
        screen = terminal.screen(verdict, course[verdict.section], "answer.py", "en", file=StringIO())
        line = {"id": verdict.job, "screen": screen, "verdict": json.loads(verdict.to_json())}
        print(json.dumps(line), flush=True)
    assert len(kept) == 3


if __name__ == "__main__":
    main(*sys.argv[1:])
