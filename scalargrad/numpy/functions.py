"""Functions of NumPy that are compiled code there, or ask for floats: choices, rounding, tables, ranges."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import scalargrad as sg
from scalargrad import math as sm

from .arrays import Array, objects, returned
from .elementwise import SCALAR, divide
from .linalg import lstsq

__all__ = ["FUNCTIONS", "vectorize"]


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Return, entry by entry, x if the condition holds, else y. Without x, return the indices at which it holds."""
    holds = np.asarray(objects(condition), dtype=bool)
    if x is None:
        return np.nonzero(holds)
    return returned(np.asarray(np.where(holds, objects(x), objects(y)), dtype=object))


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Return, for each place, the choice of the first condition that holds."""
    found: Any = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        found = where(condition, choice, found)
    return found


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **options: Any) -> Any:
    """Return the numbers, held between two bounds; the slope at a bound is 1."""
    low, high = options.get("min", a_min), options.get("max", a_max)
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    return returned(np.frompyfunc(sg.clip, 3, 1)(objects(a), objects(low), objects(high)))


def round_(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """Return the numbers rounded to that many decimals; the derivative is 0."""
    scale = 10.0**decimals
    return returned(np.frompyfunc(lambda x: sg.round(x * scale) / scale, 1, 1)(objects(a)))


def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Return the numbers with nan and infinities replaced."""
    high = np.finfo(float).max if posinf is None else posinf
    low = np.finfo(float).min if neginf is None else neginf

    def replaced(item: Any) -> Any:
        return nan if sm.isnan(item) else (high if item > 0 else low) if sm.isinf(item) else item

    return returned(np.frompyfunc(replaced, 1, 1)(objects(x)))


def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Return whether the numbers are equal up to atol + rtol · |b|."""

    def close(x: Any, y: Any) -> bool:
        if sm.isnan(x) or sm.isnan(y):
            return equal_nan and sm.isnan(x) and sm.isnan(y)
        return bool(x == y or (sm.isfinite(y) and abs(x - y) <= atol + rtol * abs(y)))

    return np.asarray(np.frompyfunc(close, 2, 1)(objects(a), objects(b)), dtype=bool)[()]


def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Return whether all numbers are equal up to atol + rtol · |b|."""
    return bool(np.all(isclose(a, b, rtol, atol, equal_nan)))


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Return the places at which the numbers v belong in the sorted numbers a."""
    ordered = (objects(a) if sorter is None else objects(a)[sorter]).tolist()
    find = bisect.bisect_left if side == "left" else bisect.bisect_right
    return np.asarray(np.frompyfunc(lambda x: find(ordered, x), 1, 1)(objects(v)), dtype=int)[()]


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """Return the bin of each number, for bins that rise or fall."""
    edges = objects(bins).tolist()
    if len(edges) > 1 and edges[-1] < edges[0]:
        return len(edges) - searchsorted(edges[::-1], x, "left" if not right else "right")
    return searchsorted(edges, x, "left" if right else "right")


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Return the values of a table between whose points it is linear."""
    xs, fs = objects(xp).tolist(), objects(fp).tolist()
    if not xs or len(xs) != len(fs):
        raise ValueError(f"interp: xp and fp need one length, at least 1; got {len(xs)} and {len(fs)}")
    if period is not None:
        pairs = sorted(zip([p % period for p in xs], fs, strict=True), key=lambda pair: pair[0])
        xs, fs = [p for p, _ in pairs], [f for _, f in pairs]
        xs, fs = [xs[-1] - period, *xs, xs[0] + period], [fs[-1], *fs, fs[0]]
    below, above = fs[0] if left is None else left, fs[-1] if right is None else right

    def at(place: Any) -> Any:
        place = place if period is None else place % period
        if place != place:
            return place
        if place < xs[0]:
            return below
        if place > xs[-1]:
            return above
        i = min(bisect.bisect_right(xs, place), len(xs) - 1) - 1
        return fs[i] + divide(fs[i + 1] - fs[i], xs[i + 1] - xs[i]) * (place - xs[i]) if len(xs) > 1 else fs[0]

    return returned(np.frompyfunc(at, 1, 1)(objects(x)))


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, **_: Any) -> Any:
    """Return that many equally spaced numbers."""
    start, stop = objects(start), objects(stop)
    count = max(num - 1 if endpoint else num, 1)
    step = (stop - start) * (1.0 / count)
    found = np.stack([objects(start + step * float(i)) for i in range(num)])
    return (returned(found), returned(np.asarray(step, dtype=object))) if retstep else returned(found)


def arange(start: Any, stop: Any = None, step: Any = 1.0, **_: Any) -> Any:
    """Return the numbers from the start to before the stop."""
    start, stop = (0.0, start) if stop is None else (start, stop)
    return returned(np.array([start + i * step for i in range(max(sm.ceil((stop - start) / step), 0))], dtype=object))


def polyval(p: Any, x: Any) -> Any:
    """Return a polynomial's values, by Horner's rule; the coefficients begin with the highest."""
    places = objects(x)
    found = np.zeros(places.shape, dtype=object) + 0.0
    for coefficient in objects(p).tolist():
        found = found * places + coefficient
    return returned(np.asarray(found, dtype=object))


def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    """Return the coefficients of the polynomial nearest to the points, the highest first."""
    if full or cov:
        raise TypeError("polyfit of Values: full and cov are not here; use the residuals of polyval")
    matrix, right = np.vander(objects(x), deg + 1).view(Array), objects(y).view(Array)
    if w is not None:
        weights = objects(w).view(Array)
        matrix, right = matrix * weights[:, np.newaxis], right * weights
    return lstsq(matrix, right)[0]


def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, **others: Any) -> Any:
    """Return the covariances of variables, the rows of one array or of two."""
    if others.get("fweights") is not None or others.get("aweights") is not None:
        raise TypeError("cov of Values: weights are not here; weight the rows first")
    rows = np.atleast_2d(objects(m))
    rows = rows if rowvar or rows.shape[0] == 1 else rows.T
    if y is not None:
        more = np.atleast_2d(objects(y))
        rows = np.vstack([rows, more if rowvar or more.shape[0] == 1 else more.T])
    apart = [[x - sg.mean(row) for x in row] for row in rows.tolist()]
    count = len(apart[0]) - (ddof if ddof is not None else 0 if bias else 1)
    found = [[divide(sg.dot(a, b), float(count)) for b in apart] for a in apart]
    return returned(np.array(found, dtype=object).squeeze())


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, **_: Any) -> Any:
    """Return the correlations of variables, the rows of one array or of two."""
    covariances = objects(cov(x, y, rowvar))
    if covariances.ndim == 0:
        return 1.0
    sizes = [SCALAR["sqrt"](c) for c in np.diagonal(covariances).tolist()]
    return returned(covariances / np.array(sizes, dtype=object) / np.array(sizes, dtype=object)[:, np.newaxis])


def roots(p: Any) -> Any:
    """Refuse: the roots are eigenvalues, complex ones too."""
    raise TypeError(
        "numpy.roots of Values is not here: find a root r of plain numbers, and differentiate by −(∂p/∂a)/p′(r)"
    )


def vectorize(pyfunc: Callable[..., Any], *args: Any, **options: Any) -> Callable[..., Any]:
    """Return the function of arrays that applies one of numbers to each of them, as `numpy.vectorize`."""
    plain = np.vectorize(pyfunc, *args, **options)

    def function(*xs: Any, **named: Any) -> Any:
        if any(isinstance(x, sg.Value) or (isinstance(x, np.ndarray) and x.dtype == object) for x in xs):
            return returned(np.frompyfunc(lambda *items: pyfunc(*items, **named), len(xs), 1)(*map(objects, xs)))
        return plain(*xs, **named)

    return function


def _each(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda x, *_, **options: returned(np.frompyfunc(function, 1, 1)(objects(x)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": where,
    "select": select,
    "clip": clip,
    "round": round_,
    "around": round_,
    "fix": _each(SCALAR["trunc"]),
    "sinc": _each(sg.sinc),
    "real": _each(lambda x: x),
    "imag": _each(lambda x: 0.0),
    "nan_to_num": nan_to_num,
    "isclose": isclose,
    "allclose": allclose,
    "searchsorted": searchsorted,
    "digitize": digitize,
    "interp": interp,
    "linspace": linspace,
    "arange": arange,
    "polyfit": polyfit,
    "polyval": polyval,
    "roots": roots,
    "cov": cov,
    "corrcoef": corrcoef,
}
