"""Python's `math` for floats and Values: change the import line, and code has derivatives.

`from scalargrad import math` instead of `import math`, or `from scalargrad.math import *`. Every name of `math` is
here, up to Python 3.14. Numbers give the results and errors of `math`. If an argument is a Value, the result is one,
and a bad argument raises the same kind of error as in `math`. Functions that give an int or a bool give one for a Value
too: their derivative is 0.

>>> from scalargrad import grad, math
>>> grad(lambda x: math.log(x, 2) + math.pi)(4.0) == 1 / (4 * math.log(2))
True
"""

from __future__ import annotations

import functools
import math as _math
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil, comb, e, factorial, floor, gcd, inf, isqrt, lcm, nan, perm, pi, tau, trunc
from typing import Any

import scalargrad as _sg
from scalargrad import Value as _Value

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "comb",
    "copysign",
    "cos",
    "cosh",
    "degrees",
    "dist",
    "e",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "factorial",
    "floor",
    "fma",
    "fmod",
    "frexp",
    "fsum",
    "gamma",
    "gcd",
    "hypot",
    "inf",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isqrt",
    "lcm",
    "ldexp",
    "lgamma",
    "log",
    "log1p",
    "log2",
    "log10",
    "modf",
    "nan",
    "nextafter",
    "perm",
    "pi",
    "pow",
    "prod",
    "radians",
    "remainder",
    "sin",
    "sinh",
    "sqrt",
    "sumprod",
    "tan",
    "tanh",
    "tau",
    "trunc",
    "ulp",
]


def _function(row: Any, plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of `math` that calls the row if an argument is a Value."""

    def function(*args: Any) -> Any:
        if not any(isinstance(arg, _Value) for arg in args):
            return plain(*args)
        try:
            return row(*args)
        except ZeroDivisionError as error:  # `math` calls a pole a ValueError
            raise ValueError(str(error)) from None

    def unary(x: Any, /) -> Any:
        return row(x) if isinstance(x, _Value) else plain(x)

    name = plain.__name__
    chosen = unary if len(row.parameters) == 1 else function
    chosen.__name__ = chosen.__qualname__ = name
    chosen.__doc__ = f"Return `math.{name}` of numbers, and a Value of the same for Values.\n\n{plain.__doc__}"
    return chosen


acos = _function(_sg.acos, _math.acos)
acosh = _function(_sg.acosh, _math.acosh)
asin = _function(_sg.asin, _math.asin)
asinh = _function(_sg.asinh, _math.asinh)
atan = _function(_sg.atan, _math.atan)
atan2 = _function(_sg.atan2, _math.atan2)
atanh = _function(_sg.atanh, _math.atanh)
cbrt = _function(_sg.cbrt, _math.cbrt)
copysign = _function(_sg.copysign, _math.copysign)
cos = _function(_sg.cos, _math.cos)
cosh = _function(_sg.cosh, _math.cosh)
erf = _function(_sg.erf, _math.erf)
erfc = _function(_sg.erfc, _math.erfc)
exp = _function(_sg.exp, _math.exp)
exp2 = _function(_sg.exp2, _math.exp2)
expm1 = _function(_sg.expm1, _math.expm1)
fabs = _function(_sg.abs, _math.fabs)
fmod = _function(_sg.fmod, _math.fmod)
gamma = _function(_sg.gamma, _math.gamma)
lgamma = _function(_sg.lgamma, _math.lgamma)
log1p = _function(_sg.log1p, _math.log1p)
log2 = _function(_sg.log2, _math.log2)
log10 = _function(_sg.log10, _math.log10)
pow = _function(_sg.pow, _math.pow)
remainder = _function(_sg.remainder, _math.remainder)
sin = _function(_sg.sin, _math.sin)
sinh = _function(_sg.sinh, _math.sinh)
sqrt = _function(_sg.sqrt, _math.sqrt)
tan = _function(_sg.tan, _math.tan)
tanh = _function(_sg.tanh, _math.tanh)

_ONE_DEGREE = pi / 180.0


def log(x: Any, base: Any = None, /) -> Any:
    """Return the logarithm of x, to the given base or else the natural one.

    >>> log(8, 2)
    3.0
    """
    if base is None:
        return _sg.log(x) if isinstance(x, _Value) else _math.log(x)
    if isinstance(x, _Value) or isinstance(base, _Value):
        return log(x) / log(base)
    return _math.log(x, base)


def degrees(x: Any, /) -> Any:
    """Return an angle of x radians in degrees.

    >>> degrees(pi)
    180.0
    """
    return x / _ONE_DEGREE if isinstance(x, _Value) else _math.degrees(x)


def radians(x: Any, /) -> Any:
    """Return an angle of x degrees in radians.

    >>> radians(180) == pi
    True
    """
    return x * _ONE_DEGREE if isinstance(x, _Value) else _math.radians(x)


def hypot(*coordinates: Any) -> Any:
    """Return the length of the vector with these coordinates, of any number.

    >>> hypot(2, 3, 6)
    7.0
    """
    if not _has_value(coordinates):
        return _math.hypot(*coordinates)
    if len(coordinates) == 1:
        return _sg.abs(coordinates[0])
    return functools.reduce(_sg.hypot, coordinates)


def dist(p: Iterable[Any], q: Iterable[Any], /) -> Any:
    """Return the distance of the points p and q, which need as many coordinates.

    >>> dist([1, 1], [4, 5])
    5.0
    """
    p, q = tuple(p), tuple(q)
    if not _has_value([*p, *q]) or len(p) != len(q):
        return _math.dist(p, q)
    return hypot(*[a - b for a, b in zip(p, q, strict=True)])


def fsum(seq: Iterable[Any], /) -> Any:
    """Return the sum of the numbers, with the rounding errors of the additions added at the end.

    >>> fsum([1e16, 1.0, -1e16])
    1.0
    """
    numbers = [*seq]
    return _sg.fsum(numbers) if _has_value(numbers) else _math.fsum(numbers)


def prod(iterable: Iterable[Any], /, *, start: Any = 1) -> Any:
    """Return the product of the numbers, times `start`.

    >>> prod([2, 3], start=4)
    24
    """
    numbers = [*iterable]
    if not _has_value([*numbers, start]):
        return _math.prod(numbers, start=start)
    return _sg.prod(numbers if isinstance(start, int) and start == 1 else [start, *numbers])


def sumprod(p: Iterable[Any], q: Iterable[Any], /) -> Any:
    """Return the sum of the products of two sequences of one length; floats are summed exactly and rounded once.

    Raises `ValueError` if the lengths differ.

    >>> sumprod([1, 2], [3, 4])
    11
    """
    p, q = [*p], [*q]
    if len(p) != len(q):
        raise ValueError("Inputs are not the same length")
    if _has_value([*p, *q]):
        return _sg.dot(p, q)
    if hasattr(_math, "sumprod"):
        return _math.sumprod(p, q)
    if not all(type(x) is float and isfinite(x) for x in [*p, *q]):
        return sum([a * b for a, b in zip(p, q, strict=True)])
    return float(sum([Fraction(a) * Fraction(b) for a, b in zip(p, q, strict=True)]))


def fma(x: Any, y: Any, z: Any, /) -> Any:
    """Return x · y + z: rounded once for floats, twice for Values.

    >>> fma(0.1, 10.0, -1.0)
    5.551115123125783e-17
    """
    if _has_value((x, y, z)):
        return x * y + z
    if hasattr(_math, "fma"):
        return _math.fma(x, y, z)
    x, y, z = float(x), float(y), float(z)
    if not all(isfinite(number) for number in (x, y, z)):
        return x * y + z
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    return float(exact) if exact else x * y + z  # with the sign of a zero


def modf(x: Any, /) -> tuple[Any, Any]:
    """Return the fractional and the whole part of x, both with its sign.

    >>> modf(2.5)
    (0.5, 2.0)
    """
    return (fmod(x, 1.0), _sg.trunc(x)) if isinstance(x, _Value) else _math.modf(x)


def frexp(x: Any, /) -> tuple[Any, int]:
    """Return the pair (m, e) with x = m · 2ᵉ and ½ ≤ |m| < 1, where e is an int; (0.0, 0) for 0.

    >>> frexp(8.0)
    (0.5, 4)
    """
    if not isinstance(x, _Value):
        return _math.frexp(x)
    if x == 0.0 or not isfinite(x):
        return x, 0
    exponent = floor(log2(fabs(x))) + 1
    mantissa = ldexp(x, -exponent)
    if fabs(mantissa) >= 1.0:  # log2 rounds up just below a power of 2
        return mantissa * 0.5, exponent + 1
    return (mantissa * 2.0, exponent - 1) if fabs(mantissa) < 0.5 else (mantissa, exponent)


def ldexp(x: Any, i: int, /) -> Any:
    """Return x · 2ⁱ. Raises `OverflowError` if that is too large.

    >>> ldexp(0.5, 4)
    8.0
    """
    if not isinstance(x, _Value):
        return _math.ldexp(x, i)
    half = max(-1100, min(i, 2200)) // 2  # 2ⁱ itself may be out of range
    scaled = x * _math.ldexp(1.0, half) * _math.ldexp(1.0, max(-1100, min(i, 2200)) - half)
    if isinf(scaled) and not isinf(x):
        raise OverflowError("math range error")
    return scaled


def nextafter(x: Any, y: Any, /, **steps: Any) -> Any:
    """Return the float after x in the direction of y; a Value moves with x.

    >>> nextafter(1.0, 2.0)
    1.0000000000000002
    """
    if not _has_value((x, y)):
        return _math.nextafter(x, y, **steps)
    start = _number(x)
    return x + (_math.nextafter(start, _number(y), **steps) - start)


def ulp(x: Any, /) -> float:
    """Return the value of the least significant bit of x, a float: its derivative is 0.

    >>> ulp(1.0)
    2.220446049250313e-16
    """
    return _math.ulp(_number(x))


def isnan(x: Any, /) -> bool:
    """Return whether x is a nan.

    >>> isnan(nan)
    True
    """
    return x != x if isinstance(x, _Value) else _math.isnan(x)


def isinf(x: Any, /) -> bool:
    """Return whether x is an infinity of either sign.

    >>> isinf(-inf)
    True
    """
    return x in (inf, -inf) if isinstance(x, _Value) else _math.isinf(x)


def isfinite(x: Any, /) -> bool:
    """Return whether x is neither an infinity nor a nan.

    >>> isfinite(1e300)
    True
    """
    return -inf < x < inf if isinstance(x, _Value) else _math.isfinite(x)


def isclose(a: Any, b: Any, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> bool:
    """Return whether a and b are equal up to a tolerance, relative to the larger one or absolute.

    >>> isclose(1.0, 1.0 + 1e-12)
    True
    """
    if not _has_value((a, b)):
        return _math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    if rel_tol < 0 or abs_tol < 0:
        raise ValueError("tolerances must be non-negative")
    if a == b:
        return True
    if isinf(a) or isinf(b):
        return False
    gap = fabs(a - b)
    return bool(gap <= fabs(rel_tol * b) or gap <= fabs(rel_tol * a) or gap <= abs_tol)


def _has_value(args: Iterable[Any]) -> bool:
    return any(isinstance(arg, _Value) for arg in args)


def _number(x: Any) -> Any:
    return x.data if isinstance(x, _Value) else x


def __getattr__(name: str) -> Any:
    # What a later Python adds.
    return getattr(_math, name)
