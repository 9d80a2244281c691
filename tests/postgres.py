"""A real PostgreSQL server for tests, in a folder of its own and under a user who is not root."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, None where PostgreSQL is not installed."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin"), Path(shutil.which("initdb") or "/nonexistent/x").parent]
    return next((p for p in sorted(found, reverse=True) if (p / "pg_ctl").is_file()), None)


def _run(folder: Path, *command: str) -> None:
    bin_folder = programs()
    assert bin_folder
    as_user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
    subprocess.run(
        [bin_folder / command[0], *command[1:]],
        env=kept | {"HOME": str(folder)}, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120, **as_user,
    )  # fmt: skip


@contextlib.contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """Its URL, and the folder of its data. It listens on a socket in that folder alone."""
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:  # sockets' names are short
        data = Path(folder)
        if os.getuid() == 0:
            shutil.chown(data, "nobody")
        _run(data, "initdb", "-D", f"{folder}/db", "-U", "learn", "--auth=trust", "--encoding=UTF8", "--locale=C")
        options = f"-k {folder} -c listen_addresses= -c max_connections=10"
        _run(data, "pg_ctl", "-D", f"{folder}/db", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://learn@/postgres?host={folder}", data
        finally:
            _run(data, "pg_ctl", "-D", f"{folder}/db", "-m", "immediate", "stop")


def restart(data: Path) -> None:
    """As after a loss of power: nobody is asked, what was committed is found in the log."""
    _run(data, "pg_ctl", "-D", f"{data}/db", "-w", "-l", f"{data}/log", "-m", "immediate", "restart")
