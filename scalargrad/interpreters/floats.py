"""The interpreters for floats: `FLOATS` raises the errors of Python's floats, `IEEE` never raises.

The user's computations run on `FLOATS`. Partial derivatives, and all nodes made while differentiating, run on
`IEEE`, which gives `inf` at a pole and `nan` outside a domain.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import cast

from ..rows import Functions
from . import scipy
from .namespace import Namespace

Function = Callable[..., float]


def _pow(x: float, y: float) -> float:
    # `**` would return a complex number for a negative base, and `math.pow` raises a ValueError for 0.0 ** -1.0.
    if x == 0.0 and y < 0.0:
        raise ZeroDivisionError("0.0 cannot be raised to a negative power")
    return math.pow(x, y)


def _whole(function: Callable[[float], int]) -> Function:
    # Python's floor, ceil and round return integers and refuse inf and nan. Doubles from 2**52 on are whole.
    return lambda x: math.copysign(float(function(x)), x) if abs(x) < 2.0**52 else x


OWN: dict[str, Function] = {
    "div": operator.truediv,
    "pow": _pow,
    "mod": operator.mod,
    "floordiv": operator.floordiv,
    "less": operator.lt,
    "equal": operator.eq,
    "select": lambda condition, x, y: x if condition else y,
    "abs": abs,
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "round": _whole(round),
    "gamma": math.gamma,
    **scipy.REFUSING,
}

FLOATS = cast(Functions, Namespace(OWN, math))

# The limits of functions at points that `math` refuses: at a pole, and beyond the largest double.
POLES: dict[str, Callable[..., float]] = {
    "log": lambda x: -math.inf if x == 0 else math.nan,
    "log2": lambda x: -math.inf if x == 0 else math.nan,
    "log10": lambda x: -math.inf if x == 0 else math.nan,
    "log1p": lambda x: -math.inf if x == -1 else math.nan,
    "atanh": lambda x: math.copysign(math.inf, x) if abs(x) == 1 else math.nan,
    "div": lambda x, y: math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1.0, y),
    "pow": lambda x, y: math.nan if x else math.copysign(math.inf, x) if y % 2 == 1 else math.inf,
    "gamma": lambda x: math.copysign(math.inf, x) if x == 0 else math.nan,
    "lgamma": lambda x: math.nan if x == -math.inf else math.inf,
    **scipy.UNREFUSING,
}
OVERFLOWS: dict[str, Callable[..., float]] = {
    "sinh": lambda x: math.copysign(math.inf, x),
    "pow": lambda x, y: -math.inf if x < 0 and y % 2 == 1 else math.inf,
}


def _ieee(name: str, function: Function) -> Function:
    pole: Function = POLES.get(name, lambda *args: math.nan)
    overflow: Function = OVERFLOWS.get(name, lambda *args: math.inf)

    @functools.wraps(function)
    def unrefusing(*args: float) -> float:
        try:
            return function(*args)
        except (ValueError, ZeroDivisionError):
            return pole(*args)
        except OverflowError:
            return overflow(*args)

    return unrefusing


IEEE = cast(Functions, Namespace({name: _ieee(name, f) for name, f in vars(FLOATS).items()}))
