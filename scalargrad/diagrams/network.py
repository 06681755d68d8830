"""The network diagram: a layered net, z and y apart, layers in boxes, wide layers collapsed.

`dot` doesn't keep the order of neurons within a layer, so the positions are computed here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import graphviz

from ..engine.value import Value
from ..interpreters.names import digits, shown_name
from . import style
from .diagram import Diagram
from .layers import Layer, layers_of
from .views import MAX_NODES

__all__ = ["network_diagram"]

WIDEST = 6
FIRST = 4
# In points: the distances of units, columns and boxes, and the room in a box.
PITCH, RADIUS, WITHIN, BETWEEN = 60.0, 22.0, 104.0, 112.0
MARGIN, TITLE, NOTE, LETTER = 18.0, 38.0, 22.0, 7.4
DOT = 4.5
THINNEST, THICKEST = 0.3, 5.0
FAINT = {"color": "#94A3B8", "style": "dashed"}
FRAME = {"style": "rounded,filled", "color": "#94A3B8", "fillcolor": style.INTERMEDIATE["fillcolor"]}


@dataclass
class _Column:
    """Units of one kind, one below the other."""

    letter: str
    count: int
    colors: dict[str, str]
    shown: list[int]  # the index of the unit in each row; -1 for the dots
    dead: frozenset[int] = frozenset()
    x: float = 0.0

    def units(self) -> Iterator[tuple[int, float]]:
        """The units that are drawn, and how high."""
        return ((unit, self.height(row)) for row, unit in enumerate(self.shown) if unit >= 0)

    def height(self, row: int) -> float:
        """The place of a row above the middle."""
        return ((len(self.shown) - 1) / 2 - row) * PITCH

    def name(self, unit: int) -> str:
        """The name of a unit within the DOT text."""
        return f"{self.letter}{unit}"


@dataclass
class _Box:
    """A layer, or the inputs: its columns from left to right, and what is written above and below them."""

    title: str
    note: str
    columns: list[_Column]
    layer: Layer | None = None
    left: float = 0.0

    @property
    def within(self) -> float:
        """From the first to the last column; lines that cross need more room."""
        crossing = self.layer is not None and not self.layer.elementwise
        return WITHIN * (len(self.columns) - 1) * (1.4 if crossing else 1.0)

    @property
    def width(self) -> float:
        """As wide as the columns and what is written need."""
        return max(self.within + 2 * RADIUS, LETTER * max(len(self.title), len(self.note))) + 2 * MARGIN


def network_diagram(
    model: Any, *, show: str | None = None, widest: int | None = WIDEST, max_nodes: int | None = MAX_NODES
) -> Diagram:
    """The picture of a network such as `nn.MLP`: its layers in boxes, with z and y = f(z) apart.

    Titles have activations and sizes. A layer of more than `widest` units shows the first four, dots and the
    last. `show="weights"` draws each weight's size as the width of its line and its sign as the colour, blue
    for positive and red for negative; `show="gradients"` does so with the gradients after `backward()`, and marks
    dead units, all of whose gradients are 0. Below each layer stand the mean and the largest size of its numbers
    and how many units are dead, those that are not drawn included.

    Raises `TypeError` for what has no layers; `ValueError` for another `show`, for gradients before any
    `backward()`, and past `max_nodes` units drawn. Source: 11-785, "A first closer look at the network".

    >>> from scalargrad import nn
    >>> network_diagram(nn.MLP(3, [4, 4, 1]))
    <Diagram of 41 edges; .svg(), .png(), .save(path), .source>
    """
    if show not in (None, "weights", "gradients"):
        raise ValueError(f"network_diagram: show is {show!r}; give 'weights', 'gradients' or None")
    layers = layers_of("network_diagram", model)
    if show == "gradients" and all(w.mark is None for layer in layers for row in layer.weights for w in row):
        raise ValueError("network_diagram: there are no gradients yet; call backward() on a loss of the network first")
    boxes = _boxes(layers, widest, show)
    count = sum(1 for box in boxes for column in box.columns for _ in column.units())
    if max_nodes is not None and count > max_nodes:
        raise ValueError(
            f"network_diagram: it would draw {count} units, more than {max_nodes}. Collapse wide layers with "
            f"widest={WIDEST}, draw vectors as single nodes with jacobian_diagram, or all of it with max_nodes=None"
        )
    return _Drawing(boxes, show).diagram()


def _boxes(layers: Sequence[Layer], widest: int | None, show: str | None) -> list[_Box]:
    boxes = [_Box(f"input ({layers[0].nin})", "", [_column("x", layers[0].nin, style.INPUT, widest)])]
    for number, layer in enumerate(layers, 1):
        dead = layer.dead() if show == "gradients" else frozenset()
        colors = style.OUTPUT if layer is layers[-1] else style.ACTIVATION
        columns = [_column(f"y{number}_", layer.width, colors, widest, dead if layer.elementwise else frozenset())]
        if layer.affine:
            columns.insert(0, _column(f"z{number}_", layer.nout, style.INTERMEDIATE, widest, dead))
        title = f"layer {number}: {layer.activation} ({layer.sizes})"
        boxes.append(_Box(title, _note(layer, show, dead), columns, layer))
    left = 0.0
    for box in boxes:
        box.left = left
        for place, column in enumerate(box.columns):
            column.x = left + (box.width - box.within) / 2 + place * box.within
        left += box.width + BETWEEN
    return boxes


def _column(
    letter: str, count: int, colors: dict[str, str], widest: int | None, dead: frozenset[int] = frozenset()
) -> _Column:
    collapsed = widest is not None and count > max(widest, FIRST + 1)
    shown = [*range(FIRST), -1, count - 1] if collapsed else list(range(count))
    return _Column(letter, count, colors, shown, dead)


def _note(layer: Layer, show: str | None, dead: frozenset[int]) -> str:
    if show is None:
        return ""
    sizes = [abs(_number(show)(weight)) for row in layer.weights for weight in row]
    lost = f", {len(dead)} of {layer.nout} dead" if dead else ""
    return f"mean {digits(sum(sizes) / len(sizes))}, largest {digits(max(sizes))}{lost}"


def _number(show: str) -> Callable[[Value], float]:
    return (lambda weight: weight.data) if show == "weights" else (lambda weight: weight.grad)


class _Drawing:
    """The DOT text of boxes and columns that have their places."""

    def __init__(self, boxes: Sequence[_Box], show: str | None) -> None:
        self.boxes = boxes
        self.number = _number(show) if show else None
        weights = [w for box in boxes if box.layer for row in box.layer.weights for w in row]
        self.largest = max((abs(self.number(w)) for w in weights), default=0.0) if self.number else 0.0
        facts = [(box.title, [self.number(w) for w in weights] if self.number else None) for box in boxes]
        prefix = "d" + hashlib.sha256(repr((show, facts)).encode()).hexdigest()[:8]
        graph = {"bgcolor": "white", "pad": "0.15", "splines": "line", "id": prefix}
        self.dot = graphviz.Digraph(graph_attr=graph, engine="neato")
        self.dot.attr("node", **style.NODE)
        self.dot.attr("edge", color=style.EDGE, arrowsize="0.7", penwidth="1.1")

    def diagram(self) -> Diagram:
        for place, box in enumerate(self.boxes):
            self._frame(f"box{place}", box)
        for box in self.boxes:
            for column in box.columns:
                self._units(column, is_only=column.count == 1)
        for before, box in zip(self.boxes, self.boxes[1:], strict=False):
            self._weights(before.columns[-1], box)
            if len(box.columns) > 1:
                self._activations(box)
        self._legend()
        return Diagram(self.dot.source, "neato")

    def _frame(self, name: str, box: _Box) -> None:
        tallest = max(len(column.shown) for column in box.columns)
        above = (tallest - 1) / 2 * PITCH + RADIUS + TITLE
        below = (tallest - 1) / 2 * PITCH + RADIUS + (NOTE if box.note else 0.0) + MARGIN
        middle = box.left + box.width / 2
        self._node(name, "", middle, (above - below) / 2, box.width, above + below, shape="box", **FRAME)
        self._text(f"{name}_title", box.title, middle, above - 18.0)
        if box.note:
            self._text(f"{name}_note", box.note, middle, 20.0 - below, fontsize="12", fontcolor=style.EDGE)

    def _units(self, column: _Column, is_only: bool) -> None:
        for unit, y in column.units():
            label = shown_name(column.letter[0] if is_only else f"{column.letter[0]}{unit + 1}")
            look = {"style": "filled,dashed", "fillcolor": "white"} if unit in column.dead else {}
            look |= {"fontsize": "12"} if len(label) > 3 else {}
            name = column.name(unit)
            self._node(name, label, column.x, y, 2 * RADIUS, 2 * RADIUS, shape="circle", **{**column.colors, **look})
        for row, unit in enumerate(column.shown):
            for dot in (-1, 0, 1) if unit < 0 else ():  # drawn, since not every font has ⋮
                place = column.x, column.height(row) + 3 * DOT * dot
                self._node(f"{column.letter}dot{dot}", "", *place, DOT, DOT, shape="circle", fillcolor=style.INK)

    def _weights(self, before: _Column, box: _Box) -> None:
        column = box.columns[0]
        for i, _ in before.units():
            for j, _ in column.units():
                weight = box.layer.weights[j][i] if box.layer else None
                self.dot.edge(before.name(i), column.name(j), **self._look(weight))

    def _look(self, weight: Value | None) -> dict[str, str]:
        """How the line of a weight looks: as wide as it is large, against the largest of the network."""
        if self.number is None or weight is None:
            return {}
        x = self.number(weight)
        if x == 0.0 or not self.largest:
            return {**FAINT, "penwidth": str(THINNEST), "arrowsize": "0.4"}
        share = min(abs(x) / self.largest, 1.0) if abs(x) < float("inf") else 1.0
        width = THINNEST + (THICKEST - THINNEST) * share
        return {"color": style.VALUE if x > 0 else style.DERIVATIVE, "penwidth": f"{width:.2f}", "arrowsize": "0.4"}

    def _activations(self, box: _Box) -> None:
        z, y = box.columns
        elementwise = box.layer is None or box.layer.elementwise
        for j, _ in z.units():
            for k, _ in y.units():
                if j == k or not elementwise:
                    look = FAINT if j in z.dead else {"penwidth": "2.2"} if elementwise else {}
                    self.dot.edge(z.name(j), y.name(k), **look)

    def _legend(self) -> None:
        if self.number:
            lowest = max(len(column.shown) for box in self.boxes for column in box.columns) / 2 * PITCH
            text = "blue: positive, red: negative; the wider the larger; thin and dashed: 0"
            x = (self.boxes[-1].left + self.boxes[-1].width) / 2
            self._text("legend", text, x, -lowest - 60.0, fontsize="12", fontcolor=style.EDGE)

    def _text(self, name: str, text: str, x: float, y: float, **attributes: str) -> None:
        self._node(name, text, x, y, 0.0, 0.0, shape="plaintext", **{"style": "", **attributes})

    def _node(self, name: str, text: str, x: float, y: float, width: float, height: float, **attributes: str) -> None:
        size = {"width": f"{width / 72:.4f}", "height": f"{height / 72:.4f}", "fixedsize": "true"} if width else {}
        self.dot.node(name, style.plain_label(text), pos=f"{x:.1f},{y:.1f}", **size, **attributes)
