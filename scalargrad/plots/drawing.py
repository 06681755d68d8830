"""Parts that the figures share: axes, the looks of lines, and numbers on a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..diagrams import style
from ..engine.value import Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Lines are told apart by their dashes too, not by colour alone.
LIGHT = style.LIGHT
COLORS = (LIGHT.value, LIGHT.derivative, LIGHT.activation["color"], LIGHT.output["color"], LIGHT.ink)
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))


def new_figure(
    rows: int = 1, columns: int = 1, width: float = 6.0, height: float = 4.0, **axes: Any
) -> tuple[Figure, list[Any]]:
    """Return a figure and the list of its axes."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError("scalargrad.plots needs the package matplotlib: pip install matplotlib") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False, **axes).flat)


def number(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


def spread(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def grid(f: Callable[[float, float], Any], xs: Sequence[float], ys: Sequence[float]) -> list[list[float]]:
    return [[number(f(x, y)) for x in xs] for y in ys]


def looks(place: int) -> dict[str, Any]:
    return {"color": COLORS[place % len(COLORS)], "linestyle": DASHES[place % len(DASHES)]}


def array(rows: Sequence[Sequence[float]]) -> Any:
    import numpy as np

    return np.array(rows)


def mesh(xs: Sequence[float], ys: Sequence[float]) -> Any:
    import numpy as np

    return np.meshgrid(xs, ys)
