"""The drawing of a network: its boxes and units in their places, and the lines between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ..engine.value import Value
from ..interpreters.names import SUBSCRIPTS
from ..interpreters.names import digits as written
from . import style
from .columns import PLAIN, WITH_NUMBERS, Box, Column, shown_number
from .diagram import Diagram
from .drawing import Drawing
from .layers import Layer
from .passes import Passes
from .paths import Path, Paths
from .style import Attributes, Line, Look

__all__ = ["NetDrawing"]

MOST_NUMBERS = 40
MOST_CROSSING = 4
OVERDOT = {"x": "ẋ", "y": "ẏ", "z": "ż"}
"""The derivative of Div with respect to a unit, as 11-785 writes it."""
DOT = 4.5
THINNEST, THICKEST = 0.3, 5.0
Place: TypeAlias = tuple[float, float]


class NetDrawing(Drawing):
    """The boxes and units in their places, and the lines between them."""

    def __init__(
        self,
        boxes: Sequence[Box],
        look: Look,
        passes: Passes | None,
        show: str | None,
        bias: str | None,
        ways: Sequence[Path],
        decimals: int,
    ) -> None:
        self.boxes = boxes
        self.passes = passes
        self.measures = (PLAIN if passes is None else WITH_NUMBERS).scaled(look.size)
        self.width_of = shown_number(show) if show in ("weights", "gradients") else None
        self.ways = ways
        self.bias = bias
        self.decimals = decimals
        layers = [box.layer for box in boxes if box.layer]
        weights = [w for layer in layers for row in layer.weights for w in row]
        self.largest = max((abs(self.width_of(w)) for w in weights), default=0.0) if self.width_of else 0.0
        lines = sum(len(one.columns[-1].shown) * len(box.columns[0].shown) for one, box in itertools.pairwise(boxes))
        self.numbered = show == "numbers" or (passes is not None and show is None and lines <= MOST_NUMBERS)
        facts = [
            (box.title, [(w.data, w.grad) for row in box.layer.weights for w in row]) for box in boxes if box.layer
        ]
        values = [node.data for node in passes.nodes.values()] if passes else []
        super().__init__(look, (show, bias, [str(way) for way in ways], decimals, facts, values))
        self.marked = {edge for way in ways for edge in self._edges_of(way)}

    def picture(self) -> Diagram:
        """Draw everything and return the picture."""
        self._place()
        for place, box in enumerate(self.boxes):
            self._frame(f"box{place}", box)
        for box in self.boxes:
            for column in box.columns:
                self._units(column)
        for before, box in itertools.pairwise(self.boxes):
            self._weights(before.columns[-1], box)
            if len(box.columns) > 1:
                self._activations(box)
        if self.passes and self.passes.div is not None:
            self._loss(self.passes)
        self._legends()
        sizes = " → ".join(str(box.columns[-1].count) for box in self.boxes)
        return self.finish(f"A network of {sizes} units", "neato", splines="line", outputorder="breadthfirst")

    # Where things are

    def _place(self) -> None:
        measures, left = self.measures, 0.0
        letter = 0.53 * self.look.size.name
        for box in self.boxes:
            # Lines that cross need more room.
            crossing = box.layer is not None and not box.layer.elementwise
            box.within = measures.within * (len(box.columns) - 1) * (1.4 if crossing else 1.0)
            text = letter * max(len(box.title), len(box.note))
            box.width = max(box.within + 2 * measures.radius, text) + 2 * measures.margin
            box.left = left
            for place, column in enumerate(box.columns):
                column.x = left + (box.width - box.within) / 2 + place * box.within
            left += box.width + measures.between

    def _height(self, column: Column, row: int) -> float:
        return ((len(column.shown) - 1) / 2 - row) * self.measures.pitch

    def _edges_of(self, way: Path) -> Iterator[tuple[str, str]]:
        """Yield the lines of a way, by the names of their ends; that of its weight goes from the unit it multiplies."""
        names = {id(node): unit for unit, node in self.passes.nodes.items()} if self.passes else {}
        # In the graph that the user computed, the units are other Values, of the same names.
        columns = [column for box in self.boxes for column in box.columns]
        called = {column.label(unit, True): column.name(unit) for column in columns for unit in range(column.count)}
        found = [names.get(id(node)) or called.get(name) for node, name in zip(way.nodes, way.names, strict=True)]
        units = [unit for unit in found[:-1] if unit] + ["Div"]
        yield from itertools.pairwise(units)
        for before, box in itertools.pairwise(self.boxes):
            for j, row in enumerate(box.layer.weights if box.layer else []):
                for i, weight in enumerate(row):
                    if weight is way.nodes[0]:
                        yield before.columns[-1].name(i), box.columns[0].name(j)
                if box.layer and box.layer.biases and box.layer.biases[j] is way.nodes[0]:
                    yield self._bias_name(before.columns[-1]), box.columns[0].name(j)

    # The parts

    def _reach(self, box: Box) -> tuple[float, float]:
        """Return how far a box reaches above and below the middle."""
        measures = self.measures
        tallest = (max(len(column.shown) for column in box.columns) - 1) / 2 * measures.pitch + measures.radius
        derivatives = 1.6 * self.look.size.small if self.passes and self.passes.div is not None else 0.0
        return tallest + measures.title, tallest + (measures.note if box.note else 0.0) + measures.room + derivatives

    def _frame(self, name: str, box: Box) -> None:
        above, below = self._reach(box)
        middle, frame = box.left + box.width / 2, {**self.look.palette.frame, "style": "rounded,filled"}
        place = middle, (above - below) / 2
        self._shape(name, "", place, box.width, above + below, box.title, shape="box", **frame)
        size, ink = self.look.size, self.look.palette.ink
        self._text(f"{name}_title", box.title, (middle, above - 0.5 * self.measures.title), size.name, ink)
        if box.note:
            place = middle, 0.9 * self.measures.note - below
            self._text(f"{name}_note", box.note, place, size.small, self.look.palette.edge)

    def _units(self, column: Column) -> None:
        measures = self.measures
        for unit, row in column.units():
            place = column.x, self._height(column, row)
            look: Attributes = {"shape": "circle", **column.colors}
            if unit in column.dead:
                look |= {"style": "filled,dashed", "fillcolor": self.look.palette.background}
            if any(column.name(unit) in edge for edge in self.marked):
                look |= self.look.palette.marked
            title = self._title(column, unit)
            label = self._label(column, unit)
            self._shape(column.name(unit), label, place, 2 * measures.radius, 2 * measures.radius, title, **look)
            derivative = self.passes.derivative(column.name(unit)) if self.passes else None
            if derivative is not None:
                text = f"{OVERDOT[column.letter]} = {self.number(derivative)}"
                below = place[1] - measures.radius - 0.7 * self.look.size.small - 5.0
                color = self.look.palette.derivative
                self._text(f"{column.name(unit)}_d", text, (column.x, below), self.look.size.small, color)
        for row, unit in enumerate(column.shown):
            for dot in (-1, 0, 1) if unit < 0 else ():  # drawn, since not every font has ⋮
                place = column.x, self._height(column, row) + 3 * DOT * dot
                look = {"shape": "circle", "fillcolor": self.look.palette.ink, "color": self.look.palette.ink}
                self._shape(f"{column.letter}{column.layer}dot{dot}", "", place, DOT, DOT, "units not drawn", **look)

    def _label(self, column: Column, unit: int) -> str:
        palette, size = self.look.palette, self.look.size
        label = column.label(unit)
        if self.passes is None:
            return self.look.stacked([(label, palette.ink, size.name if len(label) < 5 else size.name - 2)])
        lines: list[Line] = [(label, palette.ink, size.name - 1)]
        lines.append((self.number(self.passes.value(column.name(unit))), palette.value, size.small))
        bias = self._bias(column, unit)
        if bias is not None and self.bias == "inside":
            lines.append((f"b {self.number(bias)}", palette.ink, size.small - 2))
        return self.look.stacked(lines)

    def _bias(self, column: Column, unit: int) -> float | None:
        layer = self.boxes[column.layer].layer
        return layer.biases[unit].data if layer and layer.biases and column.letter == "z" else None

    def _title(self, column: Column, unit: int) -> str:
        label = column.label(unit)
        if unit in column.dead:
            return f"{label} is dead: the gradients of all its weights are 0"
        return f"{label} is {self.number(self.passes.value(column.name(unit)))}" if self.passes else label

    def _weights(self, before: Column, box: Box) -> None:
        column = box.columns[0]
        for i, _ in before.units():
            for j, _ in column.units():
                weight = box.layer.weights[j][i] if box.layer else None
                ends = before.name(i), column.name(j)
                title = f"{before.label(i)} influences {column.label(j)}"
                title += f" by {weight.label or 'a weight'} = {self.number(weight.data)}" if weight else ""
                self.edge(*ends, "", title, **{**self._look(weight), **self._highlight(ends)})
                if self.numbered and weight is not None:
                    number = self.number(weight.data)
                    self._on_line("_".join(ends), number, self._at(before, i), self._at(column, j))
        if self.bias == "unit" and box.layer and box.layer.biases:
            self._bias_unit(before, box.layer, column)

    def _bias_unit(self, before: Column, layer: Layer, column: Column) -> None:
        name = self._bias_name(before)
        height = -max(self._reach(box)[1] for box in self.boxes) - 1.2 * self.measures.radius
        label = f"{'x' if before.layer == 0 else 'y'}₀ = 1"
        radius, look = self.measures.radius, {"shape": "box", "style": "filled,rounded", **self.look.palette.operator}
        self._shape(
            name, style.plain_label(label), (before.x, height), 2.2 * radius, radius, f"{label} carries biases", **look
        )
        for j, _ in column.units():
            ends, number = (name, column.name(j)), layer.biases[j]
            title = f"{column.label(j)} has the bias {self.number(number.data)}"
            self.edge(*ends, "", title, **{**self._look(None), **self._highlight(ends)})
            if self.numbered:
                text = self.number(number.data)
                self._on_line("_".join(ends), text, (before.x, height), self._at(column, j))

    def _bias_name(self, before: Column) -> str:
        return f"{before.letter}{before.layer}_bias"

    def _on_line(self, name: str, text: str, start: Place, end: Place, share: float = 0.3, lift: float = 0.0) -> None:
        """Write a number at that share of the visible part of a line, on a plate, or lifted above the line."""
        size, palette, radius = self.look.size, self.look.palette, self.measures.radius
        length = math.dist(start, end)
        along = (radius + share * (length - 2 * radius)) / length
        place = start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1]) + lift
        if lift:
            self._text(f"on_{name}", text, place, size.small, palette.derivative)
            return
        fill = palette.background
        look = {"shape": "box", "style": "filled", "color": fill, "fillcolor": fill, "penwidth": "0"}
        look |= {"fontsize": str(size.small), "fontcolor": palette.derivative}
        width, height = 0.56 * size.small * len(text) + 4, 1.25 * size.small
        self._shape(f"on_{name}", style.plain_label(text), place, width, height, text, **look)

    def _at(self, column: Column, unit: int) -> Place:
        return column.x, self._height(column, column.shown.index(unit))

    def _look(self, weight: Value | None) -> Attributes:
        """Return the look of a weight's line: as wide as it is large, against the largest of the network."""
        if self.width_of is None or weight is None:
            return {"color": self.look.palette.edge, "penwidth": "1.1", "arrowsize": "0.7"}
        x, palette = self.width_of(weight), self.look.palette
        if x == 0.0 or not self.largest:
            return {"color": palette.faint, "style": "dotted", "penwidth": str(THINNEST), "arrowsize": "0.4"}
        share = min(abs(x) / self.largest, 1.0) if abs(x) < float("inf") else 1.0
        width = {"penwidth": f"{THINNEST + (THICKEST - THINNEST) * share:.2f}", "arrowsize": "0.4"}
        return {**width, "color": palette.value} if x > 0 else {**width, "color": palette.negative, "style": "dashed"}

    def _highlight(self, ends: tuple[str, str]) -> Attributes:
        return self.look.palette.marked if ends in self.marked else {}

    def _activations(self, box: Box) -> None:
        z, y = box.columns
        layer = box.layer
        for j, _ in z.units():
            for k, _ in y.units():
                if layer is None or (k, j) not in layer.pattern:
                    continue
                ends = z.name(j), y.name(k)
                faint = {"color": self.look.palette.faint, "style": "dashed"}
                look = faint if j in z.dead else {"penwidth": "2.2"} if layer.elementwise else {}
                title = f"{z.label(j)} influences {y.label(k)}"
                local = self.passes.local(*ends) if self.passes else None
                if local is not None:
                    title += f": ∂{y.label(k)}/∂{z.label(j)} = {self.number(local)}"
                self.edge(*ends, "", title, **{**look, **self._highlight(ends)})
                if local is not None and self.numbered and (layer.elementwise or len(layer.pattern) <= MOST_CROSSING):
                    text = f"{'f′ = ' if layer.elementwise else ''}{self.number(local)}"
                    where = (0.5, 0.95 * self.look.size.small) if layer.elementwise else (0.3, 0.0)
                    self._on_line("_".join(ends), text, self._at(z, j), self._at(y, k), *where)

    def _loss(self, passes: Passes) -> None:
        measures, palette, size = self.measures, self.look.palette, self.look.size
        outputs = self.boxes[-1].columns[-1]
        x = self.boxes[-1].left + self.boxes[-1].width + measures.between / 2 + measures.radius
        lines = [("Div", palette.ink, size.name), (self.number(passes.value("Div")), palette.value, size.small)]
        look = {"shape": "box", "style": "filled", **palette.output}
        look |= palette.marked if any("Div" in edge for edge in self.marked) else {}
        wide = 2.4 * measures.radius
        self._shape("Div", self.look.stacked(lines), (x, 0.0), wide, 2 * measures.radius, "Div, the divergence", **look)
        for k, _ in outputs.units():
            ends = outputs.name(k), "Div"
            self.edge(*ends, "", f"{outputs.label(k)} influences Div", **{**self._look(None), **self._highlight(ends)})
        right = x + 1.2 * measures.radius + measures.between / 2
        for row, k in enumerate(outputs.shown):
            if k >= 0:
                name, target = f"d{k}", self.number(passes.targets[k])
                label = f"d{str(k + 1).translate(SUBSCRIPTS)}" if outputs.count > 1 else "d"
                lines = [(label, palette.ink, size.name - 1), (target, palette.value, size.small)]
                place = right, self._height(outputs, row)
                unit = {"shape": "circle", **palette.input}
                width = 2 * measures.radius
                self._shape(
                    name, self.look.stacked(lines), place, width, width, f"{label}, the target, is {target}", **unit
                )
                self.edge(name, "Div", "", f"{label} is compared in Div", penwidth="1.1", color=palette.edge)

    def _legends(self) -> None:
        if self.passes and self.passes.div is not None:
            self.explain("below the units: ż = ∂Div/∂z, also written δ, ẏ = ∂Div/∂y, ẋ = ∂Div/∂x")
        if self.width_of:
            self.explain("solid: positive, dashed: negative; the wider the larger; thin and dotted: 0")
        for way in (
            [self.ways.equation(self.decimals)]
            if isinstance(self.ways, Paths)
            else [w.text(self.decimals) for w in self.ways]
        ):
            self.explain(way)

    # How things are written

    def number(self, x: float) -> str:
        """Return a number as text, to the decimals that were asked for."""
        return written(x, self.decimals)

    def _text(self, name: str, text: str, place: Place, size: int, color: str) -> None:
        look = {"shape": "plaintext", "style": "", "fontsize": str(size), "fontcolor": color}
        self._shape(name, style.plain_label(text), place, 0.0, 0.0, text, **look)

    def _shape(self, name: str, label: str, place: Place, width: float, height: float, title: str, **look: str) -> None:
        size = {"width": f"{width / 72:.4f}", "height": f"{height / 72:.4f}", "fixedsize": "true"} if width else {}
        self.node(name, label, title, pos=f"{place[0]:.1f},{place[1]:.1f}", **size, **look)
