"""The walkthrough: one self-contained page that steps through the forward and the backward pass.

`page_data` collects what it shows, `page_picture` draws, and the folder `template` has its style and its scripts.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..engine.linearization import merged
from ..engine.value import Value
from ..files import write_whole
from ..interpreters.javascript import HELPERS
from . import style
from .naming import as_written
from .page_data import PageData
from .page_widget import page_widget
from .picture import MAX_NODES

__all__ = ["Page", "walkthrough"]

NOTEBOOK_HEIGHT = 680
DARK = ":root[data-theme=dark]"
SCRIPTS = ("numbers", "passes", "words", "picture", "controls", "main")


class Page:
    """A self-contained HTML page: `.html` is its text, `.save(path)` writes it, a notebook shows it in a frame.

    `.inputs` has the numbers that it begins with, by name, and `.widget()` is the page as a notebook's widget.
    """

    def __init__(self, text: str, title: str, inputs: Mapping[str, float]) -> None:
        self.html = text
        self.title = title
        self.inputs = dict(inputs)

    def __repr__(self) -> str:
        return f"<Page {self.title!r}; .html, .save(path)>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file that ends in `.html`, whole or not at all.

        Raises `ValueError` for another suffix, `OSError` if the file can't be written.
        """
        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: {str(path)!r} must end in .html")
        write_whole(path, self.html.encode())

    def widget(self) -> Any:
        """Return the page as a widget whose `inputs`, a dict of numbers by name, follow the sliders and move them.

        `observe` hears of them. Unlike the frame that a notebook shows of itself, a widget lives only while the
        notebook's Python runs. Raises `ImportError`, with what to install, if anywidget is missing.
        """
        return page_widget(self.html, self.title, self.inputs, NOTEBOOK_HEIGHT)

    def _repr_html_(self) -> str:
        # A frame without an origin of its own: the page can't touch the notebook, nor the notebook's style the page.
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" sandbox="allow-scripts" title="{html.escape(self.title)}" '
            f'style="width:100%;height:{NOTEBOOK_HEIGHT}px;border:1px solid {style.EDGE}"></iframe>'
        )


def walkthrough(
    goal: Value,
    *,
    merge: bool = False,
    max_nodes: int | None = MAX_NODES,
    rankdir: str | None = None,
    by_layer: bool | None = None,
    predict: bool = False,
) -> Page:
    """Return the page that steps through the forward pass and the backward pass, one contribution at a time.

    It works out the derivatives itself, so it needs no `backward()` before it and leaves `grad` alone. On the page,
    inputs are moved by sliders and all is computed anew; a number may be predicted before it is shown, and a wrong
    one is explained; a perturbation of one input goes forward, Δy = Σ ∂y/∂z Δz. What a Python branch decided while
    the graph was made stays decided.

    `merge` joins equal sub-expressions, `rankdir` is `"LR"` or `"TB"`. `by_layer` draws parameters as parts of their
    units and steps layer by layer; by default graphs of more than 24 nodes are drawn so, and loops are folded.
    `predict` makes a page to hand out: it asks for each number before it shows it.

    Raises `TypeError` for anything but a Value, `ValueError` if more than `max_nodes` would be drawn, and
    `RendererNotFound` if nothing on the machine draws the picture. Source: 10-601 Backpropagation, "Backpropagation"
    in four steps; 11-785, the influence of several variables.

    >>> x = Value(1.0, label="x")
    >>> walkthrough(x**2 * 3)
    <Page 'J = 3x²'; .html, .save(path)>
    """
    if not isinstance(goal, Value):
        raise TypeError(f"walkthrough: needs a Value, got {goal!r}; compute it from Values")
    data = PageData(as_written(merged(goal) if merge else goal), by_layer)
    if max_nodes is not None and data.drawn > max_nodes:
        raise ValueError(
            f"walkthrough: the graph has {data.drawn} nodes, more than {max_nodes}, too many to step through. "
            "Walk through a part of it, draw the last steps with derivative_diagram(…, depth=), the variables "
            "with influence_diagram, a network with network_diagram, or step through all of it with max_nodes=None"
        )
    return Page(_page(data, rankdir, predict), data.title(), data.inputs())


def _page(data: PageData, rankdir: str | None, predict: bool) -> str:
    """Return the text of the page: the template with the style, the picture, the data and the scripts put in."""
    template = _part("page.html")
    program = f"{HELPERS}\nconst program = {data.program() or 'null'};"
    script = "\n".join(_part(f"{name}.js") for name in SCRIPTS)
    allowed = " ".join(f"'sha256-{_digest(text)}'" for text in (program, script))
    parts = {
        "POLICY": f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}",
        "STYLE": "\n".join([_colors(":root", style.LIGHT), _colors(DARK, style.DARK), _part("page.css")]),
        "PICTURE": data.pictures(rankdir),
        # In a block of data the text ends at the first `<`, whatever stands in a string.
        "DATA": json.dumps({**data.data(), "predict": predict}, ensure_ascii=False, separators=(",", ":")).replace(
            "<", r"\u003c"
        ),
        "PROGRAM": program,
        "SCRIPT": script,
    }
    return re.sub(rf"@({'|'.join(parts)})@", lambda match: parts[match[1]], template)


def _colors(selector: str, palette: style.Palette) -> str:
    """Return the style sheet's colours of a palette: of texts and lines, and of the kinds of boxes."""
    colors = {"ground": palette.background, "ink": palette.ink, "value": palette.value, "edge": palette.edge}
    colors |= {"derivative": palette.derivative}
    kinds = {"input": palette.input, "step": palette.intermediate, "goal": palette.output, "folded": palette.operator}
    for kind, box in kinds.items():
        colors |= {f"{kind}-fill": box["fillcolor"], f"{kind}-edge": box["color"]}
    return f"{selector} {{ {' '.join(f'--{name}: {color};' for name, color in colors.items())} }}"


def _part(name: str) -> str:
    return files(__package__).joinpath("template", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
