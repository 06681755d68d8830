"""The charts of the page: ratios per workload, and growth with the size of the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .tools import OURS

INK, OURS_COLOUR, PEER_COLOUR = "#1E293B", "#1D4ED8", "#94A3B8"


def draw(figures: dict[str, Any], folder: Path) -> list[Path]:
    """The charts that the figures allow, as SVG; none if matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["Helvetica", "DejaVu Sans"],
            "text.color": INK,
            "svg.hashsalt": "s",
        }
    )
    drawn = []
    if "eager" in figures:
        drawn.append(_ratios(figures["eager"]["tables"], folder / "benchmarks.svg"))
    if "memory" in figures:
        drawn.append(_growth(figures["memory"]["curves"], folder / "growth.svg"))
    return drawn


def _ratios(tables: dict[str, Any], path: Path) -> Path:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(tables), figsize=(12, 3.2), layout="constrained", squeeze=False)
    for axis, table in zip(axes[0], tables.values(), strict=True):
        fine = [(tool, x["ratio"]) for tool, x in table["tools"].items() if x.get("ratio") and "problem" not in x]
        fine.sort(key=lambda item: -item[1])
        colours = [OURS_COLOUR if tool == OURS else PEER_COLOUR for tool, _ in fine]
        bars = axis.barh([tool for tool, _ in fine], [ratio for _, ratio in fine], color=colours)
        axis.bar_label(bars, [f" {ratio:.3g}" if ratio >= 100 else f" {ratio:.2g}" for _, ratio in fine])
        axis.set(xscale="log", title=table["title"])
        axis.margins(x=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("time, micrograd = 1")
    return _saved(figure, path)


def _growth(curves: dict[str, Any], path: Path) -> Path:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
    for axis, key, title in ((axes[0], "seconds", "time, s"), (axes[1], "bytes", "memory after backward(), bytes")):
        for tool, points in curves.items():
            shown = [(point["ops"], point[key]) for point in points if point[key] > 0]
            axis.plot(
                *zip(*shown, strict=True), marker="o", label=tool, linewidth=2.5 if tool.startswith(OURS) else 1.2
            )
        axis.set(xscale="log", yscale="log", xlabel="nodes of the graph", title=title)
        axis.grid(alpha=0.3)
        axis.legend()
    return _saved(figure, path)


def _saved(figure: Any, path: Path) -> Path:
    import matplotlib.pyplot as plt

    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
