"""`paths`: the ways from an input to the goal, each with the product of its local derivatives; and their sum."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from ..engine.graph import topological_order
from ..engine.value import Value
from ..interpreters.names import digits as written
from .equations import factor
from .naming import Names, as_written

__all__ = ["MAX_PATHS", "Path", "Paths", "paths"]

MAX_PATHS = 1000
LONGEST_SUM = 6


@dataclass(frozen=True)
class Path:
    """A way from a source to the goal: its nodes in this order, their names, and the local derivative on each edge.

    >>> x = Value(3.0, label="x")
    >>> print(paths(sg.exp(2 * x), x)[0])
    x → v₁ → J: 2 · 403.4288 = 806.8576
    """

    nodes: tuple[Value, ...]
    names: tuple[str, ...]
    factors: tuple[float, ...]

    @property
    def product(self) -> float:
        """The contribution of this way to the derivative of the goal with respect to the source."""
        adjoint = 1.0
        for partial in reversed(self.factors):
            adjoint = adjoint * partial if adjoint else 0.0  # nothing flows from an adjoint of 0, not even 0 · ∞
        return adjoint

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int = 4) -> str:
        """Return the way with the product of its local derivatives, to that many decimals."""
        way = " → ".join(self.names)
        return (
            f"{way}: {_written(self.factors, digits)} = {written(self.product, digits)}"
            if self.factors
            else f"{way}: 1"
        )


class Paths(Sequence[Path]):
    """All the ways from a source to a goal. `total` is the sum of their products: the derivative.

    >>> x = Value(3.0, label="x")
    >>> found = paths(sg.sin(x) * x, x)
    >>> len(found), round(found.total, 4) == round(sg.grad(lambda x: sg.sin(x) * x)(3.0), 4)
    (2, True)
    """

    def __init__(self, goal: Value, source: Value, found: Sequence[Path], names: tuple[str, str]) -> None:
        self.goal = goal
        self.source = source
        self.total = sum([path.product for path in found])
        self._found = tuple(found)
        self._derivative = f"∂{names[0]}/∂{names[1]}"

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._found)

    def equation(self, digits: int = 4) -> str:
        """Return the sum over the ways as a line of text, to that many decimals: ∂J/∂x = 2 · 3 + 4 · 5 = 26."""
        products = [_written(path.factors, digits) or "1" for path in self]
        if len(products) > LONGEST_SUM:
            products = [*products[:2], "…", products[-1]]
        terms = " + ".join(products)
        last = "" if len(self) == 1 and len(self[0].factors) < 2 else f" = {written(self.total, digits)}"
        return f"{self._derivative} = {terms or '0: no way leads there'}{last if terms else ''}"

    def __str__(self) -> str:
        return "\n".join([*map(str, self), self.equation()])

    __repr__ = __str__


def _written(factors: Sequence[float], digits: int) -> str:
    numbers = [written(x, digits) for x in factors]
    return " · ".join([*numbers[:1], *map(factor, numbers[1:])])


def paths(goal: Value, source: Value, *, max_paths: int | None = MAX_PATHS) -> Paths:
    """Return all the ways from `source` to `goal` along which it influences the goal.

    The derivative is the sum over the ways of the products of their local derivatives. Edges whose local derivative is
    0 by structure are no ways, and a node that is used twice by another has one edge, with the sum of both.

    Raises `TypeError` for anything but Values, and `ValueError` if there are more than `max_paths` ways; their number
    grows exponentially, which is why `backward()` sweeps instead. Source: 11-785, "Distributed chain rule".

    >>> w = Value(3.0, label="w")
    >>> print(paths(w * w + 2 * w, w))
    w → v₁ → J: 6 · 1 = 6
    w → v₂ → J: 2 · 1 = 2
    ∂J/∂w = 6 · 1 + 2 · 1 = 8
    """
    if not isinstance(goal, Value) or not isinstance(source, Value):
        raise TypeError(f"paths: needs two Values, the goal and a source, got {goal!r} and {source!r}")
    goal = as_written(goal)
    order = topological_order(goal)
    names = Names(order, goal)
    slopes: dict[int, dict[int, float]] = {}
    counts = {id(source): 1}  # of the ways from the source to a node
    for node in order:
        found: dict[int, float] = {}
        for parent, partial in node.edges():
            if id(parent) in counts:
                found[id(parent)] = found.get(id(parent), 0.0) + partial
        if found and node is not source:
            slopes[id(node)] = found
            counts[id(node)] = sum(counts[key] for key in found)
    count = counts.get(id(goal), 0)
    if max_paths is not None and count > max_paths:
        raise ValueError(
            f"paths: there are {count} ways, more than {max_paths}; take a later source, or max_paths=None"
        )
    name = names[source].text if id(source) in names.symbols else source.label or "x"
    nodes = {id(node): node for node in order}
    ways = (
        [_path([nodes[key] for key in way], names, slopes) for way in _ways(id(goal), id(source), slopes)]
        if count
        else []
    )
    return Paths(goal, source, ways, (names[goal].text, name))


def _ways(goal: int, source: int, slopes: dict[int, dict[int, float]]) -> Iterator[list[int]]:
    """Yield the ways as lists of ids from the source to the goal, without recursion."""
    open_ways: list[list[int]] = [[goal]]
    while open_ways:
        way = open_ways.pop()
        if way[-1] == source:
            yield way[::-1]
        else:
            open_ways += [[*way, parent] for parent in reversed(slopes[way[-1]])]


def _path(way: Sequence[Value], names: Names, slopes: dict[int, dict[int, float]]) -> Path:
    factors = [slopes[id(node)][id(parent)] for parent, node in itertools.pairwise(way)]
    return Path(tuple(way), tuple(names[node].text for node in way), tuple(factors))
