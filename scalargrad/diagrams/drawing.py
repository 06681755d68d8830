"""The DOT text of a picture, as it is drawn: nodes, edges, their ids and titles, and what is written below."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence

import graphviz

from . import style
from .diagram import Diagram
from .style import Attributes, Look

__all__ = ["Drawing"]

HIDDEN = {"style": "invis"}
LETTER, LINE, PADDING = 0.55, 1.4, 22.0
"""The width and height of a letter against its font size, and the room in a box, to estimate a layout."""


class Drawing:
    """Collects nodes and edges; `finish` writes the DOT text. `facts` tells this picture from all others on a page."""

    def __init__(self, look: Look, facts: object) -> None:
        self.look = look
        # Ids in an SVG are those of a whole page, so each picture has a prefix of its own.
        self.prefix = "d" + hashlib.sha256(repr((look.names, facts)).encode()).hexdigest()[:8]
        self.titles: dict[str, str] = {}
        self._legend: list[str] = []
        self._nodes: list[tuple[str, str, Attributes]] = []
        self._edges: list[tuple[str, str, str, Attributes]] = []
        self._boxes: list[tuple[str, str, str]] = []
        self._inside: dict[str, str] = {}

    def explain(self, sentence: str) -> None:
        """Write a sentence below the picture, once."""
        if sentence and sentence not in self._legend:
            self._legend.append(sentence)

    def box(self, name: str, label: str, inside: str = "") -> None:
        """Draw a box for the nodes that are inside of it; it may be inside of another one."""
        self._boxes.append((name, label, inside))

    def node(self, name: str, label: str, title: str = "", inside: str = "", **attributes: str) -> None:
        """Draw a node, with a sentence as its title, inside of a box if one is named."""
        self._inside[name] = inside
        self._nodes.append((name, label, {**attributes, "id": f"{self.prefix}_{name}"}))
        self.titles[f"{self.prefix}_{name}"] = title

    def edge(self, source: str, target: str, label: str = "", title: str = "", **attributes: str) -> str:
        """Draw an edge, with a sentence as its title, and return its id without the prefix."""
        name = f"e{len(self._edges) + 1}"
        self._edges.append((source, target, label, {**attributes, "id": f"{self.prefix}_{name}"}))
        self.titles[f"{self.prefix}_{name}"] = title
        return name

    def finish(self, title: str, engine: str = "dot", rows: Sequence[Sequence[str]] = (), **attributes: str) -> Diagram:
        """Return the picture with a sentence as its title. `rows` are nodes to be drawn side by side in that order."""
        self.titles[self.prefix] = title
        legend = {"label": style.plain_label(*self._legend), "labelloc": "b"} if self._legend else {}
        graph = graphviz.Digraph(graph_attr=self.look.graph(id=self.prefix, **legend, **attributes))
        graph.attr("node", **self.look.node())
        graph.attr("edge", **self.look.edge())
        self._fill(graph, "")
        for row in rows:
            with graph.subgraph() as together:
                together.attr(rank="same")
                for one, other in itertools.pairwise(row):
                    together.edge(one, other, **HIDDEN)
        for source, target, label, more in self._edges:
            graph.edge(source, target, label or None, **more)
        return Diagram(graph.source, engine, self.titles)

    def _fill(self, graph: graphviz.Digraph, box: str) -> None:
        for name, label, more in self._nodes:
            if self._inside[name] == box:
                graph.node(name, label, **more)
        frame = self.look.palette.frame
        for name, label, inside in self._boxes:
            if inside == box:
                with graph.subgraph(name=f"cluster_{name}") as inner:
                    inner.attr(label=label, labelloc="t", labeljust="l", id=f"{self.prefix}_{name}")
                    inner.attr(fontsize=str(self.look.size.name), style="rounded,filled", **frame)
                    self._fill(inner, name)

    def direction(self, ranks: Mapping[str, int], longest: int) -> str:
        """Return the better direction for nodes of these ranks: `"LR"` up to the longest row, or `"TB"`.

        On a page, it is the one in which the picture is estimated to be larger.
        """
        if not self.look.size.width:
            return "LR" if max(ranks.values()) <= longest else "TB"
        nodes: dict[int, list[tuple[float, float]]] = {}
        for name, label, _ in self._nodes:
            nodes.setdefault(ranks.get(name, 1), []).append(self._extent(label, self.look.size.name, PADDING))
        labels: dict[int, list[tuple[float, float]]] = {}
        for source, _, label, _ in self._edges:
            labels.setdefault(ranks.get(source, 1), []).append(self._extent(label, self.look.size.small, 4.0))
        gap, rank = 72 * self.look.size.gap, 72 * self.look.size.rank
        scales = {}
        for name, along in (("LR", 0), ("TB", 1)):
            across = 1 - along
            length = sum(max(box[along] for box in boxes) + rank for boxes in nodes.values())
            length += sum(max(box[along] for box in boxes) for boxes in labels.values())
            breadth = max(sum(box[across] + gap for box in boxes) for boxes in nodes.values())
            between = max((sum(box[across] + gap for box in boxes) for boxes in labels.values()), default=0.0)
            extent = {along: length, across: max(breadth, between)}
            scales[name] = min(self.look.size.width * 72 / extent[0], self.look.size.height * 72 / extent[1])
        return max(scales, key=lambda name: scales[name])

    def _extent(self, label: str, font: int, padding: float) -> tuple[float, float]:
        """Return the estimated width and height of a label."""
        lines = re.findall(r"<font[^>]*>([^<]+)</font>", label) or label.split("\\n")
        if lines == [""]:
            return 0.0, 0.0
        return max(map(len, lines)) * font * LETTER + padding, len(lines) * font * LINE + padding
