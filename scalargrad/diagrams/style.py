"""The style of the pictures: palettes, sizes, labels. In every palette, all texts pass WCAG AA on all fills."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["PALETTES", "SIZES", "Look", "Palette", "Size", "look_of"]

Attributes: TypeAlias = dict[str, str]
Line: TypeAlias = tuple[str, str, int]
"""A line of a label: its text, colour and font size."""


def _box(fill: str, border: str, **more: str) -> Attributes:
    return {"fillcolor": fill, "color": border, **more}


@dataclass(frozen=True)
class Palette:
    """The colours of a picture: the background, the texts by their meaning, the lines, and the kinds of nodes.

    `negative` is the colour of negative weights, which are told by dashes too.
    """

    background: str
    ink: str
    value: str
    derivative: str
    edge: str
    negative: str
    faint: str
    frame: Attributes
    input: Attributes
    intermediate: Attributes
    output: Attributes
    activation: Attributes
    operator: Attributes

    @property
    def marked(self) -> Attributes:
        """The look of a node or an edge that the picture is about: a way of a nan, or a path that is highlighted."""
        return {"color": self.derivative, "penwidth": "3"}

    @property
    def fills(self) -> list[str]:
        """The colours that texts stand on."""
        boxes = (self.frame, self.input, self.intermediate, self.output, self.activation, self.operator)
        return [self.background, *(box["fillcolor"] for box in boxes)]


LIGHT = Palette(
    background="#FFFFFF",
    ink="#1E293B",
    value="#1D4ED8",
    derivative="#9A3412",
    edge="#475569",
    negative="#9A3412",
    faint="#94A3B8",
    frame=_box("#F8FAFC", "#94A3B8"),
    input=_box("#DBEAFE", "#1D4ED8"),
    intermediate=_box("#F8FAFC", "#475569"),
    output=_box("#FEF3C7", "#92400E"),
    activation=_box("#DCFCE7", "#166534"),
    operator=_box("#E2E8F0", "#475569"),
)
DARK = Palette(
    background="#0F172A",
    ink="#F1F5F9",
    value="#93C5FD",
    derivative="#FDBA74",
    edge="#94A3B8",
    negative="#FDBA74",
    faint="#64748B",
    frame=_box("#172033", "#64748B"),
    input=_box("#172554", "#60A5FA"),
    intermediate=_box("#1E293B", "#94A3B8"),
    output=_box("#3B2208", "#FBBF24"),
    activation=_box("#052E1B", "#4ADE80"),
    operator=_box("#334155", "#94A3B8"),
)
# Without hue, kinds of nodes differ in their border: an input's is thick, the goal's double.
GREY = Palette(
    background="#FFFFFF",
    ink="#111111",
    value="#333333",
    derivative="#000000",
    edge="#555555",
    negative="#555555",
    faint="#999999",
    frame=_box("#F7F7F7", "#999999"),
    input=_box("#E0E0E0", "#111111", penwidth="2.5"),
    intermediate=_box("#FFFFFF", "#555555"),
    output=_box("#E0E0E0", "#111111", peripheries="2"),
    activation=_box("#EFEFEF", "#333333"),
    operator=_box("#D4D4D4", "#555555"),
)
PALETTES = {"light": LIGHT, "dark": DARK, "grey": GREY}

INK, VALUE, DERIVATIVE, EDGE = LIGHT.ink, LIGHT.value, LIGHT.derivative, LIGHT.edge


@dataclass(frozen=True)
class Size:
    """The sizes of a picture: of texts (`name` and `small`), of gaps in inches, and the page that it fits into.

    A picture that `fills` its page leaves out of edge labels what the edge itself tells, so that the rest is larger.
    """

    name: int
    small: int
    gap: float
    rank: float
    width: float = 0.0
    height: float = 0.0
    fills: bool = False
    margin: str = "0.15,0.08"

    @property
    def page(self) -> Attributes:
        """The attribute that scales a picture to its page."""
        return {"size": f"{self.width:.4f},{self.height:.4f}{'!' if self.fills else ''}"} if self.width else {}


# A slide is 1280 × 720 px at 72 px an inch, a phone 390 × 700; print is as wide as a column of text.
SIZES = {
    "screen": Size(14, 11, 0.35, 0.6),
    "slide": Size(16, 15, 0.2, 0.2, 1280 / 72, 10.0, fills=True, margin="0.06,0.03"),
    "phone": Size(15, 14, 0.15, 0.2, 390 / 72, 700 / 72, fills=True, margin="0.06,0.03"),
    "print": Size(12, 11, 0.25, 0.35, 6.3, 9.0),
}

FONT = "Helvetica"
LONGEST_IN_CIRCLE = 4


@dataclass(frozen=True)
class Look:
    """A palette and a size: the attributes that all nodes and edges of a picture share, and its labels."""

    palette: Palette
    size: Size
    names: tuple[str, str]

    def graph(self, **more: str) -> Attributes:
        """Return the attributes of the graph. Edges are drawn first, so that no line crosses a node."""
        gaps = {"nodesep": f"{self.size.gap:g}", "ranksep": f"{self.size.rank:g}"}
        text = {"fontname": FONT, "fontsize": str(self.size.small), "fontcolor": self.palette.ink}
        common = {
            "bgcolor": self.palette.background,
            "pad": "0.05" if self.size.fills else "0.15",
            "outputorder": "edgesfirst",
        }
        return {**common, **gaps, **text, **self.size.page, **more}

    @property
    def box(self) -> Attributes:
        """The shape of a node with several lines of text."""
        return {"shape": "box", "style": "rounded,filled", "margin": self.size.margin}

    def node(self) -> Attributes:
        """Return the attributes that all nodes share."""
        text = {"fontname": FONT, "fontsize": str(self.size.name), "fontcolor": self.palette.ink}
        return {**text, "style": "filled", "penwidth": "1.5"}

    def edge(self) -> Attributes:
        """Return the attributes that all edges share."""
        text = {"fontname": FONT, "fontsize": str(self.size.small), "fontcolor": self.palette.derivative}
        return {**text, "color": self.palette.edge, "penwidth": "1.3", "arrowsize": "0.8"}

    def plate(self, *lines: str, below: str = "") -> str:
        """Return the label of an edge: lines on a plate of the background's colour, apart from the edge itself."""
        texts = [self.text(line, self.palette.derivative, self.size.small) for line in lines]
        rows = "".join(f"<tr><td>{text}</td></tr>" for text in [*texts, *([below] if below else [])])
        inner = f'<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{rows}</table>'
        cell = f'<td bgcolor="{self.palette.background}">{inner}</td>'
        return f'<<table border="0" cellborder="0" cellspacing="2" cellpadding="0"><tr>{cell}</tr></table>>'

    def stacked(self, lines: Sequence[Line]) -> str:
        """Return an HTML-like label of lines one above the other."""
        rows = "".join(f"<tr><td>{self.text(*line)}</td></tr>" for line in lines)
        return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{rows}</table>>'

    def text(self, text: str, color: str, size: int) -> str:
        """Return a part of an HTML-like label; the text is data and is escaped."""
        return f'<font color="{color}" point-size="{size}">{escape(text)}</font>'


def look_of(who: str, size: str, palette: str) -> Look:
    """Return the look of that size and palette. Raises `ValueError` for an unknown one."""
    if size not in SIZES:
        raise ValueError(f"{who}: size is {size!r}; give one of {', '.join(map(repr, SIZES))}")
    if palette not in PALETTES:
        raise ValueError(f"{who}: palette is {palette!r}; give one of {', '.join(map(repr, PALETTES))}")
    return Look(PALETTES[palette], SIZES[size], (size, palette))


def escape(text: str) -> str:
    """Return data as a part of an HTML-like label. A backslash is set apart, since `\\N` is the name of a node."""
    return html.escape(text).replace("\\", "<font>&#92;</font>")


def plain_label(*lines: str) -> str:
    """Return a plain label: data, in which neither `\\N` nor `&lt;` means anything, centred line by line."""
    return "\\n".join(html.escape(text).replace("\\", r"\\") for text in lines)


def round_shape(text: str) -> Attributes:
    """Return a circle, or for a longer text an ellipse, which takes less room."""
    return {"shape": "circle" if len(text) <= LONGEST_IN_CIRCLE else "ellipse", "margin": "0.03"}
