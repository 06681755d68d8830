"""Finds the leaves whose data was assigned after the forward pass, and so is not that of the values below them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..engine.value import Value
from ..interpreters.floats import IEEE
from ..rows import Output
from .naming import Names

__all__ = ["CHANGED", "changes", "same"]

CHANGED = "changed since the forward pass"


def changes(order: Sequence[Value], names: Names) -> dict[int, str]:
    """Return a note, by `id`, for each leaf whose data is no longer that of the forward pass.

    If it could be one of several leaves, the note is that of the node that was computed from them. Nodes are computed
    anew to find out, except those of opaque primitives.
    """
    notes: dict[int, str] = {}
    for node in order:
        leaves = {id(arg): arg for arg in node.args if isinstance(arg, Value) and arg.primitive is None}
        if leaves and not _is_current(node):
            if len(leaves) == 1:
                notes[next(iter(leaves))] = CHANGED
            elif not any(key in notes for key in leaves):
                notes[id(node)] = f"{' or '.join(names[leaf].text for leaf in leaves.values())} {CHANGED}"
    return notes


def _is_current(node: Value) -> bool:
    primitive = node.primitive
    data = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
    if isinstance(primitive, Output):
        return same(primitive.vector.forward(IEEE, *data)[primitive.index], node.data)
    if primitive is None or primitive.opaque:
        return True
    try:
        return same(primitive.forward(IEEE, *data), node.data)
    except (ArithmeticError, ValueError):  # a user's primitive refuses the data of now
        return False


def same(x: float, y: float) -> bool:
    """Return True if two numbers are equal up to rounding, or both nan."""
    return x == y or math.isclose(x, y, rel_tol=1e-9) or (math.isnan(x) and math.isnan(y))
