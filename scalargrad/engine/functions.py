"""Functions that are not rows: other forms of calling rows, branches, and the rows that users add."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from ..primitives import equal, select
from ..primitives import max as largest
from ..primitives import min as smallest
from ..rows import Binary, Fixed, Opaque, Primitive, Unary, as_float, enter
from .fastcalls import ADVICE, compile_check
from .observer import OBSERVER
from .structures import flatten
from .value import Value

if TYPE_CHECKING:
    from ..rows import Domain, Number

__all__ = ["maximum", "minimum", "primitive", "take", "where"]


@overload
def maximum(x: Value, y: Number, *more: Number) -> Value: ...
@overload
def maximum(x: float, y: Value, *more: Number) -> Value: ...
@overload
def maximum(x: float, y: float, *more: float) -> float: ...
@overload
def maximum(x: Number, y: Number, *more: Number) -> Number: ...
def maximum(x: Any, y: Any, *more: Any) -> Any:
    """Return the largest of two or more numbers; the first of several equal ones takes the whole derivative.

    The result is a float for floats, a Value if one of them is one. Raises `TypeError` for what is not a number.
    Source: 11-785, "Subgradients and the max".

    >>> maximum(1.0, 3.0, 2.0)
    3.0
    """
    return largest((x, y, *more))


@overload
def minimum(x: Value, y: Number, *more: Number) -> Value: ...
@overload
def minimum(x: float, y: Value, *more: Number) -> Value: ...
@overload
def minimum(x: float, y: float, *more: float) -> float: ...
@overload
def minimum(x: Number, y: Number, *more: Number) -> Number: ...
def minimum(x: Any, y: Any, *more: Any) -> Any:
    """Return the smallest of two or more numbers; the first of several equal ones takes the whole derivative.

    The result is a float for floats, a Value if one of them is one. Raises `TypeError` for what is not a number.

    >>> minimum(1.0, 3.0, 2.0)
    1.0
    """
    return smallest((x, y, *more))


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x if the condition holds, else y: a branch, which records only the side that it chooses.

    So an infinite or missing derivative of the other side can't get into the result. A side may be a function without
    arguments; it is called only if it is chosen.

    >>> x = Value(-1.0)
    >>> where(x > 0, lambda: x**0.5, 0.0)
    0.0
    """
    chosen = x if condition else y
    return chosen() if callable(chosen) and not isinstance(chosen, Value) else chosen


def take(rows: Sequence[Any], index: Any) -> Any:
    """Return `rows[index]`, a number or nested numbers; the index may be a Value.

    In a recording this is not a branch: one program can choose any row, such as a token's embedding. The rows must then
    be nested alike. The derivative with respect to the index is 0. Raises `IndexError` if the index is not a whole
    number from 0 to n − 1, and `RecordingError` if a recorded index chooses among rows that are nested differently.

    >>> take([[1.0, 2.0], [3.0, 4.0]], 1)
    [3.0, 4.0]
    >>> from scalargrad import grad
    >>> grad(lambda table: take(table, Value(1.0))[0] ** 2)([[1.0, 2.0], [3.0, 4.0]])
    [[0.0, 0.0], [6.0, 0.0]]
    """
    count = len(rows)
    number = index if isinstance(index, Value) else as_float(index)
    if number is None or not number.is_integer() or not 0.0 <= number <= count - 1.0:
        raise IndexError(f"take: the index is {index!r}; give a whole number from 0 to {count - 1}")
    if not isinstance(number, Value) or (recording := OBSERVER.get()) is None:
        return rows[int(number)]
    last, tree = flatten(rows[-1])
    leaves = [last]
    for row in reversed(rows[:-1]):
        found, own = flatten(row)
        if own != tree:
            raise recording.refusal("a row chosen among rows that are nested differently", "nest the rows alike")
        leaves.append(found)
    chosen = last
    for k, row in zip(range(count - 2, -1, -1), leaves[1:], strict=True):
        condition = equal(number, float(k))
        chosen = [select(condition, x, y) for x, y in zip(row, chosen, strict=True)]
    return tree.unflatten(chosen)


@overload
def primitive(
    name: str,
    forward: Callable[..., Any],
    partials: Callable[..., Any],
    *,
    opaque: bool | Literal["forward"] = False,
    domain: Domain | None = None,
    textbook: tuple[Callable[..., Any] | None, ...] | None = None,
    kinks: tuple[float, ...] = (),
    ulps: tuple[float, float] = (4.0, 4.0),
    doc: str = "",
) -> Unary: ...
@overload
def primitive(
    name: str,
    forward: Callable[..., Any],
    partials: Sequence[Callable[..., Any] | None],
    *,
    opaque: bool | Literal["forward"] = False,
    domain: Domain | None = None,
    textbook: tuple[Callable[..., Any] | None, ...] | None = None,
    kinks: tuple[float, ...] = (),
    ulps: tuple[float, float] = (4.0, 4.0),
    doc: str = "",
) -> Fixed: ...
def primitive(
    name: str,
    forward: Callable[..., Any],
    partials: Callable[..., Any] | Sequence[Callable[..., Any] | None],
    *,
    opaque: bool | Literal["forward"] = False,
    domain: Domain | None = None,
    textbook: tuple[Callable[..., Any] | None, ...] | None = None,
    kinks: tuple[float, ...] = (),
    ulps: tuple[float, float] = (4.0, 4.0),
    doc: str = "",
) -> Primitive:
    """Add a primitive to the table, and return the function to call.

    `forward(m, x, …)` and the partials `(m, out, x, …)` are written against the namespace `m`, like the table's own.
    There is one partial for each argument, or None for a derivative that is 0. Such a primitive works in equations,
    diagrams, recorded programs and derivatives of any order. `domain` is an interval, a pair of numbers for an open
    one, or a tuple with one for each argument. `Primitive` describes the other options.

    With `opaque="forward"`, `forward(x, …)` is a plain function of floats, say SciPy's, and the partials are written
    against `m`: eager code has derivatives of any order. With `opaque=True` the partials `(x, …)` are plain functions
    of floats too, and only the first derivative exists. Recordings refuse opaque primitives by name.

    A name may have dots, `"mypackage.lgamma"`, so that packages do not collide. If the same module adds a name a second
    time, the new primitive replaces the old one. Raises `ValueError` if the name is taken or is not an identifier, and
    `TypeError` if there are more or fewer partials than arguments, or if a function does not compute with `m`.

    >>> cube = primitive("cube", lambda m, x: x * x * x, lambda m, out, x: 3.0 * x * x)
    >>> x = Value(2.0)
    >>> cube(x).backward(); x.grad
    12.0
    >>> import math
    >>> root = primitive("doc.root", math.sqrt, lambda m, out, x: m.div(0.5, out), opaque="forward")
    >>> root(Value(4.0)).partials
    (0.25,)
    """
    rules = (partials,) if callable(partials) else tuple(partials)
    added: Primitive
    if opaque:
        plain = opaque is True
        added = Opaque(name, forward, *rules, plain=plain, domain=domain, kinks=kinks, ulps=ulps, doc=doc)
    else:
        kind = {1: Unary, 2: Binary}.get(len(rules), Fixed)
        _check_readable(name, forward)
        added = kind(name, forward, *rules, domain=domain, textbook=textbook, kinks=kinks, ulps=ulps, doc=doc)
        compile_check(added)
    enter(added, sys._getframe(1).f_globals.get("__name__", "__main__"))
    return added


def _check_readable(name: str, forward: Callable[..., Any]) -> None:
    try:
        inspect.signature(forward)
    except ValueError:  # a compiled function may hide its parameters
        raise TypeError(f"primitive {name}: {forward!r} is a compiled function; {ADVICE}") from None
