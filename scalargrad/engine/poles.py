"""`can_be_infinite` tells which partials of a primitive can be infinite or nan, by trying the ends of its domain.

A derivative of 0 stops at an infinite partial (`graph.passed`). Eager code tests the numbers. A recorded program needs
an instruction for the test, but only for partials that can be infinite or nan at all.
"""

from __future__ import annotations

import functools
import itertools
import math
import sys
from collections.abc import Sequence

from ..interpreters.floats import FLOATS, IEEE
from ..primitives import passed
from ..rows import Many, Output, Primitive, Vector
from .evaluation import REFUSALS

__all__ = ["can_be_infinite"]

EXTREMES = (0.0, 5e-324, 1e-200, 0.5, 1.0, 3.0, 1e200, sys.float_info.max)
"""Numbers at which partials have poles or overflow; the ends of the domain and all negatives are tried too."""


def can_be_infinite(primitive: Primitive, count: int) -> tuple[bool, ...]:
    """Return for each of `count` arguments if its partial is infinite or nan at some finite point of the domain.

    The points are all combinations of the ends of the domain, of 0, and of small, ordinary and very large numbers.
    A primitive of any number of arguments has one answer for all. Opaque ones always can.

    >>> from scalargrad import primitives
    >>> can_be_infinite(primitives.sqrt, 1), can_be_infinite(primitives.tanh, 1), can_be_infinite(primitives.mul, 2)
    ((True,), (False,), (False, False))
    """
    if primitive.opaque or primitive is passed:  # its second operand is a partial that can be infinite
        return (True,) * count
    if isinstance(primitive, Many):
        return (any(_found(primitive, 2 if count % 2 == 0 else 3)),) * count
    return _found(primitive, count)


@functools.cache
def _found(primitive: Primitive, count: int) -> tuple[bool, ...]:
    found = [False] * count
    for point in itertools.product(*(_extremes(primitive, index) for index in range(count))):
        for partials in _partials(primitive, point):
            for index, partial in enumerate(partials):
                found[index] = found[index] or not (partial is None or math.isfinite(partial))
    return tuple(found)


def _extremes(primitive: Primitive, index: int) -> list[float]:
    domain = primitive.domain_of(index)
    ends = [end for end in (domain.low, domain.high) if math.isfinite(end)]
    inside = [math.nextafter(end, 0.5 * (ends[0] + ends[-1]) if len(ends) == 2 else 3.0) for end in ends]
    candidates = [*ends, *inside, *EXTREMES, *(-x for x in EXTREMES)]
    return [x for x in dict.fromkeys(candidates) if x in domain]


def _partials(primitive: Primitive, point: Sequence[float]) -> list[list[float | None]]:
    """Return the partials of each output at a point; none if the primitive refuses it or its outputs are not finite."""
    try:
        out = primitive.forward(FLOATS, *point)
    except REFUSALS:
        return []
    if not all(map(math.isfinite, out if isinstance(primitive, Vector) else [out])):
        return []
    if isinstance(primitive, Vector):
        return [Output(primitive, j).derivatives(IEEE, out, point) for j in range(len(out))]
    return [primitive.derivatives(IEEE, out, point, [True] * len(point))]
