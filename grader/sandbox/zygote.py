"""Imports torch once, then forks a confined cell for every request on its control socket.

It holds no test, no expected value and no pytest; it runs no torch operation (after one, a forked child hangs on its
own first) and has one thread. It lives as long as its parent. Messages (msgpack, one a packet, descriptors along):

- in:  setup; then {open, bounds, preload} with the descriptors of the output pipe and the channel
- out: {ready} with a pidfd of the zygote, or {failed}; {opened} with the cell's pidfd; {exited, status}
"""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from typing import Any

import msgspec

from grader.sandbox import jail, kernel, pages, rootfs

_PACKET = 1 << 16
_QUIET = 200  # milliseconds without a request: time for what makes later ones cheaper
_BUSY = 8  # cells, after which it is worth its time in any case


class Open(msgspec.Struct, frozen=True):
    """A request for one cell."""

    open: int  # its number
    bounds: jail.Bounds
    preload: tuple[str, ...] = ()  # modules to import before forking, once for all cells to come


def main(fd: int) -> None:
    """Serves the control socket until it closes."""
    control = socket.socket(fileno=fd)
    setup = msgspec.msgpack.decode(control.recv(_PACKET), type=jail.Setup)
    try:
        if kernel.MACHINE is not None:
            kernel.die_with_parent()
        view = rootfs.libraries(setup.packages)
        namespace, maps = jail.wall_off(view) if setup.tier == "T3" else (None, _own_map())
        ground = jail.survey(setup.tier, view)
        import torch  # noqa: F401

        from grader.sandbox import runner  # noqa: F401

        _import(setup.preload)
    except Exception as e:
        _say(control, {"failed": str(e) if isinstance(e, OSError) else f"{type(e).__name__}: {e}"[:500]})
        return
    _say(control, {"ready": setup.tier}, os.pidfd_open(os.getpid()))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the judge's to handle
    _serve(control, ground, namespace, maps)


def _own_map() -> int | None:
    with contextlib.suppress(OSError):  # no Linux
        return os.open(pages.MAPS, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _serve(control: socket.socket, ground: jail.Ground, namespace: int | None, maps: int | None) -> None:
    from grader.sandbox import runner

    ours = runner.ours()
    asked = 0
    cells: dict[int, tuple[int, int]] = {}  # pidfd -> number, pid
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        events = poll.poll(None if maps is None else _QUIET)
        if maps is not None and asked and (not events or asked > _BUSY):
            pages.join(maps)
            maps = None
        for fd, _ in events:
            if fd != control.fileno():
                poll.unregister(fd)
                number, pid = cells.pop(fd)
                os.close(fd)
                _, status = os.waitpid(pid, 0)
                _say(control, {"exited": number, "status": os.waitstatus_to_exitcode(status)})
                continue
            try:
                data, fds, _, _ = socket.recv_fds(control, _PACKET, 2)
            except OSError:
                return
            if not data:
                return
            request = msgspec.msgpack.decode(data, type=Open)
            if new := [n for n in request.preload if n not in sys.modules]:
                _import(new)
            asked += 1
            pid = _fork(ground, request.bounds, fds, namespace, ours)
            pidfd = os.pidfd_open(pid)
            cells[pidfd] = (request.open, pid)
            poll.register(pidfd, select.POLLIN)
            _say(control, {"opened": request.open}, pidfd)
            for fd in fds:
                os.close(fd)


def _import(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(ImportError):  # the learner's own import will say so
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a cell's collector must not walk torch's heap: each page it touched would be copied


def _fork(ground: jail.Ground, bounds: jail.Bounds, fds: list[int], namespace: int | None, ours: list[str]) -> int:
    """The pid of a new cell, the first process of a pid namespace of its own at T3."""
    if namespace is not None:
        kernel.call("unshare", kernel.CLONE_NEWPID)
    pid = os.fork()
    if pid:
        if namespace is not None:
            kernel.call("setns", namespace, kernel.CLONE_NEWPID)
        return pid
    try:
        from grader.sandbox import runner

        if ground.tier == "T1" and kernel.MACHINE is not None:
            kernel.die_with_parent()
        jail.enter(ground, bounds, fds)
        runner.main(ours)
    except BaseException as e:
        with contextlib.suppress(BaseException):
            os.write(2, f"cell: {type(e).__name__}: {e}\n".encode())
    os._exit(70)


def _say(control: socket.socket, message: dict[str, Any], *fds: int) -> None:
    try:
        socket.send_fds(control, [msgspec.msgpack.encode(message)], list(fds))
    except OSError:  # the judge is gone
        sys.exit(0)
