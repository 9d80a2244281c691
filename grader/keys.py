"""Keys without Enter: a terminal in cbreak mode, given back as it was however the program ends or pauses."""

import contextlib
import os
import re
import signal
import termios
import tty
import unicodedata
from collections.abc import Callable, Iterator
from types import FrameType

_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)  # arrows and their kin
END = "\x04"  # Ctrl-D, which also stands for the end of the input


class Keys:
    """The keys of a terminal. Use as a context manager; Ctrl-Z and `fg` are seen to, `resumed` is called after them."""

    def __init__(self, fd: int, resumed: Callable[[], object]) -> None:
        self.fd = fd
        self._resumed = resumed
        self._before = termios.tcgetattr(fd)
        self._ours = False  # True while the terminal is in our mode

    def __enter__(self) -> "Keys":
        self._stopping = signal.signal(signal.SIGTSTP, self._stop)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        signal.signal(signal.SIGTSTP, self._stopping)

    def read(self) -> str:
        """The keys pressed since, in small letters, without arrows and their kin; END if there will be no more.

        A letter of full width, as Chinese input methods give it, is the letter.
        """
        try:
            data = os.read(self.fd, 1024)
        except OSError:  # the terminal is gone
            data = b""
        text = _SEQUENCE.sub("", data.decode(errors="ignore"))
        return unicodedata.normalize("NFKC", text).lower() if data else END

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """The terminal as it was before, for another program; Ctrl-C is then that program's."""
        self._give_back()
        before = signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the program would inherit
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            self._take()

    def _take(self) -> None:
        tty.setcbreak(self.fd, termios.TCSADRAIN)
        self._ours = True

    def _give_back(self) -> None:
        self._ours = False
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self._before)

    def _stop(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Z: the terminal is the shell's until `fg`."""
        was_ours = self._ours
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._stop)  # here again after `fg`
        if was_ours:
            self._take()
            self._resumed()
