"""cgroup v2, on a real hierarchy: as root one can be mounted beside whatever the machine uses."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.sandbox import cgroup


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[Path]:
    """A list of mounts with a real cgroup2 hierarchy in which we live in a folder of our own."""
    root = tmp_path / "cgroup2"
    root.mkdir()
    if subprocess.run(["mount", "-t", "cgroup2", "none", str(root)], capture_output=True).returncode:
        pytest.skip("no cgroup2 can be mounted here")
    table = tmp_path / "mounts"
    table.write_text(f"proc /proc proc rw 0 0\nnone {root} cgroup2 rw 0 0\n")
    yield table
    subprocess.run(["umount", str(root)], check=True)


def _own(mounts: Path) -> Path:
    own = next(x[3:] for x in Path("/proc/self/cgroup").read_text().splitlines() if x.startswith("0::"))
    return mounts.parent / "cgroup2" / own.lstrip("/")


def test_a_group_ends_with_all_that_is_in_it(mounts: Path) -> None:
    """A process and the children that it has left are killed at once, and the folder goes."""
    found = cgroup.delegated((), mounts)
    assert found is not None
    group = found.group()
    code = "import os, time; [os.fork() for _ in range(3)]; print(flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", "input()\n" + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    group.add(child.pid)
    assert child.stdin and child.stdout
    child.stdin.write(b"\n")
    child.stdin.flush()
    for _ in range(8):
        child.stdout.readline()
    assert len((group.path / "cgroup.procs").read_text().split()) == 8
    group.close()
    assert child.wait(10) == -9
    assert child.stdout.read() == b""  # the last of them is gone
    assert not group.path.exists()


def test_what_is_not_passed_on_is_not_ours(mounts: Path) -> None:
    """Without the controllers that are needed there is no delegation, and nothing is changed."""
    control = _own(mounts) / "cgroup.subtree_control"
    before = control.read_text()
    assert cgroup.delegated((f"no-{uuid.uuid4().hex}",), mounts) is None
    assert control.read_text() == before
    assert not list(_own(mounts).glob(f"learn-{os.getpid()}-*"))


def test_without_a_hierarchy_there_is_none(tmp_path: Path) -> None:
    """No cgroup2 among the mounts, or no list of them: the watchdog alone, and no error."""
    (tmp_path / "mounts").write_text("proc /proc proc rw 0 0\n")
    assert cgroup.delegated(mounts=tmp_path / "mounts") is None
    assert cgroup.delegated(mounts=tmp_path / "nowhere") is None
