"""The node to blame: the first one in a graph whose local derivative differences contradict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..engine.evaluation import evaluate
from ..engine.graph import topological_order
from ..engine.value import Value
from ..interpreters.floats import IEEE
from ..rows import Output
from .claims import Claim, Point
from .differences import derivatives
from .margins import margin

__all__ = ["first_wrong", "kinks_that_meet", "steepest"]

__tracebackhide__ = True


def kinks_that_meet(claim: Claim, point: Point) -> bool:
    """Tell whether several nodes are at a kink at once: then each rule may be right, and their sum no slope."""
    return sum(_at_a_change(node) for node in _nodes(claim, point)) > 1


def steepest(claim: Claim, point: Point) -> float:
    """Return the largest finite local derivative of the graph."""
    partials = (abs(partial) for node in _nodes(claim, point) for partial in node.partials if partial)
    return max(filter(math.isfinite, partials), default=0.0)


def first_wrong(claim: Claim, point: Point) -> str:
    """Return the end of a message: the first local derivative that disagrees; "" without a graph."""
    if claim.roots is None:
        return ""
    for node in _nodes(claim, point):
        for text in _wrong_partials(node):
            return f". The first local derivative that disagrees: {text}"
    return (
        ". Every local derivative agrees with differences: perhaps f took a number out of a Value by .data, "
        "or is not the same at each call"
    )


def _nodes(claim: Claim, point: Point) -> list[Value]:
    if claim.roots is None:
        return []
    leaves = [Value(x, label=path) for x, path in zip(point.numbers, point.paths, strict=True)]
    return topological_order(*[out for out in claim.roots(leaves) if isinstance(out, Value)])


def _data(node: Value) -> list[float]:
    return [arg.data if isinstance(arg, Value) else arg for arg in node.args]


def _at_a_change(node: Value) -> bool:
    primitive = node.primitive
    return primitive is not None and not isinstance(primitive, Output) and margin(primitive, _data(node)) == 0.0


def _wrong_partials(node: Value) -> Iterator[str]:
    primitive = node.primitive
    if primitive is None or not node.partials or primitive.name == "stop_gradient":
        return
    row, index = (primitive.vector, primitive.index) if isinstance(primitive, Output) else (primitive, None)
    data = _data(node)
    positions = [i for i, arg in enumerate(node.args) if isinstance(arg, Value)]
    for i, partial in zip(positions, node.partials, strict=True):

        def along(x: float, i: int = i) -> Sequence[float]:
            out = evaluate(row, (*data[:i], x, *data[i + 1 :]), IEEE)
            return [out if index is None else out[index]]

        (found,) = derivatives(along, data[i])
        low, high = sorted((found.left, found.right))
        slack = 1e-6 * max(abs(low), abs(high)) + found.error
        if not found.trouble and not low - slack <= partial <= high + slack:
            operands = ", ".join(f"{x:.6g}" for x in data)
            arg = node.args[i]
            name = f", at {arg.label}" if isinstance(arg, Value) and arg.label else ""
            yield f"{row.name}({operands}) by argument {i}{name}: {partial!r} instead of {found.value:.10g}"
