"""Derivatives by differences of function values, extrapolated, with an estimate of their error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Difference", "differences"]

STEPS = 18
REFUSALS = (ValueError, ZeroDivisionError, OverflowError)


@dataclass(frozen=True)
class Difference:
    """A derivative by differences: its value, the estimate of its error, and the step that gave it."""

    value: float
    error: float
    step: float


UNKNOWN = Difference(math.nan, math.inf, math.nan)


def differences(f: Callable[[float], Sequence[float]], x: float, side: int = 0) -> list[Difference]:
    """The derivatives of all outputs of f at x: central for side 0, from the right for 1, from the left for −1.

    Richardson's extrapolation over halved steps; of all entries of its table the one is taken that agrees
    best with its neighbours. Where f refuses a point or is infinite there, smaller steps remain. Source:
    C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", 1982.
    """
    centre = list(f(x))
    best = [UNKNOWN] * len(centre)
    previous: list[list[float]] = []
    for n in range(STEPS):
        step = math.ldexp(1.0, math.frexp(max(abs(x), 1.0))[1] - 4 - n)
        slopes = _slopes(f, x, step, side, centre)
        if slopes is None:
            previous = []
            continue
        current = [[slope] for slope in slopes]
        for i, row in enumerate(current):
            noise = 4 * math.ulp(max(abs(centre[i]), abs(slopes[i] * step))) / step
            coarser = previous[i] if previous else []
            for j, older in enumerate(coarser):
                factor = 2.0 ** ((j + 1) * (1 if side else 2))
                row.append(row[j] + (row[j] - older) / (factor - 1.0))
                # The two slopes that an entry is made of may agree by chance, those at h and 2h of an odd function.
                neighbours = (row[j], older, *coarser[j + 1 : j + 2])
                error = max([abs(row[j + 1] - neighbour) for neighbour in neighbours]) + noise
                if len(neighbours) == 3 and error < best[i].error:
                    best[i] = Difference(row[j + 1], error, step)
        previous = current
    return best


def _slopes(
    f: Callable[[float], Sequence[float]], x: float, step: float, side: int, centre: Sequence[float]
) -> list[float] | None:
    try:
        if side:
            slopes = [(y - c) / (side * step) for y, c in zip(f(x + side * step), centre, strict=True)]
        else:
            slopes = [(r - q) / (2 * step) for r, q in zip(f(x + step), f(x - step), strict=True)]
    except REFUSALS:
        return None
    return slopes if all(map(math.isfinite, slopes)) else None
