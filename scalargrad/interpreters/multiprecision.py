"""The interpreter for mpmath's numbers: what a row computes, to as many digits as mpmath is set to."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, cast

from mpmath import mp  # type: ignore[import-untyped]

from ..rows import Functions
from .namespace import Namespace

OWN: dict[str, Callable[..., Any]] = {
    "div": operator.truediv,
    "pow": operator.pow,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "floordiv": lambda x, y: mp.floor(x / y),
    "less": operator.lt,
    "equal": operator.eq,
    "select": lambda condition, x, y: x if condition else y,
    "abs": abs,
    "round": mp.nint,
    "log2": lambda x: mp.log(x, 2),
    "cbrt": lambda x: mp.sign(x) * mp.root(abs(x), 3),
}

MULTIPRECISION = cast(Functions, Namespace(OWN, mp))


def number(x: Any) -> Any:
    """An operand of these functions: an mpmath number, which a float is exactly."""
    return mp.mpf(x)
