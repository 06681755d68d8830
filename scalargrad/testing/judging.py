"""Claimed derivatives against differences: number by number, and many at once along random directions."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .claims import Claim
from .differences import REFUSALS, TINY, Line, Slope, magnitude, quiet
from .estimates import LEVEL, SHARP

__all__ = ["Judge", "Wrong"]

__tracebackhide__ = True

FEW = 8
"""Up to that many numbers, each gets a line of its own."""


@dataclass(frozen=True)
class Wrong:
    """A claimed derivative, and the slope that contradicts it."""

    claimed: float
    slope: Slope

    @property
    def error(self) -> float:
        """The relative error."""
        size = max(abs(self.claimed), abs(self.slope.value))
        return abs(self.claimed - self.slope.value) / size if math.isfinite(size) else math.inf


@dataclass
class Judge:
    """Compares the claim at a point. It keeps the kinks, the undecided places with the reason, and the wrong ones.

    A place is a pair of the numbers of the output and of the argument.
    """

    claim: Claim
    point: Sequence[float]
    rtol: float
    atol: float
    values: Sequence[float] = ()
    kinks: set[tuple[int, int]] = field(default_factory=set)
    undecided: dict[tuple[int, int], str] = field(default_factory=dict)
    wrong: dict[tuple[int, int], Wrong] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sharp = max(SHARP, self.rtol / 2)
        self.random = random.Random(0)  # noqa: S311
        self.values = self.claim.f(self.point)
        typical = max((magnitude(x) for x in self.point if x), default=1.0)
        self.scales = [magnitude(x, typical) for x in self.point]

    def directions(self, count: int) -> None:
        """Compare along random directions. If one fails, narrow it down to the numbers that are wrong."""
        for _ in range(count):
            self._narrow(list(range(len(self.point))), self._claimed_along)

    def every_number(self) -> None:
        """Compare each number: two values confirm it, or a line of its own follows.

        What two values confirm at one step could be wrong at a smaller one, so all of it is confirmed once more
        at all steps, along one random direction.
        """
        matrix = self.claim.matrix()
        every = list(range(len(self.point)))
        along = lambda direction, chosen: [_along(row, direction, chosen) for row in matrix]
        if len(every) <= FEW:
            for j in every:
                self._narrow([j], along)
            return
        first = self._line(every, self._direction(every)).slopes(self.sharp / len(every))
        ratio = min((2.0 ** math.frexp(slope.step)[1] / 32 for slope in first if not slope.trouble), default=2.0**-16)
        noise = [0.0 if slope.trouble else slope.noise for slope in first]
        confirmed = []
        for j in every:
            if self._confirmed(j, ratio * self.scales[j], [row[j] for row in matrix], noise):
                confirmed.append(j)
            else:
                self._narrow([j], along)
        self._narrow(confirmed, along)

    def _confirmed(self, j: int, step: float, claimed: Sequence[float], noise: Sequence[float]) -> bool:
        """Tell whether two values around the point agree with all claimed derivatives with respect to one number."""
        with quiet():
            try:
                plus, minus = (self.claim.f(self._moved({j: h})) for h in (step, -step))
            except REFUSALS:
                return False
        for p, y, m, got, scatter in zip(plus, self.values, minus, claimed, noise, strict=True):
            if p == y == m and got == 0.0:
                continue
            error = (4 * math.ulp(max(abs(p), abs(m))) + scatter) / (2 * step)
            chord = (abs(p - y) + abs(y - m)) / (2 * step)
            sharp = error <= 2 * self.sharp * abs(got) or (abs(got) <= error <= LEVEL * chord)
            if not (sharp and abs((p - m) / (2 * step) - got) <= self.rtol * abs(got) + error):
                return False
        return True

    def _narrow(self, chosen: list[int], claimed_along: Callable[..., Sequence[tuple[float, float]]]) -> None:
        """Compare along one line that moves the chosen numbers; halve them until each wrong one is alone."""
        if not chosen:
            return
        direction = self._direction(chosen)
        slopes = self._line(chosen, direction).slopes(self.sharp / len(chosen))
        if len(chosen) == 1:
            (j,) = chosen
            for i, ((got, _), slope) in enumerate(zip(claimed_along({j: 1.0}, chosen), slopes, strict=True)):
                self._record(i, j, got, slope)
            return
        claims = claimed_along(direction, chosen)
        if any(self._verdict(got, size, slope) for (got, size), slope in zip(claims, slopes, strict=True)):
            half = len(chosen) // 2
            self._narrow(chosen[:half], claimed_along)
            self._narrow(chosen[half:], claimed_along)

    def _direction(self, chosen: Sequence[int]) -> dict[int, float]:
        """Return a move of the chosen numbers, each by about its own size; a short one of bits, so steps are exact."""
        if len(chosen) == 1:
            return {j: self.scales[j] for j in chosen}
        return {j: self.random.choice((-1, 1)) * self.random.randint(8, 15) / 16 * self.scales[j] for j in chosen}

    def _line(self, chosen: Sequence[int], direction: dict[int, float]) -> Line:
        if len(chosen) == 1:
            (j,) = chosen
            zero = self.point[j] == 0.0
            return Line(lambda h: self.claim.f(self._moved({j: h})), self.values, direction[j], from_zero=zero)
        return Line(lambda t: self.claim.f(self._moved({j: t * direction[j] for j in chosen})), self.values)

    def _moved(self, moves: dict[int, float]) -> list[float]:
        moved = list(self.point)
        for j, step in moves.items():
            moved[j] += step
        return moved

    def _claimed_along(self, direction: dict[int, float], chosen: Sequence[int]) -> list[tuple[float, float]]:
        claimed = self.claim.along([direction.get(j, 0.0) for j in range(len(self.point))])
        return [(got, abs(got)) for got in claimed]

    def _verdict(self, got: float, size: float, slope: Slope) -> str:
        """Return "" for a right derivative, else "kink", "wrong", or why the differences can't tell."""
        unseen = abs(got) <= slope.unseen and abs(got - slope.value) <= slope.error
        if slope.trouble and not (slope.uncertain and slope.unseen >= 0.0 and slope.error <= self.atol):
            return "" if unseen else slope.trouble
        if slope.flat and not unseen and abs(got) <= slope.error:
            return (
                "f is the same at steps nearby, and a derivative of that size would change digits that f doesn't have"
            )
        low, high = sorted((slope.left, slope.right))
        slack = self.rtol * max(abs(low), abs(high), size) + slope.error + self.atol + TINY
        if not low - slack <= got <= high + slack:
            return "wrong"
        return "kink" if high > low else ""

    def _record(self, i: int, j: int, got: float, slope: Slope) -> None:
        found = self._verdict(got, abs(got), slope)
        if found == "wrong":
            self.wrong[i, j] = Wrong(got, slope)
        elif found == "kink":
            self.kinks.add((i, j))
        elif found:
            self.undecided[i, j] = found


def _along(row: Sequence[float], direction: dict[int, float], chosen: Sequence[int]) -> tuple[float, float]:
    """Return the claimed derivative in a direction, and the size of its terms."""
    terms = [row[j] * direction[j] for j in chosen]
    return math.fsum(terms) if all(map(math.isfinite, terms)) else math.nan, math.hypot(*terms)
