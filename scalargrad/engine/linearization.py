"""The graph of a computation, with derivatives that can be differentiated again: the two sweeps over it.

Nothing here recurses. The order of a graph and the sweep over recorded floats, `backward`, are in `graph`.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from ..interpreters.floats import IEEE
from ..rows import Output
from .evaluation import evaluate
from .graph import adjoints, backward, explored, forward_flow, reverse_flow, topological_order
from .nodes import NODES
from .value import Value, rebuild

__all__ = ["Linearization", "backward", "merged", "times", "topological_order"]


class Linearization:
    """The derivative of some roots by some leaves at the recorded point, ready to be swept either way.

    The local derivatives are the recorded floats, or, `as_nodes`, new nodes that can be differentiated again;
    by default where the roots also depend on Values that existed before the first of the leaves.
    """

    def __init__(self, leaves: Sequence[Value], roots: Sequence[Value], as_nodes: bool | None) -> None:
        since = min((leaf.serial for leaf in leaves), default=0)
        self.leaves = leaves
        self.roots = roots
        self.order, reaches_older = explored(roots, since)
        self.as_nodes = reaches_older if as_nodes is None else as_nodes

    @functools.cached_property
    def edges(self) -> list[tuple[Value, list[tuple[Value, Any]]]]:
        """The nodes between the leaves and the roots, each with its parents there and the derivatives by them."""
        active = set(map(id, self.leaves))
        outputs: dict[Any, Any] = {}
        found = []
        for node in self.order:
            if id(node) in active:
                continue
            pairs: list[tuple[Value, Any]] = [(p, by) for p, by in node.edges() if id(p) in active]
            if pairs and self.as_nodes:
                partials = zip(node.parents, _partials_as_nodes(node, active, outputs), strict=True)
                pairs = [(p, by) for p, by in partials if by is not None and id(p) in active]
            if pairs:
                active.add(id(node))
                found.append((node, pairs))
        return found

    def pull_back(self, seeds: Sequence[Any]) -> list[Any]:
        """The reverse sweep: the adjoints of the leaves for seeds of the roots; 0.0 where no path leads."""
        found: dict[int, Any] = {}
        if not self.as_nodes and all(type(seed) is float for seed in seeds):
            found = adjoints(self.order, self.roots, seeds)
            return [found.get(id(leaf), 0.0) for leaf in self.leaves]
        for root, seed in zip(self.roots, seeds, strict=True):
            found[id(root)] = found[id(root)] + seed if id(root) in found else seed
        deque(reverse_flow(self.edges, found, times), maxlen=0)
        return [found.get(id(leaf), 0.0) for leaf in self.leaves]

    def push_forward(self, tangents: Iterable[Any]) -> list[Any]:
        """The forward sweep: the lecture's Δy = Σ ∂y/∂zᵢ Δzᵢ, for perturbations of the leaves."""
        found = {id(leaf): tangent for leaf, tangent in zip(self.leaves, tangents, strict=True)}
        deque(forward_flow(self.edges, found, times), maxlen=0)
        return [found.get(id(root), 0.0) for root in self.roots]


def times(x: Any, partial: Any) -> Any:
    """x · partial, without a node for a factor that is the plain number 1.

    What is neither a number nor a Value, such as a gate, knows itself how an adjoint passes it.
    """
    if type(partial) is float and partial == 1.0:
        return x
    if type(x) is float and x == 1.0 and isinstance(partial, (float, Value)):
        return partial
    return x * partial


def _partials_as_nodes(node: Value, active: set[int], outputs: dict[Any, Any]) -> list[Any]:
    primitive, args = node.primitive, node.args
    wanted = [isinstance(arg, Value) and id(arg) in active for arg in args]
    if isinstance(primitive, Output):
        # The outputs of one call are computed anew once for all of them.
        call = primitive.vector, tuple([id(arg) if isinstance(arg, Value) else arg for arg in args])
        if call not in outputs:
            outputs[call] = evaluate(primitive.vector, args, IEEE)
        partials = primitive.derivatives(NODES, outputs[call], args)
    elif primitive is None:
        partials = []
    else:
        partials = primitive.derivatives(NODES, node, args, wanted)
    return [partial for arg, partial in zip(args, partials, strict=True) if isinstance(arg, Value)]


def merged(goal: Value) -> Value:
    """A copy of the graph in which equal sub-expressions are one node; leaves are the same Values.

    A joined node has the first label of its originals and the sum of their gradients: the derivative of the
    goal by all their uses at once.
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
            copy.grad += node.grad
            copy.label = copy.label or node.label
        copies[id(node)] = copy
    return copies[id(goal)]
