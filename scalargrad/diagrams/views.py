"""The views of a graph: influence, derivative and operations diagrams."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import graphviz

from ..engine.linearization import merged, topological_order
from ..engine.value import Value
from ..interpreters.names import digits
from ..interpreters.notation import term
from ..rows import Output
from . import style
from .diagram import Diagram
from .naming import Names, as_written, call_of, given
from .nonfinite import Nonfinite, locate_nonfinite
from .vectors import grouped

__all__ = ["derivative_diagram", "influence_diagram", "operations_diagram"]

MAX_NODES = 200
LONGEST_ROW = 6
OPERATORS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "neg": "−", "pow": "^", "mod": "%", "floordiv": "//"}


class _Picture:
    """What the views share: the nodes to draw, their names and colours, and the DOT text."""

    def __init__(
        self, view: str, goal: Value, merge: bool, max_nodes: int | None, depth: int | None, rankdir: str | None
    ) -> None:
        if not isinstance(goal, Value):
            raise TypeError(f"{view}: needs a Value, got {goal!r}; draw what you computed from Values")
        self.view = view
        self.goal = merged(goal) if merge else goal
        if rankdir not in (None, "LR", "TB"):
            raise ValueError(f"{view}: rankdir is {rankdir!r}; give 'LR' or 'TB'")
        self.goal = as_written(self.goal)
        everything = topological_order(self.goal)
        self.nodes = everything if depth is None else _within(self.goal, depth)
        if max_nodes is not None and len(self.nodes) > max_nodes:
            raise ValueError(
                f"{view}: the graph has {len(self.nodes)} nodes, more than {max_nodes}, and a picture of it would "
                "say nothing. Draw the last steps with depth=, the variables with influence_diagram, a network "
                "with network_diagram or by_layer=True, or all of it with max_nodes=None"
            )
        self.names = Names(everything, self.goal)
        self.cut = {id(n) for n in self.nodes} ^ {id(n) for n in everything}
        self.ids = {id(node): f"n{index}" for index, node in enumerate(everything)}
        direction = rankdir or ("LR" if _ranks(self.nodes) <= LONGEST_ROW else "TB")
        # Ids in an SVG are those of a whole page, so each picture has a prefix of its own.
        facts = [(self.names[n].text, n.data, n.grad, [self.ids[id(p)] for p in n.parents]) for n in everything]
        self.prefix = "d" + hashlib.sha256(repr((view, direction, depth, facts)).encode()).hexdigest()[:8]
        self.dot = graphviz.Digraph(graph_attr={**style.GRAPH, "rankdir": direction, "id": self.prefix})
        self.edges = 0
        self.dot.attr("node", **style.NODE)
        self.dot.attr("edge", **style.LINE)

    def colors(self, node: Value) -> dict[str, str]:
        if node is self.goal:
            return style.OUTPUT
        return style.INPUT if node.primitive is None else style.INTERMEDIATE

    def gradient(self, node: Value) -> str | None:
        """The derivative of the goal by a node; None where no `backward()` of the goal has computed it."""
        return None if self.goal.mark is None or node.mark is None else digits(node.grad)

    def parents(self, node: Value) -> list[tuple[Value, int]]:
        """The parents of a node that are drawn, with their places among all its parents."""
        return [(parent, i) for i, parent in enumerate(node.parents) if id(parent) not in self.cut]

    def dots(self) -> None:
        """Mark the nodes whose parents lie beyond `depth`."""
        for node in self.nodes:
            if any(id(parent) in self.cut for parent in node.parents):
                name = f"{self.ids[id(node)]}_more"
                self.node(name, "…", shape="plaintext", style="")
                self.edge(name, self.ids[id(node)], style="dashed")

    def node(self, name: str, label: str, **attributes: str) -> None:
        self.dot.node(name, label, id=f"{self.prefix}_{name}", **attributes)

    def edge(self, source: str, target: str, label: str = "", **attributes: str) -> str:
        self.edges += 1
        name = f"e{self.edges}"
        self.dot.edge(source, target, label or None, id=f"{self.prefix}_{name}", **attributes)
        return name

    def diagram(self) -> Diagram:
        self.dots()
        return Diagram(self.dot.source)


def _within(goal: Value, depth: int) -> list[Value]:
    if not isinstance(depth, int) or depth < 1:
        raise ValueError(f"depth is {depth!r}; give a whole number of at least 1")
    layer, found = [goal], {id(goal): goal}
    for _ in range(depth):
        layer = [parent for node in layer for parent in node.parents if id(parent) not in found]
        found |= {id(node): node for node in layer}
    return sorted(found.values(), key=lambda node: node.serial)


def _ranks(nodes: Sequence[Value]) -> int:
    rank: dict[int, int] = {}
    for node in nodes:
        rank[id(node)] = 1 + max((rank.get(id(parent), 0) for parent in node.parents), default=0)
    return max(rank.values())


def _by_layer(picture: _Picture, max_nodes: int | None, rankdir: str | None) -> Diagram:
    if picture.cut:
        raise ValueError(f"{picture.view}: depth= and by_layer=True don't go together; give one of them")
    return grouped(picture.view, picture.goal, picture.nodes, picture.names, max_nodes, rankdir)


def influence_diagram(
    goal: Value,
    *,
    merge: bool = False,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    rankdir: str | None = None,
    by_layer: bool = False,
) -> Diagram:
    """The picture of who influences whom: one circle for each variable, an arrow to what is computed from it.

    `merge` joins equal sub-expressions, `depth` draws only the last steps, `rankdir` is `"LR"` or `"TB"` (by
    default `"LR"` up to six ranks). `by_layer` draws the units of a network's layer as one vector: nodes whose
    labels differ in their lower indices alone, such as z₁⁽²⁾ and z₂⁽²⁾ or the leaves x₁ and x₂.

    Raises `TypeError` for what is no Value, `ValueError` past `max_nodes` and for `depth` with `by_layer`.
    Source: 11-785, "Introducing the influence diagram".

    >>> x = Value(1.0, label="x")
    >>> influence_diagram(x * x + 1)
    <Diagram of 3 edges; .svg(), .png(), .save(path), .source>
    """
    picture = _Picture("influence_diagram", goal, merge, None if by_layer else max_nodes, depth, rankdir)
    if by_layer:
        return _by_layer(picture, max_nodes, rankdir)
    for node in picture.nodes:
        name = picture.ids[id(node)]
        text = picture.names[node].text
        picture.node(name, style.plain_label(text), width="0.6", **style.round_shape(text), **picture.colors(node))
    for node in picture.nodes:
        for parent, _ in picture.parents(node):
            picture.edge(picture.ids[id(parent)], picture.ids[id(node)])
    return picture.diagram()


def derivative_diagram(
    goal: Value,
    *,
    merge: bool = False,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    rankdir: str | None = None,
    by_layer: bool = False,
) -> Diagram:
    """The picture in which each edge carries its local derivative, as a formula and as a number.

    A node shows its equation, its value and, after `backward()`, its gradient. Where a value or gradient is nan
    or infinite, the node at which that begins says so, and wide lines lead from it to the goal, the path that
    `locate_nonfinite` finds (not with `by_layer`). The options and errors are those of `influence_diagram`.
    Source: 11-785, "The derivative graph: the edge carries the derivative".

    >>> x = Value(1.0, label="x")
    >>> derivative_diagram(x * x + 1)
    <Diagram of 3 edges; .svg(), .png(), .save(path), .source>
    """
    picture = _Picture("derivative_diagram", goal, merge, None if by_layer else max_nodes, depth, rankdir)
    if by_layer:
        return _by_layer(picture, max_nodes, rankdir)
    _draw_derivatives(picture, picture.gradient, locate_nonfinite(picture.goal))
    return picture.diagram()


def _draw_derivatives(
    picture: _Picture, gradient_of: Callable[[Value], str | None], nonfinite: Nonfinite | None = None
) -> dict[tuple[int, int], str]:
    """Draw the nodes and the edges; the ids of the edges, by the id of the node and the place of its parent."""
    goal_name = picture.names[picture.goal].text
    path = nonfinite.path if nonfinite else ()
    marked = {(id(source), id(target)) for source, target in itertools.pairwise(path)}
    for node in picture.nodes:
        name, formula = picture.names[node].text, picture.names.equation(node)
        gradient = gradient_of(node)
        lines = [
            style.line(f"{name} = {formula.text}" if formula else name, style.INK, 14),
            style.line(digits(node.data), style.VALUE, 14),
            style.line(
                f"∂{goal_name}/∂{name} " + (f"= {gradient}" if gradient else "not computed"), style.DERIVATIVE, 11
            ),
        ]
        look = picture.colors(node)
        if nonfinite and node is nonfinite.node:
            lines.append(style.line(f"a nan or ∞ of the {nonfinite.kind} begins here", style.INK, 11))
            look = {**look, **style.MARKED}
        shape = {"shape": "box", "style": "rounded,filled", "margin": "0.15,0.08"}
        picture.node(picture.ids[id(node)], style.stacked(lines), **shape, **look)
    edges = {}
    for node in picture.nodes:
        formulas, numbers = picture.names.local_derivatives(node), node.partials
        for parent, i in picture.parents(node):
            source, target = picture.ids[id(parent)], picture.ids[id(node)]
            derivative = f"∂{picture.names[node].text}/∂{picture.names[parent].text}"
            texts = [f"{derivative} = {formulas[i].text}"]
            texts += [] if formulas[i].number is not None else [f"= {digits(numbers[i])}"]
            look = style.MARKED if (id(parent), id(node)) in marked else {}
            edges[id(node), i] = picture.edge(source, target, style.plain_label(*texts), **look)
    return edges


@dataclass(frozen=True)
class Addressed:
    """A derivative diagram with the ids of its parts: `prefix_name` is the id of an element of the SVG."""

    diagram: Diagram
    prefix: str
    nodes: Mapping[int, str]
    edges: Mapping[tuple[int, int], str]


def addressed_diagram(goal: Value, gradients: Mapping[int, float], rankdir: str | None) -> Addressed:
    """The derivative diagram of a whole graph with the gradients given by node id, and the ids of its parts."""
    picture = _Picture("walkthrough", goal, False, None, None, rankdir)
    edges = _draw_derivatives(picture, lambda node: digits(gradients[id(node)]))
    return Addressed(picture.diagram(), picture.prefix, picture.ids, edges)


def operations_diagram(
    goal: Value,
    *,
    merge: bool = False,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    rankdir: str | None = None,
) -> Diagram:
    """The picture in micrograd's style: records of name, data and grad, and circles for the operations.

    The options and errors are those of `influence_diagram`. Constants are drawn as records too.

    >>> x = Value(1.0, label="x")
    >>> operations_diagram(x * x + 1)
    <Diagram of 6 edges; .svg(), .png(), .save(path), .source>
    """
    picture = _Picture("operations_diagram", goal, merge, max_nodes, depth, rankdir)
    for node in picture.nodes:
        name = picture.ids[id(node)]
        gradient = f"grad {picture.gradient(node) or 'not computed'}"
        _record(picture, name, [picture.names[node].text, digits(node.data), gradient], picture.colors(node))
    drawn: dict[Any, str] = {}
    for node in picture.nodes:
        if node.primitive is None or not picture.parents(node):
            continue
        index = node.primitive.index + 1 if isinstance(node.primitive, Output) else ""
        call = call_of(node) if index else id(node)
        if call not in drawn:
            drawn[call] = _operation(picture, node)
        picture.edge(drawn[call], picture.ids[id(node)], str(index))
    return picture.diagram()


def _record(picture: _Picture, name: str, cells: Sequence[str], colors: dict[str, str]) -> None:
    row = "".join(f'<td border="1">{style.escape(cell)}</td>' for cell in cells)
    frame = f'border="0" cellborder="1" cellspacing="0" cellpadding="7" color="{colors["color"]}"'
    table = f'<table {frame} bgcolor="{colors["fillcolor"]}"><tr>{row}</tr></table>'
    picture.node(name, f"<{table}>", shape="plain", style="", fontsize="12")


def _operation(picture: _Picture, node: Value) -> str:
    """Draw the circle of an operation with its operands, and return its name."""
    name = f"{picture.ids[id(node)]}_op"
    operator, args = _operator(node)
    picture.node(name, style.plain_label(operator), width="0.35", **style.round_shape(operator), **style.OPERATOR)
    for i, arg in enumerate(args):
        if not isinstance(arg, Value):
            _record(picture, f"{name}_const{i}", [term(arg).text, digits(arg)], style.INTERMEDIATE)
            picture.edge(f"{name}_const{i}", name)
        elif id(arg) not in picture.cut:
            picture.edge(picture.ids[id(arg)], name)
    return name


def _operator(node: Value) -> tuple[str, Sequence[Any]]:
    """What the circle of an operation shows, and the arguments that are drawn."""
    primitive = node.primitive
    if primitive is None or isinstance(primitive, Output):
        return primitive.name if primitive else "", node.args
    if primitive.name == "pow" and isinstance(node.args[1], float):
        return f"^{term(node.args[1]).text}", node.args[:1]
    return OPERATORS.get(primitive.name, primitive.name), given(primitive, node.args)
