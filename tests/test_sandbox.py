"""The sandbox at work: what a cell is, what becomes of it, and what happens when something is killed."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from grader import pool
from grader.course import Course
from grader.model import Job, Tier
from grader.sandbox import proc, warden
from grader.sandbox.cell import Bounds

MINI = Path(__file__).parent / "mini_course"
RIGHT = (MINI / "solutions/01_mini/01_double/double.py").read_text()


@pytest.fixture(scope="module")
def cells() -> Iterator[warden.Warden]:
    with warden.Warden() as w:
        yield w


def ask(cells: warden.Warden, body: str, *args: object, seconds: float = 10) -> object:
    """What `def f(*args)` with this body returns in a fresh cell."""
    cell = cells.open(Bounds(memory_mb=256, disk_mb=8, files=64, processes=16))
    try:
        text = "import os, socket, sys, ctypes\ndef f(*args):\n" + textwrap.indent(textwrap.dedent(body), "    ")
        loaded = cell.exchange("load", {"text": text, "file": "a.py", "probes": "", "seed": 0}, 10)
        assert loaded.word == "value", loaded
        request = {"target": "learner", "name": "f", "args": args, "kwargs": {}, "seed": 1}
        reply = cell.exchange("call", request, seconds)
        return reply.value["value"] if reply.word == "value" else reply.value
    finally:
        cell.close()


def test_the_best_tier_holds_here(cells: warden.Warden) -> None:
    """This machine gives T3, checked from outside, with nothing missing."""
    found = cells.confinement()
    assert (found.tier, found.seccomp, found.userns, found.degraded) == ("T3", True, True, ())


def test_a_waiting_cell_shares_nearly_all_it_has(cells: warden.Warden) -> None:
    """Of the hundreds of megabytes of an interpreter with torch, an idle cell has fewer than six of its own."""
    cell = cells.open(Bounds())
    try:
        rollup = Path(f"/proc/{cell.pid}/smaps_rollup").read_text()
    except PermissionError:
        pytest.skip("only root may look at a cell's pages")
    finally:
        cell.close()
    own = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
    assert 0 < own < 6 << 10


def test_the_zygote_is_fit_to_fork(cells: warden.Warden) -> None:
    """One thread, an empty environment, neutral arguments, and no pytest mapped."""
    cells.confinement()
    process = psutil.Process(cells.pid)
    assert process.num_threads() == 1
    environment = process.environ()
    assert not {k for k in environment if k.startswith(("GITHUB", "LEARN", "PYTEST"))}
    assert "solutions" not in " ".join(process.cmdline())


def test_a_cell_is_nobody_without_privileges(cells: warden.Warden) -> None:
    """Not root, no capability, no new privileges, filtered: as the kernel tells the judge."""
    cell = cells.open(Bounds())
    status = proc.status(cell.pid)
    cell.close()
    assert status["Uid"].split()[0] != "0"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/shadow').read()",
        "os.listdir('/home')",
        "open('/usr/lib/x', 'w')",
        "os.execv('/bin/sh', ['sh', '-c', 'true'])",
        "os.kill(1 << 20, 9)",
        "os.mknod('/tmp/device', 0o600 | 0o020000, 1)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.create_connection(('127.0.0.1', args[0]), 1)",
        "socket.create_connection(('192.0.2.1', 80), 1)",
        "os.setuid(0)",
        "os.chroot('/tmp')",
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "sys.modules['resource'].setrlimit(sys.modules['resource'].RLIMIT_CPU, (999999, 999999))",
        "os.memfd_create('x')",
        "os.unshare(os.CLONE_NEWUSER) if hasattr(os, 'unshare') else (_ for _ in ()).throw(OSError())",
    ],
)
def test_denied(cells: warden.Warden, attempt: str) -> None:
    """What a learner's file has no need of fails with an ordinary error."""
    with socket_listening() as port:
        reply = ask(cells, attempt, port)
    assert isinstance(reply, dict)
    assert set(reply["bases"]) & {"OSError", "ValueError"}, reply


@pytest.mark.parametrize("number", [101, 298, 310, 317, 319, 321, 323, 425, 434, 438, 272, 165, 161])
def test_forbidden_system_calls(cells: warden.Warden, number: int) -> None:
    """ptrace, perf, process_vm_readv, seccomp, memfd, bpf, userfaultfd, io_uring, pidfds, unshare, mount: EPERM."""
    body = "libc = ctypes.CDLL(None, use_errno=True)\nlibc.syscall(args[0], 0, 0, 0, 0, 0)\nreturn ctypes.get_errno()"
    assert ask(cells, body, number) == 1


def test_unknown_system_calls_do_not_exist(cells: warden.Warden) -> None:
    """Numbers that nobody knows get ENOSYS, so that libraries fall back."""
    body = "libc = ctypes.CDLL(None, use_errno=True)\nlibc.syscall(args[0])\nreturn ctypes.get_errno()"
    assert ask(cells, body, 5000) == 38


def test_shared_anonymous_memory_is_refused(cells: warden.Warden) -> None:
    """It would not count against the memory limit."""
    reply = ask(cells, "import mmap\nmmap.mmap(-1, 1 << 20)")
    assert isinstance(reply, dict) and "PermissionError" in reply["bases"]


def test_the_scratch_folder_has_a_quota(cells: warden.Warden) -> None:
    """Bytes and files are bounded, in the working folder and /dev/shm together; nothing is there at the start."""
    assert ask(cells, "return [os.listdir('/dev/shm'), os.listdir('.')]") == [[], [".shm"]]
    fill = "for i in range(1000):\n    open(f'{args[0]}/{i}', 'wb').write(bytes(args[1]))"
    for where in (".", "/dev/shm"):
        for size in (0, 1 << 20):
            reply = ask(cells, fill, where, size)
            assert isinstance(reply, dict) and "OSError" in reply["bases"]


def test_workers_and_threads_run(cells: warden.Warden) -> None:
    """DataLoader workers, processes and threads of the learner's own work within the cell."""
    body = """
    import torch
    from torch.utils.data import DataLoader
    loader = DataLoader(range(10), batch_size=5, num_workers=2)
    return [b.tolist() for b in loader]
    """
    assert ask(cells, body) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_background_processes_end_with_the_cell(cells: warden.Warden) -> None:
    """A daemon that ignores signals does not outlive its cell."""
    cell = cells.open(Bounds())
    text = (
        "import os, signal, time\ndef f():\n    if os.fork() == 0:\n        os.setsid()\n"
        "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n        while True: time.sleep(1)\n"
    )
    cell.exchange("load", {"text": text, "file": "a.py", "probes": "", "seed": 0}, 10)
    cell.exchange("call", {"target": "learner", "name": "f", "args": (), "kwargs": {}, "seed": 1}, 10)
    family = [psutil.Process(p) for p in proc.tree(cell.pid)]
    assert len(family) == 2
    cell.close()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_cells_do_not_share_anything(cells: warden.Warden) -> None:
    """What one cell writes, patches or seeds is not there for the next."""
    ask(cells, "import torch\nopen('left', 'w').write('x')\ntorch.nn.Linear = None\ntorch.manual_seed(5)")
    assert ask(cells, "import torch\nreturn [os.path.exists('left'), torch.nn.Linear is None]") == [False, False]


def test_strided_arguments_arrive_as_they_are(cells: warden.Warden) -> None:
    """A transposed tensor is still not contiguous on the other side."""
    x = torch.arange(6.0).reshape(2, 3).T
    assert ask(cells, "return [args[0].is_contiguous(), list(args[0].stride())]", x) == [False, [1, 3]]


def test_a_tier_that_is_not_there_is_refused() -> None:
    """Asked for T3 where only T2 can be had, it says so before anything is loaded."""
    with warden.Warden(require="T3", at_most="T2") as w, pytest.raises(warden.Unavailable) as e:
        w.confinement()
    assert (e.value.asked, e.value.found) == ("T3", "T2")


def test_a_killed_zygote_costs_nothing() -> None:
    """kill -9 of the zygote in the middle of a batch: every submission still gets its true verdict."""
    course = Course.at(MINI)
    section = course["double"]
    texts = [RIGHT if i % 2 else RIGHT.replace("2 * x", "3 * x") for i in range(40)]
    jobs = [Job(section="double", section_digest=section.digest, text=t, id=str(i)) for i, t in enumerate(texts)]
    with pool.Judge(course, None, Tier.T3) as judge:
        points = []
        for batch in pool._batches(jobs):
            judge.cells.confinement()
            os.kill(judge.cells.pid, signal.SIGKILL)
            points += [v.points for v in judge.grade(batch)]
    assert points == ["6" if i % 2 else "2" for i in range(40)]


def test_a_killed_judge_leaves_no_process() -> None:
    """kill -9 of the judge: zygote, cells and what they started are gone, too."""
    program = """
import os, sys
from grader.sandbox import warden
from grader.sandbox.cell import Bounds
w = warden.Warden()
cell = w.open(Bounds())
text = "import os, time\\ndef f():\\n    os.fork() or time.sleep(1000)\\n"
cell.exchange("load", {"text": text, "file": "a.py", "probes": "", "seed": 0}, 10)
cell.exchange("call", {"target": "learner", "name": "f", "args": (), "kwargs": {}, "seed": 1}, 10)
print(os.getpid(), flush=True)
sys.stdin.read()
"""
    root = str(Path(__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert child.stdout is not None
    family = psutil.Process(int(child.stdout.readline())).children(recursive=True)
    assert len(family) >= 4  # launcher, zygote, cell, the learner's child
    child.kill()
    child.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def socket_listening() -> "_Listening":
    """A listener on the loopback interface of the judge, which no cell may reach."""
    return _Listening()


class _Listening:
    def __enter__(self) -> int:
        import socket

        self.socket = socket.create_server(("127.0.0.1", 0))
        return int(self.socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_a_closed_cell_counts_no_more() -> None:
    """When `close` returns, its processes have ended: they would count against the next cell's limit."""
    with warden.Warden() as w:
        for _ in range(3):
            cell = w.open(Bounds(processes=24))
            text = (
                "import os, time\ndef f():\n    for n in range(99):\n        try:\n            if os.fork() == 0:\n"
                "                time.sleep(1000)\n        except OSError:\n            return n\n"
            )
            cell.exchange("load", {"text": text, "file": "a.py", "probes": "", "seed": 0}, 10)
            call = {"target": "learner", "name": "f", "args": (), "kwargs": {}, "seed": 1}
            assert cell.exchange("call", call, 10).value["value"] >= 20
            family = list(proc.tree(cell.pid))
            cell.close()
            assert {proc.status(p).get("State", "Z")[0] for p in family} == {"Z"}  # gone, or about to be reaped


def test_a_zygote_killed_while_it_starts_does_not_cost_a_tier() -> None:
    """It says nothing of what this machine can give: it is started once more."""
    with warden.Warden() as w:
        w._zygote.kill()
        assert w.confinement().tier == "T3" and not w.confinement().degraded


def test_joined_pages_hold_what_they_held() -> None:
    """Memory reads the same afterwards, here and in a fork, whether or not this kernel has huge pages for it."""
    code = """
        import hashlib, os
        from grader.sandbox import pages
        held = bytearray(os.urandom(1 << 20) * 32)
        before = hashlib.sha256(held).digest()
        joined = pages.join(os.open(pages.MAPS, os.O_RDONLY))
        pid = os.fork()
        if not pid:
            held[:4096] = bytes(4096)  # the fork's own copy from here on
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert hashlib.sha256(held).digest() == before
        huge = next(line for line in open("/proc/self/smaps_rollup") if line.startswith("AnonHugePages"))
        print(joined, int(huge.split()[1]) // 2048)
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, cwd=MINI.parents[1]
    )
    joined, huge = map(int, told.stdout.split())
    assert bool(joined) == bool(huge), told.stdout
