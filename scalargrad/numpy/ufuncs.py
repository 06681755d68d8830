"""NumPy's ufuncs and their methods on arrays of floats and Values."""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from scalargrad import Value, special

from .arrays import COMPUTES, Array, has_values, objects, operands, plain, returned
from .elementwise import PREDICATES, SCALAR
from .products import PRODUCTS
from .reductions import ACCUMULATIONS, REDUCTIONS

__all__ = ["Ufunc", "apply", "on_value"]


def apply(ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return the result of a ufunc, or of one of its methods, for arrays of floats and Values.

    Raises `TypeError`, naming the ufunc, if it can't take Values.
    """
    out = options.pop("out", None)
    outs = out if isinstance(out, tuple) else (out,)
    where = options.pop("where", True)
    if method == "at":
        return _at(ufunc, *inputs)
    if not has_values(inputs):
        if where is not True:
            options["where"] = where
        found = getattr(ufunc, method)(*operands(tuple(inputs), True), **operands(options, True))
    elif method == "__call__":
        found = _elementwise(ufunc, inputs)
    else:
        found = _along(ufunc, method, inputs, options, where)
        where = True
    return _stored(found, outs, where)


OPERATORS = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
    np.power: operator.pow,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}
"""The ufuncs that NumPy calls for an operator with one of its numbers on the left."""


def on_value(value: Value, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """Return the result of a ufunc if one of its inputs is a Value: the method `__array_ufunc__` of Values."""
    function = OPERATORS.get(ufunc)
    if function is not None and inputs[-1] is value and getattr(inputs[0], "ndim", 1) == 0 and not options:
        return function(plain(inputs[0]), value)
    return apply(ufunc, method, inputs, options)


@functools.cache
def _scalar(ufunc: Any) -> tuple[Any, bool]:
    name = ufunc.__name__
    function = SCALAR.get(name) or PREDICATES.get(name) or _of_scipy(ufunc)
    if function is None and all(set(kinds) <= {"O", "-", ">"} for kinds in ufunc.types):  # of numpy.frompyfunc
        return ufunc, False
    if function is None:
        raise TypeError(f"{name} of Values has no meaning here; compute it of numbers, or from other functions")
    return np.frompyfunc(function, ufunc.nin, ufunc.nout), name in PREDICATES


def _of_scipy(ufunc: Any) -> Any:
    """Return the function of `scalargrad.special` for a ufunc of `scipy.special`, if there is one."""
    name: str = ufunc.__name__
    if name == "_lambertw":  # which `scipy.special.lambertw` calls
        return lambda x, k, tolerance: special.lambertw(x, float(k))
    scipys = getattr(sys.modules.get("scipy.special"), name, None)
    return getattr(special, name) if scipys is ufunc and name in special.__all__ else None


def _elementwise(ufunc: Any, inputs: Sequence[Any]) -> Any:
    if ufunc.signature is not None:  # matmul, vecdot, matvec, vecmat
        return PRODUCTS[ufunc.__name__](*inputs)
    function, is_predicate = _scalar(ufunc)
    with np.errstate(all="ignore"):  # a comparison of nan would warn
        found = function(*map(objects, inputs))
    return np.asarray(found, dtype=bool)[()] if is_predicate else found


def _along(ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any], where: Any) -> Any:
    name = ufunc.__name__
    if method == "outer":
        a, b = map(objects, inputs)
        return _elementwise(ufunc, (a.reshape(a.shape + (1,) * b.ndim), b))
    functions = {"reduce": REDUCTIONS, "accumulate": ACCUMULATIONS}.get(method, {})
    if name not in functions:
        raise TypeError(f"numpy.{name}.{method} of Values has no meaning here; write a loop")
    a, *rest = inputs
    options = {key: item for key, item in options.items() if key in ("axis", "keepdims", "initial")}
    options.setdefault("axis", rest[0] if rest else 0)
    if where is not True:
        options["where"] = where
    return functions[name](a, **options)


def _at(ufunc: Any, array: Any, indices: Any, *others: Any) -> None:
    function, _ = _scalar(ufunc)
    places = np.arange(array.size).reshape(array.shape)[indices].ravel().tolist()
    flat = [np.broadcast_to(objects(other), np.shape(np.empty(array.shape)[indices])).ravel() for other in others]
    for i, place in enumerate(places):
        index = np.unravel_index(place, array.shape)
        array[index] = function(array[index], *[other[i] for other in flat])


def _stored(found: Any, outs: Sequence[Any], where: Any) -> Any:
    """Return a result, or put it into the arrays that the caller gave for it."""
    results = found if isinstance(found, tuple) else (found,)
    stored = []
    for result, out in zip(results, [*outs, *[None] * len(results)], strict=False):
        if out is None and where is True:
            stored.append(returned(result))
            continue
        target = np.empty(np.shape(result), dtype=object).view(Array) if out is None else out
        if target.dtype != object and has_values(result):
            raise TypeError(
                f"a plain array of {target.dtype} can't take Values: make it by scalargrad.numpy.array(…), or write "
                "a = a + b for a += b"
            )
        if where is True:
            target[...] = result
        else:
            mask = np.broadcast_to(where, target.shape)
            target[mask] = np.broadcast_to(objects(result), target.shape)[mask]
        stored.append(target)
    return tuple(stored) if isinstance(found, tuple) else stored[0]


class Ufunc:
    """A ufunc of NumPy that takes Values, with its methods `reduce`, `accumulate`, `outer` and `at`."""

    def __init__(self, ufunc: Any) -> None:
        self.ufunc = ufunc
        self.__name__ = ufunc.__name__
        self.__doc__ = f"Return `numpy.{ufunc.__name__}`, of Values too.\n\n{ufunc.__doc__}"

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._apply("__call__", args, options)

    def _apply(self, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
        count = self.ufunc.nin if method == "__call__" else len(args)
        plain = all(type(x) is float or (isinstance(x, np.ndarray) and x.dtype != object) for x in args)
        if plain or not (has_values((args, options)) or any(isinstance(x, Array) for x in (*args, *options.values()))):
            return getattr(self.ufunc, method)(*args, **options)
        if len(args) > count:
            options = {**options, "out": tuple(args[count:])}
        return apply(self.ufunc, method, args[:count], options)

    def __getattr__(self, name: str) -> Any:
        if name in ("reduce", "accumulate", "outer", "at", "reduceat"):
            return lambda *args, **options: self._apply(name, args, options)
        return getattr(self.ufunc, name)

    def __repr__(self) -> str:
        return f"<ufunc {self.__name__!r} of scalargrad.numpy>"


COMPUTES["ufunc"] = apply
