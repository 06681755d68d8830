"""Helpers of the tests of recorded programs: random functions, and comparisons of results."""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

import scalargrad as sg
from scalargrad.engine.structures import flatten

BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(bool(missing), reason=f"needs {missing}"))
    for name, missing in (
        ("python", None),
        ("numpy", None if importlib.util.find_spec("numpy") else "numpy"),
        ("native", None if importlib.util.find_spec("llvmlite") else "llvmlite"),
    )
]

SMOOTH = [sg.sin, sg.cos, sg.tanh, sg.sigmoid, sg.softplus, sg.atan, sg.gelu, sg.relu, sg.erf, abs]
RISKY = [sg.exp, sg.log, sg.sqrt, sg.cosh, sg.asin]


def random_function(seed: int, risky: bool = False, branches: bool = True) -> Callable[[Any], Any]:
    """A function of a list of three numbers, with data-dependent `if`, `while` and `sorted`.

    What it does is decided by the seed alone, so it is the same function at every call.
    """

    def f(xs: Any) -> Any:
        generator = random.Random(seed)
        found = list(xs)
        for _ in range(generator.randint(4, 12)):
            found.append(_step(generator, found, risky, branches))
        return sg.sum(found[3:]) if generator.random() < 0.5 else found[-1] + found[-2] * found[0]

    return f


def _step(generator: random.Random, found: list[Any], risky: bool, branches: bool) -> Any:
    a, b, c = (generator.choice(found) for _ in range(3))
    kind = generator.randrange(12 if branches else 7)
    if kind == 0:
        return generator.choice(SMOOTH + (RISKY if risky else []))(a)
    if kind == 1:
        return a / b if risky else a / (1.5 + b * b)
    if kind == 2:
        return sg.hypot(a, b) - generator.uniform(-1, 1) * c
    if kind == 3:
        return sg.affine([a, b], [c, 0.5], generator.uniform(-1, 1))
    if kind == 4:
        return sg.maximum(a, b, c)
    if kind == 5:
        return sg.softmax([a, b, c])[1] * b
    if kind == 6:
        return sg.tanh(a - b) * generator.uniform(-2, 2)
    if kind == 7:
        return sg.tanh(a) if a > b else b * 0.5
    if kind == 8:
        low, middle, _ = sorted([a, b, c])
        return low - middle * 0.5
    if kind == 9:
        while abs(a) > 1.0:
            a = a * 0.5 - 0.01
        return a
    if kind == 10:
        return sg.where(0.0 <= a < 1.0, lambda: sg.sqrt(a + 0.1), c * 0.1)
    return max(a, b) + min(b, c)


def outcome(f: Callable[..., Any], *args: Any) -> Any:
    """The numbers that f returns, or the kind of the error that it raises."""
    try:
        return [float(x.data if isinstance(x, sg.Value) else x) for x in flatten(f(*args))[0]]
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        return type(error)


def agree(found: Any, expected: Any, relative: float = 0.0) -> bool:
    """Return True if two outcomes agree: errors of one kind, or numbers equal up to the tolerance."""
    if isinstance(found, type) or isinstance(expected, type):
        return found is expected
    return len(found) == len(expected) and all(
        x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= relative * max(1.0, abs(x), abs(y))
        for x, y in zip(found, expected, strict=True)
    )
