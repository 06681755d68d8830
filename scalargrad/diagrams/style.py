"""How the pictures look: colours, fonts and the attributes that all of them share. All pairs pass WCAG AA."""

from __future__ import annotations

import html
from collections.abc import Sequence

INK = "#1E293B"
VALUE = "#1D4ED8"
DERIVATIVE = "#9A3412"
EDGE = "#475569"

INPUT = {"fillcolor": "#DBEAFE", "color": "#1D4ED8"}
INTERMEDIATE = {"fillcolor": "#F8FAFC", "color": "#475569"}
OUTPUT = {"fillcolor": "#FEF3C7", "color": "#92400E"}
ACTIVATION = {"fillcolor": "#DCFCE7", "color": "#166534"}
OPERATOR = {"fillcolor": "#E2E8F0", "color": "#475569"}

MARKED = {"color": DERIVATIVE, "penwidth": "3"}
"""The way of a nan or an infinity."""

FONT = "Helvetica"
GRAPH = {"bgcolor": "white", "pad": "0.15", "nodesep": "0.35", "ranksep": "0.6"}
NODE = {"fontname": FONT, "fontsize": "14", "fontcolor": INK, "style": "filled", "penwidth": "1.5"}
LINE = {
    "fontname": FONT,
    "fontsize": "11",
    "fontcolor": DERIVATIVE,
    "color": EDGE,
    "penwidth": "1.3",
    "arrowsize": "0.8",
}

LONGEST_IN_CIRCLE = 4


def line(text: str, color: str, size: int) -> str:
    """A line of an HTML-like label; the text is data and is escaped."""
    return f'<font color="{color}" point-size="{size}">{escape(text)}</font>'


def escape(text: str) -> str:
    """Data as a part of an HTML-like label. What follows a backslash stands apart: `\\N` is the name of a node."""
    return html.escape(text).replace("\\", "<font>&#92;</font>")


def plain_label(*lines: str) -> str:
    """A plain label: data, in which neither `\\N` nor `&lt;` means anything, centred line by line."""
    return "\\n".join(html.escape(text).replace("\\", r"\\") for text in lines)


def stacked(lines: Sequence[str]) -> str:
    """An HTML-like label of lines one above the other."""
    rows = "".join(f"<tr><td>{text}</td></tr>" for text in lines)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{rows}</table>>'


def round_shape(text: str) -> dict[str, str]:
    """A circle, or for a longer text an ellipse, which takes less room."""
    return {"shape": "circle" if len(text) <= LONGEST_IN_CIRCLE else "ellipse", "margin": "0.03"}
