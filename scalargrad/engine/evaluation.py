"""Eager evaluation: what a call of a row means, for any arguments.

`evaluate` says it, and is short; `fastcalls` compiles the common calls from the same rows, equal and faster.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from .. import elementary, primitives, special  # noqa: F401 (they fill the table)
from ..interpreters.floats import FLOATS, IEEE
from ..rows import Functions, Output, Primitive, Vector, as_float
from .observer import OBSERVER
from .value import Value, make_node

REFUSALS = (ValueError, ZeroDivisionError, OverflowError)
REFUSED_TYPES = (bool, str, bytes, complex, type(None))


def evaluate(row: Primitive, args: tuple[Any, ...], m: Functions = FLOATS) -> Any:
    """What a row gives for flat arguments: a node where one of them is a Value, else a float.

    A vector row gives a list. `m` computes the values: `FLOATS` raises what floats raise for a bad
    operand, `IEEE` never raises; local derivatives always follow IEEE.
    """
    data = [arg._data if isinstance(arg, Value) else _number(row, index, arg) for index, arg in enumerate(args)]
    try:
        out = row.forward(m, *data)
    except REFUSALS as error:
        raise refusal(row, error, args, data) from None
    wanted = [isinstance(arg, Value) for arg in args]
    if not any(wanted):
        return out
    if not all(wanted):
        args = tuple([arg if w else number for arg, number, w in zip(args, data, wanted, strict=True)])
    found: list[tuple[Primitive | Output, Any, Sequence[Any]]]
    if isinstance(row, Vector):
        outputs = [Output(row, j) for j in range(len(out))]
        found = [(output, y, output.derivatives(IEEE, out, data)) for output, y in zip(outputs, out, strict=True)]
    else:
        found = [(row, out, row.derivatives(IEEE, out, data, wanted))]
    nodes = [make_node(primitive, args, float(y), _by_parent(by, wanted)) for primitive, y, by in found]
    if (recording := OBSERVER.get()) is not None:
        recording.computed(row, args, nodes, m)
    return nodes if isinstance(row, Vector) else nodes[0]


def _by_parent(partials: Sequence[Any], wanted: Sequence[bool]) -> list[float | None]:
    return [by if by is None else float(by) for by, w in zip(partials, wanted, strict=True) if w]


def call(row: Primitive, args: tuple[Any, ...]) -> Any:
    """What a row gives for flat arguments of any kind: numbers, Values or NumPy arrays."""
    if "numpy" in sys.modules:
        import numpy as np

        if any(isinstance(arg, np.ndarray) for arg in args):
            if any(isinstance(arg, Value) or (isinstance(arg, np.ndarray) and arg.dtype == object) for arg in args):
                return np.frompyfunc(lambda *xs: evaluate(row, xs), len(args), 1)(*args)
            from ..interpreters.arrays import on_arrays

            return on_arrays(row.forward, *args)
    return evaluate(row, args)


def _number(row: Primitive, index: int, arg: Any) -> float:
    number = as_float(arg)
    if number is None:
        name = row.parameters[0 if row.variadic else index]
        position = f"{name}[{index}]" if row.variadic else name
        kind = type(arg).__name__
        advice = (
            "; write 1.0 or 0.0" if kind == "bool" else "; write float(…) for a number in text" if kind == "str" else ""
        )
        raise TypeError(f"{row.name}: {position} is {arg!r}, a {kind}, not a number or a Value{advice}")
    return number


def refusal(row: Primitive, error: Exception, args: Sequence[Any], data: Sequence[float]) -> Exception:
    """The same kind of error, naming the operation, the operand that is to blame, its label and the domain."""
    names = [f"{row.parameters[0]}[{i}]" for i in range(len(data))] if row.variadic else row.parameters
    labels = [f', at "{arg.label}"' if isinstance(arg, Value) and arg.label else "" for arg in args]
    described = [f"{name} = {x!r}{label}" for name, x, label in zip(names, data, labels, strict=True)]
    if not row.contains(data):
        if isinstance(row.domain, tuple):
            for index, x in enumerate(data):
                if x not in row.domain_of(index):
                    text = f"{row.name}: {names[index]} = {x!r} is outside {row.domain_of(index)}{labels[index]}"
                    return type(error)(text)
        return type(error)(f"{row.name}: {'; '.join(described)}: outside its domain, {row.domain}")
    if isinstance(error, OverflowError):
        return OverflowError(f"{row.name}: {'; '.join(described)}: the result is too large for a float")
    return type(error)(f"{row.name}: {'; '.join(described)}: {error}")


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


def fallback(row: Primitive, other: Any, args: tuple[Any, ...]) -> Any:
    """An operator with an uncommon operand: computed, refused by name, or left to the other operand."""
    if isinstance(other, (Value, *REFUSED_TYPES)) or as_float(other) is not None:
        return evaluate(row, args)
    return NotImplemented
