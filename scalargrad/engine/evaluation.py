"""Eager evaluation: the meaning of a call of a primitive, for any arguments.

`evaluate` states it, and is short; `fastcalls` compiles the common calls from the same rows, equal and faster.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from .. import elementary, primitives, special  # noqa: F401 (they fill the table)
from ..interpreters.floats import FLOATS, IEEE
from ..rows import Functions, Many, Output, Primitive, Vector, as_float
from .observer import OBSERVER
from .value import Value, make_node

REFUSALS = (ValueError, ZeroDivisionError, OverflowError)
REFUSED_TYPES = (str, bytes, complex, type(None))


def evaluate(primitive: Primitive, args: tuple[Any, ...], m: Functions = FLOATS) -> Any:
    """Return the result of a primitive for flat arguments: a node if one of them is a Value, else a float.

    A vector primitive gives a list. `m` computes the values: `FLOATS` raises the errors of floats for a bad operand,
    `IEEE` never raises. Local derivatives always follow IEEE.
    """
    if (recording := OBSERVER.get()) is not None:
        found = recording.evaluated(primitive, args, m)
        if found is not NotImplemented:
            return found
    data = [arg._data if isinstance(arg, Value) else _number(primitive, index, arg) for index, arg in enumerate(args)]
    try:
        out = primitive.forward(m, *data)
    except REFUSALS as error:
        if recording is not None and any(isinstance(arg, Value) for arg in args):
            recording.refused()
        raise refusal(primitive, error, args, data) from None
    wanted = [isinstance(arg, Value) for arg in args]
    if not any(wanted):
        return out
    if not all(wanted):
        args = tuple([arg if w else number for arg, number, w in zip(args, data, wanted, strict=True)])
    made: list[tuple[Primitive | Output, Any, Sequence[Any]]]
    if isinstance(primitive, Vector):
        outputs = [Output(primitive, j) for j in range(len(out))]
        made = [(output, y, output.derivatives(IEEE, out, data)) for output, y in zip(outputs, out, strict=True)]
    else:
        made = [(primitive, out, primitive.derivatives(IEEE, out, data, wanted))]
    nodes = [make_node(maker, args, float(y), _of_parents(partials, wanted)) for maker, y, partials in made]
    return nodes if isinstance(primitive, Vector) else nodes[0]


def _of_parents(partials: Sequence[Any], wanted: Sequence[bool]) -> list[float | None]:
    return [partial if partial is None else float(partial) for partial, w in zip(partials, wanted, strict=True) if w]


def call(primitive: Primitive, args: tuple[Any, ...]) -> Any:
    """Return the result of a primitive for flat arguments of any kind: numbers, Values or NumPy arrays."""
    if (recording := OBSERVER.get()) is not None:
        found = recording.evaluated(primitive, args, FLOATS)
        if found is not NotImplemented:
            return found
    if "numpy" in sys.modules:
        import numpy as np

        if any(isinstance(arg, np.ndarray) for arg in args):
            if any(isinstance(arg, Value) or (isinstance(arg, np.ndarray) and arg.dtype == object) for arg in args):
                return np.frompyfunc(lambda *xs: evaluate(primitive, xs), len(args), 1)(*args)
            from ..interpreters.arrays import on_arrays

            return on_arrays(primitive.forward, *args)
    return evaluate(primitive, args)


def _number(primitive: Primitive, index: int, arg: Any) -> float:
    number = float(arg) if is_bool(arg) else as_float(arg)
    if number is None:
        position = primitive.names(index + 1)[index]
        kind = type(arg).__name__
        advice = ""
        if kind == "str":
            advice = "; write float(…) for a number in text"
        elif kind in ("list", "tuple"):
            advice = f"; write {primitive.each_row.format(primitive.name)}" if isinstance(primitive, Many) else ""
        raise TypeError(f"{primitive.name}: {position} is {arg!r}, a {kind}, not a number or a Value{advice}")
    return number


def is_bool(x: object) -> bool:
    """Return True for a bool, also one of NumPy's: as an operand it is the number 0 or 1, as in Python."""
    return isinstance(x, bool) or type(x).__name__ in ("bool_", "numpy.bool_")


def refusal(primitive: Primitive, error: Exception, args: Sequence[Any], data: Sequence[float]) -> Exception:
    """Return an error of the same kind that names the operation, the bad operand, its label and the domain."""
    names = primitive.names(len(data))
    labels = [f', at "{arg.label}"' if isinstance(arg, Value) and arg.label else "" for arg in args]
    described = [f"{name} = {x!r}{label}" for name, x, label in zip(names, data, labels, strict=True)]
    if not primitive.contains(data):
        if isinstance(primitive.domain, tuple):
            for index, x in enumerate(data):
                if x not in primitive.domain_of(index):
                    outside = f"{x!r} is outside {primitive.domain_of(index)}{labels[index]}"
                    return type(error)(f"{primitive.name}: {names[index]} = {outside}")
        return type(error)(f"{primitive.name}: {'; '.join(described)}: outside its domain, {primitive.domain}")
    if isinstance(error, OverflowError):
        return OverflowError(f"{primitive.name}: {'; '.join(described)}: the result is too large for a float")
    return type(error)(f"{primitive.name}: {'; '.join(described)}: {error}")


OPERATORS = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "div": "truediv",
    "floordiv": "floordiv",
    "mod": "mod",
    "pow": "pow",
    "neg": "neg",
    "pos": "pos",
    "abs": "abs",
}
"""The rows that are operators, and Python's names for them."""


def fallback(primitive: Primitive, other: Any, args: tuple[Any, ...]) -> Any:
    """Return an operator's result for an uncommon operand; `NotImplemented` if the other operand may know it."""
    if isinstance(other, (Value, *REFUSED_TYPES)):
        return evaluate(primitive, args)
    number = float(other) if is_bool(other) else as_float(other)
    if number is None:
        return NotImplemented
    return primitive(*[number if arg is other else arg for arg in args])  # type: ignore[operator]
