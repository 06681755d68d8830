"""The interpreter for NumPy arrays: a row computes a whole batch at once. It follows IEEE and never raises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..rows import Functions
from . import scipy
from .floats import IEEE
from .namespace import NUMPY_NAMES, Namespace


def _each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    # NumPy has no error function and no gamma function.
    elementwise = np.frompyfunc(function, 1, 1)
    return lambda x: np.asarray(elementwise(x), dtype=float)


OWN: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, numpy_name) for name, numpy_name in NUMPY_NAMES.items()},
    "select": np.where,
    "erf": _each(math.erf),
    "erfc": _each(math.erfc),
    "gamma": _each(IEEE.gamma),
    "lgamma": _each(IEEE.lgamma),
    **scipy.ON_ARRAYS,
}

ARRAYS = cast(Functions, Namespace(OWN, np))


def on_arrays(rule: Callable[..., Any], *args: Any) -> Any:
    """Return the result of a row's rule on float arrays, broadcast as NumPy does."""
    with np.errstate(all="ignore"):
        return rule(ARRAYS, *(np.asarray(arg, dtype=float) for arg in args))
