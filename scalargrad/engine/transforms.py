"""Derivatives of functions: `grad`, `value_and_grad`, `jvp`, `vjp`, `jacobian`, `hessian`, `hvp`.

Each runs the function once on fresh leaves and sweeps the graph that it leaves behind. Derivatives nest to
any order, since a sweep over nodes makes nodes, and need no trace levels: a fresh leaf is younger than all
that a function closes over, so what is older than it is a constant of this derivative and of no other.

For d/dx [x · d/dy (x·y)] at x = 1, the outer `grad` makes a leaf x₁ for x. The inner one makes a leaf y₁ and
runs x₁·y₁: that reaches x₁, older than y₁, so the inner derivative, x₁, is a node and no float. The outer
function returns x₁ · x₁, whose derivative is 2.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ParamSpec, SupportsIndex, TypeAlias, overload

from ..primitives import pos
from ..rows import Primitive, as_float
from .graph import explored
from .handed import HANDED_IN
from .linearization import Linearization
from .observer import DIFFERENTIATING, OBSERVER
from .structures import LEAF, Tree, flatten, matched, nested
from .value import Value

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]
P = ParamSpec("P")
Argnums: TypeAlias = "SupportsIndex | Sequence[SupportsIndex]"


@dataclass
class _Run:
    """One run of a function on new leaves: its results, and their derivatives."""

    leaves: list[Value]
    arguments: Tree
    outputs: list[Any]
    output: Tree
    aux: Any
    takes_values: bool

    @functools.cached_property
    def roots(self) -> list[Value]:
        return [out for out in self.outputs if isinstance(out, Value)]

    @functools.cached_property
    def linearization(self) -> Linearization:
        # A recording differentiates its own program instead of a graph.
        if (recording := OBSERVER.get()) is not None:
            found: Linearization = recording.linearization(self.leaves, self.roots)
            return found
        return Linearization(self.leaves, self.roots, as_nodes=self.takes_values or None)

    def pull_back(self, seeds: Sequence[Any]) -> list[Any]:
        """Return the adjoints of the leaves for seeds of the outputs; an output that is not a Value is constant."""
        return self.linearization.pull_back(
            [seed for seed, out in zip(seeds, self.outputs, strict=True) if isinstance(out, Value)]
        )

    def push_forward(self, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of the outputs for tangents of the leaves."""
        moved = iter(self.linearization.push_forward(tangents))
        return [next(moved) if isinstance(out, Value) else 0.0 for out in self.outputs]

    def settle(self, results: Sequence[Any]) -> list[Any]:
        """Return the results as the caller expects them: Values for Values, floats for floats.

        The result for a float stays a Value if it depends on one that the function closes over.
        """
        if self.takes_values:
            return [Value(r) if isinstance(r, float) else r for r in results]
        return [self._detached(r) for r in results]

    def settled_outputs(self) -> list[Any]:
        """Return the function's own numbers, settled."""
        outputs = [_number(out) for out in self.outputs]
        if self.leaves and not self.linearization.as_nodes:  # then no output reaches an older Value
            return [out._data if isinstance(out, Value) else out for out in outputs]
        return self.settle(outputs)

    def settle_aux(self) -> Any:
        """Return what came beside the output, its Values settled like results."""
        leaves, tree = flatten(self.aux)
        return tree.unflatten(leaves if self.takes_values else [self._detached(leaf) for leaf in leaves])

    def _detached(self, result: Any) -> Any:
        if not self.leaves or not isinstance(result, Value):
            return result
        _, reaches_older = explored([result], self.leaves[0].serial)
        return result if reaches_older else result._data


def _run(
    name: str,
    f: Function,
    args: Sequence[Any],
    argnums: Argnums,
    has_aux: bool = False,
    named: Mapping[str, Any] = MappingProxyType({}),
) -> _Run:
    _check_callable(f)
    chosen = _positions(name, argnums, len(args))
    originals, tree = flatten(tuple([args[n] for n in chosen]))
    for n in chosen:
        if args[n] is None:
            raise _undifferentiable(name, f"args[{n}]", None)
    for i, leaf in enumerate(originals):
        if not isinstance(leaf, Value) and as_float(leaf) is None:
            argument, _, rest = tree.paths()[i].removeprefix("[").partition("]")
            raise _undifferentiable(name, f"args[{chosen[int(argument)]}]{rest}", leaf)
    leaves = [pos(leaf) if isinstance(leaf, Value) else Value(leaf) for leaf in originals]
    fresh = dict(zip(chosen, tree.unflatten(leaves), strict=True))
    with _handed_in(name, leaves):
        token = DIFFERENTIATING.set(True)
        try:
            result = f(*(fresh.get(n, arg) for n, arg in enumerate(args)), **named)
        finally:
            DIFFERENTIATING.reset(token)
    aux = None
    if has_aux:
        if not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(f"{name}: with has_aux=True the function returns a pair (output, aux), not {result!r}")
        result, aux = result
    outputs, output = flatten(result)
    if result is None:
        outputs, output = [None], LEAF
    for i, out in enumerate(outputs):
        if not isinstance(out, Value) and as_float(out) is None:
            path = output.paths()[i]
            raise TypeError(
                f"{name}: the function's result{path and ' at ' + path} is {out!r}, a {type(out).__name__}; "
                "return numbers, and anything else with has_aux=True as (output, aux)"
            )
    takes_values = any(isinstance(leaf, Value) for leaf in originals)
    return _Run(leaves, tree, outputs, output, aux, takes_values)


@contextlib.contextmanager
def _handed_in(name: str, leaves: Sequence[Value]) -> Iterator[None]:
    """Mark the leaves as a running function's arguments inside the block; warn if it swallowed a lost gradient."""
    refusals: list[str] = []
    HANDED_IN.update((id(leaf), refusals) for leaf in leaves)
    try:
        yield
    finally:
        for leaf in leaves:
            HANDED_IN.pop(id(leaf), None)
    if refusals:
        warnings.warn(
            f"{name}: {refusals[0]} refused to be a float, and the function caught the error and went on: the part of "
            "its result that this number decides has no gradient. Use sg.sin, sg.exp, … for the functions of math",
            RuntimeWarning,
            stacklevel=_frames_of_ours(),
        )


def _frames_of_ours() -> int:
    """Return how many frames lie between the caller and the code that asked for a derivative, for a warning."""
    frame, count = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"] in (__name__, "contextlib"):
        frame, count = frame.f_back, count + 1
    return count


def _undifferentiable(name: str, place: str, leaf: Any) -> TypeError:
    return TypeError(
        f"{name}: {place} is {leaf!r}, a {type(leaf).__name__}, and can't be differentiated by; "
        "differentiate by numbers, and choose them with argnums"
    )


def _like(f: Function) -> Callable[[Function], Function]:
    # For an object that is not a function, `wraps` would leave a confusing error to the call.
    _check_callable(f)
    return functools.wraps(f)


def _check_callable(f: object) -> None:
    if not callable(f):
        raise TypeError(f"a derivative needs a function, got {f!r}")


def _positions(name: str, argnums: Argnums, count: int) -> list[int]:
    """Return the positions that `argnums` names among `count` arguments, all of them different and from 0 on."""
    if type(argnums) is int and 0 <= argnums < count:
        return [argnums]
    positions: list[int] = []
    for n in argnums if isinstance(argnums, Iterable) else (argnums,):
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(f"{name}: argnums is {argnums!r}; give a position such as 0, or a tuple of positions")
        if not -count <= (position := operator.index(n)) < count:
            raise ValueError(f"{name}: argnums names argument {n}, but {count} were given")
        if position % count in positions:
            raise ValueError(f"{name}: argnums names argument {position % count} twice, in {argnums!r}")
        positions.append(position % count)
    return positions


def _shape(results: tuple[Any, ...], argnums: Argnums) -> Any:
    return results[0] if type(argnums) is int or not isinstance(argnums, Iterable) else results


def value_and_grad(f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[P, tuple[Any, Any]]:
    """Return the function that gives `(f(*args), gradient)`, the gradient nested like the argument.

    `argnums` names the argument by its position; a tuple of positions gives a tuple of gradients. Arguments given by
    name are passed on. With `has_aux`, f returns `(output, aux)` and the result is `((output, aux), gradient)`.
    Floats in, floats out, unless the result depends on a Value that f closes over; Values in, Values out.

    Raises `TypeError` for an argument that is not a number and for an output that is not one number, and `ValueError`
    for a position that does not exist or is named twice. If a Value refused to turn into a float and f went on, a
    `RuntimeWarning` says so. Inside f, a copy of a number is the number itself, and hashing one raises `TypeError`.

    >>> value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """

    @_like(f)
    def differentiated(*args: P.args, **named: P.kwargs) -> Any:
        run = _run("grad", f, args, argnums, has_aux, named)
        if len(run.outputs) != 1:
            raise TypeError(
                f"grad: the function must return one number, but it returned {len(run.outputs)} in a "
                f"{run.output.kind.__name__}; use sg.jacobian"
            )
        gradient = run.arguments.unflatten(run.settle(run.pull_back([1.0])))
        value = run.output.unflatten(run.settled_outputs())
        return ((value, run.settle_aux()) if has_aux else value), _shape(gradient, argnums)

    return differentiated


@overload
def grad(f: Primitive, argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]: ...
@overload
def grad(f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[P, Any]: ...
def grad(f: Any, argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """Return the function that gives the gradient of f, nested like the argument.

    The options and errors are those of `value_and_grad`; with `has_aux` the result is `(gradient, aux)`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    >>> grad(lambda p: p["w"] * p["b"])({"w": 2.0, "b": 3.0})
    {'w': 3.0, 'b': 2.0}
    >>> grad(lambda x: x * grad(lambda y: x * y)(2.0))(1.0)
    2.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @_like(f)
    def gradient(*args: Any, **named: Any) -> Any:
        value, gradient = both(*args, **named)
        return (gradient, value[1]) if has_aux else gradient

    return gradient


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    """Return the pair `(f(*primals), tangent)`: the derivative of f in the direction of the tangents.

    `tangents` is nested like `primals`, the sequence of the arguments; the tangent is nested like the output. With
    `has_aux`, f returns `(output, aux)` and the result is `(output, tangent, aux)`. This is the forward sweep,
    Δy = Σ ∂y/∂zᵢ Δzᵢ (11-785, "Calculus refresher"). Raises `TypeError` if the two are nested differently or an
    argument is not a number.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    run = _run("jvp", f, tuple(primals), range(len(primals)), has_aux)
    moved = _matching("jvp", "tangents", tangents, run.arguments)
    results = run.settle(run.push_forward(moved))
    out = run.output.unflatten(run.settled_outputs())
    tangent = run.output.unflatten(results)
    return (out, tangent, run.settle_aux()) if has_aux else (out, tangent)


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return the pair `(f(*primals), pullback)`: the pullback takes an output's adjoint to those of the arguments.

    `pullback(adjoint)` takes adjoints nested like the output and returns a tuple with one entry per argument,
    nested like it. With `has_aux`, f returns `(output, aux)` and the result is `(output, pullback, aux)`. This is the
    reverse sweep. Raises `TypeError` as `jvp` does.

    >>> out, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
    >>> out, pullback([1.0, 0.0]), pullback([0.0, 1.0])
    ([6.0, 5.0], (3.0, 2.0), (1.0, 1.0))
    """
    run = _run("vjp", f, primals, range(len(primals)), has_aux)
    out = run.output.unflatten(run.settled_outputs())

    def pullback(adjoint: Any) -> Any:
        seeds = _matching("vjp", "the adjoint", adjoint, run.output)
        gradients: tuple[Any, ...] = run.arguments.unflatten(run.settle(run.pull_back(seeds)))
        return gradients

    return (out, pullback, run.settle_aux()) if has_aux else (out, pullback)


def jacobian(f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[P, Any]:
    """Return the function that gives all derivatives of all outputs of f with respect to all numbers of the argument.

    The result is nested like the output, and within it like the argument, or like the tuple of the arguments that
    `argnums` names; for arrays it is an array of the output's shape followed by the argument's. With `has_aux`, f
    returns `(output, aux)` and the result is `(jacobian, aux)`. It sweeps backward once per output, or forward once
    per argument, whichever is fewer. Source: 11-785, "Calculus notes: the Jacobian".

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """

    @_like(f)
    def differentiated(*args: P.args, **named: P.kwargs) -> Any:
        run = _run("jacobian", f, args, argnums, has_aux, named)
        rows, columns = len(run.outputs), len(run.leaves)
        if columns < rows:
            swept = [run.push_forward(_unit(columns, j)) for j in range(columns)]
            matrix = [[swept[j][i] for j in range(columns)] for i in range(rows)]
        else:
            matrix = [run.pull_back(_unit(rows, i)) for i in range(rows)]
        settled = run.settle([entry for row in matrix for entry in row])
        rows_of = [settled[i * columns : (i + 1) * columns] for i in range(rows)]
        found = nested(run.output, run.arguments if isinstance(argnums, Iterable) else run.arguments.parts[0], rows_of)
        return (found, run.settle_aux()) if has_aux else found

    return differentiated


def hessian(f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[P, Any]:
    """Return the function that gives the second derivatives of f: the Jacobian of its Jacobian.

    For an argument that is a list of n numbers and one output, n lists of n; for several outputs, nested like them
    with such a matrix for each. `argnums` and `has_aux` are those of `jacobian`.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([2.0, 3.0])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    return jacobian(jacobian(f, argnums, has_aux), argnums, has_aux)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the product of f's Hessian with the tangents, nested like the primals: forward over reverse.

    Its cost is a few times that of f, whatever the number of arguments. For one argument the result is nested
    like it, for several it is a tuple.

    >>> hvp(lambda v: v[0] ** 2 * v[1], ([2.0, 3.0],), ([1.0, 0.0],))
    [6.0, 4.0]
    """
    argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(f, argnums), primals, tangents)[1]


def _number(out: Any) -> Any:
    return out if isinstance(out, Value) else as_float(out)


def _unit(count: int, index: int) -> list[float]:
    return [1.0 if i == index else 0.0 for i in range(count)]


def _matching(name: str, what: str, given: Any, tree: Tree) -> list[Any]:
    """Return the leaves of `given`, which must be nested like the tree; dicts are matched by key."""
    try:
        numbers = matched(given, tree)
    except ValueError as error:
        raise TypeError(
            f"{name}: {what} must be nested like what it belongs to, with {tree.size} numbers; {error}"
        ) from None
    for i, number in enumerate(numbers):
        if not isinstance(number, Value) and as_float(number) is None:
            path = tree.paths()[i]
            raise TypeError(f"{name}: {what} at {path or 'the top'} is {number!r}, not a number or a Value")
    return [_number(number) for number in numbers]
