"""`Array`: a NumPy array of floats and Values, and the functions that make arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from scalargrad import Value
from scalargrad.engine.observer import differentiating

__all__ = ["COMPUTES", "CREATORS", "Array", "objects", "operands", "returned"]


COMPUTES: dict[str, Callable[..., Any]] = {}
"""The functions that compute with an `Array`, for a "ufunc" or a "function"; their modules add them."""


class Array(np.ndarray[Any, Any]):
    """A NumPy array of objects, floats and Values, which computes as an array of floats does.

    `scalargrad.numpy.zeros`, `array` and the like return one while a function is differentiated or recorded, and
    elsewhere with `dtype=object`, or if a Value is among their arguments. An item that is assigned becomes a float or
    stays a Value. NumPy's functions and operators work on it, called from here or from NumPy itself.

    >>> from scalargrad import Value, numpy as np
    >>> a = np.zeros(2, dtype=object)
    >>> a[0] = Value(3.0)
    >>> np.sum(a * a).data
    9.0
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return COMPUTES["ufunc"](ufunc, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return COMPUTES["function"](func, args, kwargs)

    def __setitem__(self, key: Any, item: Any) -> None:
        if self.dtype != object:
            super().__setitem__(key, item)
        elif isinstance(item, (float, int, np.generic)):
            super().__setitem__(key, float(item))
        elif isinstance(item, Value):
            super().__setitem__(key, item)
        else:
            items = _numbers(objects(item))
            super().__setitem__(key, items.item() if items.size == 1 else items)

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        """Return a copy as an array of floats, which keeps Values, or of another type, which refuses them."""
        if np.dtype(dtype).kind == "f" and self.dtype == object:
            return self.copy()
        return super().astype(dtype, *args, **options)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Array, *args: Any, **options: Any) -> Any:
        return getattr(np, name)(self, *args, **options)

    method.__name__ = name
    method.__doc__ = f"Return `numpy.{name}` of this array."
    return method


for _name in (
    "all",
    "any",
    "clip",
    "cumprod",
    "cumsum",
    "dot",
    "max",
    "mean",
    "min",
    "prod",
    "round",
    "std",
    "sum",
    "var",
):
    setattr(Array, _name, _method(_name))


def leaves(x: Any) -> Iterator[Any]:
    """Yield the numbers and arrays of floats in an argument, however its lists and arrays are nested."""
    if isinstance(x, np.ndarray) and x.dtype == object:
        yield from x.ravel().tolist()
    elif isinstance(x, (list, tuple)):
        for item in x:
            yield from leaves(item)
    elif isinstance(x, dict):
        yield from leaves([*x.values()])
    else:
        yield x


def has_values(x: Any) -> bool:
    """Return True if there is a Value in an argument, in its lists or in its arrays of objects."""
    return any(isinstance(leaf, Value) for leaf in leaves(x))


def objects(x: Any) -> Any:
    """Return the numbers of an argument as a plain NumPy array of objects, floats and Values."""
    if isinstance(x, np.ndarray):
        return x.view(np.ndarray) if x.dtype == object else np.asarray(x, dtype=float).astype(object)
    if isinstance(x, Value):
        found = np.empty((), dtype=object)
        found[()] = x
        return found
    array = np.asarray(plain(x) if isinstance(x, np.generic) else x, dtype=object)
    return array.view(np.ndarray)


def plain(x: Any) -> Any:
    """Return the number of Python's for one of NumPy's, or for an array of one: a `longdouble` becomes a float."""
    item = x.item()
    return float(item) if isinstance(item, np.generic) else item


def _numbers(array: Any) -> Any:
    """Return an array of objects whose numbers are floats and Values."""
    to_number = np.frompyfunc(lambda x: x if isinstance(x, Value) else float(x), 1, 1)
    return np.asarray(to_number(array.view(np.ndarray)), dtype=object).view(type(array))


def is_ours(x: Any) -> bool:
    """Return True for an `Array` of objects, and for any array with a Value in it."""
    return isinstance(x, np.ndarray) and x.dtype == object and (isinstance(x, Array) or has_values(x))


def _has_only(x: Any, *kinds: type) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == object and all(isinstance(i, kinds) for i in x.ravel().tolist())


def operands(x: Any, floats: bool) -> Any:
    """Return an argument with its arrays of objects as arrays of floats, or as `Array` if there are Values."""
    if isinstance(x, Value):
        return objects(x).view(Array)
    if is_ours(x):
        return np.asarray(x.view(np.ndarray), dtype=float) if floats else x.view(Array)
    if type(x) in (list, tuple):
        if not floats and x and all(isinstance(item, (Value, float, int)) for item in x) and has_values(x):
            return objects(x).view(Array)
        return type(x)([operands(item, floats) for item in x])
    return x


def returned(x: Any) -> Any:
    """Return a result as the caller gets it: floats and Values in an `Array`, one alone as itself.

    An array of floats stays NumPy's, except while a function is differentiated or recorded: it may be given Values.
    """
    if type(x) in (list, tuple):
        return type(x)([returned(item) for item in x])
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.ndim and differentiating():
        return x.astype(object).view(Array)
    if _has_only(x, Value, float):
        return x.view(Array) if x.ndim else x.item()
    return x


def _made(array: Any) -> Any:
    """Return an array that was made, to be filled: of objects if that was asked for, or if Values may come."""
    if isinstance(array, np.ndarray) and array.size and _has_only(array, Value, float, int):
        return _numbers(array).view(Array)
    return returned(array) if array.size else array


def _is_floating(dtype: Any) -> bool:
    return dtype is None or np.dtype(dtype).kind in "fO"


def _filled(name: str) -> Callable[..., Any]:
    make = getattr(np, name)

    def creator(*args: Any, **options: Any) -> Any:
        if name.endswith("_like"):
            prototype = args[0]
            if isinstance(prototype, Value) or (isinstance(prototype, np.ndarray) and prototype.dtype == object):
                args = (np.empty(objects(prototype).shape), *args[1:])
        if not has_values((args, options)):
            return _made(make(*args, **options))
        array = make(args[0], 0.0, *args[2:]).astype(object).view(Array)  # full and full_like
        array[...] = args[1] if len(args) > 1 else options["fill_value"]
        return array

    return _described(creator, name)


def _converted(name: str) -> Callable[..., Any]:
    # `as…` gives back what is an array already; the others copy.
    copies = name in ("array", "copy")

    def creator(a: Any, dtype: Any = None, **options: Any) -> Any:
        if not has_values(a):
            if isinstance(a, np.ndarray) and a.dtype != object and not copies and _is_floating(dtype):
                return np.asarray(a, dtype, **options)
            a = operands(a, True)
            return _made(getattr(np, name)(a, **({} if name == "copy" else {"dtype": dtype}), **options))
        array = objects(a).view(Array)
        array = array if isinstance(a, np.ndarray) else _numbers(array)
        if not _is_floating(dtype):
            return array.astype(dtype)
        while array.ndim < options.get("ndmin", 0):
            array = array[np.newaxis]
        return array.copy() if copies and options.get("copy", True) else array

    return _described(creator, name)


def _described(creator: Callable[..., Any], name: str) -> Callable[..., Any]:
    creator.__name__ = creator.__qualname__ = name
    creator.__doc__ = f"Return `numpy.{name}`; of floats and Values as an `Array`, which takes Values."
    return creator


CREATORS: dict[str, Callable[..., Any]] = {
    **{name: _filled(name) for name in ("zeros", "ones", "empty", "full", "eye", "identity")},
    **{name: _filled(name) for name in ("zeros_like", "ones_like", "empty_like", "full_like")},
    **{name: _converted(name) for name in ("array", "copy", "asarray", "asanyarray", "ascontiguousarray")},
}
