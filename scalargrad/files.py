"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step: an error or an interruption leaves what was there before.

    A link is followed, and a file that is replaced keeps its mode. Raises `OSError` where the folder is
    missing or can't be written to.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".scalargrad-{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        if target.exists():
            os.chmod(temporary, target.stat().st_mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
