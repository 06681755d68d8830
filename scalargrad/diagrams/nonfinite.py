"""`locate_nonfinite`: where a nan or an infinity of a value or a gradient began."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..engine.graph import reverse_flow, topological_order
from ..engine.value import Value

__all__ = ["Nonfinite", "locate_nonfinite", "nonfinite_sources"]


@dataclass(frozen=True)
class Nonfinite:
    """The place at which a nan or an infinity began, in a `"value"` or a `"gradient"`, and the way from it to the goal.

    `node` is that place, and `path` leads from it to the goal. `str` tells the operation, its operands and its local
    derivatives.
    """

    kind: str
    node: Value
    path: tuple[Value, ...]

    def __str__(self) -> str:
        node = self.node
        if node.primitive is None:
            return f"the {self.kind} begins at the input {_name(node)} = {node.data!r}"
        operands = ", ".join(f"{_name(a)} = {a.data!r}" if isinstance(a, Value) else repr(a) for a in node.args)
        pairs = zip(node.parents, node.partials, strict=True)
        partials = ", ".join(f"∂/∂{_name(parent)} = {partial!r}" for parent, partial in pairs)
        way = " → ".join(
            _name(step) if step.label or step.primitive is None else _operation(step) for step in self.path
        )
        return (
            f"the {self.kind} begins at {_operation(node)}({operands}) = {node.data!r}, "
            f"with the local derivatives {partials or 'none'}; its way on: {way}"
        )


def locate_nonfinite(goal: Value) -> Nonfinite | None:
    """Return the first place at which a value or the gradient is nan or infinite, or None if all are finite.

    A value begins to be nan or infinite at the oldest node that is so with finite operands. A gradient begins
    at the node nearest to the goal whose finite derivative becomes infinite or nan on the way to a parent.
    `derivative_diagram` marks every such place. It changes nothing in the graph. Raises
    `TypeError` for anything but a Value.

    >>> x = Value(0.0, label="x")
    >>> print(locate_nonfinite(x**0.5 * 3))
    the gradient begins at pow(x = 0.0, 0.5) = 0.0, with the local derivatives ∂/∂x = inf; its way on: pow → mul
    """
    if not isinstance(goal, Value):
        raise TypeError(f"locate_nonfinite: needs a Value, the goal of a computation, got {goal!r}")
    return next(nonfinite_sources(goal), None)


def nonfinite_sources(goal: Value) -> Iterator[Nonfinite]:
    """Yield every place at which a nan or an infinity begins: of values from the inputs on, then of gradients.

    >>> x = Value(0.0, label="x")
    >>> [source.kind for source in nonfinite_sources(x**0.5 + x**0.25)]
    ['gradient', 'gradient']
    """
    order = topological_order(goal)
    children = _children(order)
    finite = {id(node): math.isfinite(node.data) for node in order}
    sound = {id(node): all(finite[id(parent)] for parent in node.parents) for node in order}
    for node in order:
        if sound[id(node)] and not finite[id(node)]:
            yield Nonfinite("value", node, _path(node, children))
    found: set[int] = set()
    for flow in reverse_flow([(node, node.edges()) for node in order], {id(goal): 1.0}):
        key = id(flow.node)
        is_sum = math.isfinite(flow.amount) and math.isfinite(flow.before or 0.0)  # which alone is too large
        begins = math.isfinite(flow.derivative) and not math.isfinite(flow.after if is_sum else flow.amount)
        if begins and finite[key] and sound[key] and key not in found:
            found.add(key)
            yield Nonfinite("gradient", flow.node, _path(flow.node, children))


def _children(order: Sequence[Value]) -> dict[int, Value]:
    """Return, by id, the first node that was computed from each one."""
    children: dict[int, Value] = {}
    for node in order:
        for parent in node.parents:
            children.setdefault(id(parent), node)
    return children


def _path(start: Value, children: Mapping[int, Value]) -> tuple[Value, ...]:
    path = [start]
    while id(path[-1]) in children:
        path.append(children[id(path[-1])])
    return tuple(path)


def _operation(node: Value) -> str:
    return node.primitive.name if node.primitive is not None else _name(node)


def _name(node: Value) -> str:
    return node.label or ("an input" if node.primitive is None else f"{_operation(node)}(…)")
