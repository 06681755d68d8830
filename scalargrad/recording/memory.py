"""Where the values of native code are: in a register, or in memory, where a loop finds the entries of its columns.

Memory is one array of doubles, the scratch array: the inputs, the outputs, then what loops stack and what one piece
of a program hands to the next. Inside a loop over SIMD lanes there is a second array, whose places hold a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from .program import Const

__all__ = ["Memory", "Place", "Register", "Where", "home_of", "in_step"]


@dataclass(frozen=True)
class Register:
    """A value in a register: the name of an LLVM value, a truth value if it is a `flag`; stored at `home` too."""

    name: str
    flag: bool = False
    home: Place | None = None


class Place(NamedTuple):
    """A place in an array: `at` plus, for each loop around, its counter times a stride.

    The `array` is "scratch", "lanes" (whose places hold vectors), or "wide": then `at` counts columns of any length,
    and the first counter is the turn. If `step` is not 0, the value of SIMD lane k is `step` · k places further on.
    """

    array: str
    at: int
    counters: tuple[tuple[str, int], ...] = ()
    step: int = 0

    def moved(self, count: int) -> Place:
        """Return the place that many places further on."""
        return Place(self.array, self.at + count, self.counters, self.step)

    def counted(self, counter: str, stride: int) -> Place:
        """Return the place that also moves with a loop's counter."""
        return Place(self.array, self.at, (*self.counters, (counter, stride)), self.step) if stride else self


Where: TypeAlias = "Register | Place | Const"


@dataclass
class Memory:
    """The size of the arrays, and the numbers that stand in the scratch array from the beginning."""

    sizes: dict[str, int] = field(default_factory=lambda: {"scratch": 0, "lanes": 0})
    initial: dict[int, float] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    wide: int = 0
    """The number of columns of any length: those that are given, then those that loops stack."""

    def reserve(self, count: int, array: str = "scratch") -> Place:
        """Return the first of so many places, one after the other."""
        at = self.sizes[array]
        self.sizes[array] += count
        return Place(array, at)

    def single(self) -> Place:
        """Return a place in the scratch array for one number, perhaps one that was released."""
        return Place("scratch", self.free.pop()) if self.free else self.reserve(1)


def home_of(where: Where) -> Place | None:
    """Return the place in memory of a value, if it has one."""
    return where if isinstance(where, Place) else where.home if isinstance(where, Register) else None


def in_step(places: Sequence[Place | None]) -> tuple[Place, int] | None:
    """Return the first place and the distance if these are places at equal distances, else None."""
    first, second = places[0], places[min(1, len(places) - 1)]
    if first is None or second is None:
        return None
    stride = second.at - first.at
    array, at, *others = first
    alike = all(p is not None and p[1] == at + k * stride and p[0] == array for k, p in enumerate(places))
    return (first, stride) if alike and all(p is not None and [*p[2:]] == others for p in places) else None
