"""The graph of a computation, with derivatives that can be differentiated again: the two sweeps over it.

Nothing here recurses. The order of a graph and the sweep over recorded floats, `backward`, are in `graph`.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from ..interpreters.floats import IEEE
from ..rows import Output, Primitive
from .evaluation import evaluate
from .graph import adjoints, backward, explored, forward_flow, passed, reverse_flow, topological_order
from .nodes import NODES, Kink
from .value import Value, data_of, rebuild

__all__ = ["Linearization", "backward", "merged", "times", "topological_order"]


class Linearization:
    """The derivative of some roots with respect to some leaves at the recorded point, ready to be swept either way.

    The partials are the recorded floats or, `as_nodes`, new nodes that can be differentiated again. They are nodes by
    default if the roots also depend on Values that existed before the first of the leaves.
    """

    def __init__(self, leaves: Sequence[Value], roots: Sequence[Value], as_nodes: bool | None) -> None:
        since = min((leaf.serial for leaf in leaves), default=0)
        self.since = since
        self.leaves = leaves
        self.roots = roots
        self.order, reaches_older = explored(roots, since)
        self.as_nodes = reaches_older if as_nodes is None else as_nodes

    @functools.cached_property
    def edges(self) -> list[tuple[Value, list[tuple[Value, Any]]]]:
        """The nodes between the leaves and the roots, parents first, each with its parents there and the partials."""
        active = set(map(id, self.leaves))
        outputs: dict[Any, Any] = {}
        found = []
        for node in self.order:
            if id(node) in active:
                continue
            pairs: list[tuple[Value, Any]] = [(p, partial) for p, partial in node.edges() if id(p) in active]
            if pairs and self.as_nodes:
                partials = zip(node.parents, _partials_as_nodes(node, active, outputs), strict=True)
                pairs = [(p, partial) for p, partial in partials if partial is not None and id(p) in active]
            if pairs:
                active.add(id(node))
                found.append((node, pairs))
        return found

    @functools.cached_property
    def edges_forward(self) -> list[tuple[Value, list[tuple[Value, Any]]]]:
        """The edges in the other direction: each parent with the nodes that were computed from it."""
        children: dict[int, list[tuple[Value, Any]]] = {}
        for node, pairs in self.edges:
            for parent, partial in pairs:
                children.setdefault(id(parent), []).append((node, partial))
        nodes = [*self.leaves, *(node for node, _ in self.edges)]
        return [(node, children[id(node)]) for node in nodes if id(node) in children]

    def pull_back(self, seeds: Sequence[Any]) -> list[Any]:
        """Return the adjoints of the leaves for seeds of the roots, by the reverse sweep; 0.0 for unreached leaves."""
        wanted = [(root, seed) for root, seed in zip(self.roots, seeds, strict=True) if not _is_zero(seed)]
        found: dict[int, Any] = {}
        if not self.as_nodes and all(type(seed) is float for _, seed in wanted):
            roots = [root for root, _ in wanted]
            order = self.order if len(roots) == len(self.roots) else explored(roots, self.since)[0]
            found = adjoints(order, roots, [seed for _, seed in wanted])
        else:
            for root, seed in wanted:
                found[id(root)] = found[id(root)] + seed if id(root) in found else seed
            deque(reverse_flow(self.edges, found, times), maxlen=0)
        return [found.get(id(leaf), 0.0) for leaf in self.leaves]

    def push_forward(self, tangents: Iterable[Any]) -> list[Any]:
        """Return Δy = Σ ∂y/∂zᵢ Δzᵢ of each root, for perturbations of the leaves: the forward sweep."""
        perturbed = zip(self.leaves, tangents, strict=True)
        found = {id(leaf): tangent for leaf, tangent in perturbed if not _is_zero(tangent)}
        deque(forward_flow(self.edges_forward, found, times), maxlen=0)
        return [found.get(id(root), 0.0) for root in self.roots]


def _is_zero(x: Any) -> bool:
    return type(x) is float and x == 0.0


def times(x: Any, partial: Any) -> Any:
    """Return x · partial, 0 for an x of 0, without a node for a factor that is the plain number 1.

    A `Kink` knows itself how an adjoint passes it.
    """
    if _is_zero(x):
        return 0.0  # a constant: it has no derivative that an infinite one could turn into nan
    if isinstance(partial, Kink):
        return partial.marked(times(x, partial.partial))
    if type(partial) is float and partial == 1.0:
        return x
    if type(x) is float and x == 1.0:
        return partial
    if not isinstance(x, Value) and not isinstance(partial, Value):
        return passed(x, partial)
    product = x * partial
    if product._data != product._data and data_of(x) == 0.0:
        product._data = 0.0
    return product


def _partials_as_nodes(node: Value, active: set[int], outputs: dict[Any, Any]) -> list[Any]:
    primitive, args = node.primitive, node.args
    wanted = [isinstance(arg, Value) and id(arg) in active for arg in args]
    if isinstance(primitive, Output):
        # The outputs of one call are computed again once, for all of them.
        call = primitive.vector, tuple([id(arg) if isinstance(arg, Value) else arg for arg in args])
        if call not in outputs:
            outputs[call] = evaluate(primitive.vector, args, IEEE)
        partials = primitive.derivatives(NODES, outputs[call], args)
    elif primitive is None:
        partials = []
    else:
        partials = primitive.derivatives(NODES, node, args, wanted)
    row = primitive.vector if isinstance(primitive, Output) else primitive
    if isinstance(row, Primitive) and row.smooth is not None:
        smooth = row.smooth(NODES, node, *args)
        if isinstance(smooth, Value) and smooth._data == 0.0:
            partials = [None if partial is None else Kink(partial, args, smooth) for partial in partials]
    return [partial for arg, partial in zip(args, partials, strict=True) if isinstance(arg, Value)]


def merged(goal: Value) -> Value:
    """Return a copy of the graph in which equal sub-expressions are one node. Its leaves are the same Values.

    A joined node has the first label of its originals and the sum of their gradients: the derivative of the
    goal with respect to all their uses at once.
    """
    copies: dict[int, Value] = {}
    joined: dict[Any, Value] = {}
    for node in topological_order(goal):
        if node.primitive is None:
            copies[id(node)] = node
            continue
        args = tuple([copies[id(arg)] if isinstance(arg, Value) else arg for arg in node.args])
        key = (node.primitive, tuple([id(arg) if isinstance(arg, Value) else arg for arg in args]))
        copy = joined.get(key)
        if copy is None:
            copy = joined[key] = rebuild(node.primitive, args, node.state())
        else:
            copy._grad += node._grad
            copy._label = copy._label or node._label
        copies[id(node)] = copy
    return copies[id(goal)]
