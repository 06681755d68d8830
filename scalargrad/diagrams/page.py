"""The walkthrough: one self-contained page that steps through the forward and the backward pass.

What the page shows is worked out here, as data; how it shows it stands in the static `page.html`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..engine.linearization import merged, topological_order
from ..engine.value import Value
from ..files import write_whole
from ..interpreters.names import digits
from . import style
from .equations import Derivation, derivation
from .naming import Names, as_written
from .picture import MAX_NODES
from .views import Addressed, addressed_diagram

__all__ = ["Page", "walkthrough"]

LONGEST_FORMULA = 60
LONGEST_TITLE = 100
NOTEBOOK_HEIGHT = 680


class Page:
    """A self-contained HTML page: `.html` is its text, `.save(path)` writes it, a notebook shows it in a frame."""

    def __init__(self, text: str, title: str) -> None:
        self.html = text
        self.title = title

    def __repr__(self) -> str:
        return f"<Page {self.title!r}; .html, .save(path)>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file that ends in `.html`, whole or not at all.

        Raises `ValueError` for another suffix, `OSError` where the file can't be written.
        """
        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: {str(path)!r} must end in .html")
        write_whole(path, self.html.encode())

    def _repr_html_(self) -> str:
        # A frame without an origin of its own: the page can't touch the notebook, nor the notebook's style the page.
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" sandbox="allow-scripts" title="{html.escape(self.title)}" '
            f'style="width:100%;height:{NOTEBOOK_HEIGHT}px;border:1px solid {style.EDGE}"></iframe>'
        )


def walkthrough(
    goal: Value, *, merge: bool = False, max_nodes: int | None = MAX_NODES, rankdir: str | None = None
) -> Page:
    """The page that steps through the forward pass and the backward pass, one contribution at a time.

    It works out the derivatives itself, so it needs no `backward()` before it and leaves `grad` alone. A switch
    on it shows a perturbation of one input on its way forward instead, Δy = Σ ∂y/∂z Δz. `merge` joins equal
    sub-expressions, `rankdir` is `"LR"` or `"TB"`.

    Raises `TypeError` for what is no Value, `ValueError` past `max_nodes`, and `RendererNotFound` where
    nothing on the machine draws the picture. Source: 10-601 Backpropagation, "Backpropagation" in four steps;
    11-785, the influence of several variables.

    >>> x = Value(1.0, label="x")
    >>> walkthrough(x**2 * 3)
    <Page 'J = 3x²'; .html, .save(path)>
    """
    if not isinstance(goal, Value):
        raise TypeError(f"walkthrough: needs a Value, got {goal!r}; compute it from Values")
    goal = as_written(merged(goal) if merge else goal)
    order = topological_order(goal)
    if max_nodes is not None and len(order) > max_nodes:
        raise ValueError(
            f"walkthrough: the graph has {len(order)} nodes, more than {max_nodes}, too many to step through. "
            "Walk through a part of it, draw the last steps with derivative_diagram(…, depth=), the variables "
            "with influence_diagram, a network with network_diagram, or step through all of it with max_nodes=None"
        )
    derived = derivation(goal)
    adjoints = {id(step.node): derived.adjoints[step.name.text] for step in derived.forward}
    drawn = addressed_diagram(goal, adjoints, rankdir)
    data = _page_data(order, derived, drawn)
    return Page(_page(drawn.diagram.svg(), data), data["title"])


def _page_data(order: Sequence[Value], derived: Derivation, drawn: Addressed) -> dict[str, Any]:
    """All that the page shows, its numbers as text; nodes and edges are referred to by their places."""
    at = {id(node): place for place, node in enumerate(order)}
    edge_places = {key: place for place, key in enumerate(drawn.edges)}
    edges = [
        {"id": name, "from": at[id(node.parents[i])], "to": at[id(node)], "local": digits(node.partials[i])}
        for node in order
        for i, name in ((i, drawn.edges[id(node), i]) for i in range(len(node.parents)))
    ]
    nodes = [
        {
            "id": drawn.nodes[id(step.node)],
            "name": step.name.text,
            "formula": step.formula.text if step.formula else "",
            "value": digits(step.value),
        }
        for step in derived.forward
    ]
    return {
        "title": _title(order, derived.goal),
        "prefix": drawn.prefix,
        "colors": {"value": style.VALUE, "derivative": style.DERIVATIVE},
        "nodes": nodes,
        "edges": edges,
        "backward": _backward(derived, edge_places),
        "sweeps": [_sweep(order, leaf, at, edge_places) for leaf in order if not leaf.parents],
    }


def _backward(derived: Derivation, edge_places: Mapping[tuple[int, int], int]) -> list[list[Any]]:
    """The lines of the backward pass: the edge, the amount, and the sum before (if there is one) and after it."""
    lines = []
    places: dict[int, int] = {}  # the place of the parent that had its line last, by node
    for c in derived.backward:
        place = places[id(c.child)] = places.get(id(c.child), -1) + 1
        was = None if c.is_first else digits(c.was)
        lines.append([edge_places[id(c.child), place], digits(c.amount), was, digits(c.now)])
    return lines


def _sweep(
    order: Sequence[Value], leaf: Value, at: Mapping[int, int], edge_places: Mapping[tuple[int, int], int]
) -> dict[str, Any]:
    """The forward sweep of a perturbation of 1 of a leaf, in lines like those of the backward pass."""
    deltas = {id(leaf): 1.0}
    lines = []
    for node in order:
        for i, (parent, local) in enumerate(zip(node.parents, node.partials, strict=True)):
            if id(parent) in deltas:
                amount, was = deltas[id(parent)] * local, deltas.get(id(node))
                deltas[id(node)] = now = amount if was is None else was + amount
                before = None if was is None else digits(was)
                lines.append([edge_places[id(node), i], digits(amount), before, digits(now)])
    return {"node": at[id(leaf)], "lines": lines}


def _title(order: Sequence[Value], goal: Value) -> str:
    """The equation of the goal with the formulas of what it was computed from put in, while it stays short."""
    names = Names(order, goal)
    left, plain = names[goal].text, names.equation(goal)
    for node in order[:-1]:
        formula = names.equation(node)
        if formula and len(formula.text) <= LONGEST_FORMULA:
            names.symbols[id(node)] = formula
    whole = names.equation(goal)
    shown = whole if whole and len(whole.text) <= LONGEST_TITLE else plain
    return f"{left} = {shown.text}" if shown else left


def _page(svg: str, data: Mapping[str, Any]) -> str:
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    script = template.split("<script>")[1].split("</script>")[0]
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    colors = {"ink": style.INK, "value": style.VALUE, "derivative": style.DERIVATIVE, "edge": style.EDGE}
    parts = {
        "POLICY": f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{allowed}'",
        "COLORS": " ".join(f"--{name}: {color};" for name, color in colors.items()),
        "PICTURE": _inline(svg),
        # In a block of data the text ends at the first `<`, whatever stands in a string.
        "DATA": json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", r"\u003c"),
    }
    return re.sub(r"@(POLICY|COLORS|PICTURE|DATA)@", lambda match: parts[match[1]], template)


def _inline(svg: str) -> str:
    """The element itself, without the declaration, the comments, and the titles that would pop up."""
    return re.sub(r"<!--.*?-->\s*|<title>.*?</title>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL).strip()
