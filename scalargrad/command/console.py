"""Print for a console: in signs that it has, lines that fit and colours that are wanted."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from typing import Any

from ..interpreters import names
from .tokens import columns, printable

__all__ = ["printed", "show", "show_error"]

BOLD, RED, PLAIN_STYLE = "\033[1m", "\033[31m", "\033[0m"
INDENT = 6


def show(text: str, file: Any) -> None:
    """Print a text as the console can show it: with headings in bold and long lines folded on a terminal."""
    lines = printed(text, file).split("\n")
    if is_terminal(file):
        lines = [part for line in lines for part in _folded(line)]
    if has_colors(file):
        lines = [line if not line or line.startswith(" ") else f"{BOLD}{line}{PLAIN_STYLE}" for line in lines]
    print("\n".join(lines), file=file)


def show_error(text: str, file: Any) -> None:
    """Print what is wrong: the message, and below it the place, if there are lines for it."""
    first, *place = printed(printable(text), file).split("\n")
    if has_colors(file):
        first = first.replace("scalargrad:", f"{BOLD}{RED}scalargrad:{PLAIN_STYLE}", 1)
        place = [f"{RED}{line}{PLAIN_STYLE}" if not line.strip(" ^") else line for line in place]
    print("\n".join([first, *place]), file=file)


def is_terminal(file: Any) -> bool:
    """Return whether a person reads along, not a file or a pipe."""
    return bool(getattr(file, "isatty", bool)())


def has_colors(file: Any) -> bool:
    """Return whether to colour: on a terminal, unless NO_COLOR is set or it is dumb."""
    return is_terminal(file) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def printed(text: str, file: Any) -> str:
    """Return the text as the console can print it: as it is, or with ASCII in place of mathematical signs."""
    return names.printable(text, getattr(file, "encoding", None))


def _folded(line: str) -> list[str]:
    width = shutil.get_terminal_size().columns
    if columns(line) <= width or width < 2 * INDENT:
        return [line]
    margin = line[: len(line) - len(line.lstrip())] + " " * INDENT
    lines = [""]
    for piece in re.split(r"(?<=\S)(?= = )|\s+(?=\(was )", line):  # at an equals sign, or before a remark
        whole = f"{lines[-1]} {piece.strip()}" if lines[-1] else piece
        if columns(whole) <= width:
            lines[-1] = whole
        else:
            lines.append(margin + piece.strip())
    options: dict[str, Any] = {"break_on_hyphens": False, "break_long_words": False, "subsequent_indent": margin}
    return [part for whole in lines if whole for part in textwrap.wrap(whole, width, **options)]
