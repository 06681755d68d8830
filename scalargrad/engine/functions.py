"""Functions that are no rows of their own: calls of rows in another form, branches, rows that users add."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..primitives import max as largest
from ..primitives import min as smallest
from ..rows import Binary, Fixed, Interval, Joint, Opaque, Primitive, Unary, enter
from .fastcalls import compile_check
from .value import Value

__all__ = ["maximum", "minimum", "primitive", "where"]


def maximum(x: Any, y: Any, *more: Any) -> Any:
    """The largest of two or more numbers; the first of several takes the whole derivative.

    A float for floats, a Value where one of them is one. Raises `TypeError` for what is no number.
    Source: 11-785, "Subgradients and the max".

    >>> maximum(1.0, 3.0, 2.0)
    3.0
    """
    return largest((x, y, *more))


def minimum(x: Any, y: Any, *more: Any) -> Any:
    """The smallest of two or more numbers; the first of several takes the whole derivative.

    A float for floats, a Value where one of them is one. Raises `TypeError` for what is no number.

    >>> minimum(1.0, 3.0, 2.0)
    1.0
    """
    return smallest((x, y, *more))


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y: a branch, which records only what it chooses.

    So an infinite or missing derivative of the other one can't leak. A side may be a function of no
    arguments, called only when it is chosen.

    >>> x = Value(-1.0)
    >>> where(x > 0, lambda: x**0.5, 0.0)
    0.0
    """
    chosen = x if condition else y
    return chosen() if callable(chosen) and not isinstance(chosen, Value) else chosen


def primitive(
    name: str,
    forward: Callable[..., Any],
    partials: Callable[..., Any] | Sequence[Callable[..., Any] | None],
    *,
    domain: Interval | tuple[Interval, ...] | Joint | None = None,
    textbook: tuple[Callable[..., Any] | None, ...] | None = None,
    kinks: tuple[float, ...] = (),
    ulps: tuple[float, float] = (4.0, 4.0),
    doc: str = "",
) -> Primitive:
    """Add a row to the table, and return it: the function to call.

    `forward(m, x, …)` and the partials `(m, out, x, …)`, one for each argument, are written against the
    namespace `m`, as in `primitives`; then equations, diagrams and derivatives of any order follow. A
    `forward` whose first parameter is not named `m` makes an opaque row of plain float functions
    `forward(x, …)` and partials `(x, …)`, say from SciPy: it works in eager code, at first order.

    Raises `ValueError` for a name that is taken or no identifier, `TypeError` where the number of partials
    is not that of the arguments.

    >>> cube = primitive("cube", lambda m, x: x * x * x, lambda m, out, x: 3.0 * x * x)
    >>> x = Value(2.0)
    >>> cube(x).backward(); x.grad
    12.0
    """
    rules = (partials,) if callable(partials) else tuple(partials)
    try:
        parameters = [*inspect.signature(forward).parameters]
    except ValueError:  # a compiled function tells nothing of its parameters
        parameters = []
    row: Primitive
    if parameters[:1] != ["m"]:
        if None in rules:
            raise TypeError(f"primitive {name}: a partial of an opaque row is a function, not None")
        row = Opaque(name, forward, *rules, domain=domain, doc=doc)  # type: ignore[arg-type]
    else:
        if len(rules) != len(parameters) - 1:
            raise TypeError(
                f"primitive {name}: {len(parameters) - 1} arguments ({', '.join(parameters[1:])}) "
                f"need as many partials, got {len(rules)}"
            )
        kind = {1: Unary, 2: Binary}.get(len(rules), Fixed)
        row = kind(name, forward, *rules, domain=domain, textbook=textbook, kinks=kinks, ulps=ulps, doc=doc)
        compile_check(row)
    enter(row)
    return row
