"""A real Dask cluster for tests, on this machine."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Cluster:
    """A scheduler and workers, as the recipe in docs/cluster.md starts them."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.workers = []
        self.begin()

    def _start(self, *command, **environment):
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli." + command[0], *command[1:]],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
                stdout=log,
                stderr=log,
            )

    def begin(self):
        """A scheduler, anew."""
        self.file.unlink(missing_ok=True)
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter")
        self.scheduler = self._start("dask_scheduler", *options, "--scheduler-file", str(self.file))
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError, ValueError):
                self.address = json.loads(self.file.read_text())["address"]
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def add(self, **environment):
        """One more worker, without a nanny: nobody starts it again."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
        self.workers.append(self._start("dask_worker", self.address, *options, **environment))

    def await_workers(self):
        """Until the scheduler knows them all."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=120)

    def end(self):
        """All of it."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
