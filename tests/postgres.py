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


@contextlib.contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """Its URL, and the folder of its data. It listens on a socket in that folder alone."""
    bin_folder = programs()
    assert bin_folder
    as_user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:  # sockets' names are short
        data = Path(folder)
        if as_user:
            shutil.chown(data, "nobody")

        def run(*command: str) -> None:
            kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
            environment = kept | {"HOME": folder}
            subprocess.run(
                [bin_folder / command[0], *command[1:]],
                env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120, **as_user,
            )  # fmt: skip

        run("initdb", "-D", f"{folder}/db", "-U", "learn", "--auth=trust", "--encoding=UTF8", "--locale=C")
        options = f"-k {folder} -c listen_addresses= -c max_connections=10"
        run("pg_ctl", "-D", f"{folder}/db", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://learn@/postgres?host={folder}", data
        finally:
            run("pg_ctl", "-D", f"{folder}/db", "-m", "immediate", "stop")
