"""The distance of a point from the places at which a primitive changes its rule: kinks, jumps and ties."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

from ..interpreters.floats import IEEE
from ..rows import LIBRARY, Primitive, find

Function = Callable[..., float]


class Margins:
    """A namespace of floats. It notes the smallest distance between an operand and a change of rule.

    Every choice that a row makes goes through it: comparisons, absolute values, roundings and remainders.
    """

    def __init__(self) -> None:
        self.smallest = math.inf

    def note(self, distance: float) -> None:
        """Keep a distance if it is the smallest so far."""
        self.smallest = min(self.smallest, distance)

    def less(self, x: float, y: float) -> bool:
        self._compared(x, y)
        return x < y

    def equal(self, x: float, y: float) -> bool:
        self._compared(x, y)
        return x == y

    def _compared(self, x: float, y: float) -> None:
        if x is not y and math.isfinite(x) and math.isfinite(y):  # `x == x` asks for a nan
            self.note(abs(x - y))

    def abs(self, x: float) -> float:
        self.note(abs(x))
        return abs(x)

    def floor(self, x: float) -> float:
        self._rounded(x)
        return IEEE.floor(x)  # type: ignore[no-any-return]

    def ceil(self, x: float) -> float:
        self._rounded(x)
        return IEEE.ceil(x)  # type: ignore[no-any-return]

    def round(self, x: float) -> float:
        self._rounded(x + 0.5)
        return IEEE.round(x)  # type: ignore[no-any-return]

    def _rounded(self, x: float) -> None:
        if math.isfinite(x):
            self.note(min(x - math.floor(x), math.ceil(x) - x))

    def mod(self, x: float, y: float) -> float:
        self._divided(x, y)
        return IEEE.mod(x, y)  # type: ignore[no-any-return]

    def floordiv(self, x: float, y: float) -> float:
        self._divided(x, y)
        return IEEE.floordiv(x, y)  # type: ignore[no-any-return]

    def _divided(self, x: float, y: float) -> None:
        if y and math.isfinite(x) and math.isfinite(y):
            remainder = abs(math.fmod(x, y))
            self.note(min(remainder, abs(y) - remainder))

    def atan2(self, y: float, x: float) -> float:
        self.note(abs(y) if x <= 0 else math.inf)
        return IEEE.atan2(y, x)  # type: ignore[no-any-return]

    def hypot(self, x: float, y: float) -> float:
        self.note(IEEE.hypot(x, y))
        return IEEE.hypot(x, y)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Function:
        if name in LIBRARY:
            function: Function = getattr(IEEE, name)
            return function
        return functools.partial(find(name).forward, self)


def margin(row: Primitive, args: Sequence[float]) -> float:
    """Return the distance of a point from the next change of rule: 0.0 at a kink, a jump or a tie.

    Large numbers that differ by less than their rounding count as a tie only if they are equal. Not every
    change is a kink: softplus changes its formula at 0, and is smooth there.
    """
    margins = Margins()
    if not row.opaque:
        row.forward(margins, *[x * 1.0 for x in args])  # copies: two equal operands are a tie, one with itself is not
    for kink in row.kinks:
        margins.note(abs(args[0] - kink))
    return margins.smallest
