"""`digits` and `exact`: the same graph evaluated in many digits, to see which digits of a double are right."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .engine.graph import adjoints, topological_order
from .engine.manydigits import Exact, Table, mpmath_for, settled
from .engine.observer import OBSERVER
from .engine.structures import flatten
from .engine.transforms import Argnums, _positions, _run, _shape
from .engine.value import Value

__all__ = ["Digits", "NodeDigits", "digits", "exact"]

FULL = 53 * math.log10(2)
"""The digits of a double that is right to its last bit: about 15.95."""


@dataclass(frozen=True)
class NodeDigits:
    """The numbers of right decimal digits of a node's `value` and `gradient`, from 0 to 15.95.

    `condition` is the condition number of the step, Σ |x · ∂v/∂x| / |v|: the step multiplies a relative error of its
    operands by up to so much. `exact_value` and `exact_gradient` are mpmath numbers, nan if there is none.
    """

    node: Value
    value: float
    gradient: float
    condition: float
    exact_value: Exact
    exact_gradient: Exact

    def __str__(self) -> str:
        node = self.node
        name = node.label or ("an input" if node.primitive is None else "")
        step = f"{node.primitive.name}({', '.join(map(_operand, node.args))})" if node.primitive else ""
        return (
            f"{' = '.join(filter(None, (name, step)))} = {node._data!r}: {self.value:.1f} digits of the value and "
            f"{self.gradient:.1f} of the gradient are right; condition number {self.condition:.2g}"
        )


@dataclass(frozen=True)
class Digits:
    """The right digits of every node of a graph, parents first, and the `first` node that has too few, or None.

    `first` is the oldest node whose value has fewer than `least` digits. If there is none, it is the node nearest to
    the goal whose gradient has fewer.
    """

    nodes: tuple[NodeDigits, ...]
    first: NodeDigits | None
    least: float

    def __getitem__(self, node: Value) -> NodeDigits:
        """Return the digits of one node. Raises `KeyError` if it is not part of the graph."""
        for found in self.nodes:
            if found.node is node:
                return found
        raise KeyError(f"digits: {node!r} is not part of the graph")

    def __str__(self) -> str:
        if self.first is None:
            return f"every value and gradient has at least {self.least:g} right digits"
        kind = "value" if self.first.value < self.least else "gradient"
        return f"digits of the {kind} are first lost at {self.first}"


def digits(goal: Value, least: float = 12.0) -> Digits:
    """Return how many digits of the value and the gradient of each node under the goal are right.

    The doubles in the leaves and constants count as exact. The graph is evaluated anew in at least 50 digits, and in
    more until two precisions agree. It changes nothing in the graph. If no exact number exists, as beyond a domain
    that a rounding error entered, no digit is right.

    Raises `TypeError` for anything but a Value and for an opaque primitive, and `ModuleNotFoundError` without mpmath.

    >>> x = Value(1e-8, label="x")
    >>> print(digits(1.0 - (x * x + 1.0)))  # doctest: +ELLIPSIS
    digits of the value are first lost at sub(1.0, add(…)) = 0.0: 0.0 digits of the value and ...
    """
    if not isinstance(goal, Value):
        raise TypeError(f"digits: needs a Value, the goal of a computation, got {goal!r}")
    _refuse_recording("sg.digits")
    order = topological_order(goal)
    gradients = adjoints(order, [goal], [1.0])
    truth = settled("digits", order, {}, 20)
    nodes = []
    for node in order:
        value, gradient, condition = (truth[kind][id(node)] for kind in range(3))
        nodes.append(
            NodeDigits(
                node,
                right_digits(node._data, value),
                right_digits(gradients.get(id(node), 0.0), gradient),
                float(condition),
                value,
                gradient,
            )
        )
    low_value = (found for found in nodes if found.value < least)
    low_gradient = (found for found in reversed(nodes) if found.gradient < least)
    return Digits(tuple(nodes), next(low_value, None) or next(low_gradient, None), least)


def exact(f: Callable[..., Any], argnums: Argnums = 0, digits: int = 50) -> Callable[..., tuple[Any, Any]]:
    """Return the function that gives `(f(*args), gradient)` as mpmath numbers that are right to 50 digits.

    Arguments are floats, each taken as the exact number that it holds, or mpmath numbers; the gradient is nested like
    the argument, as in `value_and_grad`. Branches are those that floats take. A result is nan where no exact number
    exists. `mpmath.nstr(x, 50)` prints all digits.

    Raises `ValueError` for fewer than one digit, `TypeError` for an argument that is not a number, for a result that
    is not one number and for an opaque primitive, and `ModuleNotFoundError` without mpmath.

    >>> import mpmath
    >>> value, gradient = exact(lambda x: x**0.5)(2.0)
    >>> mpmath.nstr(value, 50)
    '1.4142135623730950488016887242096980785696718753769'
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 1:
        raise ValueError(f"exact: digits is {digits!r}; ask for at least one")

    @functools.wraps(f)
    def exactly(*args: Any, **named: Any) -> tuple[Any, Any]:
        _refuse_recording("sg.exact")
        mp = mpmath_for("exact")
        run = _run("exact", f, args, argnums, named=named)
        if len(run.outputs) != 1:
            raise TypeError(f"exact: the function must return one number, but it returned {len(run.outputs)}")
        given, _ = flatten(tuple([args[n] for n in _positions("exact", argnums, len(args))]))
        goal = run.outputs[0]
        values: Table = {}
        slopes: Table = {}
        if isinstance(goal, Value):
            pairs = zip(run.leaves, given, strict=True)
            start = {id(leaf): mp.mpf(x._data if isinstance(x, Value) else x) for leaf, x in pairs}
            values, slopes, _ = settled("exact", topological_order(goal), start, digits)
        with mp.workdps(digits):
            value = +values[id(goal)] if isinstance(goal, Value) else mp.mpf(goal)
            gradient = run.arguments.unflatten([+slopes.get(id(leaf), mp.zero) for leaf in run.leaves])
        return run.output.unflatten([value]), _shape(gradient, argnums)

    return exactly


def right_digits(number: float, truth: Exact) -> float:
    """Return how many decimal digits of a double are right, from 0.0 to 15.95: −log₁₀ of its relative error."""
    if not math.isfinite(number) or truth != truth or truth in (math.inf, -math.inf):
        return FULL if truth == number else 0.0
    error = abs(type(truth)(number) - truth)
    if not error:
        return FULL
    if not truth:
        return 0.0
    from mpmath import mp  # type: ignore[import-untyped]

    return min(max(0.0, -float(mp.log10(error / abs(truth)))), FULL)


def _refuse_recording(name: str) -> None:
    if (recording := OBSERVER.get()) is not None:
        raise recording.refusal(name, "call it outside of the recorded function")


def _operand(arg: Any) -> str:
    if not isinstance(arg, Value):
        return repr(arg)
    return arg.label or (repr(arg._data) if arg.primitive is None else f"{arg.primitive.name}(…)")
