"""Taylor series of functions: `jet` and `series`, from the partial derivatives of the rows alone.

The function runs once on fresh leaves. Then `powerseries` computes the series of each node of its graph, parents first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

from ..interpreters.floats import IEEE
from ..rows import Output, Primitive
from .observer import OBSERVER
from .powerseries import ARITHMETIC, PowerSeries, SeriesFunctions, constant_term
from .structures import flatten
from .transforms import _matching, _run
from .value import Value, data_of

__all__ = ["jet", "series"]

NUDGE = 1e-12
"""The step to both sides of a point, relative to it, that tells a kink from a smooth point."""


def _refuse(name: str, node: Value, args: Sequence[Any], why: str) -> None:
    row = cast("Primitive | Output", node.primitive)
    names = (row.vector if isinstance(row, Output) else row).names(len(args))
    point = ", ".join(f"{n} = {data_of(constant_term(arg))!r}" for n, arg in zip(names, args, strict=True))
    label = f', at "{node.label}"' if node.label else ""
    raise ValueError(f"{name}: {row.name} has {why} at {point}{label}: no Taylor series there; move the point")


def _check_smooth(name: str, node: Value, args: Sequence[Any], order: int) -> None:
    """Refuse a kink or a jump: on both sides of the point, a small step away, the slopes or the values differ."""
    row = node.primitive
    if not isinstance(row, Primitive) or row.opaque or row.name in ARITHMETIC:
        return
    data = [data_of(constant_term(arg)) for arg in args]
    smooth: float = row.smooth(IEEE, node._data, *data) if row.smooth else 1.0
    step = math.inf
    for x, arg in zip(data, args, strict=True):
        lead = next((j for j in range(1, order + 1) if isinstance(arg, PowerSeries) and data_of(arg[j]) != 0), 0)
        if lead:
            step = min(step, (NUDGE * (abs(x) or 1.0) / abs(data_of(arg[lead]))) ** (1.0 / lead))
    if step == math.inf:  # all arguments are constant
        return
    if smooth == 0 or (data[0] in row.kinks and isinstance(args[0], PowerSeries)):
        _refuse(name, node, args, "a kink")
    before, after = (_slopes(row, [_moved(arg, t, order) for arg in args]) for t in (-step, step))
    for a, b in zip(before, after, strict=True):
        if a is not None and b is not None and abs(a - b) > 1e-6 * (1e-3 + abs(a) + abs(b)):
            _refuse(name, node, args, "a kink or a jump")


def _slopes(row: Primitive, data: Sequence[float]) -> list[float | None]:
    out = row.forward(IEEE, *data)
    return [out, *row.derivatives(IEEE, out, data, [True] * len(data))]


def _moved(arg: Any, t: float, order: int) -> float:
    if not isinstance(arg, PowerSeries):
        return data_of(arg)
    return sum([data_of(arg[j]) * t**j for j in range(order + 1)])


def _expand(name: str, f: Callable[..., Any], primals: Sequence[Any], paths: Any, order: int) -> tuple[Any, list[Any]]:
    """Return the output's tree, and for each order the coefficients of all its numbers."""
    if (recording := OBSERVER.get()) is not None:
        raise recording.refusal(f"sg.{name}", "call it outside of the recorded function")
    run = _run(name, f, primals, range(len(primals)))
    as_nodes = run.linearization.as_nodes or any(isinstance(c, Value) for path in paths for c in path)
    m = SeriesFunctions(as_nodes)
    found: dict[int, Any] = {}
    for leaf, path in zip(run.leaves, paths, strict=True):
        found[id(leaf)] = PowerSeries([leaf if as_nodes else leaf._data, *path], lambda k: 0.0)
    for node in run.linearization.order:
        if id(node) not in found and any(id(parent) in found for parent in node.parents):
            found[id(node)] = _node_series(name, m, node, found, order)
    outs = [found.get(id(out), PowerSeries([out], lambda k: 0.0)) for out in run.outputs]
    results = [run.settle([out[k] for out in outs]) for k in range(1, order + 1)]
    return run.output, [run.settled_outputs(), *results]


def _node_series(name: str, m: SeriesFunctions, node: Value, found: dict[int, Any], order: int) -> Any:
    args = [found.get(id(a), a if m.as_nodes else data_of(a)) if isinstance(a, Value) else a for a in node.args]
    row = cast("Primitive | Output", node.primitive)
    if row.name == "jit" and getattr(row, "opaque", False):
        raise TypeError(f"{name}: a recorded function has no series; call the function itself, without sg.jit")
    _check_smooth(name, node, args, order)
    if isinstance(row, Output):
        out = m.row(row.vector, args)[row.index]
    else:
        out = m.row(row, args, node if m.as_nodes else node._data)
    for k in range(order + 1) if isinstance(out, PowerSeries) else ():
        if not math.isfinite(data_of(out[k])):
            _refuse(name, node, args, f"the coefficient {data_of(out[k])!r} of order {k}")
    return out


def jet(f: Callable[..., Any], primals: Sequence[Any], series: Sequence[Sequence[Any]]) -> tuple[Any, list[Any]]:
    """Return `(f(*primals), terms)`: derivatives of f along a curve, up to the order of the given ones.

    `series[i]` is the list of the derivatives of argument i with respect to t, from the first on, each nested like
    `primals[i]`. `terms` lists the derivatives of f(x(t)), each nested like the output. One run of f serves all orders.
    `x if x > 0 else 0` follows the side of the point itself.

    Raises `ValueError` at a kink, a jump or a pole of an operation, naming it, and for lists of different lengths;
    `TypeError` for what is not a number. Source: Griewank and Walther, "Evaluating Derivatives", chapter 13.

    >>> jet(lambda x: x**3, (2.0,), ([1.0, 0.0, 0.0],))
    (8.0, [12.0, 12.0, 6.0])
    >>> jet(lambda x, y: x * y, (2.0, 3.0), ([1.0], [0.0]))
    (6.0, [3.0])
    """
    if len(series) != len(primals) or len({len(terms) for terms in series}) != 1:
        counts = [len(terms) for terms in series]
        raise ValueError(
            f"jet: {len(primals)} primals with lists of {counts} terms; give one list for each, all of one length"
        )
    order = len(series[0])
    paths: list[list[Any]] = []
    for primal, terms in zip(primals, series, strict=True):
        tree = flatten(primal)[1]
        rows = [_matching("jet", "a term of the series", term, tree) for term in terms]
        paths.extend([row[i] / math.factorial(k) for k, row in enumerate(rows, 1)] for i in range(tree.size))
    output, coefficients = _expand("jet", f, tuple(primals), paths, order)
    terms = [[c * float(math.factorial(k)) for c in row] for k, row in enumerate(coefficients)]
    return output.unflatten(coefficients[0]), [output.unflatten(row) for row in terms[1:]]


def series(f: Callable[..., Any], x: Any, order: int) -> list[Any]:
    """Return the coefficients c₀ … cₙ of the Taylor series f(x + t) = c₀ + c₁t + … + cₙtⁿ, where n is `order`.

    Each is nested like the output of f. x is a number or a Value. Raises what `jet` raises, and `ValueError` for an
    order that is not a whole number ≥ 0.

    >>> from scalargrad import exp
    >>> series(exp, 0.0, 3)
    [1.0, 1.0, 0.5, 0.16666666666666666]
    """
    if not isinstance(order, int) or isinstance(order, bool) or order < 0:
        raise ValueError(f"series: order = {order!r} is not a whole number ≥ 0")
    output, coefficients = _expand("series", f, (x,), [[1.0][:order]], order)
    return [output.unflatten(row) for row in coefficients]
