"""Sums, means, extremes and the like along axes, as one node each; running sums; order statistics."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import scalargrad as sg

from .arrays import Array, objects, returned
from .elementwise import SCALAR, divide

__all__ = ["ACCUMULATIONS", "FUNCTIONS", "REDUCTIONS"]

NONE: Any = np._NoValue  # what NumPy hands on for an argument that was not given


def along(
    a: Any, function: Callable[[list[Any]], Any], axis: Any = None, keepdims: Any = False, where: Any = True
) -> Any:
    """Return the function of the list of numbers along an axis, along several, or of all of them."""
    array = objects(a)
    kept = np.broadcast_to(True if where is NONE else where, array.shape)
    axes = range(array.ndim) if axis is None else _axes(axis, array.ndim)
    rest = [i for i in range(array.ndim) if i not in axes]
    shape = [array.shape[i] for i in rest]
    rows, masks = (x.transpose(*rest, *axes).reshape(*shape, -1) for x in (array, kept))
    found = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        row = rows[index].tolist()
        found[index] = function(row if where is True or where is NONE else [*itertools.compress(row, masks[index])])
    if keepdims is True:
        found = found.reshape([1 if i in axes else n for i, n in enumerate(array.shape)])
    return returned(found)


def _axes(axis: Any, count: int) -> list[int]:
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    for i in given:
        if not -count <= i < count:
            raise np.exceptions.AxisError(i, count)
    return [i % count for i in given]


def _reduction(function: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """Return the reduction with NumPy's options; `initial` counts as one more number."""

    def reduce(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = NONE,
        where: Any = True,
    ) -> Any:
        first = [] if initial is NONE or initial is None else [initial]
        return _kept(along(a, lambda xs: function([*first, *xs]), axis, keepdims, where), out)

    return reduce


def _kept(found: Any, out: Any) -> Any:
    if out is None or out is NONE:
        return found
    out[...] = found
    return out


def total(xs: Sequence[Any]) -> Any:
    """Return the sum of the numbers, 0.0 of none."""
    return sg.sum(xs) if xs else 0.0


def product(xs: Sequence[Any]) -> Any:
    """Return the product of the numbers, 1.0 of none."""
    return sg.prod(xs) if xs else 1.0


def mean(xs: Sequence[Any]) -> Any:
    """Return the mean of the numbers, nan of none."""
    return sg.mean(xs) if xs else float("nan")


def _extreme(row: Callable[..., Any], name: str) -> Callable[[list[Any]], Any]:
    def extreme(xs: list[Any]) -> Any:
        if not xs:
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
        return row(xs)

    return extreme


largest, smallest = _extreme(sg.max, "maximum"), _extreme(sg.min, "minimum")
every: Callable[[list[Any]], bool] = lambda xs: all(map(bool, xs))
some: Callable[[list[Any]], bool] = lambda xs: any(map(bool, xs))


def variance(xs: Sequence[Any], ddof: float = 0) -> Any:
    """Return the variance of the numbers: the sum of the squared distances from the mean over n − ddof."""
    middle = mean(xs)
    apart = [x - middle for x in xs]
    return divide(sg.dot(apart, apart) if xs else 0.0, float(len(xs)) - ddof)


def _spread(root: bool) -> Callable[..., Any]:
    def spread(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: Any = False,
        *,
        where: Any = True,
        mean: Any = NONE,
        correction: Any = NONE,
    ) -> Any:
        degrees = ddof if correction is NONE else correction

        def function(xs: list[Any]) -> Any:
            found = variance(xs, degrees)
            return SCALAR["sqrt"](found) if root else found

        return _kept(along(a, function, axis, keepdims, where), out)

    return spread


def _mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    return _kept(along(a, mean, axis, keepdims, where), out)


def _logical(function: Callable[[list[Any]], bool]) -> Callable[..., Any]:
    def reduce(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True, **_: Any) -> Any:
        return _kept(np.asarray(along(a, function, axis, keepdims, where), dtype=bool)[()], out)

    return reduce


def quantile_of(xs: Sequence[Any], q: float) -> Any:
    """Return the quantile of the numbers, linear between the nearest two."""
    ordered = sorted(xs)
    place = q * (len(ordered) - 1)
    below = min(int(place), max(len(ordered) - 2, 0))
    share = place - below
    if share == 0.0 or len(ordered) == 1:
        return ordered[below]
    return ordered[below] + (ordered[below + 1] - ordered[below]) * share


def _quantile(scale: float) -> Callable[..., Any]:
    def quantile(a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: Any = False, **_: Any) -> Any:
        if method != "linear":
            raise TypeError(f"quantile of Values: method {method!r} is not here; use 'linear'")
        qs = np.asarray(q, dtype=float) / scale
        found = [along(a, functools.partial(quantile_of, q=q), axis, keepdims) for q in qs.ravel().tolist()]
        return (
            found[0]
            if qs.ndim == 0
            else returned(np.stack([*map(objects, found)]).reshape(qs.shape + np.shape(found[0])))
        )

    return quantile


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    """Return the median: the middle number, or the mean of the middle two."""
    return along(a, lambda xs: quantile_of(xs, 0.5), axis, keepdims)


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    """Return the average, weighted if there are weights; with `returned`, the sum of the weights too."""
    array = objects(a)
    w = np.ones(array.shape) if weights is None else objects(weights)
    if w.shape != array.shape:
        w = w.reshape([n if i == axis % array.ndim else 1 for i, n in enumerate(array.shape)])
    w = np.broadcast_to(w, array.shape)
    whole = along(w, total, axis, keepdims)
    found = np.true_divide(along(array * w, total, axis, keepdims), whole)
    return (found, whole) if returned else found


def _accumulation(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def accumulate(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, **_: Any) -> Any:
        array = objects(a)
        if axis is None:
            array, axis = array.ravel(), 0
        rows = np.moveaxis(array, axis, -1)
        found = np.empty(rows.shape, dtype=object)
        for index in np.ndindex(*rows.shape[:-1]):
            found[index] = [*itertools.accumulate(rows[index].tolist(), function)]
        return _kept(returned(np.moveaxis(found, -1, axis)), out)

    return accumulate


def _without_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, *args, **options: function(a, *args, where=~np.isnan(objects(a).view(Array)), **options)


def _extreme_of_range(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Any:
    return _kept(along(a, lambda xs: largest(xs) - smallest(xs), axis, keepdims), out)


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "add": _reduction(total),
    "multiply": _reduction(product),
    "maximum": _reduction(largest),
    "minimum": _reduction(smallest),
    "logical_and": _logical(every),
    "logical_or": _logical(some),
}
"""The ufuncs whose `reduce` takes Values."""
ACCUMULATIONS: dict[str, Callable[..., Any]] = {
    "add": _accumulation(operator.add),
    "multiply": _accumulation(operator.mul),
    "maximum": _accumulation(sg.maximum),
    "minimum": _accumulation(sg.minimum),
}
"""The ufuncs whose `accumulate` takes Values."""

_extremes = {"max": _reduction(largest), "min": _reduction(smallest)}


def _extreme_function(name: str) -> Callable[..., Any]:
    def extreme(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = NONE, where: Any = True
    ) -> Any:
        return _extremes[name](a, axis, None, out, keepdims, initial, where)

    return extreme


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": REDUCTIONS["add"],
    "prod": REDUCTIONS["multiply"],
    "max": _extreme_function("max"),
    "amax": _extreme_function("max"),
    "min": _extreme_function("min"),
    "amin": _extreme_function("min"),
    "ptp": _extreme_of_range,
    "all": _logical(every),
    "any": _logical(some),
    "mean": _mean,
    "var": _spread(False),
    "std": _spread(True),
    "median": median,
    "quantile": _quantile(1.0),
    "percentile": _quantile(100.0),
    "average": average,
    "cumsum": ACCUMULATIONS["add"],
    "cumprod": ACCUMULATIONS["multiply"],
    "nansum": _without_nan(REDUCTIONS["add"]),
    "nanprod": _without_nan(REDUCTIONS["multiply"]),
    "nanmean": _without_nan(_mean),
    "nanvar": _without_nan(_spread(False)),
    "nanstd": _without_nan(_spread(True)),
    "nanmax": _without_nan(_extreme_function("max")),
    "nanmin": _without_nan(_extreme_function("min")),
}
