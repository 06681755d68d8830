"""Places of the values of native code: a register, or memory, from which loops read the entries of columns.

Memory is one array of doubles, the scratch array: the inputs, the outputs, then the values that loops stack and those
that one piece of a program hands to the next. Code inside a loop over SIMD lanes has a second array of vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from .program import Const

__all__ = ["Memory", "Place", "Register", "Where", "home_of", "in_step"]


@dataclass(frozen=True)
class Register:
    """A value in a register: the name of an LLVM value, if it is a truth value (`flag`), and its `home` in memory."""

    name: str
    flag: bool = False
    home: Place | None = None


class Place(NamedTuple):
    """A place in an array: `at` plus, for each enclosing loop, its counter times a stride.

    The `array` is "scratch", "lanes" (an array of vectors), or "wide". For "wide", `at` is the number of a column of
    any length, and the first counter is the turn. If `step` is not 0, the value of SIMD lane k is `step` · k places
    later.
    """

    array: str
    at: int
    counters: tuple[tuple[str, int], ...] = ()
    step: int = 0

    def moved(self, count: int) -> Place:
        """Return the place `count` places later."""
        return Place(self.array, self.at + count, self.counters, self.step)

    def counted(self, counter: str, stride: int) -> Place:
        """Return the place that also moves with a loop's counter."""
        return Place(self.array, self.at, (*self.counters, (counter, stride)), self.step) if stride else self


Where: TypeAlias = "Register | Place | Const"


@dataclass
class Memory:
    """The size of the arrays, and the initial numbers in the scratch array."""

    sizes: dict[str, int] = field(default_factory=lambda: {"scratch": 0, "lanes": 0})
    initial: dict[int, float] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    wide: int = 0
    """The number of columns of any length: those of the inputs, then those that loops stack."""

    def reserve(self, count: int, array: str = "scratch") -> Place:
        """Return the first of `count` new places, one after the other."""
        at = self.sizes[array]
        self.sizes[array] += count
        return Place(array, at)

    def single(self) -> Place:
        """Return a place in the scratch array for one number; it may be a released one."""
        return Place("scratch", self.free.pop()) if self.free else self.reserve(1)


def home_of(where: Where) -> Place | None:
    """Return the place in memory of a value, if it has one."""
    return where if isinstance(where, Place) else where.home if isinstance(where, Register) else None


def in_step(places: Sequence[Place | None]) -> tuple[Place, int] | None:
    """Return the first place and the distance if the places are equally spaced, else None."""
    first, second = places[0], places[min(1, len(places) - 1)]
    if first is None or second is None:
        return None
    stride = second.at - first.at
    array, at, *others = first
    alike = all(p is not None and p[1] == at + k * stride and p[0] == array for k, p in enumerate(places))
    return (first, stride) if alike and all(p is not None and [*p[2:]] == others for p in places) else None
