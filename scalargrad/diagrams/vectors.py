"""Pictures in which a whole layer is one node: the Jacobian form of a network, and graphs collapsed by layer."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.value import Value
from ..interpreters.names import SUPERSCRIPTS
from . import style
from .diagram import Diagram
from .drawing import Drawing
from .layers import layers_of, pattern_of
from .naming import Names
from .picture import LONGEST_ROW, Picture, key_of
from .style import Attributes, Line, look_of

__all__ = ["jacobian_diagram"]

LONGEST_NETWORK = 3
LARGEST_GRID = 8
CELL = 8


def jacobian_diagram(
    model: Any, *, rankdir: str | None = None, size: str = "screen", palette: str = "light"
) -> Diagram:
    """Return the influence diagram of a network in vectors: y⁽ᵏ⁾ and z⁽ᵏ⁾ as single nodes, a Jacobian on every edge.

    An affine edge carries ∂z/∂y = W⁽ᵏ⁾, an activation ∂y/∂z = J⁽ᵏ⁾: diagonal for a scalar activation, full for a
    softmax, otherwise with the entries that the activation has. Matrices and vectors are drawn as grids of their shape,
    outputs × inputs, of at most eight rows and columns. `rankdir` is `"LR"` or `"TB"` (by default `"LR"` up to three
    layers); `size` and `palette` are as for `influence_diagram`. Raises `TypeError` for a model without layers,
    `ValueError` for bad options. Source: 11-785, "And the entire influence diagram (with derivatives)".

    >>> from scalargrad import nn
    >>> jacobian_diagram(nn.MLP(3, [4, 1]))
    <Diagram of 8 edges; .svg(), .png(), .save(path), .source>
    """
    look = look_of("jacobian_diagram", size, palette)
    layers = layers_of("jacobian_diagram", model)
    facts = [(layer.activation, layer.sizes, sorted(layer.pattern)) for layer in layers]
    vectors = _Vectors(look, ("jacobian_diagram", rankdir, facts))
    vectors.vector("y0", "x", layers[0].nin, look.palette.input)
    before = "x"
    for k, layer in enumerate(layers, 1):
        above = f"({k})".translate(SUPERSCRIPTS)
        source, z, y = f"y{k - 1}", f"z{above}", f"y{above}"
        if layer.affine:
            vectors.matrix(f"w{k}", f"W{above}", layer.nout, layer.nin)
            vectors.vector(f"b{k}", f"b{above}", layer.nout, look.palette.input)
            vectors.vector(f"z{k}", z, layer.nout, look.palette.intermediate)
            everything = {(j, i) for j in range(layer.nout) for i in range(layer.nin)}
            vectors.jacobian(source, f"z{k}", (f"∂{z}/∂{before} = W{above}",), layer.nout, layer.nin, everything)
            vectors.edge(f"w{k}", f"z{k}", "", f"W{above} influences {z}")
            vectors.edge(f"b{k}", f"z{k}", "", f"b{above} influences {z}")
            source, before = f"z{k}", z
        columns = layer.nout if layer.affine else layer.nin
        colors = look.palette.output if layer is layers[-1] else look.palette.activation
        vectors.vector(f"y{k}", y, layer.width, colors)
        texts = f"∂{y}/∂{before} = J{above}", f"of {layer.activation}, {layer.kind}"
        vectors.jacobian(source, f"y{k}", texts, layer.width, columns, layer.pattern)
        before = y
    direction = rankdir or ("LR" if len(layers) <= LONGEST_NETWORK else "TB")
    return vectors.finish("Influence diagram of a network in vectors, with its Jacobians", rankdir=direction)


class _Vectors(Drawing):
    """A drawing of vectors, and of matrices between them, as grids."""

    def vector(self, name: str, text: str, count: int, colors: Attributes) -> None:
        self._shape(name, text, f"{count}×1", self.grid({(i, 0) for i in range(count)}, count, 1), colors)

    def matrix(self, name: str, text: str, rows: int, columns: int) -> None:
        everything = {(i, j) for i in range(rows) for j in range(columns)}
        self._shape(name, text, f"{rows}×{columns}", self.grid(everything, rows, columns), self.look.palette.input)

    def _shape(self, name: str, text: str, shape: str, grid: str, colors: Attributes) -> None:
        palette, size = self.look.palette, self.look.size
        lines = [self.look.text(text, palette.ink, size.name), self.look.text(shape, palette.ink, size.small), grid]
        rows = "".join(f"<tr><td>{line}</td></tr>" for line in lines)
        label = f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{rows}</table>>'
        self.node(name, label, f"{text} is {shape}", **self.look.box, **colors)

    def jacobian(
        self,
        source: str,
        target: str,
        texts: Sequence[str],
        rows: int,
        columns: int,
        entries: Collection[tuple[int, int]],
    ) -> None:
        shape = f"{rows}×{columns}"
        grid = self.grid(entries, rows, columns)
        self.edge(
            source, target, self.look.plate(*texts, shape, below=grid), f"{', '.join(texts)}, {shape}", weight="10"
        )

    def grid(self, entries: Collection[tuple[int, int]], rows: int, columns: int) -> str:
        """Return a matrix as a table of cells, filled if there is an entry in that part of it."""
        height, width = min(rows, LARGEST_GRID), min(columns, LARGEST_GRID)
        filled = {(i * height // rows, j * width // columns) for i, j in entries}
        colors = {True: self.look.palette.edge, False: self.look.palette.background}
        cells = [
            "".join(
                f'<td width="{CELL}" height="{CELL}" fixedsize="true" bgcolor="{colors[(i, j) in filled]}"></td>'
                for j in range(width)
            )
            for i in range(height)
        ]
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        extent = f'fixedsize="true" width="{width * CELL + 2}" height="{height * CELL + 2}"'
        border = f'border="0" cellborder="1" cellspacing="0" cellpadding="0" color="{self.look.palette.faint}" {extent}'
        return f"<table {border}>{body}</table>"


@dataclass
class _Group:
    """Nodes of a graph that are drawn as one, and the edges to it: for each source, the pairs and derivatives."""

    name: str
    label: str
    members: list[Value] = field(default_factory=list)
    sources: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)


def grouped(picture: Picture, max_nodes: int | None) -> Diagram:
    """Return the influence or derivative diagram in which the units of a layer are one vector.

    Joined are nodes whose labels differ in their lower indices alone: those of one layer, z₁⁽²⁾ and z₂⁽²⁾, and
    leaves such as x₁ and x₂.
    """
    view, names, order = picture.view, picture.names, picture.nodes
    if picture.cut:
        raise ValueError(f"{view}: depth= and by_layer=True don't go together; give one of them")
    groups, place = _groups(order, picture.goal, names)
    if max_nodes is not None and len(groups) > max_nodes:
        raise ValueError(
            f"{view}: there are {len(groups)} nodes by layer, more than {max_nodes}; name the units of a layer alike, "
            "such as z₁⁽²⁾ and z₂⁽²⁾, or draw all of it with max_nodes=None"
        )
    of_node = {id(node): group.name for group in groups.values() for node in group.members}
    for node in order:
        group = groups[of_node[id(node)]]
        for parent, partial in zip(node.parents, node.partials_or_none, strict=True):
            pairs = group.sources.setdefault(of_node[id(parent)], [])
            if partial is not None:
                pairs.append((place[id(node)], place[id(parent)], partial))
    facts = [(g.label, [(n.data, n.grad) for n in g.members], sorted(g.sources)) for g in groups.values()]
    drawing = Drawing(picture.look, (view, picture.prefix, facts))
    palette = picture.look.palette
    detailed = view == "derivative_diagram"
    for group in groups.values():
        is_goal = any(node is picture.goal for node in group.members)
        is_leaf = all(node.primitive is None for node in group.members)
        look = palette.output if is_goal else palette.input if is_leaf else palette.intermediate
        formula = names.equation(group.members[0]) if len(group.members) == 1 else None
        units = f": {len(group.members)} units" if len(group.members) > 1 else ""
        if detailed:
            title = f"{group.label}{units or (f' = {formula.text}' if formula else '')}"
            lines = [(title, palette.ink, picture.look.size.name), *_numbers(group, picture)]
            drawing.node(
                group.name,
                picture.look.stacked(lines),
                "; ".join(line[0] for line in lines),
                **picture.look.box,
                **look,
            )
        else:
            title = f"{group.label}{units}"
            drawing.node(group.name, style.plain_label(title), title, **picture.look.box, **look)
    for group in groups.values():
        for source, pairs in group.sources.items():
            texts = _jacobian(group, groups[source], pairs, picture) if detailed else []
            title = f"{groups[source].label} influences {group.label}{': ' if texts else ''}{', '.join(texts)}"
            drawing.edge(source, group.name, picture.look.plate(*texts) if texts else "", title)
    direction = picture.rankdir or drawing.direction(_ranks(groups), LONGEST_ROW)
    name = names[picture.goal].text
    return drawing.finish(f"{'Derivative' if detailed else 'Influence'} diagram of {name} by layer", rankdir=direction)


def _groups(order: Sequence[Value], goal: Value, names: Names) -> tuple[dict[str, _Group], dict[int, int]]:
    """Return the groups in order of their first member, and the place of each node within its group."""
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
    """Return a label without its lower indices, if that is enough to join nodes by."""
    key = key_of(node)
    if not key or not (key[1] or node.primitive is None):
        return None
    return (key[0].upper() if key[0] == "w" else key[0]), key[1]


def _ranks(groups: Mapping[str, _Group]) -> dict[str, int]:
    rank: dict[str, int] = {}
    for name, group in groups.items():
        rank[name] = 1 + max((rank.get(source, 0) for source in group.sources), default=0)
    return rank


def _numbers(group: _Group, picture: Picture) -> list[Line]:
    palette, size, goal = picture.look.palette, picture.look.size, picture.names[picture.goal].text
    values = [node.data for node in group.members]
    if len(values) == 1:
        value = picture.number(values[0]), palette.value, size.name
        return [value, (picture.gradient(group.members[0]), palette.derivative, size.small)]
    spread = f"{picture.number(min(values))} … {picture.number(max(values))}"
    norm = picture.number(math.hypot(*[node.grad for node in group.members]))
    if any(picture.is_set_by_hand(node) for node in group.members):
        gradient = f"‖grad‖ = {norm}, set by hand"
    elif not any(picture.is_swept(node) for node in group.members):
        gradient = f"∂{goal}/∂{group.label} not computed"
    else:
        is_derivative = all(picture.is_derivative(node) for node in group.members)
        gradient = f"‖∂{goal}/∂{group.label}‖ = {norm}" if is_derivative else f"‖grad‖ = {norm}"
    return [(spread, palette.value, size.name - 2), (gradient, palette.derivative, size.small)]


def _jacobian(group: _Group, source: _Group, pairs: Sequence[tuple[int, int, float]], picture: Picture) -> list[str]:
    """Return the lines on the edge between two groups: the name, shape, pattern and size of its Jacobian."""
    derivative = f"∂{group.label}/∂{source.label}"
    rows, columns = len(group.members), len(source.members)
    if rows == columns == 1:
        return [f"{derivative} = {picture.number(math.fsum(local for *_, local in pairs))}"]
    entries: dict[tuple[int, int], float] = {}
    for row, column, local in pairs:
        entries[row, column] = entries.get((row, column), 0.0) + local
    shape = f"{rows}×{columns}, {pattern_of(entries, rows, columns)}"
    return [derivative, shape, f"norm {picture.number(math.hypot(*entries.values()))}"]
