"""Slopes extrapolated from values at ever smaller steps, and which of them counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Estimate", "Row", "contradicted_by_smallest_steps", "decides", "estimates", "finest", "local", "run_of"]

__tracebackhide__ = True

FACTOR = 8.0
"""Each step is that much smaller than the one before."""
SHARP = 5e-4
"""The largest relative error of a slope that still decides: a rule that is wrong by 0.1 % must be seen."""
LEVEL = 1e-6
"""A slope near 0 is known well enough when its error is that small beside the slopes nearby."""
NEGLIGIBLE = 1e-7
"""Relative contradictions below that size come from rounding."""


@dataclass(frozen=True)
class Row:
    """One output at two points around the middle. A number that f refused is nan."""

    step: float
    plus: float
    middle: float
    minus: float

    @property
    def central(self) -> float:
        """The slope from left to right."""
        return (self.plus - self.minus) / (2 * self.step)

    @property
    def gap(self) -> float:
        """The slope to the right minus that to the left."""
        return ((self.plus - self.middle) - (self.middle - self.minus)) / self.step

    @property
    def chord(self) -> float:
        """The mean absolute slope of the two sides; 0.0 if f is the same at all three points."""
        return (abs(self.plus - self.middle) + abs(self.middle - self.minus)) / (2 * self.step)

    @property
    def rounding(self) -> float:
        """The error of the central slope if each value is right to its last digit."""
        return 2 * math.ulp(max(abs(self.plus), abs(self.middle), abs(self.minus))) / self.step


@dataclass(frozen=True)
class Estimate:
    """An extrapolated slope at the step of one row.

    `doubt` is its error without trust in the extrapolation, and `noise` is how far f's values scatter.
    """

    index: int
    value: float
    error: float
    doubt: float
    noise: float


def run_of(rows: Sequence[Row], fits: Callable[[Row], bool]) -> list[Row]:
    """Return the longest run of rows that fit."""
    runs = [list(run) for fit, run in itertools.groupby(rows, fits) if fit]
    return max(runs, key=len, default=[])


def estimates(
    rows: Sequence[Row], slope: Callable[[Row], float], order: int, roundings: float = 1.0, scatter: float = 0.0
) -> list[Estimate]:
    """Return the extrapolated slopes, the finest first. The error of a plain slope shrinks with step**order.

    The error of a value is `roundings` times its last digit, plus `scatter`.
    """
    slopes = [slope(row) for row in rows]
    better = _extrapolated(slopes, order)
    changes = [math.inf, abs(slopes[1] - slopes[0]), *map(_change, itertools.pairwise(better[1:]))]
    found: list[Estimate] = []
    noise = 0.0  # of the values, as the finer steps show it
    for k in range(len(rows) - 1, 0, -1):
        step, change = rows[k].step, changes[k]
        if k < len(rows) - 2:
            # The changes of a series that settles shrink like a geometric one, whose rest is ratio / (1 - ratio).
            ratio = change / changes[k - 1] if changes[k - 1] else 0.0
            rest = change * max(1 / 8, min(1.25 * ratio / (1 - ratio), 2.0) if ratio < 1 else 2.0)
            error = max(rest, noise / step) if change * step > noise else noise / step
            rounding = roundings * rows[k].rounding + scatter / step
            found.append(Estimate(k, better[k], error + rounding, max(change, noise / step) + rounding, noise))
        noise = max(noise, change * step)
    return found


def _extrapolated(slopes: Sequence[float], order: int) -> list[float]:
    weight = FACTOR**order - 1
    return [slopes[0], *[fine + (fine - coarse) / weight for coarse, fine in itertools.pairwise(slopes)]]


def _change(pair: tuple[float, float]) -> float:
    return abs(pair[1] - pair[0])


def decides(best: Estimate, sharp: float, steepest: float) -> bool:
    """Tell whether an estimate is sharp, or cannot be told from 0 beside the slopes nearby."""
    nothing = abs(best.value) <= 8 * best.error and best.error <= LEVEL * steepest
    return best.error <= sharp * abs(best.value) or nothing


def contradicted_by_smallest_steps(rows: Sequence[Row], best: Estimate) -> bool:
    """Tell whether the three smallest steps, too few for an estimate, agree on another slope."""
    slopes = [row.central for row in rows[-3:]]
    scatter = max(slopes) - min(slopes) + rows[-1].rounding + best.doubt
    return min(abs(slope - best.value) for slope in slopes) > 16 * scatter


def local(rows: Sequence[Row], found: Sequence[Estimate]) -> list[Estimate]:
    """Return the estimates at steps within which f is smooth or has one kink, as its even part tells.

    Beyond that range the differences of a bounded function tend to 0, whatever its derivative is.
    """
    gaps = [row.gap for row in rows]
    changes = list(map(_change, itertools.pairwise(_extrapolated(gaps, 1))))
    settled = [changes[k] <= max(0.1 * abs(gaps[k]), 4 * rows[k].rounding) for k in range(len(changes))]
    near = [
        each
        for each in found
        if each.doubt <= SHARP * abs(each.value) or (settled[each.index] and settled[each.index + 1])
    ]
    return near or list(found)


def finest(found: Sequence[Estimate]) -> tuple[Estimate, Estimate | None]:
    """Return the best estimate, or a finer one that contradicts it; and the coarser one of a contradiction."""
    best = min(found, key=lambda each: each.error)
    rivals = [
        each
        for each in found
        if abs(each.value - best.value)
        > max(8 * (each.doubt + best.doubt), NEGLIGIBLE * max(abs(each.value), abs(best.value)))
    ]
    if not rivals:
        return best, None
    fine = max([best, *rivals], key=lambda each: each.index)
    return fine, min(rivals, key=lambda each: each.error) if fine is best else best
