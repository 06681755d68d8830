"""The instructions that only a program has: conditions as numbers, and the choice between two operands.

They are rows like those of the table, so every back end has them. Eager code never needs them: there a
comparison gives a bool, and a choice inside a row takes its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.nodes import NODES, Gate
from ..rows import Binary, Fixed, Functions, Primitive, find

__all__ = ["CHOOSE", "EQUAL", "LESS", "lookup"]


class _Condition(Binary):
    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.name,)


class _Choose(Fixed):
    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.name,)

    def derivatives(self, m: Functions, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        if m is NODES:
            return [None, Gate(args[0], True), Gate(args[0], False)]
        return [None, *(1.0 if (args[0] != 0.0) is side else 0.0 for side in (True, False))]


LESS = _Condition("less", lambda m, x, y: m.select(m.less(x, y), 1.0, 0.0), None, None, doc="1 where x < y, else 0.")
EQUAL = _Condition("equal", lambda m, x, y: m.select(m.equal(x, y), 1.0, 0.0), None, None, doc="1 where x = y, else 0.")
CHOOSE = _Choose(
    "choose",
    lambda m, condition, x, y: m.select(m.equal(condition, 0.0), y, x),
    None,
    None,
    None,
    doc="x where the condition is not 0, else y: a choice inside a row.",
)


def lookup(name: str) -> Primitive:
    """The row of that name, one of the table's or one of these."""
    return {"less": LESS, "equal": EQUAL, "choose": CHOOSE}.get(name) or find(name)
