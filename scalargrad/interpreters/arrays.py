"""The interpreter for NumPy arrays: a row computes a whole batch at once, without refusing (IEEE)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..rows import Functions
from .namespace import Namespace


def _each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    # NumPy has no error function.
    elementwise = np.frompyfunc(function, 1, 1)
    return lambda x: np.asarray(elementwise(x), dtype=float)


OWN: dict[str, Callable[..., Any]] = {
    "div": np.true_divide,
    "pow": np.power,
    "floordiv": np.floor_divide,
    "select": np.where,
    "round": np.rint,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": _each(math.erf),
    "erfc": _each(math.erfc),
}

ROWS_BY_UFUNC = {ufunc.__name__: name for name, ufunc in OWN.items() if isinstance(ufunc, np.ufunc)}
"""What NumPy calls otherwise, by its name: `arcsin` is the row `asin`."""

ARRAYS = cast(Functions, Namespace(OWN, np))


def evaluate(rule: Callable[..., Any], *args: Any) -> Any:
    """What a rule of a row gives on float arrays, broadcast as NumPy does."""
    with np.errstate(all="ignore"):
        return rule(ARRAYS, *(np.asarray(arg, dtype=float) for arg in args))
