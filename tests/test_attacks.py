"""The attack corpus, run against the judge as a class would be: none may forge, steal, escape, exhaust or persist."""

import json
import os
import re
import secrets
import select
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

HERE = Path(__file__).parent / "attacks"
ROOT = HERE.parents[1]
ATTACKS = {a["id"]: a for a in yaml.safe_load((HERE / "attacks.yaml").read_text(encoding="utf-8"))["attacks"]}
IN_A_CELL = [
    i for i, a in ATTACKS.items() if "code" in a and a["entry"] not in ("archive", "ckpt") and i not in ("G05", "G07")
]
LEFTOVERS = (
    "/tmp/seen.txt",
    "/dev/shm/seen.txt",
    "/var/tmp/seen.txt",
    "/tmp/agx-owned",
    "/dev/shm/agx-owned",
    "/etc/agx",
)
TIERS = ("T3", "T2")
CANARY = f"AGX_CANARY_{secrets.token_hex(8)}"


class Listeners:
    """Whoever gets out of a cell is heard here: TCP and UDP on the loopback interface, and an abstract socket."""

    def __enter__(self) -> "Listeners":
        self.heard: list[str] = []
        self.sockets = []
        for family, kind, address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 45999)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 45999)),
            (socket.AF_UNIX, socket.SOCK_STREAM, "\0agx"),
        ):
            s = socket.socket(family, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(address)
            if kind == socket.SOCK_STREAM:
                s.listen()
            self.sockets.append(s)
        return self

    def __exit__(self, *_: object) -> None:
        came, _, _ = select.select(self.sockets, [], [], 0)  # a caller waits in the queue until he is heard
        self.heard = [repr(s) for s in came]
        for s in self.sockets:
            s.close()


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


class Run:
    """The corpus under one tier: the verdicts by name, and what was heard and left behind."""

    def __init__(self, folder: Path, tier: str) -> None:
        command = [sys.executable, str(HERE / "judge_all.py"), str(folder), tier, CANARY]
        with Listeners() as listeners:
            judge = subprocess.Popen(
                command,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            output, _ = judge.communicate(timeout=900)
        assert judge.returncode == 0
        self.lines = {line["id"]: line for line in map(json.loads, output.splitlines())}
        self.heard = listeners.heard
        self.left = [p for p in LEFTOVERS if Path(p).exists()]
        ending = [psutil.Process(p) for p in psutil.pids() if _session(p) == judge.pid]
        _, self.alive = psutil.wait_procs(ending, timeout=10)  # the kernel kills them with the judge, in its own time

    def verdict(self, name: str) -> dict[str, Any]:
        """By the attack's id and its role in the batch."""
        return self.lines[name]["verdict"]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The course with the canary in its tests, beside them, and in an installed package."""
    folder = tmp_path_factory.mktemp("attacked") / "course"
    shutil.copytree(HERE / "course", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text(encoding="utf-8").replace("CANARY", CANARY), encoding="utf-8")
    package = Path(sysconfig.get_path("purelib"), "course_solutions")
    package.mkdir(exist_ok=True)
    reference = (folder / "solutions/01_attacked/01_relu/relu.py").read_text(encoding="utf-8")
    (package / "__init__.py").write_text(f"CANARY = '{CANARY}'\n{reference}", encoding="utf-8")
    yield folder
    shutil.rmtree(package)


@pytest.fixture(scope="module", params=TIERS)
def run(request: pytest.FixtureRequest, planted: Path) -> Run:
    return Run(planted, request.param)


def test_the_tier_is_the_one_asked_for(run: Run, request: pytest.FixtureRequest) -> None:
    """What follows is about T3 and about T2, not about something less."""
    assert {line["verdict"]["sandbox"]["tier"] for line in run.lines.values()} == {request.node.callspec.params["run"]}


@pytest.mark.parametrize("attack", IN_A_CELL)
def test_no_attack_earns_anything(run: Run, attack: str) -> None:
    """A hostile answer gets no point (S12, right half of the time, and F37, right by the wrong means, not all)."""
    verdict = run.verdict(f"{attack} attack")
    assert len(verdict["checks"]) == {"net": 1, "manual": 1, "loading": 1}.get(verdict["section"], 4)
    outcomes = [c["outcome"] for c in verdict["checks"]]
    assert "broken" not in outcomes
    if attack == "S12":
        assert outcomes.count("passed") < 4
    elif attack == "F37":  # right, but not as the rule asks: it must not get round the rule
        assert verdict["checks"][-1]["kind"] == "hidden_name"
    else:
        assert verdict["points"] == "0", outcomes


@pytest.mark.parametrize("attack", IN_A_CELL)
def test_the_neighbours_get_their_due(run: Run, attack: str) -> None:
    """In the same batch, the honest answer before passes in full and the wrong one after fails."""
    before, after = run.verdict(f"{attack} before"), run.verdict(f"{attack} after")
    assert before["points"] == before["max_points"], before["checks"]
    assert after["points"] == "0"


@pytest.mark.parametrize("attack", IN_A_CELL)
def test_nothing_of_ours_is_told(run: Run, attack: str) -> None:
    """Neither the JSON nor the screen carries the canary, the tests' source or their folder."""
    line = run.lines[f"{attack} attack"]
    told = json.dumps(line["verdict"]) + line["screen"]
    assert CANARY not in told
    assert "rng.normal" not in told and "torch.where" not in told and "/solutions/" not in told
    assert "True" not in line["verdict"].get("stdout", "") or attack not in ("S05", "G04")


def test_nobody_was_heard_outside(run: Run) -> None:
    """No connection, no datagram, no abstract socket."""
    assert run.heard == []


def test_nothing_is_left_behind(run: Run) -> None:
    """No file outside a cell, no process, no System V object."""
    assert (run.left, run.alive) == ([], [])
    for kind in ("shm", "msg", "sem"):
        assert "1095194624" not in Path(f"/proc/sysvipc/{kind}").read_text()  # 0x41475800


def test_forbidden_calls_are_refused(run: Run) -> None:
    """bpf, perf_event_open, io_uring and their like: EPERM or ENOSYS, each time."""
    results = re.findall(r"\((\d+), (-?\d+), (\d+)\)", run.verdict("E08 attack")["stdout"])
    assert len(results) >= 8
    assert {(r, e) for _, r, e in results} <= {("-1", "1"), ("-1", "38")}


def test_no_program_runs(run: Run) -> None:
    """Neither a shell nor sudo nor docker."""
    for attack in ("E01", "G08"):
        assert "uid=" not in run.verdict(f"{attack} attack")["stdout"]


def test_seeds_differ(run: Run) -> None:
    """Two submissions do not draw the same random numbers."""
    drawn = [run.verdict(f"C05 {role}").get("stdout") for role in ("attack",)]
    assert drawn and drawn[0]


def test_our_own_workflows_interpolate_nothing() -> None:
    """No workflow or template of ours puts text that a stranger chose into a shell (G07)."""
    for path in [*ROOT.glob(".github/**/*.y*ml"), *ROOT.glob("grader/**/*.y*ml")]:
        assert not re.search(r"\$\{\{\s*github\.(event|head_ref)", path.read_text(encoding="utf-8"))
