"""Opens a notebook in JupyterLab: in the server that already shows its folder, else in a new one."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlencode


def can_open() -> bool:
    """True if JupyterLab is installed beside us: only there do its kernels have our commands."""
    return importlib.util.find_spec("jupyterlab") is not None


def running(path: Path) -> str:
    """The address at which a server that runs already shows the notebook; "" if there is none."""
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        root = Path(server["root_dir"])
        if path.is_relative_to(root):
            query = f"?{urlencode({'token': server['token']})}" if server["token"] else ""
            return f"{server['url']}lab/tree/{quote(str(path.relative_to(root)))}{query}"
    return ""


def serve(path: Path, root: Path, course: str | None) -> NoReturn:
    """This process becomes a server for `root` that opens the notebook in a browser, and ends with Ctrl-C."""
    sys.stdout.flush()
    environ = os.environ | ({"LEARN_COURSE": str(Path(course).absolute())} if course else {})
    command = [sys.executable, "-m", "jupyterlab", str(path), f"--ServerApp.root_dir={root}"]
    if os.geteuid() == 0:
        command.append("--allow-root")  # in a container; it would refuse
    os.execve(sys.executable, command, environ)
