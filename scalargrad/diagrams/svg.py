"""A renderer's SVG put right: texts centred, labels above lines, titles that are sentences, and a width that fits."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

__all__ = ["finished"]

GROUP = re.compile(r'<g id="(?P<id>[^"]*)" class="(?P<kind>node|edge)">\n(?P<body>.*?)</g>\n', re.DOTALL)
GRAPH = re.compile(r'(<g id="([^"]*)" class="graph".*?>\n)(<title>.*?</title>\n)?', re.DOTALL)
TITLE = re.compile(r"<title>.*?</title>\n", re.DOTALL)
ELEMENT = re.compile(r"<(?P<tag>polygon|ellipse|path|text|polyline)\b.*?(?:/>|</text>)\n?", re.DOTALL)
NUMBER = r"-?\d+(?:\.\d+)?"


def finished(svg: str, titles: Mapping[str, str]) -> str:
    """Return the SVG with a sentence of `titles`, by id, for each part that has one.

    Texts that the renderer placed by its own idea of their width are centred in the box around them. The labels of
    edges are moved behind all lines, so that none crosses them. In a page or a notebook it is as wide as its cell at
    most.
    """
    labels: list[str] = []

    def group(match: re.Match[str]) -> str:
        shown = _title(match["id"], match["body"], titles)
        elements, label = _centred(match["body"], match["kind"] == "edge")
        if label:
            labels.append(f'<g id="{match["id"]}_label" class="label">\n{shown}{label}</g>\n')
        return f'<g id="{match["id"]}" class="{match["kind"]}">\n{shown}{elements}</g>\n'

    svg = GROUP.sub(group, svg)
    svg = GRAPH.sub(lambda m: m[1] + _title(m[2], m[3] or "", titles), svg, count=1)
    body, end, rest = svg.rpartition("</g>\n</svg>")
    svg = f"{body}{''.join(labels)}{end}{rest}"
    return svg.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def _title(name: str, body: str, titles: Mapping[str, str]) -> str:
    """Return the title of a part: its sentence, or, if it is not among the titles, the renderer's own."""
    if name in titles:
        return f"<title>{html.escape(titles[name], quote=False)}</title>\n" if titles[name] else ""
    found = TITLE.search(body)
    return found[0] if found else ""


def _centred(body: str, is_edge: bool) -> tuple[str, str]:
    """Return the elements of a group with their texts centred, and, of an edge, those of its label apart."""
    elements = [match[0] for match in ELEMENT.finditer(body)]
    texts = [i for i, element in enumerate(elements) if 'text-anchor="start"' in element]
    plate = texts[0] - 1 if is_edge and texts else len(elements)  # the plate is drawn just before its texts
    middle = None
    for i, element in enumerate(elements):
        if element.startswith("<text"):
            if middle is not None and i in texts:
                moved = re.sub(rf'\bx="{NUMBER}"', f'x="{middle:.2f}"', element, count=1)
                elements[i] = moved.replace('text-anchor="start"', 'text-anchor="middle"', 1)
        elif not is_edge or i >= plate:
            middle = _middle(element)
    return "".join(elements[:plate]), "".join(elements[plate:])


def _middle(element: str) -> float | None:
    """Return the x in the middle of a shape."""
    if centre := re.search(rf'\bcx="({NUMBER})"', element):
        return float(centre[1])
    points = re.search(r'\b(?:points|d)="([^"]*)"', element)
    xs = [float(x) for x in re.findall(rf"({NUMBER}),{NUMBER}", points[1])] if points else []
    return (min(xs) + max(xs)) / 2 if xs else None
