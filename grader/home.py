"""Where everything that belongs to this person is kept, and how a file there is written."""

import os
from collections.abc import Mapping
from pathlib import Path


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """LEARN_HOME, else the platform's folder for a user's data."""
    if chosen := environ.get("LEARN_HOME"):
        return Path(chosen).expanduser().absolute()
    import platformdirs  # 10 ms

    return Path(platformdirs.user_data_dir("learn", appauthor=False))


def write(path: Path, data: bytes, mode: int = 0o600, *, durable: bool = False) -> None:
    """All or nothing: a reader, or a kill, finds the old file or the new one. `durable`: so does a loss of power.

    Raises OSError, and leaves nothing behind.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.unlink(missing_ok=True)  # of a process of our number that was killed
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as f:  # noqa: PTH123
            os.fchmod(f.fileno(), mode)  # whatever the umask
            f.write(data)
            f.flush()
            if durable:
                os.fsync(f.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
