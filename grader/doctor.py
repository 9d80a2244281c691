"""What this computer offers; of each thing that is missing, what that costs and how to get it (worded in reports/)."""

import contextlib
import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil

from grader import __version__, editor, service
from grader.course import Course
from grader.model import Sandbox, Tier
from grader.workspace import Workspace, WorkspaceError

_DISK = 1 << 30  # bytes free, below which training may fail to save
_MEMORY = 3 << 30  # bytes: the judge and a zygote with torch, a cell, an editor
# A switch of the kernel that keeps namespaces from ordinary users, the value that does so, and how to turn it.
_SWITCHES = (
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
)
_CONTAINERS = ("/.dockerenv", "/run/.containerenv")


class Sign(NamedTuple):
    """One thing that was looked at. `key` and `params` are for the wording (`doctor.KEY`)."""

    mark: Literal["good", "lacking", "bad"]
    key: str
    params: dict[str, Any]


def signs(course: Course, workspace: Workspace | None, home: Path, progress: Path) -> Iterator[Sign]:
    """What can be seen at once."""
    yield from _torch()
    yield _good("course", count=len(course.sections), path=course.exercises, titles=course.about.title)
    yield from _workspace(workspace)
    yield from _home(home, progress)
    memory = psutil.virtual_memory().total
    yield _sign(memory >= _MEMORY, "memory", gb=f"{memory / 2**30:.0f}")
    yield _sign(shutil.which("git") is not None, "git")
    yield _sign(importlib.util.find_spec("jupyterlab") is not None, "jupyterlab")
    found = editor.find(os.environ)
    if found and shutil.which(found.command[0]) is None:  # $EDITOR may name anything
        yield Sign("lacking", "editor_gone", {"name": found.command[0]})
    else:
        yield _sign(found is not None, "editor", name=found.command[0] if found else "")
    if os.environ.get("LEARN_SERVICE") == "off":
        yield Sign("lacking", "service_off", {})
    else:
        yield _good("service" if service.running(home) else "service_sleeps")


def sandbox(course: Course) -> Iterator[Sign]:
    """The same of the sandbox, found by trying, which takes seconds."""
    from grader import pool
    from grader.sandbox.cell import Lost

    try:
        yield from of_sandbox(pool.survey(course))
    except Lost as e:
        yield Sign("bad", "no_cell", {"why": e.why or (str(e),)})


def of_sandbox(found: Sandbox) -> Iterator[Sign]:
    """How code is confined here, why not better, and what would help."""
    marks: Mapping[Tier, Literal["good", "lacking", "bad"]] = {Tier.T3: "good", Tier.T2: "lacking", Tier.T1: "bad"}
    yield Sign(marks[found.tier], "sandbox", {"tier": found.tier.value})
    facts = {"landlock": found.landlock_abi, "memory": found.memory}
    yield _good("facts", **facts, seccomp=found.seccomp, userns=found.userns)
    for what in found.degraded:
        yield Sign("lacking", "degraded", {"why": (what,)})
    if found.tier is not Tier.T3:
        yield remedy()


def remedy(root: Path = Path("/"), system: str = sys.platform) -> Sign:
    """What would give the strongest tier, as far as it can be told from here."""
    if system != "linux":
        return Sign("lacking", "remedy_linux", {})
    for path, shut, setting in _SWITCHES:
        with contextlib.suppress(OSError):
            if (root / path.lstrip("/")).read_text().strip() == shut:
                return Sign("lacking", "remedy_switch", {"setting": setting})
    inside = any((root / c.lstrip("/")).exists() for c in _CONTAINERS)
    return Sign("lacking", "remedy_container" if inside else "remedy_unknown", {})


def _good(key: str, **params: Any) -> Sign:
    return Sign("good", key, params)


def _sign(good: bool, key: str, **params: Any) -> Sign:
    return _good(key, **params) if good else Sign("lacking", f"no_{key}", params)


def _torch() -> Iterator[Sign]:
    try:
        versions = {"torch": metadata.version("torch"), "python": platform.python_version(), "learn": __version__}
    except metadata.PackageNotFoundError:
        yield Sign("bad", "no_torch", {})
        return
    yield _good("versions", **versions)
    cuda, card = _cuda(), any(Path("/dev").glob("nvidia[0-9]*"))
    yield _good("gpu" if cuda and card else "cpu_but_cuda" if cuda else "cpu", cuda=cuda)


def _cuda() -> str:
    """The version of CUDA that torch was built for, "" for none; read, since importing torch takes seconds."""
    spec = importlib.util.find_spec("torch")
    with contextlib.suppress(OSError):
        text = (Path(spec.origin or "").with_name("version.py") if spec else Path()).read_text(encoding="utf-8")
        if found := re.search(r"^cuda\b.*= '([^']+)'", text, re.MULTILINE):
            return found[1]
    return ""


def _workspace(workspace: Workspace | None) -> Iterator[Sign]:
    if workspace is None:
        yield Sign("lacking", "no_workspace", {})
        return
    yield _good("workspace", path=workspace.root)
    if not workspace.in_place:
        from grader.update import update

        with contextlib.suppress(WorkspaceError):
            if any(True for _ in update(workspace.course, workspace.root, dry=True)):
                yield Sign("lacking", "workspace_old", {})


def _home(home: Path, progress: Path) -> Iterator[Sign]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as e:
        yield Sign("bad", "no_home", {"path": home, "reason": e.strerror})
        return
    yield _good("progress", path=progress)
    free = shutil.disk_usage(home).free
    yield _sign(free >= _DISK, "disk", gb=f"{free / 2**30:.1f}", path=home)
