"""The order of a graph, and the reverse sweep over the local derivatives that its nodes recorded.

A node is made after its parents, so ascending creation numbers are a topological order of any graph. Nothing
here recurses, and nothing needs more of a Value than its attributes, so `value` imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from .interpreters.floats import plain
from .observer import OBSERVER

if TYPE_CHECKING:
    from .value import Value

by_serial = attrgetter("serial")


def topological_order(*roots: Value, since: int = 0) -> list[Value]:
    """All nodes that the roots were computed from, themselves included, parents first.

    `since` leaves out what is older than that creation number, and all that lies beneath.
    """
    found = list({id(root): root for root in roots}.values())
    seen = set(map(id, found))
    for node in found:
        for parent in node.parents:
            if parent.serial >= since and id(parent) not in seen:
                seen.add(id(parent))
                found.append(parent)
    found.sort(key=by_serial)
    return found


def backward(roots: Sequence[Value], seeds: Sequence[float]) -> None:
    """The reverse sweep: add the derivatives of Σ seed · root by all nodes into their `grad`.

    Interior nodes start afresh and leaves add up. It visits each node in reverse topological order and adds
    its contribution to its parents (10-601 Backpropagation). Raises `TypeError` for a seed that is no number.
    """
    if (recording := OBSERVER.get()) is not None:
        raise recording.refusal("backward()", "use sg.grad or sg.value_and_grad")
    numbers = [plain(seed) for seed in seeds]
    if None in numbers:
        raise TypeError(
            f"backward: the seed is {seeds[numbers.index(None)]!r}; give a number, or use sg.vjp for Values"
        )
    mark = object()
    found = []
    constant = False
    for root in roots:
        if root.mark is not mark:
            root.mark = mark
            found.append(root)
    for node in found:
        if node.primitive is not None:
            node.grad = 0.0
            if not node.partials:
                constant = True
        for parent in node.parents:
            if parent.mark is not mark:
                parent.mark = mark
                found.append(parent)
    found.sort(key=by_serial, reverse=True)
    if constant:
        found = _connected(found, roots)
    for root, number in zip(roots, numbers, strict=True):
        root.grad += number  # type: ignore[operator]
    for node in found:
        partials = node.partials
        count = len(partials)
        if count == 2:
            left, right = node.parents
            by_left, by_right = partials
            grad = node.grad
            left.grad += grad * by_left
            right.grad += grad * by_right
        elif count == 1:
            (parent,) = node.parents
            (partial,) = partials
            parent.grad += node.grad * partial
        elif count:
            grad = node.grad
            for parent, partial in zip(node.parents, partials, strict=True):
                parent.grad += grad * partial


def _connected(order: Sequence[Value], roots: Sequence[Value]) -> list[Value]:
    # What lies only beneath nodes without derivative gets none: 0 times an infinite one would be nan.
    live = set(map(id, roots))
    connected = []
    for node in order:
        if id(node) in live:
            connected.append(node)
            if node.partials:
                live.update(map(id, node.parents))
    return connected
