"""Where a primitive is defined: intervals, and domains that tie the arguments together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`, in brackets that include (`[`) or exclude (`(`) the ends."""

    low: float
    high: float
    brackets: str = "()"
    without_zero: bool = False

    def __contains__(self, x: float) -> bool:
        above = x >= self.low if self.brackets[0] == "[" else x > self.low
        below = x <= self.high if self.brackets[1] == "]" else x < self.high
        return math.isnan(x) or (above and below and not (self.without_zero and x == 0))

    def __str__(self) -> str:
        left, right = self.brackets[0], self.brackets[1]
        if self.without_zero:
            return f"{left}{self.low:g}, 0) or (0, {self.high:g}{right}"
        return f"{left}{self.low:g}, {self.high:g}{right}"


REAL = Interval(-math.inf, math.inf)
NONZERO = Interval(-math.inf, math.inf, without_zero=True)
POSITIVE = Interval(0.0, math.inf)
NONNEGATIVE = Interval(0.0, math.inf, "[)")


@dataclass(frozen=True)
class Joint:
    """A domain that ties the arguments together: its text, and the test of a point."""

    text: str
    contains: Callable[..., bool]

    def __str__(self) -> str:
        return self.text
