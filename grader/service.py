"""The warm grader behind `learn check`: a process that keeps torch, pytest and a zygote between checks.

One for each LEARN_HOME, started by the first check, reached over a Unix socket that only its owner can open, gone after
ten idle minutes. It answers one request at a time. The caller needs nothing of it: whatever goes wrong between the two,
`judge` says None, and the caller judges by itself. This side imports no torch.

Messages (msgpack, length-prefixed): Ask -> Answer. A service whose code is not the caller's says so and ends.
"""

import contextlib
import fcntl
import hashlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from grader import interrupts
from grader.model import Job, Picture, Tier, Verdict

if TYPE_CHECKING:
    from grader.course import Course
    from grader.pool import Judge

_T = TypeVar("_T")
IDLE_SECONDS = 600.0
_HANDOVER = 3.0  # seconds that a service on its way out may take
_CAP = 64 << 20  # bytes of a message
_PATH_CAP = 100  # bytes of a socket's name; the kernel takes 107
_SIZE = struct.Struct("<I")


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request: judge this job, or (without one) stop."""

    code: str  # digest of the caller's program
    exercises: str = ""
    solutions: str = ""
    job: Job | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict; or why there is none."""

    verdict: Verdict | None = None
    seen: tuple[Picture, ...] = ()  # what there is to be drawn
    stale: bool = False  # of other code than the caller's: it ends


class _Gone(Exception):
    """The other side is not there, or says what none of ours says."""


# -- the caller's side


def judge(
    course: "Course",
    job: Job,
    require: Tier | None,
    home: Path,
    meanwhile: Callable[[], object] = lambda: None,
    seen: Callable[[Sequence[Picture]], object] = lambda _: None,
) -> Verdict | None:
    """The verdict, from the service, which is started if there is none; None if it cannot be had that way.

    `meanwhile` is done while the service works: the caller has imports of its own to make. `seen` is told what there is
    to be drawn. A verdict reached under less
    than `require` is none. Ctrl-C ends the judging there as well.
    """
    if os.environ.get("LEARN_SERVICE") == "off":
        return None
    folders = {"exercises": str(course.exercises.resolve()), "solutions": str(course.solutions.resolve())}
    ask = Ask(code=_code(), job=job, **folders)
    for _ in range(2):  # the first may be of older code, or about to leave
        try:
            answer = _exchange(_connected(home), ask, meanwhile)
        except (_Gone, OSError):
            return None
        if answer.verdict is not None:
            enough = require is None or answer.verdict.sandbox.tier >= require
            if not enough or answer.verdict.broken:
                return None
            seen(answer.seen)
            return answer.verdict
        if not answer.stale:
            return None
    return None


def stop(home: Path) -> bool:
    """Ends the service. False if there was none."""
    try:
        with _reached(home) as sock:
            _send(sock, Ask(code=""))
            sock.recv(1)  # until it is gone
            return True
    except OSError:
        return False


def running(home: Path) -> bool:
    """True if there is one."""
    with contextlib.suppress(OSError), _reached(home):
        return True
    return False


def _exchange(sock: socket.socket, ask: Ask, meanwhile: Callable[[], object]) -> Answer:
    with sock:
        try:
            _send(sock, ask)
            meanwhile()
            return _receive(sock, Answer)
        except KeyboardInterrupt:
            with contextlib.suppress(OSError):
                os.kill(_peer(sock)[0], signal.SIGINT)
            raise


def _connected(home: Path) -> socket.socket:
    """A connection, to a new service if there is none."""
    with contextlib.suppress(OSError):
        return _reached(home)
    _start(home)
    return _reached(home)


def _reached(home: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(str(_address(home)))
        if _peer(sock)[1] != os.getuid():
            raise PermissionError
    except OSError:
        sock.close()
        raise
    return sock


def _peer(sock: socket.socket) -> tuple[int, int]:
    """The pid and user of the other side, by the kernel's word."""
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid


def _start(home: Path) -> None:
    """Starts a service and waits until it listens, or finds that another does."""
    readable, writable = os.pipe()
    try:
        root = str(Path(__file__).resolve().parents[1])
        code = "import sys; sys.path[0] = sys.argv[1]; from grader import service; service.main(*sys.argv[2:])"
        with subprocess.Popen(  # it forks at once: nobody has to wait for it
            [sys.executable, "-c", code, root, str(home), str(writable)],
            pass_fds=(writable,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("LEARN_TRACEBACK") else subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        ):
            os.close(writable)
            writable = -1
    finally:
        if writable >= 0:
            os.close(writable)
        os.read(readable, 1)
        os.close(readable)


def _address(home: Path) -> Path:
    """Where its socket is: in the home, or, if that has too long a name, in a folder of our own for temporary files."""
    path = home / "service.sock"
    if len(os.fsencode(path)) <= _PATH_CAP:
        return path
    import tempfile

    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"learn-{os.getuid()}", f"{short}.sock")


def _code() -> str:
    """A digest of what a service must share with its caller: program, interpreter, and what inputs are drawn from."""
    digest = hashlib.sha256(f"{sys.version} {sys.prefix} {os.environ.get('LEARN_SECRET', '')}".encode())
    for path in sorted(Path(__file__).resolve().parent.rglob("*.py")):
        state = path.stat()
        digest.update(f"{path} {state.st_mtime_ns} {state.st_size}".encode())
    return digest.hexdigest()


# -- messages


def _send(sock: socket.socket, message: msgspec.Struct) -> None:
    data = msgspec.msgpack.encode(message)
    sock.sendall(_SIZE.pack(len(data)) + data)


def _receive(sock: socket.socket, kind: type[_T]) -> _T:
    (size,) = _SIZE.unpack(_exactly(sock, _SIZE.size))
    if size > _CAP:
        raise _Gone
    try:
        return msgspec.msgpack.decode(_exactly(sock, size), type=kind)
    except msgspec.DecodeError as e:
        raise _Gone from e


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = sock.recv(min(size - len(data), 1 << 20))
        if not chunk:
            raise _Gone
        data += chunk
    return bytes(data)


# -- the service's side


def main(home: str, ready: str) -> None:
    """Serves until it is idle for too long, told to stop, or asked by other code than its own."""
    if os.fork():
        os._exit(0)
    folder = Path(home)
    with contextlib.suppress(_Taken), _listening(folder) as listener:
        os.close(int(ready))
        _Service(listener).serve()


class _Taken(Exception):
    """Another service is at it."""


@contextlib.contextmanager
def _listening(home: Path) -> Iterator[socket.socket]:
    """The listening socket. A lock, held for life, sees to it that there is only one. Raises _Taken."""
    address = _address(home)
    address.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if address.parent.stat().st_uid != os.getuid():
        raise _Taken
    with address.with_suffix(".lock").open("w") as lock, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        _take(lock.fileno(), address)
        address.unlink(missing_ok=True)
        before = os.umask(0o177)
        listener.bind(str(address))
        os.umask(before)
        listener.listen(8)
        try:
            yield listener
        finally:
            address.unlink(missing_ok=True)


def _take(lock: int, address: Path) -> None:
    """Waits for a service that is leaving; if one stays, raises _Taken."""
    deadline = time.monotonic() + _HANDOVER
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if address.exists() or time.monotonic() > deadline:
                raise _Taken from None
            time.sleep(0.01)


class _Service:
    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.code = _code()
        self.judge: Judge | None = None
        self.of: tuple[object, ...] = ()  # what the judge was made for

    def serve(self) -> None:
        """One request after the other."""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # the caller may have been started deaf to it
        self.listener.settimeout(IDLE_SECONDS)
        try:
            while True:
                with contextlib.suppress(KeyboardInterrupt, _Gone, OSError):
                    try:
                        sock, _ = self.listener.accept()
                    except TimeoutError:
                        return
                    with sock:
                        if _peer(sock)[1] == os.getuid() and not self._answer(sock):
                            return
        finally:
            self._leave()

    def _answer(self, sock: socket.socket) -> bool:
        """False if it is time to go."""
        ask = _receive(sock, Ask)
        if ask.job is None:
            self._leave()
            return False
        if ask.code != self.code:
            self._leave()
            _send(sock, Answer(stale=True))
            return False
        verdict = self._verdict(ask, ask.job)
        _send(sock, Answer(verdict=verdict, seen=tuple(self.judge.seen) if self.judge and verdict else ()))
        return True

    def _leave(self) -> None:
        """Whoever comes from now on finds nobody here, and starts a new one. Idempotent."""
        Path(self.listener.getsockname()).unlink(missing_ok=True)
        if self.judge is not None:
            self.judge.__exit__()
            self.judge = None

    def _verdict(self, ask: Ask, job: Job) -> Verdict | None:
        from grader import pool
        from grader.course import Course, CourseError
        from grader.sandbox.cell import Lost
        from grader.sandbox.warden import Unavailable

        try:
            course = Course(Path(ask.exercises), Path(ask.solutions))
            of = (course.exercises, tuple(course.about.packages), tuple(course.about.preload))
            if self.judge is None or self.of != of:
                if self.judge is not None:
                    self.judge.__exit__()
                with interrupts.Held():  # a warm judge serves the next check too
                    self.judge, self.of = pool.Judge(course), of
                    self.judge.sandbox()
            self.judge.course = course  # read anew: its files may have changed
            return self.judge.grade([job])[0]
        except (CourseError, LookupError, Unavailable, Lost):
            return None  # the caller meets it as well, and has words for it
