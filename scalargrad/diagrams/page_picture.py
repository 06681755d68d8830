"""The picture of a page: Graphviz lays it out with room for any number, and its texts are put in afterwards.

So they are centred whatever the renderer, and the page can write other numbers into the same places.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

import graphviz

from . import style
from .renderer import render

__all__ = ["Box", "Line", "directions", "picture"]

SVG = "{http://www.w3.org/2000/svg}"
SIZES = {"equation": 16, "value": 16, "derivative": 14, "formula": 14, "number": 14}  # of the letters, in px
LETTER = 0.54  # the width of a letter, in parts of its size
ROOM = 8  # letters that a number may take
LONGEST_ROW = 6


class Box:
    """A node of the picture: its id, its kind for the colours, and its lines of text by class."""

    def __init__(self, name: str, kind: str, lines: Mapping[str, str]) -> None:
        self.name, self.kind, self.lines = name, kind, lines

    @property
    def size(self) -> tuple[float, float]:
        """The width and the height in inches."""
        widest = max(_room(kind, text) * SIZES[kind] for kind, text in self.lines.items())
        return (widest * LETTER + 20) / 72, (len(self.lines) * SIZES["equation"] * 1.3 + 12) / 72


class Line:
    """An edge of the picture: its id, the boxes that it joins, and its lines of text by class."""

    def __init__(self, name: str, source: str, target: str, lines: Mapping[str, str]) -> None:
        self.name, self.source, self.target, self.lines = name, source, target, lines


def _room(kind: str, text: str) -> int:
    """Return how many letters a line may come to have: its number may become longer."""
    return len(text) if kind in ("equation", "formula") else len(text.rpartition("= ")[0]) + 2 + ROOM


def directions(boxes: Sequence[Box], lines: Sequence[Line], rankdir: str | None) -> list[str]:
    """Return the directions to lay a graph out in: the one asked for, or from left to right if it is short.

    A short graph is laid out from top to bottom too, for a narrow screen.
    """
    return [rankdir] if rankdir else ["LR", "TB"] if _ranks(boxes, lines) <= LONGEST_ROW else ["TB"]


def picture(boxes: Sequence[Box], lines: Sequence[Line], rankdir: str, rows: Iterable[Sequence[str]] = ()) -> str:
    """Return the SVG element. Its groups are `node` and `edge`, its texts have their classes.

    `rankdir` stands before each id. The texts of an edge are in a group of their own, `label`, on a plate that no
    line crosses. The boxes of each of `rows`, by name, stand side by side in that order. Raises `RendererNotFound` if
    no renderer is installed.
    """
    graph = {"rankdir": rankdir, "bgcolor": "transparent", "nodesep": "0.3", "ranksep": "0.4", "pad": "0.1"}
    dot = graphviz.Digraph(graph_attr=graph)
    dot.attr("node", shape="box", style="rounded,filled", fixedsize="true", label="", penwidth="1.5")
    dot.attr("edge", fontname=style.FONT, fontsize=str(SIZES["formula"]), arrowsize="0.8", penwidth="1.5")
    for box in boxes:
        width, height = (f"{length:.3f}" for length in box.size)
        dot.node(box.name, id=rankdir + box.name, width=width, height=height)
    for line in lines:
        # Zeros hold the room, and tell where the label is.
        room = ["0" * int(0.9 * _room(kind, text)) for kind, text in line.lines.items()]
        dot.edge(line.source, line.target, "\\n".join(room) or None, id=rankdir + line.name)
    for row in rows:
        with dot.subgraph(graph_attr={"rank": "same"}) as side_by_side:
            for left, right in itertools.pairwise(row):
                side_by_side.edge(left, right, style="invis")
    return _with_texts(render(dot.source, "svg").decode(), rankdir, boxes, lines)


def _ranks(boxes: Sequence[Box], lines: Sequence[Line]) -> int:
    rank = {box.name: 1 for box in boxes}
    sources: dict[str, list[str]] = {}
    for line in lines:
        sources.setdefault(line.target, []).append(line.source)
    for box in boxes:  # in topological order
        rank[box.name] = 1 + max((rank[source] for source in sources.get(box.name, ())), default=0)
    return max(rank.values())


def _with_texts(svg: str, rankdir: str, boxes: Iterable[Box], lines: Iterable[Line]) -> str:
    ElementTree.register_namespace("", SVG[1:-1])
    root = ElementTree.fromstring(svg[svg.index("<svg") :])  # noqa: S314 (a renderer's, of a graph without any text)
    root.set("class", rankdir)
    graph = root.find(f"{SVG}g")
    if graph is None:
        raise RuntimeError("the renderer wrote an SVG without a graph")
    groups = {group.get("id"): group for group in graph.findall(f"{SVG}g")}
    for group in [root, graph, *groups.values()]:
        for title in group.findall(f"{SVG}title"):
            group.remove(title)
        for polygon in group.findall(f"{SVG}polygon") if group is graph else ():
            graph.remove(polygon)
    for box in boxes:
        group = groups[rankdir + box.name]
        group.set("class", f"node {box.kind}")
        shape = next(part for part in group if part.tag in (f"{SVG}path", f"{SVG}polygon"))
        x, y = _middle(shape.get("d") or shape.get("points") or "")
        _write(group, box.lines, x, y, 1.3)
    for line in lines:
        group = groups[rankdir + line.name]
        places = [(float(text.get("x", 0)), float(text.get("y", 0))) for text in group.findall(f"{SVG}text")]
        for text in group.findall(f"{SVG}text"):
            group.remove(text)
        if not places:
            continue
        label = ElementTree.SubElement(graph, f"{SVG}g", {"class": "label", "id": f"{rankdir}{line.name}label"})
        x = sum(x for x, _ in places) / len(places)
        y = sum(y for _, y in places) / len(places) - SIZES["formula"] * 0.45
        ElementTree.SubElement(label, f"{SVG}rect")
        _write(label, line.lines, x, y, 1.1)
    return ElementTree.tostring(root, encoding="unicode")


def _middle(points: str) -> tuple[float, float]:
    numbers = list(map(float, re.findall(r"-?[\d.]+", points)))
    xs, ys = numbers[::2], numbers[1::2]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _write(group: ElementTree.Element, lines: Mapping[str, str], x: float, y: float, apart: float) -> None:
    """Write lines of text around a point."""
    size = max(SIZES[kind] for kind in lines)
    for place, (kind, text) in enumerate(lines.items()):
        middle = y + (place - (len(lines) - 1) / 2) * size * apart
        where = {"x": f"{x:.1f}", "y": f"{middle + 0.35 * size:.1f}", "text-anchor": "middle"}
        ElementTree.SubElement(group, f"{SVG}text", {"class": kind, **where}).text = text
