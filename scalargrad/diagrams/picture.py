"""The common part of all views of a graph: the nodes to draw, their names, order and colours, and the DOT text."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.graph import adjoints, topological_order
from ..engine.linearization import merged
from ..engine.value import Value
from ..interpreters.names import PLAIN_SUBSCRIPTS, digits, shown_name
from .current import changes, same
from .diagram import Diagram
from .drawing import Drawing
from .equations import check_digits, factor
from .naming import Names, as_written, legend
from .paths import Path, Paths, paths
from .style import Attributes, look_of

__all__ = ["LONGEST_ROW", "MAX_NODES", "Picture", "key_of", "ranks"]

MAX_NODES = 200
LONGEST_ROW = 6
INDEX = "[₀-₉]+(?:,[₀-₉]+)*"


class Picture(Drawing):
    """The nodes of a view with their names, and the DOT text to which a view adds nodes and edges.

    Raises `TypeError` for anything but a Value, `ValueError` for bad options and past `max_nodes`, before anything
    is named or laid out.
    """

    def __init__(
        self,
        view: str,
        goal: Value,
        *,
        merge: bool = False,
        max_nodes: int | None = MAX_NODES,
        depth: int | None = None,
        around: Value | None = None,
        rankdir: str | None = None,
        digits: int = 4,
        size: str = "screen",
        palette: str = "light",
        highlight: Any = None,
    ) -> None:
        if not isinstance(goal, Value):
            raise TypeError(f"{view}: needs a Value, got {goal!r}; draw what you computed from Values")
        if rankdir not in (None, "LR", "TB"):
            raise ValueError(f"{view}: rankdir is {rankdir!r}; give 'LR' or 'TB'")
        check_digits(view, digits)
        self.view = view
        look = look_of(view, size, palette)
        self.decimals = digits
        self.goal = as_written(merged(goal) if merge else goal)
        everything = topological_order(self.goal)
        if around is not None and depth is not None:
            raise ValueError(f"{view}: depth= and around= don't go together; give one of them")
        self.around = around
        if around is not None:
            self.nodes = _next_to(view, around, everything)
        else:
            self.nodes = everything if depth is None else _within(self.goal, depth)
        if max_nodes is not None and len(self.nodes) > max_nodes:
            raise ValueError(
                f"{view}: the graph has {len(self.nodes)} nodes, more than {max_nodes}, and a picture of it would "
                "say nothing. Draw the last steps with depth=, the variables with influence_diagram, a network "
                "with network_diagram or by_layer=True, or all of it with max_nodes=None"
            )
        self.everything = everything
        self.names = Names(everything, self.goal)
        self.cut = {id(n) for n in self.nodes} ^ {id(n) for n in everything}
        self.ids = {id(node): f"n{index}" for index, node in enumerate(everything)}
        self.ranks = ranks(self.nodes)
        self.rankdir = rankdir
        self.paths = _highlighted(view, highlight, self.goal)
        self._has_bracket = False
        facts = [(self.names[n].text, n.data, n.grad, [self.ids[id(p)] for p in n.parents]) for n in everything]
        super().__init__(look, (view, rankdir, len(self.nodes), digits, [str(path) for path in self.paths], facts))
        self.explain(self._sum_over_children() if around is not None else "")
        for line in (
            [self.paths.equation(digits)]
            if isinstance(self.paths, Paths)
            else [path.text(digits) for path in self.paths]
        ):
            self.explain(line)

    def colors(self, node: Value) -> Attributes:
        """Return the fill and border of a node by its kind."""
        palette = self.look.palette
        if node is self.goal:
            return palette.output
        return palette.input if node.primitive is None else palette.intermediate

    def number(self, x: float) -> str:
        """Return a number as text, to the decimals that were asked for."""
        return digits(x, self.decimals)

    def gradient(self, node: Value) -> str:
        """Return the line that tells the gradient of a node, and whether it is the derivative of this goal.

        After several `backward()`, or with a seed, a gradient is a sum of others; without one it may be set by hand.
        """
        goal, name = self.names[self.goal].text, self.names[node].text
        if self.is_set_by_hand(node):
            return f"grad set to {self.number(node.grad)}"
        if not self.is_swept(node):
            return f"∂{goal}/∂{name} not computed"
        if self.is_derivative(node):
            return f"∂{goal}/∂{name} = {self.number(node.grad)}"
        return f"grad {self.number(node.grad)} (∂{goal}/∂{name} = {self.number(self.adjoints.get(id(node), 0.0))})"

    @functools.cached_property
    def adjoints(self) -> dict[int, float]:
        """The derivatives of the goal with respect to the nodes that it depends on, by `id`."""
        return adjoints(self.everything, [self.goal], [1.0])

    @functools.cached_property
    def _rounding(self) -> float:
        return 1e-12 * max(filter(math.isfinite, map(abs, self.adjoints.values())), default=0.0)

    def is_swept(self, node: Value) -> bool:
        """Return True if a `backward()` has computed the gradient of a node and that of the goal."""
        return node.mark is not None and self.goal.mark is not None

    def is_set_by_hand(self, node: Value) -> bool:
        """Return True if a node has a gradient that no `backward()` has computed."""
        return node.mark is None and node.grad != 0.0

    def is_derivative(self, node: Value) -> bool:
        """Return True if the gradient of a node is the derivative of this goal, up to the rounding of other terms."""
        derivative = self.adjoints.get(id(node), 0.0)
        return same(node.grad, derivative) or abs(node.grad - derivative) <= self._rounding

    def explain_bracket(self, formula: str) -> None:
        """Write below the picture what an Iverson bracket is, at the first one."""
        if not self._has_bracket and (sentence := legend([formula])):
            self._has_bracket = True
            self.explain(sentence)

    def _sum_over_children(self) -> str:
        """Return the derivative with respect to the node around which this is drawn, as the sum over what it feeds."""
        node, goal = self.around, self.names[self.goal].text
        found = self.adjoints
        if node is None or node is self.goal:
            return ""
        terms: list[str] = []
        for child in self.everything:
            partial = sum(slope for parent, slope in child.edges() if parent is node)
            if any(parent is node for parent, _ in child.edges()):
                adjoint = self.number(found.get(id(child), 0.0))
                terms.append(f"{factor(adjoint) if terms else adjoint} · {factor(self.number(partial))}")
        return f"∂{goal}/∂{self.names[node].text} = {' + '.join(terms)} = {self.number(found.get(id(node), 0.0))}"

    def notes(self) -> Mapping[int, str]:
        """Return the notes on leaves that were changed since the forward pass, by the ids of nodes."""
        return changes(self.everything, self.names)

    def parents(self, node: Value) -> list[tuple[Value, int]]:
        """Return the parents of a node that are drawn, with their places among all its parents."""
        return [(parent, i) for i, parent in enumerate(node.parents) if id(parent) not in self.cut]

    def on_path(self, parent: Value, node: Value | None = None) -> bool:
        """Return True if a highlighted path goes through a node, or along an edge."""
        if node is None:
            return any(parent is step for path in self.paths for step in path.nodes)
        return any(
            parent is one and node is next_one
            for path in self.paths
            for one, next_one in zip(path.nodes, path.nodes[1:], strict=False)
        )

    def diagram(self, title: str) -> Diagram:
        """Return the finished picture, whose title is that sentence."""
        self._mark_what_is_cut()
        for node in self.nodes if self.around is not None else ():
            is_fed = node is not self.goal and any(parent is self.around for parent in node.parents)
            if is_fed and all(parent is not node for parent in self.goal.parents):
                title = f"{self.names[node].text} influences {self.names[self.goal].text} by ways that are not drawn"
                self.edge(self.ids[id(node)], self.ids[id(self.goal)], "", title, style="dashed")
        rank = dict(self.ranks)
        for node in self.nodes:  # Graphviz draws an input just before its first use
            if node.primitive is None and id(node) in self._first_use:
                rank[id(node)] = self.ranks[id(self._first_use[id(node)])] - 1
        ranks_by_name = {self.ids[id(node)]: rank[id(node)] for node in self.nodes}
        direction = self.rankdir or self.direction(ranks_by_name, LONGEST_ROW)
        return self.finish(title, rows=self._siblings(), rankdir=direction)

    def _mark_what_is_cut(self) -> None:
        for node in self.nodes:
            is_shown_otherwise = self.around is not None and node is self.goal
            if not is_shown_otherwise and any(id(parent) in self.cut for parent in node.parents):
                name = f"{self.ids[id(node)]}_more"
                self.node(name, "…", "There is more than is drawn.", shape="plaintext", style="")
                self.edge(name, self.ids[id(node)], style="dashed")

    @functools.cached_property
    def _first_use(self) -> dict[int, Value]:
        """The first node, by rank, that is computed from each one, by `id`."""
        found: dict[int, Value] = {}
        for node in self.nodes:
            for parent, _ in self.parents(node):
                known = found.get(id(parent))
                if known is None or self.ranks[id(node)] < self.ranks[id(known)]:
                    found[id(parent)] = node
        return found

    def _siblings(self) -> list[list[str]]:
        """Return the names of nodes to be drawn side by side in their order: z₁, z₂, z₃ of one layer."""
        groups: dict[Any, list[tuple[list[int], str]]] = {}
        for node in self.nodes:
            key = key_of(node)
            if key and key[2]:
                # Inputs are together if they feed the same node first: the weights of a unit, not those of all.
                use = self._first_use.get(id(node)) if node.primitive is None else None
                place = id(use) if use else self.ranks[id(node)]
                groups.setdefault((key[:2], node.primitive is None, place), []).append((key[2], self.ids[id(node)]))
        return [[name for _, name in sorted(group)] for group in groups.values() if len(group) > 1]


def key_of(node: Value) -> tuple[str, str, list[int]] | None:
    """Return the base of a node's label, its upper index, and its lower indices as numbers; None if it has none."""
    label = shown_name(node.label) if node.label else ""
    match = re.fullmatch(rf"([^\W\d]+?)({INDEX})?(⁽[⁰¹²³⁴-⁹]+⁾)?", label)
    if not match or not (match[2] or match[3]):
        return None
    lower = [int(index) for index in (match[2] or "").translate(PLAIN_SUBSCRIPTS).split(",") if index]
    return match[1], match[3] or "", lower


def ranks(nodes: Sequence[Value]) -> dict[int, int]:
    """Return the number of nodes on the longest way to each node, by id."""
    rank: dict[int, int] = {}
    for node in nodes:
        rank[id(node)] = 1 + max((rank.get(id(parent), 0) for parent in node.parents), default=0)
    return rank


def _within(goal: Value, depth: int) -> list[Value]:
    if not isinstance(depth, int) or depth < 1:
        raise ValueError(f"depth is {depth!r}; give a whole number of at least 1")
    layer, found = [goal], {id(goal): goal}
    for _ in range(depth):
        layer = [parent for node in layer for parent in node.parents if id(parent) not in found]
        found |= {id(node): node for node in layer}
    return sorted(found.values(), key=lambda node: node.serial)


def _next_to(view: str, node: Value, everything: Sequence[Value]) -> list[Value]:
    """Return a node, its parents, what is computed from it, and the goal."""
    if all(node is not other for other in everything):
        raise ValueError(f"{view}: around is {node!r}, which the goal does not depend on; give a node of its graph")
    near = {id(node), id(everything[-1]), *map(id, node.parents)}
    near |= {id(other) for other in everything if any(parent is node for parent in other.parents)}
    return [other for other in everything if id(other) in near]


def _highlighted(view: str, highlight: Any, goal: Value) -> Paths | list[Path]:
    if highlight is None:
        return []
    if isinstance(highlight, Value):
        return paths(goal, highlight)
    found = highlight if isinstance(highlight, Paths) else [highlight] if isinstance(highlight, Path) else None
    if found is None:
        raise TypeError(f"{view}: highlight is {highlight!r}; give a Value, or what sg.paths returns")
    return found
