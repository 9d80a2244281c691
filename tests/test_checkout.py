"""A repository that a learner can write to: of all that lies in it, only the answer is used, and only as text (G05)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MINI = ROOT / "tests" / "mini_course"
WRONG = "def double(x):\n    return x\n"
SNARES = {
    "conftest.py": "raise SystemExit(0)\n",
    "01_double/conftest.py": "raise SystemExit(0)\n",
    "pytest.ini": "[pytest]\naddopts = -p evil --co -q\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--deselect test_double.py'\n",
    "tox.ini": "[pytest]\naddopts = --co\n",
    "setup.cfg": "[tool:pytest]\naddopts = --co\n",
    "evil.py": "def pytest_sessionfinish(session): session.exitstatus = 0\n",
    "torch.py": "raise SystemExit(0)\n",
    "random.py": "raise SystemExit(0)\n",
    "grader.py": "raise SystemExit(0)\n",
    "yaml.py": "raise SystemExit(0)\n",
    "sitecustomize.py": "raise SystemExit(0)\n",
    "usercustomize.py": "raise SystemExit(0)\n",
    ".env": "LEARN_SECRET=known\n",
    "01_double/test_double.py": "def test_ok(): pass\n",
    "tests/test_hidden.py": "def test_ok(): pass\n",
    "solutions/01_mini/01_double/test_double.py": "def test_ok(): pass\n",
    "requirements.txt": "-e git+https://example.invalid/pytest#egg=pytest\n",
}


@pytest.mark.parametrize("answer", [WRONG, (MINI / "solutions/01_mini/01_double/double.py").read_text()])
def test_nothing_but_the_answer_counts(answer: str, tmp_path: Path) -> None:
    """With every snare in place, a wrong answer fails and a right one passes, as anywhere."""
    for name, text in SNARES.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "checkout" / "01_double" / "double.py").write_text(answer)
    start = "import sys; sys.path[0] = sys.argv.pop(1); import cli; cli.main()"  # as the installed command has it
    done = subprocess.run(
        [sys.executable, "-c", start, str(ROOT), "--course", str(MINI), "check", "01_double/double.py"],
        cwd=tmp_path / "checkout",
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"LEARN_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == (1 if answer == WRONG else 0), done.stderr
    assert not list((tmp_path / "checkout").rglob("__pycache__"))
