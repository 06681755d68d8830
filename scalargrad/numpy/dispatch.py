"""Which function does the work: NumPy's own on plain arrays, one of ours on Values, or NumPy's written in Python."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scalargrad import Value

from . import functions, linalg, products, reductions
from .arrays import COMPUTES, CREATORS, Array, has_values, is_ours, objects, operands, returned
from .ufuncs import Ufunc

__all__ = ["call", "taking_values"]

OWN: dict[Any, Callable[..., Any]] = {
    **{getattr(np, name): f for part in (functions, products, reductions) for name, f in part.FUNCTIONS.items()},
    **{getattr(np.linalg, name): f for name, f in linalg.FUNCTIONS.items()},
}
"""NumPy's functions that have versions for Values. All others are NumPy's own, on `Array`."""
IN_PLACE = ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask")


def call(func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return the result of a function of NumPy for arrays of floats and Values.

    Raises `TypeError`, naming the function, if it can't take Values.
    """
    if func.__name__ in IN_PLACE:
        return _numpys(func, args, options)
    options = dict(options)
    out = options.pop("out", None)
    if not has_values((args, options)):
        found = returned(func(*operands(tuple(args), True), **operands(options, True)))
    elif func in OWN:
        found = returned(OWN[func](*args, **options))
    else:
        found = returned(_numpys(func, args, options))
    if out is None:
        return found
    out[...] = found
    return out


def _numpys(func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    # What NumPy computes from operators, ufuncs and other functions of its own comes back here for each of them.
    arrays = operands(tuple(args), False), operands(dict(options), False)
    try:
        return np.ndarray.__array_function__(objects(0.0).view(Array), func, (Array,), *arrays)
    except TypeError as error:
        name = f"{func.__module__}.{func.__name__}"
        raise TypeError(
            f"{name} of Values: {error}. If it is compiled code, it has no derivative here; "
            "compute it of plain numbers, or from functions that docs/howto/existing-code.md lists"
        ) from error


def _touches(x: Any) -> bool:
    """Return True if an argument is a Value or an array of objects, or has one in its lists."""
    if isinstance(x, (list, tuple)):
        return any(map(_touches, x))
    return isinstance(x, Value) or is_ours(x)


def taking_values(public: Any) -> Any:
    """Return a name of NumPy's as it is here: a function or ufunc that takes Values, anything else as it is."""
    functional = isinstance(public, (np.ufunc, types.FunctionType, types.BuiltinFunctionType))
    return _taking_values(public) if functional or hasattr(public, "_implementation") else public


@functools.cache
def _taking_values(public: Any) -> Any:
    name: str = public.__name__
    if isinstance(public, np.ufunc):
        return Ufunc(public)
    if name in CREATORS and getattr(np, name, None) is public:
        return CREATORS[name]

    @functools.wraps(public)
    def function(*args: Any, **options: Any) -> Any:
        if any(map(_touches, args)) or any(map(_touches, options.values())):
            return call(public, args, options)
        return public(*args, **options)

    return function


COMPUTES["function"] = call
