"""Solutions of equations as functions of their parameters: `root`, `fixed_point`, `minimize`.

The solver runs on floats, by SciPy or by a function of the user's, and leaves no graph. The derivative is that of the
implicit function theorem: f(x, a) = 0 gives dx/da = −(∂f/∂x)⁻¹ ∂f/∂a. Differentiated again, the same formula runs on
Values at the solution, so derivatives of every order follow from it, forward and reverse.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

from .engine.elimination import is_positive, quotient
from .engine.evaluation import REFUSALS, evaluate
from .engine.observer import OBSERVER
from .engine.structures import Tree, flatten, matched
from .engine.transforms import grad, jacobian, jvp, value_and_grad
from .engine.value import Value, data_of
from .interpreters.names import SUBSCRIPTS
from .rows import Functions, Vector, as_float

__all__ = ["fixed_point", "minimize", "root"]

Solver = Callable[[Callable[[Any], Any], Any], Any]
STEP = 1e-10
"""The largest Newton step, relative to the solution or to 1, that is left at a solution."""
NEAR = 2.0**-26
"""The distance within which no Jacobian may be singular: the square root of a double's rounding error."""


def root(f: Callable[..., Any], x0: Any, *args: Any, solver: Solver | None = None) -> Any:
    """Return the x near x0 for which `f(x, *args)` is 0, nested like x0; Values if an argument is one.

    f returns as many numbers as x0 has. `solver(f, x0)` may replace `scipy.optimize.root`: it gets f as a function of
    x alone, on floats, and returns x. A few steps of Newton's method follow. The result has derivatives of any order
    with respect to the arguments, but not to x0. Raises `ValueError`, with the residual, if the solver finds no
    solution or the Jacobian is singular there; `TypeError` if f closes over a Value; and `RecordingError` in a
    recording. Source: the implicit function theorem; M. Blondel et al., "Efficient and Modular Implicit
    Differentiation" (2022).

    >>> halves = lambda f, x: x / 2  # any rough solver
    >>> sqrt = lambda a: root(lambda x, a: x * x - a, 2.0, a, solver=halves)
    >>> sqrt(4.0), grad(sqrt)(4.0), grad(grad(sqrt))(4.0)
    (2.0, 0.25, -0.03125)
    """
    return _solution("root", f, f, x0, args, solver or _scipy_root)


def fixed_point(f: Callable[..., Any], x0: Any, *args: Any, solver: Solver | None = None) -> Any:
    """Return the x near x0 for which `f(x, *args)` is x. Options, errors: those of `root`; `solver` gets f itself.

    >>> settle = lambda a: fixed_point(lambda x, a: (x + a / x) / 2, 1.0, a, solver=lambda f, x: f(f(f(x))))
    >>> settle(4.0), grad(settle)(4.0)
    (2.0, 0.25)
    """
    return _solution("fixed_point", _less_x(f), f, x0, args, solver or (lambda f, x: _scipy_root(_less_x(f), x)))


def minimize(f: Callable[..., Any], x0: Any, *args: Any, solver: Solver | None = None) -> Any:
    """Return the x near x0 for which the number `f(x, *args)` is smallest. The options are those of `root`.

    The default solver is SciPy's BFGS with f's gradient; one of the user's gets f and returns x. The residual is f's
    gradient. Besides the errors of `root`, `ValueError` is raised where the Hessian is not positive: a maximum or a
    saddle. The smaller of two numbers is `minimum`.

    >>> valley = lambda a: minimize(lambda x, a: (x - a**3) ** 2, 0.0, a, solver=lambda f, x: x)
    >>> valley(2.0), grad(grad(valley))(2.0)
    (8.0, 12.0)
    """
    return _solution("minimize", grad(f), f, x0, args, solver or _scipy_minimum)


def _solution(
    name: str, residual: Callable[..., Any], f: Callable[..., Any], x0: Any, args: tuple[Any, ...], solver: Solver
) -> Any:
    if (recording := OBSERVER.get()) is not None:
        raise recording.refusal(f"sg.{name}, whose solver runs on floats,", "call it outside of the recorded function")
    tree = flatten(x0)[1]
    start = [float(data_of(x)) for x in _numbers(name, x0, tree)]
    numbers, nesting = flatten(args)
    places = [i for i, number in enumerate(numbers) if isinstance(number, Value)]

    def arguments(chosen: Sequence[Any]) -> Any:
        full = dict(zip(places, chosen, strict=True))
        return nesting.unflatten([full.get(i, number) for i, number in enumerate(numbers)])

    def equations(xs: Sequence[Any], chosen: Sequence[Any]) -> list[Any]:
        return _numbers(name, residual(tree.unflatten(xs), *arguments(chosen)), tree)

    def solved(m: Functions | None, *chosen: float) -> list[float]:
        try:
            found = _numbers(name, solver(lambda x: f(x, *arguments(chosen)), tree.unflatten(start)), tree)
        except REFUSALS as error:  # the solver may leave f's domain
            error.add_note(f"while {name} solved from x0 = {x0!r}; another start or solver may succeed")
            raise
        return _polished(name, lambda xs: equations(xs, chosen), [data_of(x) for x in found])

    point = [numbers[i]._data for i in places]
    if any(isinstance(r, Value) for r in equations(start, point)):
        raise TypeError(f"{name}: the function closes over a Value; pass it as one of the arguments after x0")
    solution = solved(None, *point)
    matrix: list[Any] = [None, None]  # the outputs of one call, and their derivatives

    def rule(m: Functions, outs: Sequence[Any], index: int, *chosen: Any) -> list[Any]:
        if not all(isinstance(x, (float, Value)) for x in (*outs, *chosen)):  # a diagram's symbols
            marks = [f"∂{i + 1}{name}{index + 1}".translate(SUBSCRIPTS) for i, _ in enumerate(chosen)]
            return [getattr(m, mark)(*chosen) for mark in marks]
        if matrix[0] is not outs:
            rows = jacobian(equations, (0, 1))(list(outs), list(chosen))
            matrix[:] = outs, quotient([row[0] for row in rows], [[-b for b in row[1]] for row in rows])
        return list(matrix[1][index])

    def forward(m: Functions, *chosen: float) -> list[float]:
        if not all(isinstance(x, float) for x in chosen):
            raise NotImplementedError(f"{name}: the solver runs on floats alone")
        return solution if list(chosen) == point else solved(m, *chosen)

    if not places:
        return tree.unflatten(solution)
    row = Vector(name, forward, rule)
    row.opaque = True
    return tree.unflatten(evaluate(row, tuple([numbers[i] for i in places])))


def _polished(name: str, f: Callable[[list[Any]], list[Any]], xs: list[float]) -> list[float]:
    """Return the solution after a few of Newton's steps. Raises `ValueError` if it is none, or not a regular one."""
    smallest = math.inf
    for _ in range(12):
        residual = f(xs)
        at = f"the residual is {max(map(abs, residual), default=0.0):.3g} at x = {', '.join(f'{x:.6g}' for x in xs)}"
        slopes = jacobian(f)(xs)
        try:
            moves = [move for (move,) in quotient(slopes, [[r] for r in residual])]
        except ZeroDivisionError:
            raise ValueError(f"{name}: the Jacobian is singular: {at}; there is no derivative") from None
        length = max((abs(move) / max(1.0, abs(x)) for move, x in zip(moves, xs, strict=True)), default=0.0)
        if length >= smallest or length == 0.0:
            break
        smallest, xs = length, [x - move for x, move in zip(xs, moves, strict=True)]
    if not smallest <= STEP and length != 0.0:
        raise ValueError(f"{name}: found no solution: {at}; start nearer, or give another solver")
    if name == "minimize" and not is_positive(slopes):
        raise ValueError(f"{name}: not a minimum, since the Hessian is not positive: {at}; start elsewhere")
    if _turns_singular(f, xs, slopes):
        raise ValueError(f"{name}: the Jacobian is singular within rounding errors: {at}; there is no derivative")
    return xs


def _turns_singular(f: Callable[[list[Any]], list[Any]], xs: list[float], slopes: list[list[float]]) -> bool:
    """Return True if the Jacobian changes by itself within a rounding error's distance, as at a double root."""
    way = [move for (move,) in quotient(slopes, [[1.0] for _ in xs])]
    size = max(map(abs, way), default=1.0)

    def along(t: Any) -> list[Any]:
        return f([x + t * move / size for x, move in zip(xs, way, strict=True)])

    bends = jvp(lambda t: jvp(along, (t,), (1.0,))[1], (0.0,), (1.0,))[1]
    change = max((abs(move) for (move,) in quotient(slopes, [[bend] for bend in bends])), default=0.0)
    return change * NEAR * max(1.0, *map(abs, xs), 0.0) > 1.0


def _numbers(name: str, found: Any, tree: Tree) -> list[Any]:
    try:
        numbers = matched(found, tree)
    except ValueError as error:
        raise TypeError(f"{name}: a result must be nested like x0; it has {error}") from None
    for x in numbers:
        if not isinstance(x, Value) and as_float(x) is None:
            raise TypeError(f"{name}: found {x!r}, a {type(x).__name__}; use a number for each number of x0")
    return [x if isinstance(x, Value) else as_float(x) for x in numbers]


def _less_x(f: Callable[..., Any]) -> Callable[..., Any]:
    def residual(x: Any, *args: Any) -> Any:
        xs, tree = flatten(x)
        return tree.unflatten([y - x for y, x in zip(_numbers("fixed_point", f(x, *args), tree), xs, strict=True)])

    return residual


def _optimize(name: str, *args: Any, **options: Any) -> list[float]:
    try:
        numpy, scipy = map(importlib.import_module, ("numpy", "scipy.optimize"))
    except ImportError:
        raise ImportError(f"{name} needs SciPy: pip install scipy, or give a solver") from None
    with numpy.errstate(all="ignore"):
        return list(getattr(scipy, name)(*args, **options).x.tolist())


def _scipy_root(f: Callable[[Any], Any], x0: Any) -> Any:
    xs, tree = flatten(x0)
    return tree.unflatten(_optimize("root", lambda x: matched(f(tree.unflatten(x.tolist())), tree), xs))


def _scipy_minimum(f: Callable[[Any], Any], x0: Any) -> Any:
    xs, tree = flatten(x0)
    both = value_and_grad(lambda x: f(tree.unflatten(x)))
    return tree.unflatten(_optimize("minimize", lambda x: both(x.tolist()), xs, jac=True))
