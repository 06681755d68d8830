"""Derivatives by differences of values, whose steps find their own scale, with an estimate of their error."""

from __future__ import annotations

import contextlib
import itertools
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Line", "Slope", "derivatives", "magnitude"]

__tracebackhide__ = True  # pytest leaves the frames of this module out

Along = Callable[[float], Sequence[float]]
"""A function's numbers at a step from the point, along one line."""

FACTOR = 8.0
"""Each step is that much smaller than the one before."""
EXPONENTS = range(-2, -51, -3)
"""The steps that are always tried, as powers of 2 of the scale; larger ones follow only if these decide nothing."""
LARGEST = 80
SLOW = 2.0
"""After larger steps that took so many seconds no further ones are tried."""
FARTHEST = 2.0**42
"""So far away it looks whether a function that seems to be constant changes."""
SHARP = 5e-4
"""The largest relative error of a slope that still decides: a rule that is wrong by 0.1 % must be seen."""
LEVEL = 1e-6
"""A slope near 0 is known well enough when its error is that small beside the function's changes nearby."""
RESOLUTION = 3e-6
"""Jumps below that size, relative to f, come from rounding, such as single precision."""
JUMP = 1e-2
"""Jumps above that size, relative to f, are its own; of those between nobody can tell."""
TINY = 1e-290
"""Below that size nothing is compared: doubles lose their digits there."""
NEGLIGIBLE = 1e-7
"""Relative contradictions below that size come from rounding."""
FEWEST = 5
"""Of fewer steps nothing is estimated."""
REFUSALS = (ArithmeticError, ValueError)


@dataclass(frozen=True)
class Slope:
    """A derivative by differences: value, error, step, the slopes of the two sides, and the trouble, if any.

    At a smooth point `left` and `right` equal the value. `trouble` says why the differences decide nothing,
    `uncertain` that larger steps might decide,
    `unseen` is a derivative that changes f by less than its last digit, `flat` says
    that f is the same at the step, and `noise` is how far its values scatter.
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


@dataclass(frozen=True)
class _Estimate:
    """An extrapolated slope at one step.

    `doubt` is its error without trust in the extrapolation, and `noise` is how far f's values scatter.
    """

    index: int
    value: float
    error: float
    doubt: float
    noise: float


@dataclass(frozen=True)
class _Row:
    """One output at two points around the middle; a number that f refused is nan."""

    step: float
    plus: float
    middle: float
    minus: float

    @property
    def central(self) -> float:
        return (self.plus - self.minus) / (2 * self.step)

    @property
    def gap(self) -> float:
        """The slope to the right minus that to the left."""
        return ((self.plus - self.middle) - (self.middle - self.minus)) / self.step

    @property
    def chord(self) -> float:
        return (abs(self.plus - self.middle) + abs(self.middle - self.minus)) / (2 * self.step)

    @property
    def rounding(self) -> float:
        """The error of a slope if each value is right to its last place."""
        return 2 * math.ulp(max(abs(self.plus), abs(self.middle), abs(self.minus))) / self.step


def derivatives(f: Callable[[float], Sequence[float]], x: float) -> list[Slope]:
    """Return the derivatives of all numbers that f returns, at x.

    >>> found = derivatives(lambda x: [x**3, abs(x - 2)], 2.0)
    >>> [(round(slope.value, 9), slope.left, slope.right) for slope in found][1]
    (0.0, -1.0, 1.0)
    """
    return Line(lambda h: f(x + h), f(x), magnitude(x)).slopes()


def magnitude(x: float, otherwise: float = 1.0) -> float:
    """Return the power of 2 just above |x|, so that steps from x are exact; `otherwise` for 0."""
    return math.ldexp(1.0, min(max(math.frexp(x)[1], -900), 1023)) if x else otherwise


class Line:
    """The values of a function at steps from a point: a fixed range of them, and larger ones if those don't decide.

    Richardson's extrapolation joins three neighbouring steps. An estimate's error comes from how fast it settles,
    and from how much all finer ones scatter; the estimate with the smallest error counts. Where estimates at small
    and at large steps contradict each other, the small ones are right, unless f jumps by its rounding between
    them. Source: C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", 1982.
    """

    def __init__(self, f: Along, middle: Sequence[float], scale: float = 1.0) -> None:
        self.f = f
        self.middle = middle
        self.scale = scale
        self.jumps: dict[tuple[int, float], tuple[float, float]] = {}
        self.changes: dict[tuple[int, float], float] = {}
        self.slow = False
        self.samples = [self._sample(scale * 2.0**exponent) for exponent in EXPONENTS]

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
                if found[i].trouble or further.unseen >= 0.0:  # not if there are jumps far away
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

    def _row(self, i: int, step: float, plus: Sequence[float] | None, minus: Sequence[float] | None) -> _Row:
        return _Row(step, plus[i] if plus else math.nan, self.middle[i], minus[i] if minus else math.nan)

    def _slope(self, i: int, sharp: float) -> Slope:
        rows = [self._row(i, *sample) for sample in self.samples]
        both = _run(rows, lambda row: math.isfinite(row.central))
        if len(both) >= FEWEST:
            return self._of_both_sides(i, both, sharp)
        for sign in (1, -1):
            side = [row if sign > 0 else _Row(row.step, row.minus, row.middle, row.plus) for row in rows]
            run = _run(side, lambda row: math.isfinite(row.plus))
            if len(run) >= FEWEST:
                return self._of_one_side(run, sign, sharp)
        return Slope(math.nan, math.inf, math.nan, math.nan, math.nan, "f has no finite values around the point")

    def _of_one_side(self, rows: list[_Row], sign: int, sharp: float) -> Slope:
        rows = [_Row(row.step, row.plus, row.middle, row.middle) for row in rows]
        best = min(_estimates(*_columns(rows, lambda row: 2 * row.central), 1), key=lambda found: found.error)
        settled = _decides(best, sharp, self._steepest(rows, best))
        trouble = "" if settled else "f has values on one side only, and their slope doesn't settle"
        value = sign * best.value
        return Slope(value, best.error, rows[best.index].step, value, value, trouble)

    def _of_both_sides(self, i: int, rows: list[_Row], sharp: float) -> Slope:
        best, contradicted, kept, trouble = self._central(i, rows)
        value, step = best.value, kept[best.index].step
        unseen = math.ulp(self.middle[i]) / (self.scale * 2.0 ** EXPONENTS[0])
        if not kept[best.index].chord:
            change = self._first_change(i, kept)
            unseen = max(unseen, change / (self.scale * 2.0 ** EXPONENTS[0])) if change else 1e-3 * unseen
            uncertain, unseen = bool(trouble) or not contradicted, -1.0 if trouble else unseen
            return Slope(0.0, max(best.error, change / step), step, 0.0, 0.0, trouble, uncertain, unseen, flat=True)
        steepest = self._steepest(kept, best)
        unseen = -1.0 if trouble else unseen
        uncertain = bool(trouble) or best.error > max(sharp * abs(value), 1e-4 * LEVEL * steepest)
        if not trouble and not _decides(best, sharp, steepest):
            trouble = f"the differences are uncertain: {value:.6g} ± {best.error:.2g}"
        gap, part = 0.0, kept[max(best.index - 3, 0) :]
        if not trouble:
            estimates = _estimates(*_columns(part, lambda row: row.gap, 2.0), 1)
            found = _finest([each for each in estimates if each.doubt <= 0.1 * part[each.index].chord] or estimates)[0]
            steepest = max(abs(value), self._steepest(part, found))
            if abs(found.value) > 8 * found.error and abs(found.value) > LEVEL * steepest:
                gap = found.value
            if (8 * found.doubt > abs(gap)) if gap else found.error > 0.1 * steepest:
                trouble = "the slopes of the two sides don't settle"
        return Slope(
            value, best.error, step, value - gap / 2, value + gap / 2, trouble, uncertain, unseen, noise=best.noise
        )

    def _steepest(self, rows: Sequence[_Row], best: _Estimate) -> float:
        """Return the steepest chord at the best step, the next larger one, and all larger ones of the fixed range."""
        largest = self.scale * 2.0 ** EXPONENTS[0]
        return max(
            row.chord for k, row in enumerate(rows[: best.index + 1]) if abs(row.step) <= largest or k >= best.index - 1
        )

    def _central(self, i: int, rows: list[_Row]) -> tuple[_Estimate, bool, list[_Row], str]:
        """Return the estimate, whether larger steps contradict it, the rows that it may rely on, and the trouble."""
        best, coarse = _finest(_local(rows, _estimates(*_columns(rows, lambda row: row.central), 2)))
        trouble = ""
        if coarse is not None:
            step, jump = self._jump(i, rows, best, coarse)
            kept = [row for row in rows if row.step > step]
            size = self._size(i, rows)
            if RESOLUTION * size < jump < JUMP * size or (jump <= JUMP * size and jump and len(kept) < FEWEST):
                trouble = f"f jumps by {jump:.2g} at a distance of {step:.2g}"
            elif 0 < jump <= RESOLUTION * size:
                steps, slopes, rounding = _columns(kept, lambda row: row.central)
                rounding = [error + jump / h for error, h in zip(rounding, steps, strict=True)]
                best, rows = _finest(_local(kept, _estimates(steps, slopes, rounding, 2)))[0], kept
        if coarse is None and _finest_slopes_contradict(rows, best):
            trouble = "f changes faster than the smallest steps that its argument allows"
        if best.noise > RESOLUTION * self._size(i, rows) and not trouble:
            trouble = f"f's values scatter or jump by about {best.noise:.2g}"
        return best, coarse is not None, rows, trouble

    def _size(self, i: int, rows: Sequence[_Row]) -> float:
        """Return the largest absolute value of f in the fixed range, or near 0 at steps of ordinary size."""
        largest = max(self.scale, 1.0) * 2.0 ** EXPONENTS[0]
        return max(abs(x) for row in rows if row.step <= largest for x in (row.plus, row.minus, row.middle))

    def _first_change(self, i: int, rows: Sequence[_Row]) -> float:
        """Return by how much f changes where it begins to: by its rounding, or hardly at all at a kink; 0 if never."""
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

    def _jump(self, i: int, rows: Sequence[_Row], fine: _Estimate, coarse: _Estimate) -> tuple[float, float]:
        """Return the step between the two at which the fine slope ends, and by how much f jumps there, or 0."""
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


def _run(rows: Sequence[_Row], fits: Callable[[_Row], bool]) -> list[_Row]:
    """Return the longest run of rows that fit."""
    runs = [list(run) for fit, run in itertools.groupby(rows, fits) if fit]
    return max(runs, key=len, default=[])


def _columns(
    rows: Sequence[_Row], slope: Callable[[_Row], float], times: float = 1.0
) -> tuple[list[float], list[float], list[float]]:
    return [row.step for row in rows], [slope(row) for row in rows], [times * row.rounding for row in rows]


def _estimates(
    steps: Sequence[float], slopes: Sequence[float], rounding: Sequence[float], order: int
) -> list[_Estimate]:
    """Return the extrapolated slopes, the finest first; the error of a plain one shrinks with step**order."""
    better = [slopes[0], *[fine + (fine - coarse) / (FACTOR**order - 1) for coarse, fine in itertools.pairwise(slopes)]]
    changes = [
        math.inf,
        abs(slopes[1] - slopes[0]),
        *[abs(fine - coarse) for coarse, fine in itertools.pairwise(better[1:])],
    ]
    found: list[_Estimate] = []
    noise = 0.0  # of the values, as the finer steps show it
    for k in range(len(slopes) - 1, 0, -1):
        step, change = steps[k], changes[k]
        if k < len(slopes) - 2:
            # The changes of a series that settles shrink like a geometric one, whose rest is ratio / (1 - ratio).
            ratio = change / changes[k - 1] if changes[k - 1] else 0.0
            rest = change * max(1 / 8, min(1.25 * ratio / (1 - ratio), 2.0) if ratio < 1 else 2.0)
            error = max(rest, noise / step) if change * step > noise else noise / step
            found.append(_Estimate(k, better[k], error + rounding[k], max(change, noise / step) + rounding[k], noise))
        noise = max(noise, change * step)
    return found


def _decides(best: _Estimate, sharp: float, steepest: float) -> bool:
    """Tell whether an estimate is sharp, or cannot be told from 0 beside the slopes nearby."""
    nothing = abs(best.value) <= 8 * best.error and best.error <= LEVEL * steepest
    return best.error <= sharp * abs(best.value) or nothing


def _finest_slopes_contradict(rows: Sequence[_Row], best: _Estimate) -> bool:
    """Tell whether the three smallest steps, too few for an estimate, agree on another slope."""
    slopes = [row.central for row in rows[-3:]]
    scatter = max(slopes) - min(slopes) + rows[-1].rounding + best.doubt
    return min(abs(slope - best.value) for slope in slopes) > 16 * scatter


def _local(rows: Sequence[_Row], found: Sequence[_Estimate]) -> list[_Estimate]:
    """Return the estimates at steps within which f is smooth or has one kink, as its even part tells.

    Beyond that range the differences of a bounded function tend to 0, whatever its derivative is.
    """
    gaps = [row.gap for row in rows]
    better = [gaps[0], *[fine + (fine - coarse) / (FACTOR - 1) for coarse, fine in itertools.pairwise(gaps)]]
    settled = [
        abs(better[k + 1] - better[k]) <= max(0.1 * abs(gaps[k]), 4 * rows[k].rounding) for k in range(len(rows) - 1)
    ]
    local = [
        each
        for each in found
        if each.doubt <= SHARP * abs(each.value) or (settled[each.index] and settled[each.index + 1])
    ]
    return local or list(found)


def _finest(found: Sequence[_Estimate]) -> tuple[_Estimate, _Estimate | None]:
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


@contextlib.contextmanager
def quiet():  # type: ignore[no-untyped-def]
    """Silence NumPy's warnings inside the block: a nan or an infinity is a refusal here."""
    numpy = sys.modules.get("numpy")
    with numpy.errstate(all="ignore") if numpy else contextlib.nullcontext():
        yield
