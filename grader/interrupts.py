"""Ctrl-C while Python still imports, or already leaves: the process ends without a word. For a command, which imports
this before all else; to import it changes nothing, since a service has its own way with Ctrl-C.
"""

import _signal as signal  # type: ignore[import-not-found]  # `signal` itself imports for some milliseconds

_BEFORE = signal.getsignal(signal.SIGINT)  # ignored, where a shell has started us in the background


def silence() -> None:
    """From now on there is nothing to clean up."""
    if _BEFORE is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def heed() -> None:
    """From now on it is a KeyboardInterrupt."""
    signal.signal(signal.SIGINT, _BEFORE)


class Held:
    """Within, Ctrl-C waits: for the import of torch, whose own code would abort the process, and half of which would be
    of no use to anybody. Afterwards it is handled as it would have been.
    """

    def __enter__(self) -> None:
        self.came = self.held = False
        self.before = signal.getsignal(signal.SIGINT)
        if callable(self.before):
            try:
                signal.signal(signal.SIGINT, self._note)
                self.held = True
            except ValueError:  # not the main thread, which alone is interrupted
                pass

    def __exit__(self, *_: object) -> None:
        if self.held:
            signal.signal(signal.SIGINT, self.before)
            if self.came:
                self.before(signal.SIGINT, None)

    def _note(self, *_: object) -> None:
        self.came = True
