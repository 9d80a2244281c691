"""A program on a terminal of its own, for tests: keys go in, the screen comes out, each wait is for something seen."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

WAIT = 60.0  # seconds; only a test that fails waits that long


class OnTerminal:
    """A process that leads a session on a pseudo-terminal, as under a terminal emulator."""

    def __init__(self, command: Sequence[str], environ: dict[str, str], cwd: Path, columns: int = 80, lines: int = 24):
        self.ours, self.theirs = pty.openpty()
        self.resize(columns, lines)
        self.before = self.modes()
        self.seen = ""  # everything since the start
        self.read = 0  # up to where a test has looked
        self.process = subprocess.Popen(
            command,
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=environ,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=self._own,
        )

    def _own(self) -> None:
        import fcntl

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, columns: int, lines: int) -> None:
        """Another size; the kernel tells the program."""
        termios.tcsetwinsize(self.ours, (lines, columns))

    def modes(self) -> list[object]:
        """The terminal's settings."""
        return termios.tcgetattr(self.theirs)

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self.ours, keys.encode())

    def until(self, pattern: str) -> re.Match[str]:
        """Waits for that text after what was waited for last. Raises AssertionError with the screen."""
        deadline = time.monotonic() + WAIT
        while not (found := re.search(pattern, self.seen[self.read :])):
            if not self._more(deadline - time.monotonic()):
                raise AssertionError(f"never seen: {pattern}\n{self.seen[self.read :]}")
        self.read += found.end()
        return found

    def end(self) -> int:
        """The exit code, once it has ended by itself; minus the signal's number."""
        deadline = time.monotonic() + WAIT
        while self.process.poll() is None:  # the terminal is emptied meanwhile, or it could not end
            self._more(min(0.05, deadline - time.monotonic()))
            assert time.monotonic() < deadline, self.seen[self.read :]
        os.write(self.theirs, b"\0")  # behind all that it wrote, which the kernel hands over in its own time
        while not self.seen.endswith("\0"):
            assert self._more(deadline - time.monotonic()), self.seen[self.read :]
        self.seen = self.seen[:-1]
        return self.process.returncode

    def _more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.ours], [], [], max(0, seconds))
        if ready:
            self.seen += os.read(self.ours, 1 << 16).decode(errors="replace")
        return bool(ready)

    def close(self) -> None:
        """Ends it, if it has not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)
