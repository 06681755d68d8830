"""Schedules: learning rates as functions of the number k of steps made before, from 0."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..rows import as_float

__all__ = ["SCHEDULES", "Schedule", "cosine", "inverse_time", "step_decay"]

Schedule: TypeAlias = Callable[[int], float]
"""A learning rate as a function of the number k of steps made before, from 0."""


@dataclass(frozen=True)
class step_decay:  # noqa: N801 (its instances are called, and it is read as a function, as are those below)
    """The schedule η · factor^⌊k / every⌋: every `every` steps the rate is multiplied by the factor.

    Raises `ValueError` for numbers that are not positive.

    >>> [step_decay(1.0, 0.5, 2)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    lr: float
    factor: float
    every: int

    def __post_init__(self) -> None:
        _check_positive(self)

    def __call__(self, k: int) -> float:
        return self.lr * math.pow(self.factor, k // self.every)


@dataclass(frozen=True)
class cosine:  # noqa: N801
    """The schedule that goes from η to `final` along half a cosine in `steps` steps, and stays there.

    Raises `ValueError` for numbers that are not positive; `final` may be 0. Source: Loshchilov and Hutter, "SGDR",
    ICLR 2017, equation 5.

    >>> [round(cosine(1.0, 4, 0.5)(k), 3) for k in range(6)]
    [1.0, 0.927, 0.75, 0.573, 0.5, 0.5]
    """

    lr: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _check_positive(self, or_zero=("final",))

    def __call__(self, k: int) -> float:
        falling = 0.5 * (1.0 + math.cos(math.pi * min(k, self.steps) / self.steps))
        return self.final + (self.lr - self.final) * falling


@dataclass(frozen=True)
class inverse_time:  # noqa: N801
    """The schedule η / (1 + decay · k), which falls like 1/t. Raises `ValueError` for numbers that are not positive.

    Source: Robbins and Monro, "A stochastic approximation method", 1951.

    >>> [inverse_time(1.0, 0.5)(k) for k in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """

    lr: float
    decay: float

    def __post_init__(self) -> None:
        _check_positive(self)

    def __call__(self, k: int) -> float:
        return self.lr / (1.0 + self.decay * k)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    schedule.__name__: schedule for schedule in (step_decay, cosine, inverse_time)
}


def _check_positive(schedule: Any, or_zero: tuple[str, ...] = ()) -> None:
    for field in dataclasses.fields(schedule):
        x = getattr(schedule, field.name)
        number = as_float(x)
        if number is None or not math.isfinite(number) or number < 0.0 or (number == 0.0 and field.name not in or_zero):
            raise ValueError(f"{type(schedule).__name__}: {field.name} is {x!r}; give a positive finite number")
