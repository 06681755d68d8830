"""The order of a graph, and the sweeps over it: the chain rule, in reverse and forward.

A node is made after its parents, so ascending creation numbers are a topological order of any graph. Nothing
here recurses, and nothing needs more of a Value than its attributes, so `value` imports this module.

A derivative that is exactly 0 passes no edge, whatever the partial derivative there: 0 · ∞ is 0 here (`passed`). So an
output that nobody asked for, or a side that was not chosen, can't turn a gradient into nan.

`explored` and `backward` are the hot loops: they read a node's slots in place (their meaning is stated in `value`), and
handle one and two operands separately. Everything else calls `node.edges()`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ..rows import as_float
from .observer import OBSERVER

if TYPE_CHECKING:
    from .value import Value

by_serial = attrgetter("serial")


def topological_order(*roots: Value) -> list[Value]:
    """Return all nodes that the roots were computed from, themselves included, parents first."""
    return explored(roots)[0]


def explored(roots: Sequence[Value], since: int = 0) -> tuple[list[Value], bool]:
    """Return the nodes under the roots from creation number `since` on, parents first, and if there are older ones."""
    order: list[Value] = []
    seen = set()
    reaches_older = False
    reached = list(roots)
    for node in reached:  # the list grows during the loop
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.serial < since:
            reaches_older = True
            continue
        order.append(node)
        if node.primitive is not None:
            if node.partial_second is None:
                reached.extend(node.parents)
            else:  # a quick way for the commonest nodes
                if node.partial_first is not None:
                    reached.append(node.first)
                reached.append(node.second)
    order.sort(key=by_serial)
    return order, reaches_older


def backward(roots: Sequence[Value], seeds: Sequence[float]) -> None:
    """Add the derivative of Σ seed · root with respect to each node into the node's `grad`: the reverse sweep.

    Interior nodes start afresh and leaves add up. The sweep visits each node once, in reverse topological order, and
    adds the node's contributions to its parents (10-601 Backpropagation). Raises `TypeError` for a seed that is not a
    number.
    """
    if (recording := OBSERVER.get()) is not None:
        raise recording.refusal("backward()", "use sg.grad or sg.value_and_grad")
    for seed in seeds:
        if type(seed) is not float:
            seeds = list(map(_checked, seeds))
            break
    mark = object()
    order: list[Value] = []
    cut_off: list[Value] = []  # beneath a structural zero, where no adjoint passes
    reached = list(roots)
    for node in reached:  # the list grows during the loop
        if node.mark is mark:
            continue
        node.mark = mark
        if node.primitive is None:
            continue
        node._grad = 0.0
        order.append(node)
        if node.partial_second is not None:
            if node.partial_first is not None:
                reached.append(node.first)
            reached.append(node.second)
        elif type(partials := node.partial_first) is not tuple:
            reached.append(node.first)
        elif None not in partials:
            reached.extend(node.second)
        else:
            for parent, partial in zip(node.second, partials, strict=True):
                (cut_off if partial is None else reached).append(parent)
    if cut_off:
        _start_afresh(topological_order(*cut_off), mark)
    order.sort(key=by_serial, reverse=True)
    for i, root in enumerate(roots):
        root._grad += seeds[i]
    for node in order:
        grad = node._grad
        if not grad:
            continue
        partial_first, partial_second = node.partial_first, node.partial_second
        if partial_second is not None:
            if partial_first is not None:
                node.first._grad += grad * partial_first
            node.second._grad += grad * partial_second
        elif type(partial_first) is not tuple:
            node.first._grad += grad * partial_first
        else:
            for parent, partial in zip(node.second, partial_first, strict=True):
                if partial is not None:
                    parent._grad += grad * partial


def _start_afresh(nodes: Sequence[Value], mark: object) -> None:
    for node in nodes:
        if node.mark is not mark:
            node.mark = mark
            if node.primitive is not None:
                node._grad = 0.0


def passed(derivative: float, partial: float) -> float:
    """Return derivative · partial, and 0 for a derivative of 0: the contribution that flows along one edge.

    >>> passed(2.0, math.inf), passed(0.0, math.inf), passed(math.inf, 0.0)
    (inf, 0.0, nan)
    """
    return derivative * partial if derivative or math.isfinite(partial) else 0.0


def adjoints(order: Sequence[Value], roots: Sequence[Value], seeds: Sequence[float]) -> dict[int, float]:
    """Return the derivatives that `backward` adds into `grad`, as a dict by `id`, and change no node.

    `order` has the nodes in topological order.
    """
    found: dict[int, float] = {}
    for root, seed in zip(roots, seeds, strict=True):
        found[id(root)] = found.get(id(root), 0.0) + seed
    for node in reversed(order):
        adjoint = found.get(id(node))
        if adjoint is not None:
            for parent, partial in node.edges():
                key = id(parent)
                amount = adjoint * partial if adjoint else passed(adjoint, partial)
                before = found.get(key)
                found[key] = amount if before is None else before + amount
    return found


Edges = Iterable[tuple["Value", Any]]
"""The neighbours of a node, each with the partial derivative on the edge between them."""


class Flow(NamedTuple):
    """One term of the chain rule: `amount` = `derivative` · `partial` goes along one edge, and adds up.

    In reverse it goes from a node to its parent, and `derivative` is the node's adjoint; forward it goes from the
    parent to the node, and `derivative` is the parent's tangent. `before` is the sum without this term, None if this
    is the first one; `after` is the sum with it.
    """

    node: Value
    parent: Value
    place: int
    partial: Any
    derivative: Any
    amount: Any
    before: Any
    after: Any


Linear = Sequence[tuple["Value", Edges]]
Product = Callable[[Any, Any], Any]


def reverse_flow(edges: Linear, adjoints: dict[int, Any], product: Product = passed) -> Iterator[Flow]:
    """Yield the terms of the chain rule from the roots to the leaves, and add each to `adjoints`, a dict by `id`.

    `edges` has the nodes, parents first, each with its parents and partials. `adjoints` begins with the roots' seeds.
    Source: 10-601 Backpropagation, "Backpropagation" in four steps.
    """
    for node, parents in reversed(edges):
        adjoint = adjoints.get(id(node))
        if adjoint is not None:
            for place, (parent, partial) in enumerate(parents):
                amount, before = product(adjoint, partial), adjoints.get(id(parent))
                after = adjoints[id(parent)] = amount if before is None else before + amount
                yield Flow(node, parent, place, partial, adjoint, amount, before, after)


def forward_flow(edges: Linear, tangents: dict[int, Any], product: Product = passed) -> Iterator[Flow]:
    """Yield the terms of Δy = Σ ∂y/∂zᵢ Δzᵢ from the leaves to the roots, and add each to `tangents`, a dict by `id`.

    `edges` has the parents, in topological order, each with the nodes computed from it and the partials of those.
    `tangents` begins with the perturbations of the leaves. Source: 11-785, "Calculus refresher".
    """
    for parent, nodes in edges:
        tangent = tangents.get(id(parent))
        if tangent is not None:
            for place, (node, partial) in enumerate(nodes):
                amount, before = product(tangent, partial), tangents.get(id(node))
                after = tangents[id(node)] = amount if before is None else before + amount
                yield Flow(node, parent, place, partial, tangent, amount, before, after)


def _checked(seed: float) -> float:
    number = as_float(seed)
    if number is None:
        raise TypeError(f"backward: the seed is {seed!r}; give a number, or use sg.vjp for Values")
    return number
