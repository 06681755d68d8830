"""Pictures of training: the loss, the decision boundary, and the path of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..diagrams import style
from ..engine.value import Value
from .drawing import grid, looks, new_figure, number, spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["decision_boundary", "descend", "loss_curve", "weight_trajectory"]


def loss_curve(losses: Any, *, log_scale: bool = False) -> Figure:
    """Draw the loss by epoch: of one training, as a sequence of numbers or a `training.History`, or of several by name.

    Raises `ModuleNotFoundError` without matplotlib, `ValueError` for no losses. Source: 11-785, "Training by
    BackProp", whose loss falls until it changes little.

    >>> figure = loss_curve({"lr 0.1": [1.0, 0.5, 0.3], "lr 0.01": [1.0, 0.9, 0.8]})
    >>> figure.axes[0].get_xlabel()
    'epoch'
    """
    figure, (axes,) = new_figure()
    named = losses if isinstance(losses, Mapping) else {"": losses}
    if not named:
        raise ValueError("loss_curve: there are no trainings; give at least one, by name")
    for place, (name, history) in enumerate(named.items()):
        numbers = [number(loss) for loss in getattr(history, "losses", history)]
        if not numbers:
            raise ValueError(
                f"loss_curve: there are no losses{f' of {name}' if name else ''}; train for an epoch or more"
            )
        axes.plot(range(1, len(numbers) + 1), numbers, label=name, **looks(place))
    axes.set(xlabel="epoch", ylabel="loss", yscale="log" if log_scale else "linear")
    if any(named):
        axes.legend()
    return figure


def decision_boundary(
    model: Callable[[list[float]], Any],
    points: Sequence[Sequence[float]],
    labels: Sequence[float],
    *,
    threshold: float = 0.0,
    resolution: int = 60,
) -> Figure:
    """Draw the plane of two inputs in the colours of the model's output, with the points and the decision boundary.

    The boundary is the line on which the output is `threshold`, and points with labels above it are of one class: give
    0 for labels −1 and 1, ½ for 0 and 1. A model that can be frozen is, so no graph is built. Raises
    `ModuleNotFoundError` without matplotlib, `ValueError` for another number of labels than points. Source: EE514,
    "Intuition: XOR example".

    >>> figure = decision_boundary(lambda x: x[0] + x[1], [(0, 0), (1, 1)], [-1, 1], threshold=0.5)
    """
    figure, (axes,) = new_figure(width=5.5, height=4.5)
    if len(points) != len(labels) or not len(points):
        raise ValueError(f"decision_boundary: {len(points)} points need as many labels, got {len(labels)}")
    predict = model.frozen() if hasattr(model, "frozen") else model
    sides = [[float(point[i]) for point in points] for i in (0, 1)]
    margins = [0.15 * (max(side) - min(side) or 1.0) for side in sides]
    xs, ys = (spread(min(s) - m, max(s) + m, resolution) for s, m in zip(sides, margins, strict=True))
    heights = grid(lambda x, y: predict([x, y]), xs, ys)
    reach = max([abs(h - threshold) for row in heights for h in row if math.isfinite(h)], default=0.0) or 1.0
    limits = {"vmin": threshold - reach, "vmax": threshold + reach}
    extent = (xs[0], xs[-1], ys[0], ys[-1])
    look = {"cmap": "RdBu", "alpha": 0.6, "interpolation": "bilinear", "aspect": "auto", "origin": "lower"}
    shades = axes.imshow(heights, extent=extent, **look, **limits)
    if any(h < threshold for row in heights for h in row) and any(h > threshold for row in heights for h in row):
        axes.contour(xs, ys, heights, levels=[threshold], colors=style.INK)
    for above, color, marker in ((False, style.DERIVATIVE, "o"), (True, style.VALUE, "^")):
        chosen = [point for point, d in zip(points, labels, strict=True) if (d > threshold) is above]
        axes.scatter(*zip(*chosen, strict=True), color=color, marker=marker, edgecolor="white") if chosen else None
    figure.colorbar(shades, label="output")
    axes.set(xlabel="x₁", ylabel="x₂")
    return figure


def descend(
    loss: Callable[..., Any], start: Sequence[float], optimizer: Callable[[list[Value]], Any], steps: int
) -> list[list[float]]:
    """Return the weights at the start and after each step of an optimiser; the loss takes a number for each weight.

    >>> from scalargrad.optim import SGD
    >>> descend(lambda a, b: a * a + b * b, [1.0, 2.0], lambda weights: SGD(weights, 0.25), steps=2)
    [[1.0, 2.0], [0.5, 1.0], [0.25, 0.5]]
    """
    weights = [Value(weight) for weight in start]
    chosen = optimizer(weights)
    path = [[weight.data for weight in weights]]
    for _ in range(steps):
        loss(*weights).backward()
        chosen.step()
        for weight in weights:
            weight.grad = 0.0
        path.append([weight.data for weight in weights])
    return path


def weight_trajectory(
    loss: Callable[[float, float], Any],
    paths: Mapping[str, Sequence[Sequence[float]]],
    *,
    resolution: int = 60,
    equal: bool = False,
) -> Figure:
    """Draw paths through the plane of two weights, by name, over the contours of the loss.

    A path is a list of pairs, as `descend` makes it or as the `trajectory` of a `training.History` of two weights.
    With `equal`, both axes have one scale, so that a long valley looks long. Raises `ModuleNotFoundError` without
    matplotlib, `ValueError` for no path. Source: "Derivation of Backpropagation", "Weight Space Trajectory",
    "Without Momentum" and "Momentum".

    >>> from scalargrad.optim import SGD
    >>> def valley(a, b):
    ...     return 0.5 * (a * a + 10 * b * b)
    >>> plain = descend(valley, [-4.0, 1.0], lambda weights: SGD(weights, 0.15), 20)
    >>> heavy = descend(valley, [-4.0, 1.0], lambda weights: SGD(weights, 0.05, momentum=0.8), 20)
    >>> figure = weight_trajectory(valley, {"without momentum": plain, "momentum": heavy})
    """
    figure, (axes,) = new_figure(height=4.5)
    if not paths or not all(len(path) and all(len(pair) == 2 for pair in path) for path in paths.values()):
        raise ValueError(f"weight_trajectory: needs at least one path of pairs of weights, got {dict(paths)!r:.200}")
    sides = [[float(pair[i]) for path in paths.values() for pair in path] for i in (0, 1)]
    spans = [1.4 * (max(side) - min(side) or 1.0) for side in sides]
    if equal:
        spans = [max(spans[0], spans[1] * 4 / 3), max(spans[1], spans[0] * 3 / 4)]
        axes.set_aspect("equal")
    middles = [(max(side) + min(side)) / 2 for side in sides]
    xs, ys = (spread(middle - s / 2, middle + s / 2, resolution) for middle, s in zip(middles, spans, strict=True))
    heights = grid(loss, xs, ys)
    # Levels by quantiles: as many lines in the flat as on the slopes.
    ordered = sorted(h for row in heights for h in row if math.isfinite(h))
    levels = sorted({ordered[len(ordered) * i // 16] for i in range(1, 16)} if ordered else ())
    if levels:
        axes.contour(xs, ys, heights, levels=levels, colors="#94A3B8", linewidths=0.8)
    for place, (name, path) in enumerate(paths.items()):
        axes.plot(*zip(*path, strict=True), marker="o.sD^"[place % 5], markersize=4, label=name, **looks(place))
    axes.set(xlabel="w₁", ylabel="w₂")
    axes.legend()
    return figure
