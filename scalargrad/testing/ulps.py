"""The distance between a float and an exact number, in units of the last place."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["ulp_error"]


def ulp_error(value: float, reference: Any, scale: Any = None) -> float:
    """How far `value` is from `reference`, in units of the last place of a double of that size.

    `reference` is an exact number, such as mpmath's or a `Fraction`; `scale`, another one, gives the size
    instead, for a sum that may cancel. 0.0 for equal numbers, an infinity for a reference that is beyond all
    doubles, and two nans; `inf` where only one of the two is finite or a number.

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
    return float(abs(type(reference)(value) - reference) / type(reference)(math.ulp(size)))
