"""Work by hand: the two passes, edge by edge, with at most one step done wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..engine.evaluation import REFUSALS
from ..engine.value import Value
from ..interpreters.floats import FLOATS, IEEE
from ..rows import Output
from .graph import Edge, Graph, numbers

if TYPE_CHECKING:
    from .exercise import Exercise

__all__ = ["ROUNDED", "Misconception", "Work", "computed", "slope"]


@dataclass(frozen=True)
class Misconception:
    """Misconception: a `name`, a `hint` for the student, and the one step that is done otherwise.

    `value(node, operands)` and `local(edge, graph)` return None if there is nothing to get wrong. The mistake is
    made at all places together, and at each one alone; with `single`, only at each one alone. `train` holds options of
    `TrainingStep.trained`. `result(exercise, answer)` makes wrong answers of the right one. A `general` misconception
    is named only if no other explains the number.
    """

    name: str
    hint: str
    value: Callable[[Value, list[float]], float | None] | None = None
    local: Callable[[Edge, Graph], float | None] | None = None
    contribution: Callable[[float, float], float] | None = None
    total: Callable[[float, float], float] | None = None
    order: Callable[[Graph], list[Value]] | None = None
    train: Mapping[str, Any] = field(default_factory=dict)
    result: Callable[[Any, float], Collection[float]] | None = None
    single: bool = False
    general: bool = False

    def __repr__(self) -> str:
        return f"<misconception: {self.name}>"

    def answers(self, exercise: Exercise) -> list[float]:
        """Return the numbers that this misconception gives for an exercise, the right one perhaps among them."""
        if self.result is not None:
            return [*self.result(exercise, exercise.answer)]
        forward = exercise.kind == "forward value"
        if (self.train and exercise.kind != "training step") or (forward and self.value is None):
            return []
        places = [*self._places(exercise.graph, forward)]
        if self.value is None and self.local is None:
            return [_outcome(exercise, Work(self))]
        chosen = [{place} for place in places] if self.single else [set(places), *({place} for place in places)]
        return [_outcome(exercise, Work(self, some)) for some in chosen if some]

    def _places(self, graph: Graph, forward: bool) -> Iterator[int]:
        if forward and self.value:
            for place, node in enumerate(graph.nodes):
                if node.args and self.value(node, numbers(node)) is not None:
                    yield place
        if not forward and self.local:
            yield from (edge.number for edge in graph.edges if self.local(edge, graph) is not None)


def _outcome(exercise: Exercise, work: Work) -> float:
    try:
        return exercise.work(work)
    except REFUSALS:  # a mistake may lead out of a function's domain, and to no number then
        return math.nan


class Work:
    """Both passes by the lecture's rules, but for one misconception at the given places."""

    def __init__(self, misconception: Misconception | None = None, places: Collection[int] = ()) -> None:
        self.wrong = misconception or Misconception("", "")
        self.places = places

    def values(self, graph: Graph) -> dict[int, float]:
        """Return the number of each node, by its id: the forward pass."""
        found: dict[int, float] = {}
        for place, node in enumerate(graph.nodes):
            operands = [found[id(arg)] if isinstance(arg, Value) else float(arg) for arg in node.args]
            value = self.wrong.value(node, operands) if self.wrong.value and place in self.places else None
            found[id(node)] = computed(node, operands) if value is None else value
        return found

    def local(self, edge: Edge, graph: Graph) -> float:
        """Return the local derivative on an edge."""
        wrong = self.wrong.local(edge, graph) if self.wrong.local and edge.number in self.places else None
        return edge.local if wrong is None else wrong

    def contribution(self, edge: Edge, graph: Graph, adjoint: float) -> float:
        """Return what an edge hands to its parent, given the adjoint of its child."""
        local = self.local(edge, graph)
        return self.wrong.contribution(adjoint, local) if self.wrong.contribution else adjoint * local

    def adjoints(self, graph: Graph) -> dict[int, float]:
        """Return the derivative of the goal with respect to each node, by its id: the backward pass."""
        found = {id(node): 0.0 for node in graph.nodes} | {id(graph.goal): 1.0}
        for child in self.wrong.order(graph) if self.wrong.order else reversed(graph.nodes):
            for edge in graph.edges_into(child):
                amount = self.contribution(edge, graph, found[id(child)])
                before = found[id(edge.parent)]
                found[id(edge.parent)] = self.wrong.total(before, amount) if self.wrong.total else before + amount
        return found


def computed(node: Value, operands: list[float]) -> float:
    """Return a node's number for these operands."""
    primitive = node.primitive
    if primitive is None:
        return node.data
    if isinstance(primitive, Output):
        return float(primitive.vector.forward(FLOATS, *operands)[primitive.index])
    return float(primitive.forward(FLOATS, *operands))


def slope(edge: Edge, out: float, operands: list[float]) -> float | None:
    """Return the textbook's derivative at another output or operands; None if the node has several parents."""
    primitive = edge.child.primitive
    if primitive is None or isinstance(primitive, Output) or primitive.opaque or len(edge.child.parents) != 1:
        return None
    derivative = primitive.textbook_derivatives(IEEE, out, operands)[edge.position]
    return None if derivative is None else float(derivative)


def _short(x: float) -> float:
    return round(x, 4) if abs(x) >= 0.01 else float(f"{x:.3e}")


def _short_slope(edge: Edge, graph: Graph) -> float:
    derivative = slope(edge, _short(edge.child.data), [_short(x) for x in edge.operands])
    return _short(edge.local if derivative is None or not math.isfinite(derivative) else derivative)


ROUNDED = Misconception(
    "rounded",
    "Right, with the four decimals that a sheet shows.",
    value=lambda node, xs: _short(computed(node, [_short(x) for x in xs])),
    local=_short_slope,
    contribution=lambda adjoint, local: _short(_short(adjoint) * local),
)
"""No misconception, but right work with four decimals: an exercise is tried with it before it is set."""
