"""Derivatives by differences of values, whose steps find their own scale, with an estimate of their error."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .estimates import (
    FACTOR,
    LEVEL,
    SHARP,
    Estimate,
    Row,
    contradicted_by_smallest_steps,
    decides,
    estimates,
    finest,
    local,
    run_of,
)

__all__ = ["REFUSALS", "TINY", "Line", "Slope", "derivatives", "magnitude", "quiet"]

__tracebackhide__ = True  # pytest leaves the frames of this module out

Along = Callable[[float], Sequence[float]]
"""A function's numbers at a step from the point, along one line."""

EXPONENTS = range(-2, -51, -3)
"""The steps that are always tried, as powers of 2 of the scale; larger ones follow only if these decide nothing."""
FROM_ZERO = range(-2, -75, -3)
"""The same for steps from 0, which may be ever so small."""
LARGEST = 80
SLOW = 2.0
"""If a larger step takes that many seconds, no further ones are tried."""
FARTHEST = 2.0**42
"""A function that seems to be constant is looked at up to that distance."""
RESOLUTION = 3e-6
"""Jumps below that size, relative to f, come from rounding, such as single precision."""
JUMP = 1e-2
"""Jumps above that size, relative to f, are its own; of those between nobody can tell."""
TINY = 1e-290
"""Below that size nothing is compared: doubles lose their digits there."""
FEWEST = 5
"""Of fewer steps nothing is estimated."""
REFUSALS = (ArithmeticError, ValueError)


@dataclass(frozen=True)
class Slope:
    """A derivative by differences: value, error, step, the slopes of the two sides, and the trouble, if any.

    At a smooth point `left` and `right` equal the value. `trouble` says why the differences decide nothing, and
    `uncertain` that larger steps might decide. A derivative of the size `unseen` changes f by less than its last digit;
    -1.0 if jumps are in the way. `flat` says that f is the same at the step, `noise` how far its values scatter.
    """

    value: float
    error: float
    step: float
    left: float
    right: float
    trouble: str = ""
    uncertain: bool = False
    unseen: float = 0.0
    flat: bool = False
    noise: float = 0.0


def derivatives(f: Callable[[float], Sequence[float]], x: float) -> list[Slope]:
    """Return the derivatives of all numbers that f returns, at x.

    >>> found = derivatives(lambda x: [x**3, abs(x - 2)], 2.0)
    >>> [(round(slope.value, 9), slope.left, slope.right) for slope in found][1]
    (0.0, -1.0, 1.0)
    """
    return Line(lambda h: f(x + h), f(x), magnitude(x), from_zero=x == 0.0).slopes()


def magnitude(x: float, otherwise: float = 1.0) -> float:
    """Return the power of 2 just above |x|, so that steps from x are exact; `otherwise` for 0."""
    return math.ldexp(1.0, min(max(math.frexp(x)[1], -900), 1023)) if x else otherwise


class Line:
    """The values of a function at steps from a point: a fixed range of them, and larger ones if those don't decide.

    Richardson's extrapolation joins three neighbouring steps. An estimate's error comes from how fast it settles,
    and from how much all finer ones scatter; the estimate with the smallest error counts. If estimates at small
    and at large steps contradict each other, the small ones are right, unless f jumps by its rounding between
    them. Source: C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", 1982.
    """

    def __init__(self, f: Along, middle: Sequence[float], scale: float = 1.0, from_zero: bool = False) -> None:
        self.f = f
        self.middle = middle
        self.scale = scale
        self.largest = scale * 2.0 ** EXPONENTS[0]
        self.jumps: dict[tuple[int, float], tuple[float, float]] = {}
        self.changes: dict[tuple[int, float], float] = {}
        self.slow = False
        exponents = EXPONENTS if not from_zero else FROM_ZERO
        self.samples = [self._sample(scale * 2.0**exponent) for exponent in exponents]

    def slopes(self, sharp: float = SHARP) -> list[Slope]:
        """Return the slope of each output. Larger steps are tried until each error is at most `sharp` of its slope."""
        found = [self._slope(i, sharp) for i in range(len(self.middle))]
        for exponent in range(EXPONENTS[0] + 3, LARGEST, 3):
            uncertain = [i for i, slope in enumerate(found) if slope.uncertain and not self._constant(i)]
            if not uncertain or self.slow:
                break
            sample = self._sample(self.scale * 2.0**exponent)
            if sample[1] is sample[2] is None:
                break
            self.samples.insert(0, sample)
            for i in uncertain:
                further = self._slope(i, sharp)
                apart = abs(further.value - found[i].value) > further.error + found[i].error
                if found[i].unseen < 0.0 or (further.unseen >= 0.0 and not apart):  # far away f may be another one
                    found[i] = further
        flat = [i for i in range(len(self.middle)) if self._constant(i)]
        if flat and (scale := self._larger_scale(flat)):
            for i, slope in enumerate(Line(self.f, self.middle, scale).slopes(sharp)):
                found[i] = slope if i in flat else found[i]
        return found

    def _constant(self, i: int) -> bool:
        return all(side is None or side[i] == self.middle[i] for _, *sides in self.samples for side in sides)

    def _larger_scale(self, outputs: Sequence[int]) -> float | None:
        """Return a scale at which one of the outputs changes, if there is one."""
        scale = self.scale
        while scale < max(FARTHEST, self.scale * 2.0**40) and not self.slow:
            scale *= 64
            _, *sides = self._sample(scale)
            if any(side and side[i] != self.middle[i] for side in sides for i in outputs):
                return scale
        return None

    def _sample(self, step: float) -> tuple[float, Sequence[float] | None, Sequence[float] | None]:
        began = time.perf_counter()
        sample = step, self._values(step), self._values(-step)
        # At large steps a loop whose length depends on the argument may not end.
        self.slow = self.slow or (step > self.scale and time.perf_counter() - began > SLOW)
        return sample

    def _values(self, step: float) -> Sequence[float] | None:
        with quiet():
            try:
                return self.f(step)
            except REFUSALS:
                return None

    def _row(self, i: int, step: float, plus: Sequence[float] | None, minus: Sequence[float] | None) -> Row:
        return Row(step, plus[i] if plus else math.nan, self.middle[i], minus[i] if minus else math.nan)

    def _slope(self, i: int, sharp: float) -> Slope:
        rows = [self._row(i, *sample) for sample in self.samples]
        both = run_of(rows, lambda row: math.isfinite(row.central))
        if len(both) >= FEWEST:
            return self._of_both_sides(i, both, sharp)
        for sign in (1, -1):
            side = [row if sign > 0 else Row(row.step, row.minus, row.middle, row.plus) for row in rows]
            run = run_of(side, lambda row: math.isfinite(row.plus))
            if len(run) >= FEWEST:
                return self._of_one_side(run, sign, sharp)
        return Slope(math.nan, math.inf, math.nan, math.nan, math.nan, "f has no finite values around the point")

    def _of_one_side(self, rows: list[Row], sign: int, sharp: float) -> Slope:
        rows = [Row(row.step, row.plus, row.middle, row.middle) for row in rows]
        best = min(estimates(rows, lambda row: 2 * row.central, 1), key=lambda each: each.error)
        settled = decides(best, sharp, self._steepest(rows, best))
        trouble = "" if settled else "f has values on one side only, and their slope doesn't settle"
        value = sign * best.value
        return Slope(value, best.error, rows[best.index].step, value, value, trouble)

    def _of_both_sides(self, i: int, rows: list[Row], sharp: float) -> Slope:
        best, contradicted, rows, trouble = self._central(i, rows)
        value, step = best.value, rows[best.index].step
        unseen = -1.0 if trouble else math.ulp(self.middle[i]) / self.largest
        if not rows[best.index].chord:
            change = self._first_change(i, rows)
            if not trouble:
                unseen = max(unseen, change / self.largest) if change else 1e-3 * unseen
            uncertain = bool(trouble) or not contradicted
            return Slope(0.0, max(best.error, change / step), step, 0.0, 0.0, trouble, uncertain, unseen, flat=True)
        steepest = self._steepest(rows, best)
        uncertain = bool(trouble) or best.error > max(sharp * abs(value), 1e-4 * LEVEL * steepest)
        if not trouble and not decides(best, sharp, steepest):
            trouble = f"the differences are uncertain: {value:.6g} ± {best.error:.2g}"
        half = 0.0
        if not trouble:
            half, trouble = self._half_gap(rows[max(best.index - 3, 0) :], abs(value))
        return Slope(value, best.error, step, value - half, value + half, trouble, uncertain, unseen, noise=best.noise)

    def _half_gap(self, rows: list[Row], slope: float) -> tuple[float, str]:
        """Return half of the difference between the slopes of the two sides, 0.0 at a smooth point, and the trouble."""
        found = estimates(rows, lambda row: row.gap, 1, 2.0)
        best = finest([each for each in found if each.doubt <= 0.1 * rows[each.index].chord] or found)[0]
        steepest = max(slope, self._steepest(rows, best))
        kink = abs(best.value) > max(8 * best.error, LEVEL * steepest)
        settled = 8 * best.doubt <= abs(best.value) if kink else best.error <= 0.1 * steepest
        return (best.value / 2 if kink else 0.0), "" if settled else "the slopes of the two sides don't settle"

    def _steepest(self, rows: Sequence[Row], best: Estimate) -> float:
        """Return the steepest chord at the best step, the next larger one, and all larger ones of the fixed range."""
        rows = [row for k, row in enumerate(rows[: best.index + 1]) if row.step <= self.largest or k >= best.index - 1]
        return max(row.chord for row in rows)

    def _central(self, i: int, rows: list[Row]) -> tuple[Estimate, bool, list[Row], str]:
        """Return the estimate, whether larger steps contradict it, the rows that it may rely on, and the trouble."""
        best, coarse = finest(local(rows, estimates(rows, lambda row: row.central, 2)))
        trouble, size = "", self._size(i, rows)
        if coarse is not None:
            step, jump = self._jump(i, rows, best, coarse)
            kept = [row for row in rows if row.step > step]
            if RESOLUTION * size < jump < JUMP * size or (0 < jump <= RESOLUTION * size and len(kept) < FEWEST):
                trouble = f"f jumps by {jump:.2g} at a distance of {step:.2g}"
            elif 0 < jump <= RESOLUTION * size:
                rows = kept
                best = finest(local(rows, estimates(rows, lambda row: row.central, 2, scatter=jump)))[0]
        elif contradicted_by_smallest_steps(rows, best):
            trouble = "f changes faster than the smallest steps that its argument allows"
        if best.noise > RESOLUTION * size and not trouble:
            trouble = f"f's values scatter or jump by about {best.noise:.2g}"
        return best, coarse is not None, rows, trouble

    def _size(self, i: int, rows: Sequence[Row]) -> float:
        """Return the largest absolute value of f in the fixed range, or near 0 at steps of ordinary size."""
        near = [row for row in rows if row.step <= max(self.largest, 0.25)]
        return max(abs(x) for row in near for x in (row.plus, row.minus, row.middle))

    def _first_change(self, i: int, rows: Sequence[Row]) -> float:
        """Return the size of f's first change away from the point: its rounding, or tiny at a kink; 0 if none."""
        changed = [row.step for row in rows if row.chord]
        if changed and (i, changed[-1]) not in self.changes:
            low, high, change = changed[-1] / FACTOR, changed[-1], math.inf
            for _ in range(30):
                middle = (low + high) / 2
                row = self._row(i, *self._sample(middle))
                if row.chord:
                    high, change = middle, row.chord * 2 * middle
                else:
                    low = middle
            self.changes[i, changed[-1]] = change
        return self.changes[i, changed[-1]] if changed else 0.0

    def _jump(self, i: int, rows: Sequence[Row], fine: Estimate, coarse: Estimate) -> tuple[float, float]:
        """Return the step at which the fine slope ends, between the two, and the size of f's jump there, or 0."""
        low, high = rows[fine.index].step, rows[coarse.index].step
        if (i, low) not in self.jumps:
            key, change, departed = (i, low), coarse.value - fine.value, 1.0
            for _ in range(16):
                middle = math.sqrt(low * high)
                share = abs((self._row(i, *self._sample(middle)).central - fine.value) / change)
                if share > 0.02:
                    high, departed = middle, share
                else:
                    low = middle
            self.jumps[key] = high, departed * abs(change) * high if departed > 0.1 else 0.0
        return self.jumps[i, rows[fine.index].step]


@contextlib.contextmanager
def quiet():  # type: ignore[no-untyped-def]
    """Silence NumPy's warnings inside the block: a nan or an infinity is a refusal here."""
    numpy = sys.modules.get("numpy")
    with numpy.errstate(all="ignore") if numpy else contextlib.nullcontext():
        yield
