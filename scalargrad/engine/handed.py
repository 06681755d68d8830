"""The numbers that running derivatives handed to their functions, and the rules that protect them.

Inside a derivative, a copy of such a number is the number itself, a hash or a pickle of what depends on it is refused,
and a refused `float(v)` is noted. Outside, nothing of this costs time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HASHING = "look a number up with any(x == key for key in keys), or by v.data"

HANDED_IN: dict[int, list[str]] = {}
"""By `id` the Values that running derivatives handed to their functions, in all threads: each with a list of its run,
which `note_refusal` fills."""


def depends_on_argument(value: Any) -> bool:
    """Return True if the value depends on one that a running derivative handed to its function."""
    return next(arguments_under(value), None) is not None


def arguments_under(value: Any) -> Iterator[int]:
    """Yield the `id` of every Value under this one that a running derivative handed to its function."""
    reached, seen = [value], {id(value)}
    while reached:
        node = reached.pop()
        if id(node) in HANDED_IN:
            yield id(node)
        for parent in node.parents:
            if id(parent) not in seen:
                seen.add(id(parent))
                reached.append(parent)


def note_refusal(value: Any) -> None:
    """Tell the running derivatives that a Value refused to turn into a float, in case their function goes on."""
    if HANDED_IN and not all(HANDED_IN.values()):
        for key in arguments_under(value):
            HANDED_IN.get(key, []).append(repr(value))
