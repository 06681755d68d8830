"""The functions of the basis that come from SciPy: `scipy.special` is loaded at the first call of one of them."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable
from typing import Any

from ..rows import SCIPY

__all__ = ["ON_ARRAYS", "REFUSING", "UNREFUSING"]


@functools.cache
def _special(name: str) -> Callable[..., Any]:
    try:
        special = importlib.import_module("scipy.special")
    except ImportError:
        raise ImportError(f"{name} needs SciPy: pip install scipy") from None
    function: Callable[..., Any] = getattr(special, name)
    # Only Lambert's function is complex, and the rows call it only where it is real.
    return (lambda x, branch: function(x, branch).real) if name == "lambertw" else function


def _on_arrays(name: str) -> Callable[..., Any]:
    return lambda *args: _special(name)(*args)  # noqa: PLW0108 (SciPy is loaded by the call)


def _unrefusing(name: str) -> Callable[..., float]:
    def function(*args: float) -> float:
        return float(_special(name)(*args))

    return function


def _refusing(name: str) -> Callable[..., float]:
    def function(*args: float) -> float:
        number = float(_special(name)(*args))
        if not math.isfinite(number) and all(map(math.isfinite, args)):
            raise ValueError("math domain error")
        return number

    return function


ON_ARRAYS: dict[str, Callable[..., Any]] = {name: _on_arrays(name) for name in SCIPY}
"""The functions on NumPy arrays, following IEEE."""
UNREFUSING: dict[str, Callable[..., float]] = {name: _unrefusing(name) for name in SCIPY}
"""The functions on floats, following IEEE."""
REFUSING: dict[str, Callable[..., float]] = {name: _refusing(name) for name in SCIPY}
"""The functions on floats, which raise `ValueError` at a pole and outside the domain."""
