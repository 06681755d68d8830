"""The values and gradients of a graph in as many digits as it takes until they no longer change.

mpmath is imported at use.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

from ..rows import Opaque, Output
from .graph import reverse_flow
from .value import Value

__all__ = ["Exact", "Table", "mpmath_for", "settled"]

MORE = 30
"""Digits beyond those asked for, so that two precisions don't agree by chance."""
LEVELS = (1, 2, 4, 8)

Exact: TypeAlias = Any
"""An mpmath number; nan if there is none."""

Table: TypeAlias = "dict[int, Exact]"


def settled(name: str, order: Sequence[Value], start: Table, wanted: int) -> tuple[Table, Table, Table]:
    """Return the values, gradients and condition numbers by `id`, right to `wanted` digits; nan for what never is."""
    mp = mpmath_for(name)
    precision = max(wanted + MORE, 60) + _span(order)
    levels: list[tuple[Table, Table, Table]] = []
    found: list[dict[int, Exact | None]] = []
    for level in LEVELS:
        with mp.workdps(precision * level):
            levels = [_evaluated(name, order, start), *levels[:2]]
            found = [_agreed(wanted, [tables[kind] for tables in levels]) for kind in (0, 1)]
        if all(number is not None for table in found for number in table.values()):
            break
    values, gradients = ({key: mp.nan if x is None else x for key, x in table.items()} for table in found)
    return values, gradients, levels[0][2]


def _span(order: Sequence[Value]) -> int:
    """Return the decimal orders between the largest and the smallest number of a graph: so many more digits count."""
    numbers = (abs(arg._data if isinstance(arg, Value) else arg) for node in order for arg in (node, *node.args))
    exponents = [math.frexp(x)[1] for x in numbers if x and math.isfinite(x)] or [0]
    return int((max(exponents) - min(exponents)) * math.log10(2))


def _agreed(wanted: int, tables: Sequence[Table]) -> dict[int, Exact | None]:
    """Return the number of the newest table where the next one agrees, and None elsewhere; the newest comes first.

    What shrinks twice like a rounding error is 0.
    """
    found: dict[int, Exact | None] = {}
    much = 10 ** (wanted + 3)
    for key, new in tables[0].items():
        olds = [table[key] for table in tables[1:]]
        if olds and (new == olds[0] or abs(new - olds[0]) * much <= abs(new)):
            found[key] = new
            continue
        shrinks = len(olds) > 1 and all(abs(x) * much <= abs(y) for x, y in zip([new, *olds], olds, strict=False))
        neither = bool(olds) and new != new and olds[0] != olds[0]  # nan twice
        found[key] = new if neither else new * 0 if shrinks else None
    return found


def _evaluated(name: str, order: Sequence[Value], start: Table) -> tuple[Table, Table, Table]:
    """Return the values, gradients and condition numbers at mpmath's precision of now."""
    from ..interpreters.multiprecision import number

    values, conditions = dict(start), {}
    edges: list[tuple[Value, list[tuple[Value, Exact]]]] = []
    calls: dict[Any, Any] = {}
    for node in order:
        key = id(node)
        if node.primitive is None or key in start:
            values.setdefault(key, number(node._data))
            conditions[key] = number(1)
            continue
        args = [values[id(arg)] if isinstance(arg, Value) else number(arg) for arg in node.args]
        values[key], partials = _step(name, node, args, calls)
        chosen = zip(node.args, partials, strict=True)
        pairs = [(arg, p) for arg, p in chosen if isinstance(arg, Value) and p is not None]
        edges.append((node, pairs))
        shares: Table = {}
        for parent, partial in pairs:
            shares[id(parent)] = shares.get(id(parent), 0) + values[id(parent)] * partial
        size = sum(map(abs, shares.values()), number(0))
        conditions[key] = size / abs(values[key]) if values[key] else number(math.inf if size else 0)
    gradients = {id(node): number(0) for node in order} | {id(order[-1]): number(1)}
    deque(reverse_flow(edges, gradients, lambda gradient, partial: gradient * partial if gradient else gradient), 0)
    return values, gradients, conditions


def _step(name: str, node: Value, args: list[Exact], calls: dict[Any, Any]) -> tuple[Exact, list[Exact | None]]:
    """Return the value of a node and the partial derivatives for its args; `calls` keeps the outputs of vector rows."""
    from mpmath import mp  # type: ignore[import-untyped]

    from ..interpreters.multiprecision import MULTIPRECISION, function, partials

    primitive: Any = node.primitive
    row = primitive.vector if isinstance(primitive, Output) else primitive
    if isinstance(row, Opaque):
        raise TypeError(f"{name}: {row.name} is opaque, a function of floats; write it as a row for more digits")
    wanted = [isinstance(arg, Value) for arg in node.args]
    refusals = ArithmeticError, ValueError, TypeError, mp.NoConvergence  # outside of the domain, or at a pole
    outs: Any = None
    try:
        call = row, tuple([id(arg) if isinstance(arg, Value) else arg for arg in node.args])
        outs = calls[call] if call in calls else function(row)(*args)
        if isinstance(primitive, Output):
            calls[call] = outs
            slopes = primitive.derivatives(MULTIPRECISION, outs, args)
        else:
            slopes = partials(row, outs, args, wanted)
    except refusals:
        slopes = [mp.nan if w else None for w in wanted]
    out = mp.nan if outs is None else outs[primitive.index] if isinstance(primitive, Output) else outs
    return _real(out), [None if p is None else _real(p) for p in slopes]


def _real(x: Any) -> Exact:
    from mpmath import mp

    if type(x) is mp.mpf:
        return x
    x = mp.convert(x)  # 1.0 of a rule, or a complex number
    return x if isinstance(x, mp.mpf) else mp.nan


def mpmath_for(name: str) -> Any:
    """Return mpmath's context. Raises `ModuleNotFoundError`, naming the package, if it is missing."""
    try:
        from mpmath import mp
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"{name}: needs the package mpmath: pip install mpmath") from None
    return mp
