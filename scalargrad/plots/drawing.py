"""Parts that the figures share: axes, the looks of lines, and numbers on a grid."""

from __future__ import annotations

import math
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
    """Return the number of a Value, a number, or a list of one of them; `TypeError` for a list of several."""
    if isinstance(x, Value):
        return x.data
    if hasattr(x, "__len__") and not isinstance(x, str):
        if len(x) != 1:
            raise TypeError(f"a picture needs one output, got {len(x)}; choose one, as in lambda x: model(x)[0]")
        return number(x[0])
    return float(x)


def spread(low: float, high: float, count: int) -> list[float]:
    """Return `count` numbers from low to high, at equal distances."""
    if count < 2:
        raise ValueError(f"resolution is {count!r}; give a whole number of at least 2")
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def curve(f: Callable[..., Any], points: Sequence[tuple[float, ...]]) -> list[float]:
    """Return f at all points, with a gap (nan) at points that f refuses. If it refuses all, its error is raised."""
    numbers: list[float] = []
    refusal: Exception | None = None
    for point in points:
        try:
            numbers.append(number(f(*point)))
        except (ArithmeticError, ValueError) as error:
            numbers.append(math.nan)
            refusal = error
    if refusal is not None and all(map(math.isnan, numbers)):
        raise refusal
    return numbers


def grid(f: Callable[[float, float], Any], xs: Sequence[float], ys: Sequence[float]) -> list[list[float]]:
    """Return rows of f over the plane, one for each y, with gaps as in `curve`."""
    numbers = curve(f, [(x, y) for y in ys for x in xs])
    return [numbers[start : start + len(xs)] for start in range(0, len(numbers), len(xs))]


def looks(place: int) -> dict[str, Any]:
    return {"color": COLORS[place % len(COLORS)], "linestyle": DASHES[place % len(DASHES)]}


def array(rows: Sequence[Sequence[float]]) -> Any:
    import numpy as np

    return np.array(rows)


def mesh(xs: Sequence[float], ys: Sequence[float]) -> Any:
    import numpy as np

    return np.meshgrid(xs, ys)
