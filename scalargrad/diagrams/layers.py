"""What the pictures of networks need to know of a model's layers. They are told by what they hold, not by class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.value import Value


@dataclass(frozen=True)
class Layer:
    """A layer of `nout` units with `nin` inputs and `width` outputs; `weights[j][i]` is unit j's of input i.

    `affine` tells whether it has z apart from y, `elementwise` whether yⱼ comes from zⱼ alone.
    """

    activation: str
    nin: int
    nout: int
    width: int
    weights: Sequence[Sequence[Value]]
    affine: bool = True
    elementwise: bool = True

    @property
    def sizes(self) -> str:
        """The numbers of inputs and of outputs, and of z where they are others."""
        return "→".join(map(str, [self.nin, self.nout, *([self.width] if self.width != self.nout else [])]))

    def dead(self) -> frozenset[int]:
        """The units that nothing reaches: the gradients of all their weights are 0."""
        return frozenset(j for j, row in enumerate(self.weights) if not any(weight.grad for weight in row))


def layers_of(who: str, model: Any) -> list[Layer]:
    """The layers of a network in order. Raises `TypeError` for what has none, or a part that is no layer of units."""
    layers = list(_found(who, model))
    if not layers:
        raise TypeError(f"{who}: {model!r} has no layers; give a network such as nn.MLP, or a layer")
    return layers


def _found(who: str, part: Any) -> Iterator[Layer]:
    if hasattr(part, "layers"):
        for inner in part.layers:
            yield from _found(who, inner)
    elif hasattr(part, "neurons"):
        weights = [neuron.weights for neuron in part.neurons]
        elementwise = not getattr(part.activation, "vector", False)
        yield Layer(_name(part.activation), part.nin, part.nout, part.width, weights, elementwise=elementwise)
    elif hasattr(part, "weights") and hasattr(part, "bias"):
        yield Layer(_name(part.activation), part.nin, 1, 1, [part.weights])
    elif hasattr(part, "exponents"):
        yield Layer("product", part.nin, part.nout, part.nout, part.exponents, affine=False)
    else:
        raise TypeError(f"{who}: {part!r} has no units to draw; give a network of layers, such as nn.MLP")


def _name(activation: Any) -> str:
    name = getattr(activation, "__name__", type(activation).__name__)
    return "f" if name == "<lambda>" else str(name)
