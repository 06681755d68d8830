"""Schedules: learning rates as functions of the number k of steps made before, from 0. `optim` names them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Schedule", "cosine", "inverse_time", "step_decay"]

Schedule: TypeAlias = Callable[[int], float]


def step_decay(lr: float, factor: float, every: int) -> Schedule:
    """The schedule η · factor^⌊k / every⌋: the rate is multiplied by the factor after every so many steps.

    Raises `ValueError` for numbers that are not positive.

    >>> [step_decay(1.0, 0.5, 2)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _positive("step_decay", lr=lr, factor=factor, every=every)
    return lambda k: lr * math.pow(factor, k // every)


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """The schedule from η to `final` along half a cosine over so many steps, then `final`.

    A `final` of 0 is reached only after the last of the steps, where `step()` refuses it. Raises `ValueError` for
    numbers that are not positive. Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5.

    >>> [round(cosine(1.0, 4, 0.5)(k), 3) for k in range(6)]
    [1.0, 0.927, 0.75, 0.573, 0.5, 0.5]
    """
    _positive("cosine", lr=lr, steps=steps)
    return lambda k: final + (lr - final) * 0.5 * (1.0 + math.cos(math.pi * min(k, steps) / steps))


def inverse_time(lr: float, decay: float) -> Schedule:
    """The schedule η / (1 + decay · k), which falls like 1/t. Raises `ValueError` for numbers that are not positive.

    Source: Robbins and Monro, "A stochastic approximation method", 1951.

    >>> [inverse_time(1.0, 0.5)(k) for k in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """
    _positive("inverse_time", lr=lr, decay=decay)
    return lambda k: lr / (1.0 + decay * k)


def _positive(name: str, **numbers: float) -> None:
    for key, number in numbers.items():
        if not (math.isfinite(number) and number > 0.0):
            raise ValueError(f"{name}: {key} is {number!r}; give a positive number")
