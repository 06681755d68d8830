"""The network diagram: a layered net, z and y apart, layers in boxes, wide layers collapsed, with values if given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.value import Value
from .columns import WIDEST, boxes_of
from .diagram import Diagram
from .equations import check_digits
from .layers import layers_of
from .net_drawing import NetDrawing
from .passes import Passes, quadratic
from .paths import Path
from .picture import MAX_NODES
from .style import look_of

__all__ = ["network_diagram"]

SHOWN = (None, "weights", "gradients", "numbers")
BIASES = (None, "unit", "inside")


def network_diagram(
    model: Any,
    x: Sequence[Any] | None = None,
    d: Any = None,
    *,
    loss: Callable[[Sequence[Any], Sequence[float]], Any] = quadratic,
    show: str | None = None,
    bias: str | None = None,
    highlight: Any = None,
    widest: int | None = WIDEST,
    max_nodes: int | None = MAX_NODES,
    digits: int = 4,
    size: str = "screen",
    palette: str = "light",
) -> Diagram:
    """Return the picture of a network such as `nn.MLP`: its layers in boxes, with z and y = f(z) apart.

    Titles have activations and sizes. A layer of more than `widest` units shows the first four, dots and the last. A
    line leads from z to y only if y depends on z, so a `max_over` or `pairs` is not drawn as fully connected.

    With an input `x` each unit shows its value, and each line its number: the weight, or f′(z). With a target `d` too,
    there is the block Div = `loss(y, d)`, by default ½Σ(y − d)², and below each unit stands ż = ∂Div/∂z or ẏ = ∂Div/∂y.
    `highlight` is a weight or bias of the model: all its ways to Div are drawn bold, and the sum of their products, the
    derivative with respect to it, is written below; or it is one of these ways, as `sg.paths` returns them.

    `show="weights"` draws each weight's size as the width of its line and its sign by colour and dashes;
    `show="gradients"` does so with the gradients after `backward()`, and marks dead units, all of whose gradients
    are 0. Below each layer stand the mean and the largest size of its numbers and how many units are dead, those
    that are not drawn included. `show="numbers"` writes the weights on the lines, as is done for an `x`.
    `bias="unit"` draws the biases as weights of a unit y₀ = 1, `bias="inside"` writes them below z.

    Raises `TypeError` for a model without layers; `ValueError` for bad options, for gradients before any
    `backward()`, for other numbers of inputs or targets, and past `max_nodes` units drawn. Source: 11-785, "A first
    closer look at the network".

    >>> from scalargrad import nn
    >>> network_diagram(nn.MLP(3, [4, 4, 1]))
    <Diagram of 41 edges; .svg(), .png(), .save(path), .source>
    """
    who = "network_diagram"
    for name, given, known in (("show", show, SHOWN), ("bias", bias, BIASES)):
        if given not in known:
            raise ValueError(f"{who}: {name} is {given!r}; give one of {', '.join(map(repr, known))}")
    check_digits(who, digits)
    look = look_of(who, size, palette)
    layers = layers_of(who, model)
    if show == "gradients" and all(
        w.mark is None and not w.grad for layer in layers for row in layer.weights for w in row
    ):
        raise ValueError(f"{who}: there are no gradients yet; call backward() on a loss of the network first")
    if x is None and (d is not None or highlight is not None):
        raise ValueError(f"{who}: {'d' if d is not None else 'highlight'} needs an input x before it")
    passes = None if x is None else Passes(who, model, layers, x, d, loss)
    boxes = boxes_of(layers, widest, show, look, digits)
    count = sum(1 for box in boxes for column in box.columns for _ in column.units())
    if max_nodes is not None and count > max_nodes:
        raise ValueError(
            f"{who}: it would draw {count} units, more than {max_nodes}. Collapse wide layers with "
            f"widest={WIDEST}, draw vectors as single nodes with jacobian_diagram, or all of it with max_nodes=None"
        )
    ways: Sequence[Path] = []
    if isinstance(highlight, Value) and passes:
        ways = passes.paths(who, highlight)
    elif highlight is not None:
        ways = [highlight] if isinstance(highlight, Path) else list(highlight)
    return NetDrawing(boxes, look, passes, show, bias, ways, digits).picture()
