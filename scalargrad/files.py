"""Write files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step: an error or an interruption leaves the old file as it was.

    A symbolic link stays a link, and the file it points to is replaced. A replaced file keeps its mode. A device
    or a pipe has no old contents to keep, so the data goes straight into it. Raises `OSError` if the folder is
    missing, or if the folder or the old file can't be written to.
    """
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as device:  # Python refuses a folder here
            device.write(data)
        return
    if mode is not None:
        open(path, "r+b").close()  # Python refuses a read-only file here; the replacement below would not
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".scalargrad-{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb") as file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _mode(path: str | os.PathLike[str]) -> int | None:
    """Return the mode of the file behind all links, or None if there is none yet."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None
