"""Networks: modules one after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..checks import list_of, size_of
from ..primitives import relu
from .activations import Activation, identity
from .initializers import Initializer, generator
from .labels import sized
from .layers import BIASES, WEIGHTS, Layer
from .module import Module

__all__ = ["MLP", "Sequential"]


class Sequential(Module):
    """A chain of modules or functions: each gets the output of the one before.

    The labels of the nodes have the numbers of their layers. Raises `ValueError` for no layers, and for a layer that
    takes another number of inputs than the one before has outputs; `TypeError` for what can't be called.

    >>> model = Sequential(Layer(2, 4, rng=1), Layer(4, 3, rng=2))
    >>> model
    Sequential(2 → 4 relu → 3 relu; 27 parameters)
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        if not layers:
            raise ValueError(f"{type(self).__name__}: needs at least one layer, got none")
        width = None
        for number, layer in enumerate(layers, 1):
            if not callable(layer):
                raise TypeError(f"{type(self).__name__}: layer {number} is {layer!r}, which can't be called")
            nin = getattr(layer, "nin", width)
            if width is not None and nin != width:
                raise ValueError(
                    f"{type(self).__name__}: layer {number} takes {nin} inputs, but the one before gives {width}"
                )
            width = getattr(layer, "width", None)
        self.layers: list[Any] = list(layers)
        for number, layer in enumerate(_numbered(self), 1):
            layer.set_labels(number)

    def __call__(self, inputs: Any) -> Any:
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def __repr__(self) -> str:
        nin = getattr(self.layers[0], "nin", "?")
        shape = " → ".join([str(nin), *map(sized, self.layers)])
        return f"{type(self).__name__}({shape}; {len(self.parameters())} parameters)"


class MLP(Sequential):
    """A multi-layer perceptron: `nin` inputs, then a layer of each size in `nouts`.

    Called with a list of `nin` numbers or Values, it returns the outputs: one Value for one output, else a list.
    `activation` is the activation of the hidden layers, or a list with one for each; `output` that of the last layer.
    The same seed or generator `rng` gives the same network. Raises `ValueError` for sizes below 1 and no layers.
    Source: EE514, "Feedforward Neural Network"; micrograd's `MLP(2, [16, 16, 1])` means the same.

    >>> model = MLP(2, [16, 16, 1])
    >>> len(model.parameters())
    337
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation | Sequence[Activation] = relu,
        output: Activation = identity,
        *,
        init: Initializer = WEIGHTS,
        bias_init: Initializer = BIASES,
        rng: random.Random | int = 0,
    ) -> None:
        rng = generator("MLP", rng)
        sizes = list_of("MLP", "nouts", nouts, "a list of the sizes of the layers")
        activations = [
            *(activation if isinstance(activation, (list, tuple)) else [activation] * len(sizes[1:])),
            output,
        ]
        if not sizes or len(activations) != len(sizes):
            raise ValueError(
                f"MLP: nouts has {len(sizes)} layers and needs at least one, with an activation for each hidden one; "
                f"got {len(activations) - 1}"
            )
        layers: list[Layer] = []
        width = size_of("MLP", "nin", nin)
        for number, (nout, function) in enumerate(zip(sizes, activations, strict=True), 1):
            size_of("MLP", f"the size of layer {number}", nout)
            layers.append(Layer(width, nout, function, init=init, bias_init=bias_init, rng=rng))
            width = layers[-1].width
        super().__init__(*layers)

    def __call__(self, inputs: Iterable[Any]) -> Any:
        outputs = super().__call__(inputs)
        return outputs[0] if len(outputs) == 1 else outputs


def _numbered(module: Module) -> list[Any]:
    """Return the layers in a module that number their nodes, in order."""
    parts = [part for _, part in module._parts() if isinstance(part, Module)]
    return [layer for part in parts for layer in ([part] if hasattr(part, "set_labels") else _numbered(part))]
