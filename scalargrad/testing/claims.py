"""Derivatives as somebody claims them: nested results of a gradient or a Jacobian, matched by key and shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.structures import Tree, flatten, nested
from ..engine.structures import matched as leaves_like
from ..engine.transforms import jacobian, jvp, vjp
from ..engine.value import Value
from ..rows import as_float

__all__ = ["Claim", "Point", "of_gradient", "of_hvp", "of_jacobian", "of_ours"]

__tracebackhide__ = True  # pytest leaves the frames of this module out

Function = Callable[..., Any]
Numbers = Sequence[float]
Roots = Callable[[Sequence[Any]], Sequence[Any]]


class Point:
    """The arguments as one list of numbers, with the path of each and the way back."""

    def __init__(self, args: Sequence[Any]) -> None:
        leaves, self.all_args = flatten(list(args))
        self.paths = [f"args{path}" for path in self.all_args.paths()]
        self.numbers = [_plain(leaf, path) for leaf, path in zip(leaves, self.paths, strict=True)]
        # Derivatives are nested like the argument, or for several arguments like a tuple of them.
        self.tree: Tree = flatten(args[0] if len(args) == 1 else tuple(args))[1]

    def args(self, numbers: Numbers) -> list[Any]:
        """Return the arguments with these numbers."""
        args: list[Any] = self.all_args.unflatten(numbers)
        return args


@dataclass(frozen=True)
class Claim:
    """A function of one list of numbers, and the derivatives that somebody claims.

    `along(u)` returns the claimed derivative of each output in the direction u, `matrix()` a row for each output.
    `outputs` says of what the derivative is, "" for a single number. `roots` is the function on Values, if any.
    """

    f: Callable[[Numbers], Numbers]
    outputs: Sequence[str]
    along: Callable[[Numbers], Numbers]
    matrix: Callable[[], Sequence[Numbers]]
    roots: Roots | None = None


def of_gradient(f: Function, gradient: Function, point: Point) -> Claim:
    """Return the claim of a function that gives the gradient, nested like the argument or a tuple of such."""
    count = len(_leaves(f(*point.args(point.numbers))))
    if count != 1:
        raise ValueError(f"check_gradients: gradient= needs an f of one number, not of {count}; give jacobian=")
    row = _matched("gradient", gradient(*point.args(point.numbers)), point.tree)
    return _of_matrix(lambda xs: _numbers(f(*point.args(xs))), [""], [row])


def of_jacobian(f: Function, claimed: Function, point: Point) -> Claim:
    """Return the claim of a function that gives all derivatives, nested as `sg.jacobian` nests them."""
    outputs, tree = flatten(_readable(f(*point.args(point.numbers))))
    count = len(point.numbers)
    codes = [[float(i * count + j) for j in range(count)] for i in range(len(outputs))]
    places, expected = flatten(nested(tree, point.tree, codes))
    found = dict(zip(places, _matched("jacobian", claimed(*point.args(point.numbers)), expected), strict=True))
    names = [path and f", of output{path}" for path in tree.paths()]
    matrix = [[found[code] for code in row] for row in codes]
    return _of_matrix(lambda xs: _numbers(f(*point.args(xs))), names, matrix)


def of_hvp(gradient: Function, hvp: Function, point: Point) -> Claim:
    """Return the claim of a function of primals and tangents that gives the Hessian's product with the tangents."""

    def along(direction: Numbers) -> Numbers:
        primals, tangents = tuple(point.args(point.numbers)), tuple(point.args(direction))
        return _matched("hvp", hvp(primals, tangents), point.tree)

    return Claim(
        lambda xs: _matched("gradient", gradient(*point.args(xs)), point.tree),
        _derivative_names([""], point.paths),
        along,
        lambda: _transposed([along(unit) for unit in _units(len(point.numbers))]),
    )


def of_ours(f: Function, point: Point, modes: Sequence[str], order: int) -> Claim:
    """Return the claim of this library's sweeps about the derivatives of f of that order."""
    roots: Roots = lambda xs: _leaves(f(*point.args(xs)))
    names = [path and f", of output{path}" for path in flatten(f(*point.args(point.numbers)))[1].paths()]
    for _ in range(order - 1):
        roots, names = _derivatives(roots), _derivative_names(names, point.paths)
    xs = point.numbers

    def matrix() -> Sequence[Numbers]:
        if len(modes) > 1:
            found: Sequence[Numbers] = jacobian(roots)(xs)
            return found
        if "reverse" in modes:
            pullback = vjp(roots, xs)[1]
            return [pullback(unit)[0] for unit in _units(len(names))]
        return _transposed([jvp(roots, (xs,), (unit,))[1] for unit in _units(len(xs))])

    def along(direction: Numbers) -> Numbers:
        if "forward" in modes:
            moved: Numbers = jvp(roots, (xs,), (list(direction),))[1]
            return moved
        return _of_matrix(_numbers, names, matrix()).along(direction)

    values = lambda xs: [y if type(y) is float else _plain(y, "f's result") for y in roots(xs)]
    return Claim(values, names, along, matrix, roots)


def _of_matrix(f: Callable[[Numbers], Numbers], outputs: Sequence[str], matrix: Sequence[Numbers]) -> Claim:
    along = lambda direction: [sum(d * u for d, u in zip(row, direction, strict=True)) for row in matrix]
    return Claim(f, outputs, along, lambda: matrix)


def _derivatives(f: Roots) -> Roots:
    return lambda xs: [derivative for row in jacobian(f)(xs) for derivative in row]


def _derivative_names(outputs: Sequence[str], paths: Sequence[str]) -> list[str]:
    return [f" and {path}{output}" for output in outputs for path in paths]


def _matched(name: str, claimed: Any, tree: Tree) -> list[float]:
    """Return the claimed numbers in the order of the tree. Raises `AssertionError` if they are nested differently."""
    try:
        leaves = leaves_like(_readable(claimed), tree)
    except ValueError as error:
        hint = "; write 0.0 if f does not depend on it" if "NoneType" in str(error) else ""
        raise AssertionError(f"{name}= is nested differently from what it belongs to: {error}{hint}") from None
    return [_plain(leaf, f"a number that {name}= returned") for leaf in leaves]


def _numbers(result: Any) -> list[float]:
    return [_plain(leaf, "f's result") for leaf in _leaves(result)]


def _leaves(result: Any) -> list[Any]:
    return [result] if type(result) is float else flatten(_readable(result))[0]


def _readable(structure: Any) -> Any:
    """Return the structure with arrays of other libraries as NumPy's."""
    leaves, tree = flatten(structure)
    foreign = [hasattr(leaf, "__array__") and as_float(leaf) is None for leaf in leaves]
    if not any(foreign):
        return structure
    import numpy as np

    return tree.unflatten([np.asarray(leaf) if f else leaf for leaf, f in zip(leaves, foreign, strict=True)])


def _plain(leaf: Any, place: str) -> float:
    """Return a number as a float. Raises `ValueError` for a complex one: f has no value there; else `TypeError`."""
    number = leaf.data if isinstance(leaf, Value) else as_float(leaf)
    if number is None:
        error = ValueError if isinstance(leaf, complex) else TypeError
        raise error(f"check_gradients: {place} is {leaf!r}, a {type(leaf).__name__}; give plain real numbers")
    return number


def _transposed(rows: Sequence[Numbers]) -> list[Numbers]:
    return list(zip(*rows, strict=True))


def _units(count: int) -> list[list[float]]:
    return [[float(i == j) for i in range(count)] for j in range(count)]
