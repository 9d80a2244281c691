"""Ctrl-C while Python still imports, or already leaves: the process ends without a word. Imported before all else."""

import _signal as signal  # type: ignore[import-not-found]  # `signal` itself imports for some milliseconds

_BEFORE = signal.getsignal(signal.SIGINT)  # ignored, where a shell has started us in the background


def silence() -> None:
    """From now on there is nothing to clean up."""
    if _BEFORE is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def heed() -> None:
    """From now on it is a KeyboardInterrupt."""
    signal.signal(signal.SIGINT, _BEFORE)


silence()
