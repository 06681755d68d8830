"""Derivatives as they are claimed: nested results of f, of a gradient or of a Jacobian, matched by key and shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.structures import flatten
from ..engine.transforms import jacobian, jvp, vjp
from ..engine.value import Value
from ..rows import as_float

__all__ = ["Claim", "Point", "matched", "numbers"]

__tracebackhide__ = True

Function = Callable[..., Any]
Numbers = Sequence[float]


class Point:
    """Arguments as one list of numbers, with the path of each and the way back."""

    def __init__(self, args: Sequence[Any]) -> None:
        leaves, places, self.rebuild = flatten(list(args))
        self.paths = [f"args{place}" for place in places]
        self.numbers = [_plain(leaf, path) for leaf, path in zip(leaves, self.paths, strict=True)]
        self.several = len(args) > 1
        places = places if self.several else [place.removeprefix("[0]") for place in places]
        self.places = {place: i for i, place in enumerate(places)}

    @property
    def argnums(self) -> int | tuple[int, ...]:
        """The choice of all arguments, as the transforms take it."""
        return tuple(range(len(self.rebuild(self.numbers)))) if self.several else 0

    def nested(self, leaves: Sequence[Any]) -> Any:
        """Return numbers nested like the argument, or for several arguments as a tuple of such."""
        args = self.rebuild(leaves)
        return tuple(args) if self.several else args[0]


@dataclass(frozen=True)
class Claim:
    """A function of one list of numbers, and the derivatives that somebody claims.

    `along(u)` gives the claimed derivative of each output in the direction u, `matrix()` a row for each output.
    `outputs` names the outputs; `nodes` are those of the graph of Values, if there is one.
    """

    f: Callable[[Numbers], Numbers]
    outputs: Sequence[str]
    along: Callable[[Numbers], Numbers]
    matrix: Callable[[], Sequence[Numbers]]
    roots: Callable[[Sequence[Value]], Sequence[Any]] | None = None


def _plain(leaf: Any, path: str) -> float:
    number = as_float(leaf)
    if number is None:
        raise TypeError(f"check_gradients: {path} is {leaf!r}, a {type(leaf).__name__}; give plain numbers")
    return number


def numbers(result: Any) -> list[float]:
    """Return the numbers that f gave as one list. Raises `TypeError` for anything else, `ValueError` for complex ones."""
    if type(result) is float:
        return [result]
    found = []
    for path, leaf in _leaves(result).items():
        number = leaf.data if isinstance(leaf, Value) else as_float(leaf)
        if isinstance(leaf, complex):
            raise ValueError(f"f returned {leaf!r}, which is complex")
        if number is None:
            place = f" at {path}" if path else ""
            raise TypeError(f"check_gradients: f returned {leaf!r}{place}, a {type(leaf).__name__}; return numbers")
        found.append(number)
    return found


def names(result: Any) -> list[str]:
    """Return the names of the outputs in a message; that of a single number is empty."""
    return [path and f"output{path}" for path in _leaves(result)]


def matched(name: str, claimed: Any, places: dict[str, int]) -> list[float]:
    """Return the claimed numbers in the order of `places`, from a path to its index.

    Lists, tuples and arrays of one shape are the same. Raises `AssertionError` for missing, surplus and None entries.
    """
    found = _leaves(claimed)
    wrong = [
        f"{what} {', '.join(p or 'one number' for p in list(paths)[:8])}"
        for what, paths in (
            ("lacks", [p for p in places if p not in found]),
            ("has", [p for p in found if p not in places]),
        )
        if paths
    ]
    if wrong:
        raise AssertionError(f"{name} is not nested like what it belongs to: it {' and '.join(wrong)}")
    result = [0.0] * len(places)
    for path, leaf in found.items():
        number = leaf.data if isinstance(leaf, Value) else as_float(leaf)
        if number is None:
            at = f" at {path}" if path else ""
            hint = "; write 0.0 where f does not depend on it" if leaf is None else ""
            raise AssertionError(f"{name} is {leaf!r}{at}, a {type(leaf).__name__}, not a number{hint}")
        result[places[path]] = number
    return result


def _leaves(structure: Any) -> dict[str, Any]:
    """Return the leaves by path. Arrays of other libraries are read as NumPy's."""
    found: dict[str, Any] = {}
    leaves, paths, _ = flatten(structure)
    for leaf, path in zip(leaves, paths, strict=True):
        if hasattr(leaf, "__array__") and as_float(leaf) is None:
            import numpy as np

            inner, inner_paths, _ = flatten(np.asarray(leaf), path)
            found.update(zip(inner_paths, inner, strict=True))
        else:
            found[path] = leaf
    return found


def of_gradient(f: Function, gradient: Function, point: Point) -> Claim:
    """Return the claim of a function that gives the gradient, nested like the argument or a tuple of such."""
    flat = lambda xs: numbers(f(*point.rebuild(xs)))
    outputs = names(f(*point.rebuild(point.numbers)))
    if len(outputs) != 1:
        raise ValueError(f"check_gradients: gradient= needs f to return one number, not {len(outputs)}; give jacobian=")
    row = matched("gradient", gradient(*point.rebuild(point.numbers)), point.places)
    return of_matrix(flat, outputs, [row])


def of_jacobian(f: Function, claimed: Function, point: Point) -> Claim:
    """Return the claim of a function that gives all derivatives, nested as `sg.jacobian` nests them."""
    flat = lambda xs: numbers(f(*point.rebuild(xs)))
    result = f(*point.rebuild(point.numbers))
    outputs, count = names(result), len(point.numbers)
    rebuild = flatten(result)[2]
    # A linear function whose derivatives are 0, 1, 2 … tells where each of them belongs.
    linear = lambda *args: rebuild(
        [sum((i * count + j) * x for j, x in enumerate(flatten(list(args))[0])) for i in range(len(outputs))]
    )
    expected = jacobian(linear, point.argnums)(*point.rebuild(point.numbers))
    places = {path: round(code) for path, code in _leaves(expected).items()}
    flat_matrix = matched("jacobian", claimed(*point.rebuild(point.numbers)), places)
    return of_matrix(flat, outputs, [flat_matrix[i * count : (i + 1) * count] for i in range(len(outputs))])


def of_hvp(gradient: Function, hvp: Function, point: Point) -> Claim:
    """Return the claim of a function of primals and tangents that gives the Hessian's product with the tangents."""
    flat = lambda xs: matched("gradient", gradient(*point.rebuild(xs)), point.places)

    def along(direction: Numbers) -> Numbers:
        primals, tangents = tuple(point.rebuild(point.numbers)), tuple(point.rebuild(direction))
        return matched("hvp", hvp(primals, tangents), point.places)

    count = len(point.numbers)
    columns = lambda: [along(_unit(count, j)) for j in range(count)]
    return Claim(flat, _derivative_names([""], point.paths), along, lambda: list(zip(*columns(), strict=True)))


def of_matrix(flat: Callable[[Numbers], Numbers], outputs: Sequence[str], matrix: Sequence[Numbers]) -> Claim:
    """Return the claim of a matrix, with a row for each output."""
    along = lambda direction: [sum(d * u for d, u in zip(row, direction, strict=True)) for row in matrix]
    return Claim(flat, outputs, along, lambda: matrix)


def of_ours(f: Function, point: Point, modes: Sequence[str], order: int) -> Claim:
    """Return the claim of this library's sweeps about the derivatives of f of that order."""
    roots: Callable[[Sequence[Any]], list[Any]] = lambda xs: list(_leaves(f(*point.rebuild(xs))).values())
    outputs = names(f(*point.rebuild(point.numbers)))
    for _ in range(order - 1):
        roots, outputs = _derivatives(roots), _derivative_names(outputs, point.paths)
    xs, count = point.numbers, len(point.numbers)

    def matrix() -> Sequence[Numbers]:
        if len(modes) > 1:
            found: Sequence[Numbers] = jacobian(roots)(xs)
            return found
        if modes[0] == "reverse":
            pullback = vjp(roots, xs)[1]
            return [pullback(_unit(len(outputs), i))[0] for i in range(len(outputs))]
        return list(zip(*[jvp(roots, (xs,), (_unit(count, j),))[1] for j in range(count)], strict=True))

    def along(direction: Numbers) -> Numbers:
        if "forward" in modes:
            moved: Numbers = jvp(roots, (xs,), (list(direction),))[1]
            return moved
        return of_matrix(roots, outputs, matrix()).along(direction)

    flat = lambda point: [y.data if isinstance(y, Value) else numbers(y)[0] for y in roots(point)]
    return Claim(flat, outputs, along, matrix, roots)


def _derivatives(f: Callable[[Sequence[Any]], list[Any]]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda xs: [derivative for row in jacobian(f)(xs) for derivative in row]


def _derivative_names(outputs: Sequence[str], paths: Sequence[str]) -> list[str]:
    return [f"∂{output}/∂{path}" for output in outputs for path in paths]


def _unit(count: int, index: int) -> list[float]:
    return [float(i == index) for i in range(count)]
