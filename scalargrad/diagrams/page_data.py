"""Collect what a page shows, as data: the nodes, edges, numbers and stages, and the program for new inputs."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from ..engine.graph import topological_order
from ..engine.value import Value
from ..interpreters.names import digits
from ..interpreters.notation import PRODUCT, Term
from .computation import program
from .equations import derivation
from .folding import fold
from .naming import Names, legend
from .page_picture import Box, Line, directions, picture

__all__ = ["PageData"]

LONGEST_FORMULA = 60
LONGEST_TITLE = 100
LONGEST_LINE = 34
LONGEST_SUM = 26
MOST_LABELS = 8  # of edges into one layer
SUMS = {"affine": "Σ w·x + b", "dot": "Σ w·x"}


class PageData:
    """The data of a page about a goal. `drawn` is how many boxes its picture has."""

    def __init__(self, goal: Value, by_layer: bool | None) -> None:
        self.goal = goal
        self.order = topological_order(goal)
        self.names = Names(self.order, goal)
        self.at = {id(node): place for place, node in enumerate(self.order)}
        self.folded = fold(self.order, {id(node): self.names[node].text for node in self.order}, by_layer)
        self.drawn = sum(map(self.folded.is_drawn, self.order)) + len(self.folded.texts)
        self.leaves = [node for node in self.order if node.primitive is None]
        self.derivation = derivation(goal)

    def title(self) -> str:
        """Return the goal's equation with the formulas that it was computed from put in, while it stays short."""
        names = Names(self.order, self.goal)
        left, plain = names[self.goal].text, names.equation(self.goal)
        for node in self.order[:-1]:
            formula = names.equation(node)
            if formula and len(formula.text) <= LONGEST_FORMULA:
                names.symbols[id(node)] = formula
        whole = names.equation(self.goal)
        shown = whole if whole and len(whole.text) <= LONGEST_TITLE else plain
        return f"{left} = {shown.text}" if shown else left

    def inputs(self) -> dict[str, float]:
        """Return the numbers of the leaves by name."""
        return {self.names[leaf].text: leaf.data for leaf in self.leaves}

    def program(self) -> str | None:
        """Return the JavaScript that computes the graph's numbers, or None if a primitive has none."""
        return program(self.order, self.leaves)

    def data(self) -> dict[str, Any]:
        """Return all that the page shows. Nodes and edges are referred to by their places, numbers are exact."""
        partials = [partial for node in self.order for partial in node.partials_or_none]
        return {
            "title": self.title(),
            "nodes": [
                self._node(step.node) | ({"note": step.note} if step.note else {}) for step in self.derivation.forward
            ],
            "edges": self._edges(),
            "inputs": [self.at[id(leaf)] for leaf in self.leaves],
            "values": [_number(node.data) for node in self.order],
            "partials": [None if partial is None else _number(partial) for partial in partials],
            "stages": self.folded.kind,
        }

    def _node(self, node: Value) -> dict[str, Any]:
        formula = self.names.equation(node)
        found: dict[str, Any] = {"name": self.names[node].text, "formula": formula.text if formula else ""}
        if node.primitive:
            found["does"] = node.primitive.name
        if self.folded.stages:
            found["stage"] = self.folded.stages.get(id(node), "inputs")
        if id(node) in self.folded.parameters:
            found["parameter"] = True
        if id(node) in self.folded.boxes:
            found["box"] = self._box(node)
        return found

    def _edges(self) -> list[dict[str, Any]]:
        edges, first = [], 0
        for node in self.order:
            for parent, uses, formula, _ in self.names.edges(node):
                places = [first + use for use in uses]
                found: dict[str, Any] = {"from": self.at[id(parent)], "to": self.at[id(node)], "places": places}
                found |= {"formula": formula.text, "factor": formula.inside(PRODUCT)[0]}
                explained = legend([formula.text])
                edges.append(found | ({"legend": explained} if explained else {}))
            first += len(node.parents)
        return edges

    def pictures(self, rankdir: str | None) -> str:
        """Return the SVG elements of the folded graph, one for each direction that it is laid out in.

        The ids of node and edge number i end in `ni` and `ei`; the direction stands before them.
        """
        boxes, lines, rows = self._boxes(), self._lines(), self._rows()
        return "\n".join(picture(boxes, lines, direction, rows) for direction in directions(boxes, lines, rankdir))

    def _boxes(self) -> list[Box]:
        folded, goal_name = self.folded, self.names[self.goal].text
        adjoints = self.derivation.adjoints
        boxes: list[Box] = []
        has_box = set()
        for place, node in enumerate(self.order):
            if folded.is_drawn(node):
                name = self.names[node].text
                formula = self.names.equation(node)
                lines = {"equation": _equation(node, name, formula), "value": digits(node.data)}
                lines["derivative"] = f"∂{goal_name}/∂{name} = {digits(adjoints[name])}"
                boxes.append(Box(f"n{place}", self._kind(node), lines))
            elif (shared := folded.boxes.get(id(node))) is not None and shared not in has_box:
                has_box.add(shared)
                boxes.append(Box(f"f{shared}", "folded", {"equation": folded.texts[shared]}))
        return boxes

    def _lines(self) -> list[Line]:
        lines: dict[tuple[str, str], Line] = {}
        dense = self._dense_stages()
        edges = [(node, *edge) for node in self.order for edge in self.names.edges(node)]
        for place, (node, parent, _, formula, number) in enumerate(edges):
            source, target = self._box(parent), self._box(node)
            if source is None or source == target or target is None:
                continue
            texts = {}
            if source[0] == target[0] == "n" and self.folded.stages.get(id(node)) not in dense:
                texts["formula"] = f"∂{self.names[node].text}/∂{self.names[parent].text} = {_short(formula.text)}"
                if formula.number is None:
                    texts["number"] = f"= {digits(number)}"
            lines.setdefault((source, target), Line(f"e{place}", source, target, texts))
        return list(lines.values())

    def _rows(self) -> list[list[str]]:
        """Return the boxes of each layer in the order of their units."""
        rows: dict[str, list[str]] = {}
        for place, node in enumerate(self.order):
            if self.folded.kind == "layers" and self.folded.is_drawn(node) and node.primitive:
                rows.setdefault(self.folded.stages[id(node)], []).append(f"n{place}")
        return list(rows.values())

    def _dense_stages(self) -> set[str]:
        """Return the stages that so many edges lead into that their labels would hide the picture."""
        counts = Counter(self.folded.stages.get(id(node), "") for node in self.order for _ in self._drawn_parents(node))
        return {stage for stage, count in counts.items() if stage and count > MOST_LABELS}

    def _drawn_parents(self, node: Value) -> list[Value]:
        return [parent for parent, *_ in self.names.edges(node) if id(parent) not in self.folded.parameters]

    def _box(self, node: Value) -> str | None:
        """Return the id of the box that shows a node; None for a parameter, which is part of its unit."""
        if id(node) in self.folded.parameters:
            return None
        shared = self.folded.boxes.get(id(node))
        return f"n{self.at[id(node)]}" if shared is None else f"f{shared}"

    def _kind(self, node: Value) -> str:
        return "goal" if node is self.goal else "input" if node.primitive is None else "step"


def _equation(node: Value, name: str, formula: Term | None) -> str:
    """Return a node's equation as its box has room for it."""
    whole = f"{name} = {formula.text}" if formula else name
    primitive = node.primitive.name if node.primitive else ""
    if primitive in SUMS and len(whole) > LONGEST_SUM:
        return f"{name} = {SUMS[primitive]}"
    return _short(whole)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def _number(x: float) -> float | str:
    # JSON has no nan and no infinity.
    return x if math.isfinite(x) else str(x)
