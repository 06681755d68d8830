"""Properties of every row of the table, as functions of a row and of flat arguments.

Each raises `AssertionError` where it does not hold. The tests draw the arguments.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

import scalargrad as sg
from scalargrad.engine import evaluation, nodes
from scalargrad.engine.linearization import topological_order
from scalargrad.engine.nodes import Nodes
from scalargrad.interpreters.floats import FLOATS, IEEE
from scalargrad.rows import LIBRARY, Dot, Output, Primitive, Vector
from scalargrad.testing import ulp_error
from scalargrad.testing.margins import margin

from . import oracle

LARGEST = math.ldexp(1.0, 1023)
"""Half of the overflow threshold: what is beyond it may already have overflowed on the way."""
SMALLEST = math.ldexp(1.0, -1022)
"""The smallest normal double; a smaller result has fewer digits."""

LOST_ON_THE_WAY: dict[str, Callable[..., bool]] = {
    # The radius overflows, or xʸ⁻¹ or eˣ has fewer digits than a double, though the partial is an ordinary number.
    "hypot": lambda x, y: max(abs(x), abs(y)) > LARGEST,
    "atan2": lambda y, x: max(abs(x), abs(y)) > LARGEST,
    "pow": lambda x, y: x != 0 and not -1021 < (y - 1) * math.log2(abs(x)) < 1022,
    "elu": lambda x, alpha: x < -708,
}
"""By name, where a partial is outside the bound (the precision of section "Conventions" of the docs)."""


def _too_large(xs: Iterable[float]) -> bool:
    return not all(abs(x) <= LARGEST for x in xs)


def _products(xs: Sequence[float]) -> bool:
    parts = [*itertools.accumulate(xs, operator.mul), *itertools.accumulate(xs[::-1], operator.mul)]
    return _too_large(parts) or (all(xs) and min(map(abs, parts)) < SMALLEST)


def _terms(xys: Sequence[float], bias: float = 0.0) -> bool:
    half = len(xys) // 2
    terms = [x * y for x, y in zip(xys[:half], xys[half:], strict=True)]
    return _too_large(terms) or _too_large(itertools.accumulate([bias, *terms]))


BEYOND_DOUBLES: dict[str, Callable[..., bool]] = {
    "sum": lambda *xs: _too_large(itertools.accumulate(xs)),
    "mean": lambda *xs: _too_large(itertools.accumulate(xs)),
    "prod": lambda *xs: _products(xs),
    "dot": lambda *xys: _terms(xys),
    "affine": lambda *wxb: _terms(wxb[:-1], wxb[-1]),
}
"""By name, where a part of a sum or product leaves the range of doubles, though the whole need not."""

CONVENTIONAL: dict[str, Callable[..., bool]] = {
    # The value or slope at 0 is a number to choose, an interval of one point has no inside, and beyond 2**53
    # all floats are whole.
    "step": lambda index, x, at_zero: x == 0,
    "leaky_relu": lambda index, x, alpha, at_zero: x == 0,
    "clip": lambda index, x, low, high: low == high,
    "pow": lambda index, x, y: index == 1 and x < 0,
    "kinked": lambda index, x, y, smooth: index == 1 and smooth == 0,
    # By these no derivative is known.
    **dict.fromkeys(("zeta", "jv", "yv", "iv", "kv", "gammainc", "gammaincc"), lambda index, *xs: index == 0),
    "betainc": lambda index, *xs: index < 2,
    "hyp2f1": lambda index, *xs: index < 3,
    "xlogy": lambda index, x, y: y == 0,
    "xlog1py": lambda index, x, y: y == -1,
}
"""By name, where the domain and both one-sided derivatives don't tell that the row follows a convention."""


def at_a_choice(row: Primitive, args: Sequence[float]) -> bool:
    """Return True if, by the row, its derivative at this point may be a matter of convention."""
    return margin(row, args) == 0


def outputs(row: Primitive, args: Sequence[float]) -> list[tuple[float, Sequence[Any], Callable[..., Any]]]:
    """For each output of the row its float, its partials and the oracle of the output."""
    wanted = [True] * len(args)
    out = evaluation.evaluate(row, tuple(args))
    if not isinstance(row, Vector):
        return [(out, row.derivatives(IEEE, out, args, wanted), oracle.output(row, 0))]
    return [(y, Output(row, j).derivatives(IEEE, out, args), oracle.output(row, j)) for j, y in enumerate(out)]


def check_accuracy(row: Primitive, args: tuple[float, ...]) -> None:
    """Value and partials are within `row.ulps` of mpmath's function and of its numerical derivative."""
    for what, error, bound in errors(row, args):
        assert error <= bound, f"{row.name}{args}: {what} is off by {error:.3g} ulp, more than {bound:g}"


def errors(row: Primitive, args: tuple[float, ...]) -> Iterator[tuple[str, float, float]]:
    """The error of each value and of each partial in ulp, named, with the bound that the row states."""
    if beyond_doubles(row, args):
        return
    args = tuple([x + 0.0 for x in args])  # mpmath has no −0: the signed zeros have a table of their own
    value_scale, partial_scale = true_scales(row, args)
    try:
        found = outputs(row, args)
    except OverflowError:
        true = oracle.value(oracle.output(row, 0), args, value_scale)
        assert abs(true) > LARGEST, f"{row.name}{args} overflowed, but is {mp.nstr(true)}"
        return
    for out, partials, f in found:
        true = oracle.value(f, args, value_scale)
        yield "the value", error_in_ulps(out, true, value_scale), row.ulps[0]
        if not math.isfinite(out) or row.name == "stop_gradient":
            continue
        if row.name == "kinked" and args[2] == 0:
            yield "the missing partial", 0.0 if math.isnan(partials[1]) else math.inf, 0.0
        for i, partial in enumerate(partials):
            derivative = true_partial(row, f, args, i, partial_scale)
            if derivative is not None and not lost_on_the_way(row, args):
                error = error_in_ulps(0.0 if partial is None else partial, derivative, partial_scale)
                yield (
                    f"the partial by argument {i}, {partial!r}, instead of {mp.nstr(derivative, 20)},",
                    error,
                    row.ulps[1],
                )


def true_scales(row: Primitive, args: Sequence[float]) -> list[Any]:
    """The numbers that the errors of the value and of the partials are relative to; None for the true value."""
    return [scale and oracle.value(scale, args) for scale in oracle.scales(row)]


def lost_on_the_way(row: Primitive, args: Sequence[float]) -> bool:
    """Return True if the partials at this point are outside the row's bound."""
    return LOST_ON_THE_WAY.get(row.name, lambda *xs: False)(*args)


def beyond_doubles(row: Primitive, args: Sequence[float]) -> bool:
    """Return True if the row's value at this point is outside its bound."""
    return BEYOND_DOUBLES.get(row.name, lambda *xs: False)(*args)


def error_in_ulps(got: float, true: Any, scale: Any) -> float:
    """The error, with all subnormal numbers taken as equal, and numbers close to overflow as infinities."""
    if abs(true) > LARGEST and (math.isinf(got) or abs(got) > LARGEST):
        return 0.0 if got * true > 0 and (math.isinf(got) or abs(true) < 2 * LARGEST) else math.inf
    if scale is not None and scale < SMALLEST:
        scale = mp.mpf(SMALLEST)
    if abs(true) < SMALLEST and abs(got) <= SMALLEST:
        return 0.0
    return ulp_error(got, true, scale)


def true_partial(row: Primitive, f: Callable[..., Any], args: Sequence[float], index: int, size: Any) -> Any:
    """The oracle's partial; None at the edge of the domain and at a kink, as there is none."""
    if CONVENTIONAL.get(row.name, lambda *xs: False)(index, *args):
        return None
    for towards in (-math.inf, math.inf):
        moved = list(args)
        moved[index] = math.nextafter(args[index], towards)
        if not row.contains(moved):
            return None
    orders = [int(i == index) for i in range(len(args))]
    if not at_a_choice(row, args):
        derivative = oracle.partial(f, args, orders, size=size)
        assert derivative is not None, f"the oracle finds no derivative of {row.name} at {args}"
        return derivative
    left, right = (oracle.partial(f, args, orders, direction, size) for direction in (-1, 1))
    if left is None or right is None or abs(left - right) > abs(left) * mp.mpf(2) ** -60:
        return None
    return right


def same(x: float, y: float) -> bool:
    """Return True if two floats are the same number, with zeros of either sign equal, and nans equal."""
    return x == y or (math.isnan(x) and math.isnan(y))


def nodes_of(row: Primitive, args: Sequence[Any], m: Any = FLOATS) -> list[Any]:
    """The row's outputs by the reference evaluation, as a list."""
    out = evaluation.evaluate(row, tuple(args), m)
    return out if isinstance(row, Vector) else [out]


def check_node_sweep(row: Primitive, args: tuple[float, ...]) -> None:
    """The derivatives by nodes are the very floats that the float sweep gives."""
    try:
        leaves = [sg.Value(x) for x in args]
        roots = nodes_of(row, leaves)
    except OverflowError:
        return
    for j, root in enumerate(roots):
        for leaf in leaves:
            leaf.grad = 0.0
        root.backward()
        outer = [sg.Value(x) for x in args]
        by_nodes = sg.grad(lambda *xs, j=j: nodes_of(row, xs)[j], tuple(range(len(args))))(*outer)
        for leaf, node in zip(leaves, by_nodes, strict=True):
            assert same(leaf.grad, node.data), f"{row.name}{args}: {leaf.grad!r} by floats, {node.data!r} by nodes"


def call_forms(row: Primitive, args: Sequence[Any]) -> Any:
    """The row called as users call it."""
    if isinstance(row, Dot) or row.name == "affine":
        half = len(args) // 2
        return row(args[:half], args[half : 2 * half], *args[2 * half :])
    return row(args) if row.variadic else row(*args)


def check_compiled(row: Primitive, args: tuple[float, ...]) -> None:
    """Calls and operators give the results of `evaluate`, for every pattern of floats and Values."""
    for pattern in itertools.islice(itertools.product((True, False), repeat=len(args)), 16):
        mixed = [sg.Value(x) if w else x for x, w in zip(args, pattern, strict=True)]
        expected, got = (
            attempt(lambda m=mixed: evaluation.evaluate(row, tuple(m))),
            attempt(lambda m=mixed: call_forms(row, m)),
        )
        compare_nodes(row, got, expected)
        if row.name in evaluation.OPERATORS and any(pattern):
            compare_nodes(row, attempt(lambda m=mixed: getattr(operator, evaluation.OPERATORS[row.name])(*m)), expected)


def attempt(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except (OverflowError, ValueError, ZeroDivisionError) as error:
        return type(error), str(error)


def compare_nodes(row: Primitive, got: Any, expected: Any) -> None:
    if isinstance(expected, list):
        for one, other in zip(got, expected, strict=True):
            compare_nodes(row, one, other)
    elif isinstance(expected, sg.Value):
        assert same(got.data, expected.data), f"{row.name}: {got.data!r} compiled, {expected.data!r} by record"
        assert got.args == expected.args
        assert all(map(operator.is_, got.parents, expected.parents))
        assert got.primitive == expected.primitive
        assert len(got.partials) == len(expected.partials)
        assert all(map(same, got.partials, expected.partials)), (
            f"{row.name}: {got.partials} against {expected.partials}"
        )
    elif isinstance(expected, float):
        assert type(got) is float
        assert same(got, expected)
    else:
        assert got == expected


ARRAY_ULPS = 4.0
"""NumPy computes most functions by vector code of its own, good to 4 ulp rather than 1."""


def check_arrays(row: Primitive, args: tuple[float, ...]) -> None:
    """A call with arrays, and the rules of the partials on arrays, give the results of floats."""
    try:
        found = outputs(row, args)
    except OverflowError:
        return
    vectors = [np.array([x, x]) for x in args]
    got = call_forms(row, vectors)
    wholes = got if isinstance(row, Vector) else [got]
    bound = max(ARRAY_ULPS, row.ulps[0])
    scale = oracle.scales(row)[0]
    size = None if scale is None else max(oracle.value(scale, args), mpmath.mpf(SMALLEST))
    for whole, (out, _, _) in zip(wholes, found, strict=True):
        for item in np.broadcast_to(whole, (2,)).tolist():
            assert same(item, out) or abs(out) < SMALLEST or ulp_error(item, mp.mpf(out), size) <= bound, (
                f"{row.name}{args}: {item!r} on arrays, {out!r} on floats"
            )


class _FiniteSides(Nodes):
    """The nodes' namespace, noting where a side that is not chosen is infinite or nan, or has such derivatives."""

    def __init__(self) -> None:
        super().__init__({**nodes.OWN, "select": self._select})

    def interpret(self, row: Primitive) -> Callable[..., Any]:
        if row.name in LIBRARY:
            return super().interpret(row)
        return lambda *xs: row.forward(self, *row.filled(xs))

    def _select(self, condition: bool, x: Any, y: Any) -> Any:
        chosen, other = (x, y) if condition else (y, x)
        if self._finite(chosen):
            constant = not isinstance(other, sg.Value)  # which has no derivative that could leak
            assert constant or self._finite(other), (
                f"the side that is not chosen is {other!r}, or has such a derivative"
            )
        return chosen

    def _finite(self, side: Any) -> bool:
        if not isinstance(side, sg.Value):
            return math.isfinite(side)
        return all(math.isfinite(x) for node in topological_order(side) for x in (node.data, *node.partials))


def check_finite_sides(row: Primitive, args: tuple[float, ...]) -> None:
    """In a partial, each side of a choice is finite, with its derivatives, even if the other side is chosen.

    Forward formulas are never differentiated, so what they don't choose does no harm.
    """
    try:
        outs = [sg.Value(out) for out, _, _ in outputs(row, args)]
    except OverflowError:
        return
    xs = [sg.Value(x) for x in args]
    m = _FiniteSides()
    if isinstance(row, Vector):
        for j in range(len(outs)):
            Output(row, j).derivatives(m, outs, xs)
    else:
        row.derivatives(m, outs[0], xs, [True] * len(xs))


def check_agreement(row: Primitive, args: tuple[float, ...]) -> None:
    """The checks of everything that interpreters must agree on."""
    check_node_sweep(row, args)
    check_compiled(row, args)
    check_arrays(row, args)
    check_finite_sides(row, args)


def check_higher_orders(row: Primitive, args: tuple[float, ...]) -> None:
    """Second derivatives, and third ones by one argument, are those of mpmath's differences.

    The bound is relative to the derivatives of lower order too, which cancel into those of higher order.
    """
    if row.opaque or row.name == "stop_gradient" or at_a_choice(row, args):
        return
    count = len(args)
    f = lambda *xs: nodes_of(row, xs)[0]
    exact = oracle.output(row, 0)
    first = [sg.grad(f, i) for i in range(count)]
    lower = [f(*args), *(g(*args) for g in first)]
    size = 1.0 + sum(abs(x) for x in lower if math.isfinite(x))
    for i, k in itertools.combinations_with_replacement(range(count), 2):
        if not (math.isfinite(lower[1 + i]) and math.isfinite(lower[1 + k])):
            continue  # a power of a negative number has no derivative by the exponent
        orders = [(i == n) + (k == n) for n in range(count)]
        second = sg.grad(first[i], k)
        size = max(size, abs(second(*args)))
        compare_derivative(row, args, orders, second(*args), exact, size)
        if i == k:
            orders[i] = 3
            compare_derivative(row, args, orders, sg.grad(second, i)(*args), exact, size)


def compare_derivative(
    row: Primitive, args: Sequence[float], orders: Sequence[int], got: float, exact: Callable[..., Any], size: float
) -> None:
    true = oracle.partial(exact, args, orders, size=mp.mpf(size))
    assert true is not None, f"the oracle finds no derivative {orders} of {row.name} at {args}"
    assert abs(got - true) <= 1e-11 * (abs(true) + size), (
        f"{row.name}{tuple(args)}: derivative {orders} is {got!r} instead of {mp.nstr(true, 17)}"
    )
