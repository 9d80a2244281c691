"""The files a cell can see: Python, torch with what torch needs, the C library, and nothing else.

`libraries` lists them; with namespaces `build` makes a file tree of only those, read-only, and moves into it; without,
`landlock.restrict` is given the same list. Installed packages are granted one by one, so that a neighbour in
site-packages (the hidden tests themselves, say) stays out of sight.
"""

import importlib.metadata
import os
import re
import site
import stat
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from grader.sandbox import kernel

_SYSTEM = ("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/local/lib", "/etc/ld.so.cache")
SCRATCH = "/scratch"  # not /tmp: Python itself may lie in there
_OURS = ("torch", "numpy", "msgspec")  # what the far side itself imports
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_ETC = {
    "passwd": f"nobody:x:65534:65534:nobody:{SCRATCH}:/bin/false\n",
    "group": "nogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_FLAGS = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}  # statvfs -> mount: a remount must keep them


class View(NamedTuple):
    """What a cell may read. All paths absolute and existing."""

    trees: tuple[str, ...]  # readable but for the sites inside
    sites: tuple[str, ...]  # site-packages folders: names may be listed
    packages: tuple[str, ...]  # what is readable in them
    links: tuple[tuple[str, str], ...] = ()  # trees that are symbolic links, and where to (/lib -> usr/lib)

    def readable(self) -> list[str]:
        """The trees with their sites cut out, and the packages: for Landlock, which only ever adds."""
        parts = [p for tree in self.trees for p in _around(tree, self.sites)]
        return [*parts, *self.packages, *_DEVICES, "/proc/cpuinfo"]


def libraries(distributions: Iterable[str]) -> View:
    """The view for a cell that may import torch and these installed distributions with what they require."""
    stdlib = {sysconfig.get_path(n) for n in ("stdlib", "platstdlib")}
    trees = [*_SYSTEM, *stdlib, str(Path(sys.base_prefix, "lib"))]
    on_path = [p for p in dict.fromkeys([*site.getsitepackages(), *sys.path]) if p.endswith("-packages")]
    beside = [str(Path(d, n)) for d in stdlib for n in ("site-packages", "dist-packages")]
    sites = [p for p in dict.fromkeys([*on_path, *beside, "/usr/lib/python3/dist-packages"]) if Path(p).is_dir()]
    existing = [p for p in dict.fromkeys(trees) if Path(p).exists()]
    return View(
        tuple(existing),
        tuple(sites),
        tuple(dict.fromkeys([*_top_level(_closure([*_OURS, *distributions])), str(Path(__file__).parent)])),
        tuple((p, str(Path(p).readlink())) for p in existing if Path(p).is_symlink()),
    )


def take(view: View) -> dict[str, int]:
    """Descriptors of all that `build` will put in place, by path. Before a change of user: Python may lie in /root."""
    paths = [*_parents_first(set(view.trees) - {link for link, _ in view.links}), *view.packages, *_DEVICES]
    return {p: kernel.take_tree(p) for p in paths}


def build(view: View, taken: dict[str, int]) -> None:
    """Makes `/` a read-only tree of the view, with /dev, /etc and an empty /sys; the old root is gone.

    In a mount namespace of one's own. Raises OSError, with the step in its text.
    """
    cpuinfo = Path("/proc/cpuinfo").read_bytes()
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", "/tmp", "tmpfs", kernel.MS_NOSUID, "size=16m,mode=755")
    Path("/tmp/old").mkdir()
    kernel.call("pivot_root", b"/tmp", b"/tmp/old")
    os.chdir("/")
    kernel.call("umount2", b"/old", kernel.MNT_DETACH)
    Path("/old").rmdir()
    inner = set(view.packages)
    for path in taken.keys() - inner:
        _put(taken[path], path, read_only=path not in _DEVICES)
    for link, goal in view.links:
        if not Path(link).exists():
            Path(link).parent.mkdir(parents=True, exist_ok=True)
            Path(link).symlink_to(goal)
    for folder in view.sites:
        Path(folder).mkdir(parents=True, exist_ok=True)
        kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    for path in view.packages:
        _put(taken[path], path)
    _furnish(cpuinfo)
    for folder in ("/", *view.sites):
        kernel.mount("none", folder, "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID)


def scratch(megabytes: int, files: int) -> None:
    """SCRATCH (which is /tmp, too, where it can be) and /dev/shm: empty, private, one quota for both.

    In a mount namespace of one's own.
    """
    options = f"size={megabytes}m,nr_inodes={files},mode=1777"
    kernel.mount("tmpfs", SCRATCH, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
    Path(SCRATCH, ".shm").mkdir(mode=0o700)
    kernel.mount(f"{SCRATCH}/.shm", "/dev/shm", "", kernel.MS_BIND)


def _furnish(cpuinfo: bytes) -> None:
    for folder in (SCRATCH, "/dev/shm", "/etc", "/proc", "/sys/bus/pci/devices"):  # gloo lists the last one
        Path(folder).mkdir(parents=True, exist_ok=True)
    if not Path("/tmp").exists():
        Path("/tmp").symlink_to(SCRATCH)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", SCRATCH, "tmpfs", flags, "size=1m,mode=700")  # imports make folders
    for name, text in _ETC.items():
        Path("/etc", name).write_text(text)
    Path("/proc/cpuinfo").write_bytes(cpuinfo)


def _put(tree: int, target: str, read_only: bool = True) -> None:
    goal = Path(target)
    goal.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(os.fstat(tree).st_mode):
        goal.mkdir(exist_ok=True)
    elif not goal.exists():
        goal.touch()
    kernel.put_tree(tree, target)
    had = os.statvfs(target).f_flag
    flags = sum(new for old, new in _FLAGS.items() if had & old)
    if read_only:
        kernel.mount(
            "none", target, "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | flags
        )


def _parents_first(paths: Iterable[str]) -> list[str]:
    """Without those inside another of the list."""
    kept: list[str] = []
    for p in sorted(paths):
        if not any(Path(p).is_relative_to(k) for k in kept):
            kept.append(p)
    return kept


def _around(tree: str, holes: Iterable[str]) -> Iterable[str]:
    """What is in the tree, as few paths as possible, without the holes."""
    inside = [h for h in holes if Path(h).is_relative_to(tree)]
    if not inside:
        return [tree]
    if tree in inside:
        return []
    return [p for child in sorted(Path(tree).iterdir()) for p in _around(str(child), inside)]


def _closure(names: Iterable[str]) -> dict[str, importlib.metadata.Distribution]:
    found: dict[str, importlib.metadata.Distribution] = {}
    todo = list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # optional, or for another system
            continue
        for requirement in found[name].requires or ():
            if "extra ==" not in requirement and (m := re.match(r"[\w.-]+", requirement)):
                todo.append(m[0])
    return found


def _top_level(distributions: dict[str, importlib.metadata.Distribution]) -> Iterable[str]:
    for d in distributions.values():
        root = Path(str(d.locate_file("")))
        for name in sorted({line.split("/", 1)[0] for line in (d.read_text("RECORD") or "").splitlines()}):
            path = root / name.split(",", 1)[0]
            if name not in ("..", "__pycache__") and not name.endswith(".pth") and path.exists():
                yield str(path)
