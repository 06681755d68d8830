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


def line(text: str, color: str, size: int) -> str:
    """A line of an HTML-like label; the text is data and is escaped."""
    return f'<font color="{color}" point-size="{size}">{html.escape(text)}</font>'


def stacked(lines: Sequence[str]) -> str:
    """An HTML-like label of lines one above the other."""
    rows = "".join(f"<tr><td>{text}</td></tr>" for text in lines)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{rows}</table>>'
