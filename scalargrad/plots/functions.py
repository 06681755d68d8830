"""Pictures of functions: activations, costs, sigmoid neurons as steps, and the errors of differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.transforms import grad
from ..primitives import leaky_relu, log, pos, relu, sigmoid, softplus, step, tanh
from .drawing import COLORS, array, curve, grid, looks, mesh, new_figure, number, spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["activation_functions", "difference_errors", "loss_surfaces", "sigmoid_steps"]

ACTIVATIONS = (step, pos, sigmoid, tanh, relu, leaky_relu, softplus)
TITLES = {"pos": "linear"}


def activation_functions(
    functions: Iterable[Callable[[Any], Any]] = ACTIVATIONS, *, low: float = -4.0, high: float = 4.0
) -> Figure:
    """Draw activation functions, each with its derivative by `grad`, on axes of their own.

    A curve has a gap at points that its function refuses. Raises `ModuleNotFoundError` without matplotlib,
    `ValueError` for no functions. Source: EE514, "Activation Function"; 10-601, "Activation Functions".

    >>> [axes.get_title() for axes in activation_functions([sigmoid, relu]).axes]
    ['sigmoid', 'relu']
    """
    chosen = list(functions)
    if not chosen:
        raise ValueError("activation_functions: there are no functions; give at least one")
    columns = min(len(chosen), 4)
    rows = -(-len(chosen) // columns)
    figure, found = new_figure(rows, columns, 2.6 * columns + 0.6, 2.4 * rows + 0.3)
    xs = spread(low, high, 401)
    points = [(x,) for x in xs]
    for axes, function in zip(found, chosen, strict=False):
        name = getattr(function, "__name__", "f")
        derivative = grad(function)
        axes.axhline(0.0, color="#94A3B8", linewidth=0.6)
        axes.plot(xs, curve(function, points), label="f(z)", **looks(0))
        axes.plot(xs, curve(derivative, points), label="f′(z)", **looks(1))
        axes.set_title(TITLES.get(name, name))
    found[0].legend(frameon=False)
    for axes in found[len(chosen) :]:
        axes.remove()
    return figure


def loss_surfaces(*, reach: float = 4.0, resolution: int = 41) -> Figure:
    """Draw cross-entropy (black, on top) and quadratic cost (red) as surfaces over two weights, one for each layer.

    The network is y = σ(w₂ tanh(w₁ x)) with the target y* = 1 for x > 0 and 0 for x < 0; the costs are means over
    points from −2 to 2. Raises `ModuleNotFoundError` without matplotlib. Source: 10-601 Backpropagation,
    Figure 5 (after Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    2010): the quadratic cost is flat in places in which the cross-entropy still has a slope.

    >>> loss_surfaces(resolution=5).axes[0].get_zlabel()
    'cost'
    """
    figure, (axes,) = new_figure(width=6.5, height=5.5, subplot_kw={"projection": "3d"})
    points = [(x, 1.0 if x > 0 else 0.0) for x in spread(-2.0, 2.0, 8)]
    weights = spread(-reach, reach, resolution)
    entropy = grid(lambda w1, w2: _mean(_cross_entropy, w1, w2, points), weights, weights)
    quadratic = grid(lambda w1, w2: _mean(lambda y, d: 0.5 * (y - d) ** 2, w1, w2, points), weights, weights)
    across, along = mesh(weights, weights)
    for heights, color, name in ((entropy, "black", "cross-entropy"), (quadratic, "red", "quadratic")):
        axes.plot_wireframe(across, along, array(heights), color=color, linewidth=0.6, label=name)
    axes.set(xlabel="W₁", ylabel="W₂", zlabel="cost")
    axes.view_init(22, -60)
    axes.legend()
    return figure


def _mean(cost: Callable[[float, float], float], w1: float, w2: float, points: Sequence[tuple[float, float]]) -> float:
    return math.fsum(cost(sigmoid(w2 * tanh(w1 * x)), d) for x, d in points) / len(points)


def _cross_entropy(y: float, d: float) -> float:
    return -(log(y) if d else log(1.0 - y))


def sigmoid_steps(*, weight: float = 60.0, resolution: int = 61) -> Figure:
    """Draw sigmoid neurons with a very large weight as steps in the plane, and neurons that combine them.

    From left to right: a step in x, a step in y, both of them (AND), and a tower from four steps. Raises
    `ModuleNotFoundError` without matplotlib. Source: EE514, "Intuition: Example (Sigmoid neuron)", "(Multi layer)".

    >>> len(sigmoid_steps(resolution=5).axes)
    4
    """
    figure, found = new_figure(1, 4, 12.0, 3.4, subplot_kw={"projection": "3d"})

    def at(edge: float, x: float) -> float:
        return sigmoid(weight * (x - edge))

    surfaces: list[tuple[str, Callable[[float, float], float]]] = [
        ("σ(w(x − ½))", lambda x, y: at(0.5, x)),
        ("σ(w(y − ½))", lambda x, y: at(0.5, y)),
        ("both: h₁ + h₂ > 1½", lambda x, y: at(1.5, at(0.5, x) + at(0.5, y))),
        ("a tower of four", lambda x, y: at(1.5, at(0.3, x) - at(0.7, x) + at(0.3, y) - at(0.7, y))),
    ]
    places = spread(0.0, 1.0, resolution)
    across, along = mesh(places, places)
    for axes, (title, surface) in zip(found, surfaces, strict=True):
        heights = array(grid(surface, places, places))
        axes.plot_surface(across, along, heights, cmap="Blues", vmin=-0.3, rcount=resolution, ccount=resolution)
        axes.set(title=title, xlabel="x", ylabel="y", zlim=(0, 1))
    return figure


def difference_errors(f: Callable[[Any], Any], x: float) -> Figure:
    """Draw the relative error of difference quotients of f at x against their step h: the U-curve.

    At large h the quotients leave out higher derivatives, at small h they lose digits; `grad` does neither. The
    dashed lines mark the best steps, √ε and ∛ε. Raises `ModuleNotFoundError` without matplotlib, `ValueError`
    if the derivative is 0. Source: Nocedal and Wright, "Numerical Optimization", section 8.1.

    >>> len(difference_errors(lambda x: x**3, 2.0).axes[0].get_lines())
    4
    """
    figure, (axes,) = new_figure()
    exact = number(grad(f)(x))
    if exact == 0.0:
        raise ValueError(
            f"difference_errors: the derivative at {x!r} is 0, so nothing is relative to it; choose another x"
        )
    epsilon = math.ulp(1.0)
    hs = [10.0 ** (exponent / 4) for exponent in range(-60, 1)]

    def at(place: float) -> float:
        return number(f(place))

    kinds: list[tuple[str, Callable[[float], float], float]] = [
        ("forward: (f(x+h) − f(x)) / h", lambda h: (at(x + h) - at(x)) / h, epsilon**0.5),
        ("central: (f(x+h) − f(x−h)) / 2h", lambda h: (at(x + h) - at(x - h)) / (2 * h), epsilon ** (1 / 3)),
    ]
    for place, (name, slope, best) in enumerate(kinds):
        errors = [max(abs(s / exact - 1.0), epsilon / 10) for s in curve(slope, [(h,) for h in hs])]
        axes.plot(hs, errors, label=name, **looks(place))
        axes.axvline(best, color=COLORS[place], linewidth=0.7, linestyle="--")
    axes.set(xscale="log", yscale="log", xlabel="step h", ylabel="relative error")
    axes.legend(loc="upper center")
    return figure
