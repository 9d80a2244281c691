"""How long a learner waits, as ratios in one run.

    python benchmarks/check_latency.py [--runs 9] [--section 2.2]

- `learn check`, warm and cold, against a bare `pytest` (of the same right answer: its file beside five tests with
  torch, the least that anybody could run instead), and cold against the imports that nobody can avoid;
- `learn`, `list`, `next`, `hint`, `read` in milliseconds and as parts of importing torch.

All in turn, so that whatever else the machine does meets each. A LEARN_HOME of its own, so the caller's is left alone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.course import Course

ROOT = Path(__file__).resolve().parent.parent
LEARN = [sys.executable, str(ROOT / "cli.py")]
TORCH = [sys.executable, "-c", "import torch, torch._dynamo"]
QUICK = {"learn": [], "list": ["list"], "next": ["next"], "hint": ["hint", "SECTION"], "read": ["read", "SECTION"]}
TESTS = """
import pytest
import torch
import SLUG

@pytest.mark.parametrize("n", range(5))
def test_something(n):
    torch.manual_seed(n)
    x = torch.randn(8, requires_grad=True)
    (g,) = torch.autograd.grad((x**2).sum(), x)
    torch.testing.assert_close(g, 2 * x.detach())
"""


def seconds(command: list[str], environ: dict[str, str], cwd: Path) -> float:
    """Wall clock of one run, which must end well."""
    began = time.perf_counter()
    subprocess.run(command, env=environ, cwd=cwd, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--section", default="2.2")
    given = parser.parse_args()
    section = Course.ours()[given.section]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        answer = folder / section.stub.name
        answer.write_bytes(section.reference.read_bytes())
        (folder / "test_bare.py").write_text(TESTS.replace("SLUG", section.slug))
        warm = os.environ | {"LEARN_HOME": str(folder / "home")}
        warm.pop("PYTHONDONTWRITEBYTECODE", None)
        cold = warm | {"LEARN_SERVICE": "off"}
        commands = {
            "check, warm": ([*LEARN, "check", str(answer)], warm),
            "check, cold": ([*LEARN, "check", str(answer)], cold),
            "bare pytest": ([sys.executable, "-m", "pytest", "-q", str(folder)], warm),
            "import torch, torch._dynamo": (TORCH, warm),
        }
        for key, arguments in QUICK.items():
            commands[key] = ([*LEARN, *(section.number if a == "SECTION" else a for a in arguments)], warm)
        for command, environ in commands.values():
            seconds(command, environ, folder)  # bytecode, and the warm grader
        times: dict[str, list[float]] = {key: [] for key in commands}
        for _ in range(given.runs):
            for key, (command, environ) in commands.items():
                times[key].append(seconds(command, environ, folder))
        seconds([*LEARN, "stop"], warm, folder)
    median = {key: statistics.median(t) for key, t in times.items()}
    for key, value in median.items():
        print(f"  {key:28} median {value * 1000:6.0f} ms   least {min(times[key]) * 1000:6.0f} ms")
    print(f"warm check: {median['bare pytest'] / median['check, warm']:.1f} times as fast as the bare pytest")
    imports = median["import torch, torch._dynamo"]
    print(f"cold check: {median['check, cold'] / imports:.2f} times the imports")
    print(f"slowest quick command: {max(median[k] for k in QUICK) / imports:.3f} of the imports")


if __name__ == "__main__":
    main()
