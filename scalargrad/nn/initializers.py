"""Initialisers: functions (rng, nin, nout) that draw a parameter, from a generator and the sizes of its layer."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from ..checks import number_of

__all__ = ["Initializer", "constant", "generator", "glorot", "he", "uniform"]

Initializer: TypeAlias = Callable[[random.Random, int, int], float]


def uniform(low: float = -1.0, high: float = 1.0) -> Initializer:
    """Return the initialiser that draws uniformly from [low, high]. Raises `ValueError` unless low ≤ high.

    >>> -0.5 <= uniform(-0.5, 0.5)(random.Random(0), 2, 3) <= 0.5
    True
    """
    bounds = number_of("uniform", "low", low), number_of("uniform", "high", high)
    if bounds[0] > bounds[1]:
        raise ValueError(f"uniform: needs low ≤ high, got {low!r} and {high!r}")
    return lambda rng, nin, nout: rng.uniform(*bounds)


def glorot() -> Initializer:
    """Return the initialiser that draws uniformly from ±√(6 / (nin + nout)), for sigmoid and tanh.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, equation 16; 10-601 Backpropagation names it at "Activation Functions".

    >>> abs(glorot()(random.Random(0), 2, 4)) <= 1.0
    True
    """

    def draw(rng: random.Random, nin: int, nout: int) -> float:
        bound = math.sqrt(6.0 / (nin + nout))
        return rng.uniform(-bound, bound)

    return draw


def he() -> Initializer:
    """Return the initialiser that draws from the normal distribution of variance 2 / nin, for relu.

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.

    >>> isinstance(he()(random.Random(0), 2, 4), float)
    True
    """
    return lambda rng, nin, nout: rng.gauss(0.0, math.sqrt(2.0 / nin))


def constant(number: float) -> Initializer:
    """Return the initialiser that gives one number always. Raises `ValueError` for a number that is not finite.

    >>> constant(0.5)(random.Random(0), 2, 4)
    0.5
    """
    data = number_of("constant", "the number", number)
    return lambda rng, nin, nout: data


def generator(name: str, rng: Any) -> random.Random:
    """Return the caller's generator, or a new one from the caller's seed. Raises `TypeError` for anything else."""
    if isinstance(rng, random.Random):
        return rng
    if isinstance(rng, int) and not isinstance(rng, bool):
        return random.Random(rng)  # noqa: S311 (repeatable, not secret)
    raise TypeError(f"{name}: rng is {rng!r}; give a random.Random or a whole number as its seed")
