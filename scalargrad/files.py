"""Files: written whole or not at all, and JSON documents that say their format and version."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["read_document", "write_document", "write_whole"]

VERSION = 1


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step: an error or an interruption leaves the old file as it was.

    A symbolic link stays a link, and the file it points to is replaced. The new file keeps the mode of the old one.
    A device or a pipe has no old contents to keep, so the data goes straight into it. Raises `OSError` if the folder
    is missing, or if the folder or the old file can't be written to.
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


def write_document(path: str | os.PathLike[str], kind: str, /, **parts: Any) -> None:
    """Write a JSON document of a kind, such as "parameters", whole or not at all. Floats are stored exactly.

    Raises `ValueError` for a number that is not finite, and `OSError` as `write_whole` does.
    """
    document = {"format": f"scalargrad {kind}", "version": VERSION, **parts}
    # One line for each part. With `indent`, Python's own slow writer would write everything.
    lines = [f'"{name}": {json.dumps(part, ensure_ascii=False, allow_nan=False)}' for name, part in document.items()]
    write_whole(path, ("{" + ",\n ".join(lines) + "}\n").encode())


def read_document(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """Return the document that `write_document` wrote to a file.

    Raises `ValueError` if the file is cut off, is not JSON, is of another kind or a later version, or has a number
    that is not finite, and `OSError` if the file can't be read.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(f"not a file of {kind}: nested too deeply") from None
    except ValueError as error:  # not UTF-8, not JSON, a nan, a number of too many digits
        raise ValueError(f"cut off, or not a file of {kind}: {error}") from None
    if not isinstance(document, dict) or document.get("format") != f"scalargrad {kind}":
        raise ValueError(f'not a file of {kind}: it does not say "format": "scalargrad {kind}"')
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise ValueError(f"of version {version!r}, but this scalargrad reads version {VERSION}; update scalargrad")
    return document


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"it has the number {text}, but numbers must be finite")
