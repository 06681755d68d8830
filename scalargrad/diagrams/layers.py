"""The facts that the pictures of networks need of a model's layers. Layers are told by what they hold, not by class."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..engine.graph import topological_order
from ..engine.value import Value

__all__ = ["Layer", "layers_of", "pattern_of"]

Pattern = frozenset[tuple[int, int]]
"""The pairs (k, j) for which output k depends on input j."""

PROBES = (0.5, -0.5)


@dataclass(frozen=True)
class Layer:
    """A layer of `nout` units with `nin` inputs and `width` outputs; `weights[j][i]` is that of unit j for input i.

    `affine` is True if it has z apart from y. `pattern` has the pairs (k, j) for which yₖ depends on zⱼ, or on input j
    of a layer without z. `run` gives z and y for inputs.
    """

    activation: str
    nin: int
    nout: int
    width: int
    weights: Sequence[Sequence[Value]]
    biases: Sequence[Value]
    pattern: Pattern
    run: Callable[[Sequence[Any]], tuple[list[Any], list[Any]]]
    affine: bool = True
    elementwise: bool = True

    @property
    def sizes(self) -> str:
        """The numbers of inputs and of outputs, and of z if they differ."""
        return "→".join(map(str, [self.nin, self.nout, *([self.width] if self.width != self.nout else [])]))

    @property
    def kind(self) -> str:
        """The pattern of the Jacobian ∂y/∂z: diagonal, full, or the number of its entries."""
        return pattern_of(self.pattern, self.width, self.nout if self.affine else self.nin)

    def dead(self) -> frozenset[int]:
        """Return the units that nothing reaches: the gradients of all their weights are 0."""
        return frozenset(j for j, row in enumerate(self.weights) if not any(weight.grad for weight in row))


def pattern_of(entries: Collection[tuple[int, int]], rows: int, columns: int) -> str:
    """Return the name of a matrix's pattern, given the places of its entries.

    >>> pattern_of({(0, 0), (1, 1)}, 2, 2), pattern_of({(0, 0), (0, 1)}, 1, 2), pattern_of({(0, 0), (1, 2)}, 2, 3)
    ('diagonal', 'full', '2 of 6 entries')
    """
    if rows == columns and all(row == column for row, column in entries):
        return "diagonal"
    count = len(set(entries))
    return "full" if count == rows * columns else f"{count} of {rows * columns} entries"


def layers_of(who: str, model: Any) -> list[Layer]:
    """Return the layers of a network in order. Raises `TypeError` for a part that is no layer."""
    layers: list[Layer] = []
    for found in _found(who, model):
        if isinstance(found, Layer):
            layers.append(found)
        elif layers:
            layers[-1] = _with_factors(layers[-1], found)
        else:
            raise TypeError(f"{who}: {found!r} comes before the first layer; draw the layers after it")
    if not layers:
        raise TypeError(f"{who}: {model!r} has no layers; give a network such as nn.MLP, or a layer")
    return layers


def _with_factors(layer: Layer, factors: Callable[[Sequence[Any]], list[Any]]) -> Layer:
    """Return a layer whose outputs are multiplied by random factors, as by dropout."""

    def run(inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        zs, ys = layer.run(inputs)
        return zs, factors(ys)

    return replace(layer, activation=f"{layer.activation}, {type(factors).__name__.lower()}", run=run)


def _found(who: str, part: Any) -> Iterator[Any]:
    if hasattr(part, "layers"):
        for inner in part.layers:
            yield from _found(who, inner)
    elif hasattr(part, "neurons"):
        yield _of_neurons(part, part.neurons, part.activation, part.width)
    elif hasattr(part, "weights") and hasattr(part, "bias"):
        yield _of_neurons(part, [part], part.activation, 1)
    elif hasattr(part, "exponents"):
        everything = frozenset((i, j) for i in range(part.nout) for j in range(part.nin))
        run = _without_z(part)
        yield Layer("product", part.nin, part.nout, part.nout, part.exponents, [], everything, run, False, False)
    elif hasattr(part, "sample"):
        yield part  # random factors, which belong to the layer before
    else:
        raise TypeError(f"{who}: {part!r} has no units to draw; give a network of layers, such as nn.MLP")


def _without_z(part: Any) -> Callable[[Sequence[Any]], tuple[list[Any], list[Any]]]:
    return lambda inputs: ([], list(part(inputs)))


def _of_neurons(part: Any, neurons: Sequence[Any], activation: Any, width: int) -> Layer:
    weights, biases = [neuron.weights for neuron in neurons], [neuron.bias for neuron in neurons]
    elementwise = not getattr(activation, "vector", False)
    diagonal = frozenset((j, j) for j in range(len(neurons)))
    pattern = diagonal if elementwise else _pattern(activation, len(neurons), width)

    def run(inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        zs = [neuron.combine(inputs) for neuron in neurons]
        return zs, list(map(activation, zs)) if elementwise else list(activation(zs))

    only_own = pattern <= diagonal
    return Layer(_name(activation), part.nin, len(neurons), width, weights, biases, pattern, run, elementwise=only_own)


def _pattern(activation: Any, count: int, width: int) -> Pattern:
    """Return the pairs that a vector activation joins, found by following the graph of what it computes.

    An activation that can be computed at no point tried is taken to join all.
    """
    found: set[tuple[int, int]] = set()
    for start in PROBES:
        zs = [Value(start + 0.01 * j) for j in range(count)]
        try:
            ys = list(activation(zs))
        except (ArithmeticError, ValueError):
            continue
        reached = {id(z): {j} for j, z in enumerate(zs)}
        for node in topological_order(*(y for y in ys if isinstance(y, Value))):
            reached.setdefault(id(node), set()).update(*(reached[id(parent)] for parent, _ in node.edges()))
        found |= {(k, j) for k, y in enumerate(ys) for j in reached.get(id(y), ())}
    return frozenset(found or {(k, j) for k in range(width) for j in range(count)})


def _name(activation: Any) -> str:
    name = getattr(activation, "__name__", type(activation).__name__)
    return "f" if name == "<lambda>" else str(name)
