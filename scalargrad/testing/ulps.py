"""The distance between a float and an exact number, in units of the last place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

__all__ = ["reference", "ulp_error"]


def ulp_error(value: float, reference: Any, scale: Any = None) -> float:
    """Return the distance of `value` from `reference`, in units of the last place of a double of that size.

    `reference` is an exact number, such as mpmath's or a `Fraction`; `scale`, another one, gives the size
    instead, for a sum that may cancel. 0.0 for equal numbers, an infinity for a reference that is beyond all
    doubles, and two nans; `inf` if only one of the two is finite or a number.

    >>> ulp_error(1.0 + 2**-52, 1)
    1.0
    >>> ulp_error(0.1, 0.1)
    0.0
    """
    rounded = float(reference)
    if not math.isfinite(value) or not math.isfinite(rounded):
        same = value == rounded or (math.isnan(value) and math.isnan(rounded))
        return 0.0 if same else math.inf
    size = float(reference if scale is None else scale)
    exact = Fraction(reference) if isinstance(reference, (int, float)) else reference
    return float(abs(type(exact)(value) - exact) / type(exact)(math.ulp(size)))


def reference(expression: Any, point: Mapping[str, float], digits: int = 50) -> Any:
    """Return the value of an expression at a point as an mpmath number, right to about that many digits.

    `expression` is one drawn from `expressions`, or any function that computes with mpmath's numbers and takes
    the names of the point. Raises `ValueError` for fewer than one digit.

    >>> import mpmath
    >>> mpmath.nstr(reference(lambda x: mpmath.sin(x), {"x": 0.5}), 30)
    '0.479425538604203000273287935216'
    """
    from mpmath import mp  # type: ignore[import-untyped]

    if digits < 1:
        raise ValueError(f"reference: digits is {digits!r}; ask for at least one")
    with mp.workdps(digits + 10):
        return +expression(**{name: mp.mpf(x) for name, x in point.items()})
