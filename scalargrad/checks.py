"""Checks of arguments: each returns its argument, or raises an error that names the function and the argument."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from .rows import as_float

__all__ = ["function_of", "list_of", "number_of", "size_of"]


def number_of(owner: str, name: str, x: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number in [low, high) as a float. Raises `ValueError` for anything else."""
    number = as_float(x)
    if number is None or not (math.isfinite(number) and low <= number < high):
        limits = f"number in [{low:g}, {high:g})" if low > -math.inf else "finite number"
        raise ValueError(f"{owner}: {name} is {x!r}; give a {limits}")
    return number


def size_of(owner: str, name: str, size: Any) -> int:
    """Return a whole number of at least 1. Raises `ValueError` for anything else."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{owner}: {name} is {size!r}; give a whole number of at least 1")
    return size


def list_of(owner: str, name: str, items: Iterable[Any], advice: str) -> list[Any]:
    """Return the items as a list. Raises `TypeError` if they are a string or not an iterable."""
    if isinstance(items, (str, bytes)) or not hasattr(items, "__iter__"):
        raise TypeError(f"{owner}: {name} is {items!r:.60}, a {type(items).__name__}; give {advice}")
    return list(items)


def function_of(owner: str, name: str, function: Any, advice: str) -> Callable[..., Any]:
    """Return the function. Raises `TypeError` if it can't be called."""
    if not callable(function):
        raise TypeError(f"{owner}: {name} is {function!r:.60}; give {advice}")
    checked: Callable[..., Any] = function
    return checked
