"""Pictures in which a whole layer is one node: the Jacobian form of a network, and graphs collapsed by layer."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import graphviz

from ..engine.value import Value
from ..interpreters.names import SUPERSCRIPTS, digits, shown_name
from . import style
from .diagram import Diagram
from .layers import layers_of
from .naming import Names

__all__ = ["jacobian_diagram"]

BOX = {"shape": "box", "style": "rounded,filled", "margin": "0.15,0.08"}
LONGEST_ROW = 3
INDEX = "[₀-₉]+(?:,[₀-₉]+)*"


class _Drawing:
    """The DOT text of nodes and edges with several lines of text each."""

    def __init__(self, view: str, facts: Any, rankdir: str) -> None:
        self.prefix = "d" + hashlib.sha256(repr((view, facts)).encode()).hexdigest()[:8]
        self.dot = graphviz.Digraph(graph_attr={**style.GRAPH, "rankdir": rankdir, "id": self.prefix})
        self.dot.attr("node", **style.NODE)
        self.dot.attr("edge", **style.LINE)
        self.edges = 0

    def node(self, name: str, lines: Sequence[str], **look: str) -> None:
        self.dot.node(name, style.plain_label(*lines), id=f"{self.prefix}_{name}", **BOX, **look)

    def detailed_node(self, name: str, lines: Sequence[tuple[str, str, int]], **look: str) -> None:
        label = style.stacked([style.line(*line) for line in lines])
        self.dot.node(name, label, id=f"{self.prefix}_{name}", **BOX, **look)

    def edge(self, source: str, target: str, texts: Sequence[str] = (), **look: str) -> None:
        self.edges += 1
        label = style.plain_label(*texts) if texts else None
        self.dot.edge(source, target, label, id=f"{self.prefix}_e{self.edges}", **look)


def jacobian_diagram(model: Any, *, rankdir: str | None = None) -> Diagram:
    """The influence diagram of a network in vectors: y⁽ᵏ⁾ and z⁽ᵏ⁾ as single nodes, a Jacobian on every edge.

    An affine edge carries ∂z/∂y = W⁽ᵏ⁾, an activation ∂y/∂z = J⁽ᵏ⁾, diagonal for a scalar activation and full for a
    vector one; each with its shape, outputs × inputs. `rankdir` is `"LR"` or `"TB"` (by default `"LR"` up to three
    layers). Raises `TypeError` for what has no layers. Source: 11-785,
    "And the entire influence diagram (with derivatives)".

    >>> from scalargrad import nn
    >>> jacobian_diagram(nn.MLP(3, [4, 1]))
    <Diagram of 8 edges; .svg(), .png(), .save(path), .source>
    """
    layers = layers_of("jacobian_diagram", model)
    direction = rankdir or ("LR" if len(layers) <= LONGEST_ROW else "TB")
    drawing = _Drawing("jacobian_diagram", [(layer.activation, layer.sizes) for layer in layers], direction)
    drawing.node("y0", ["x", str(layers[0].nin)], **style.INPUT)
    before = "x"
    for k, layer in enumerate(layers, 1):
        above = f"⁽{str(k).translate(SUPERSCRIPTS)}⁾"
        source, z, y = f"y{k - 1}", f"z{above}", f"y{above}"
        if layer.affine:
            drawing.node(f"w{k}", [f"W{above}", f"{layer.nout}×{layer.nin}"], **style.INPUT)
            drawing.node(f"b{k}", [f"b{above}", str(layer.nout)], **style.INPUT)
            drawing.node(f"z{k}", [z, str(layer.nout)], **style.INTERMEDIATE)
            carried = [f"∂{z}/∂{before} = W{above}", f"{layer.nout}×{layer.nin}"]
            drawing.edge(source, f"z{k}", carried, weight="10")
            drawing.edge(f"w{k}", f"z{k}")
            drawing.edge(f"b{k}", f"z{k}")
            source, before = f"z{k}", z
        shape = f"{layer.width}×{layer.nout if layer.affine else layer.nin}"
        kind = "diagonal" if layer.elementwise and layer.affine else "full"
        colors = style.OUTPUT if layer is layers[-1] else style.ACTIVATION
        drawing.node(f"y{k}", [y, str(layer.width)], **colors)
        carried = [f"∂{y}/∂{before} = J{above} of {layer.activation}", f"{shape}, {kind}"]
        drawing.edge(source, f"y{k}", carried, weight="10")
        before = y
    return Diagram(drawing.dot.source)


@dataclass
class _Group:
    """Nodes of a graph that are drawn as one, and the edges to it: for each source, the pairs and derivatives."""

    name: str
    label: str
    members: list[Value] = field(default_factory=list)
    sources: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)


def grouped(
    view: str, goal: Value, order: Sequence[Value], names: Names, max_nodes: int | None, rankdir: str | None
) -> Diagram:
    """The influence or derivative diagram in which the units of a layer are one vector.

    Joined are nodes whose labels differ in their lower indices alone: those of one layer, z₁⁽²⁾ and z₂⁽²⁾, and
    leaves such as x₁ and x₂.
    """
    groups, place = _groups(order, goal, names)
    if max_nodes is not None and len(groups) > max_nodes:
        raise ValueError(
            f"{view}: there are {len(groups)} nodes by layer, more than {max_nodes}; name the units of a layer alike, "
            "such as z₁⁽²⁾ and z₂⁽²⁾, or draw all of it with max_nodes=None"
        )
    of_node = {id(node): group.name for group in groups.values() for node in group.members}
    for node in order:
        group = groups[of_node[id(node)]]
        for parent, local in zip(node.parents, node.partials, strict=True):
            pairs = group.sources.setdefault(of_node[id(parent)], [])
            pairs.append((place[id(node)], place[id(parent)], local))
    facts = [(g.label, [(n.data, n.grad) for n in g.members], sorted(g.sources)) for g in groups.values()]
    drawing = _Drawing(view, facts, rankdir or ("LR" if _ranks(groups) <= 6 else "TB"))
    goal_name = names[goal].text
    detailed = view == "derivative_diagram"
    for group in groups.values():
        is_goal = any(node is goal for node in group.members)
        leaf = all(node.primitive is None for node in group.members)
        look = style.OUTPUT if is_goal else style.INPUT if leaf else style.INTERMEDIATE
        formula = names.equation(group.members[0]) if len(group.members) == 1 else None
        units = f": {len(group.members)} units" if len(group.members) > 1 else ""
        if detailed:
            title = f"{group.label}{units or (f' = {formula.text}' if formula else '')}"
            drawing.detailed_node(group.name, [(title, style.INK, 14), *_numbers(group, goal_name)], **look)
        else:
            drawing.node(group.name, [f"{group.label}{units}"], **look)
    for group in groups.values():
        for source, pairs in group.sources.items():
            drawing.edge(source, group.name, _jacobian(group, groups[source], pairs) if detailed else [])
    return Diagram(drawing.dot.source)


def _groups(order: Sequence[Value], goal: Value, names: Names) -> tuple[dict[str, _Group], dict[int, int]]:
    """The groups in order of their first member, and the place of each node within its group."""
    groups: dict[Any, _Group] = {}
    place = {}
    for index, node in enumerate(order):
        key: Any = _key(node) if node is not goal else None
        label = names[node].text if key is None else key[0] + key[1]
        group = groups.setdefault(key or index, _Group(f"n{index}", label))
        place[id(node)] = len(group.members)
        group.members.append(node)
    for group in groups.values():
        if len(group.members) == 1:
            group.label = names[group.members[0]].text
    return {group.name: group for group in groups.values()}, place


def _key(node: Value) -> tuple[str, str] | None:
    """What a label has besides its lower indices, where that is enough to join nodes by."""
    label = shown_name(node.label) if node.label else ""
    match = re.fullmatch(rf"([^\W\d]+?)({INDEX})?(⁽[⁰¹²³⁴-⁹]+⁾)?", label)
    if not match or not (match[3] or (match[2] and node.primitive is None)):
        return None
    return (match[1].upper() if match[1] == "w" else match[1]), match[3] or ""


def _ranks(groups: Mapping[str, _Group]) -> int:
    rank: dict[str, int] = {}
    for name, group in groups.items():
        rank[name] = 1 + max((rank.get(source, 0) for source in group.sources), default=0)
    return max(rank.values())


def _numbers(group: _Group, goal: str) -> list[tuple[str, str, int]]:
    values = [node.data for node in group.members]
    gradients = [node.grad for node in group.members]
    swept = any(node.mark is not None for node in group.members)
    if len(values) == 1:
        gradient = digits(gradients[0]) if swept else "not computed"
        return [(digits(values[0]), style.VALUE, 14), (f"∂{goal}/∂{group.label} = {gradient}", style.DERIVATIVE, 11)]
    norm = digits(math.hypot(*gradients)) if swept else "not computed"
    spread = f"{digits(min(values))} … {digits(max(values))}"
    return [(spread, style.VALUE, 12), (f"‖∂{goal}/∂{group.label}‖ = {norm}", style.DERIVATIVE, 11)]


def _jacobian(group: _Group, source: _Group, pairs: Sequence[tuple[int, int, float]]) -> list[str]:
    """What the edge between two groups carries: its Jacobian's name, shape and size."""
    derivative = f"∂{group.label}/∂{source.label}"
    if len(group.members) == len(source.members) == 1:
        return [f"{derivative} = {digits(math.fsum(local for *_, local in pairs))}"]
    diagonal = len(group.members) == len(source.members) and all(row == column for row, column, _ in pairs)
    shape = f"{len(group.members)}×{len(source.members)}" + (", diagonal" if diagonal else "")
    entries: dict[tuple[int, int], float] = {}
    for row, column, local in pairs:
        entries[row, column] = entries.get((row, column), 0.0) + local
    return [derivative, shape, f"norm {digits(math.hypot(*entries.values()))}"]
