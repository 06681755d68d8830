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

NO_PARTIALS: tuple[float, ...] = ()  # the empty tuple is one object
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
    numbers = list(map(_checked, seeds))
    mark = object()
    found: list[Value] = []
    constant = False
    for i, root in enumerate(roots):
        if root.mark is not mark:
            root.mark = mark
            if root.primitive is not None:
                root.grad = 0.0
                found.append(root)
        root.grad += numbers[i]
    for node in found:
        if node.by_first is NO_PARTIALS:
            constant = True
        for parent in node.parents:
            if parent.mark is not mark:
                parent.mark = mark
                # A leaf has nothing beneath it, and its gradients add up.
                if parent.primitive is not None:
                    parent.grad = 0.0
                    found.append(parent)
    found.sort(key=by_serial, reverse=True)
    if constant:
        found = _connected(found, roots)
    for node in found:
        by_first, by_second = node.by_first, node.by_second
        grad = node.grad
        if by_second is not None:
            left, right = node.parents
            left.grad += grad * by_first  # type: ignore[operator]
            right.grad += grad * by_second
        elif type(by_first) is not tuple:
            (parent,) = node.parents
            parent.grad += grad * by_first  # type: ignore[operator]
        elif by_first:
            for parent, partial in zip(node.parents, by_first, strict=True):
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


def _checked(seed: float) -> float:
    number = plain(seed)
    if number is None:
        raise TypeError(f"backward: the seed is {seed!r}; give a number, or use sg.vjp for Values")
    return number
