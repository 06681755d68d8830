"""Neurons and layers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from ..checks import function_of, size_of
from ..engine.value import Value
from ..primitives import affine, prod, relu
from ..primitives import pow as power
from .activations import Activation, is_vector, outputs_of
from .frozen import FrozenLayer
from .initializers import Initializer, constant, generator, uniform
from .inputs import Inputs
from .labels import indexed, named, sized
from .module import Module

__all__ = ["Layer", "Neuron", "ProductUnits"]

WEIGHTS = uniform(-1.0, 1.0)
BIASES = constant(0.0)
EXPONENTS = constant(1.0)


class Neuron(Module):
    """A neuron: the affine combination z = b + Σ wᵢxᵢ and its activation y = f(z), one node each.

    Called with `nin` numbers or Values, it returns y. `init` draws its weights and `bias_init` its bias; both get the
    size of its layer as `nout`. Neurons of one size and seed start the same. Raises `ValueError` for another number
    of inputs, `TypeError` for an activation that can't be called or an input that is not a number.
    Source: 11-785, "A first closer look at the network"; EE514, "Neuron Model".

    >>> neuron = Neuron(2, lambda z: 2 * z)
    >>> neuron.load_state_dict({"weights.0": 2.0, "weights.1": 3.0, "bias": 1.0})
    >>> neuron([10.0, 100.0]).data
    642.0
    """

    def __init__(
        self,
        nin: int,
        activation: Activation = relu,
        *,
        init: Initializer = WEIGHTS,
        bias_init: Initializer = BIASES,
        rng: random.Random | int = 0,
        nout: int = 1,
    ) -> None:
        rng = generator("Neuron", rng)
        self.nin = size_of("Neuron", "nin", nin)
        self.activation = function_of("Neuron", "the activation", activation, "a function, such as sg.tanh")
        function_of("Neuron", "init", init, "an initialiser, such as nn.glorot()")
        function_of("Neuron", "bias_init", bias_init, "an initialiser, such as nn.constant(0.0)")
        self.weights = [Value(init(rng, nin, nout)) for _ in range(nin)]
        self.bias = Value(bias_init(rng, nin, nout))
        self._inputs = Inputs("Neuron", nin)
        self.set_labels()

    def set_labels(self, j: int | None = None, layer: int | None = None) -> None:
        """Name the nodes of neuron j of a layer as the lectures do: zⱼ⁽ᵏ⁾, yⱼ⁽ᵏ⁾, wᵢⱼ⁽ᵏ⁾, bⱼ⁽ᵏ⁾."""
        own = () if j is None else (j,)
        self._z, self._y = indexed("z", *own, layer=layer), indexed("y", *own, layer=layer)
        self.bias.label = indexed("b", *own, layer=layer)
        for i, weight in enumerate(self.weights, 1):
            weight.label = indexed("w", i, *own, layer=layer)

    def combine(self, inputs: Sequence[Any]) -> Any:
        """Return the affine combination z of inputs that were checked."""
        z = affine(self.weights, inputs, self.bias)
        if type(z) is Value:
            z.label = self._z
        return z

    def activate(self, inputs: Sequence[Any]) -> Any:
        """Return the activation y of inputs that were checked."""
        y = self.activation(self.combine(inputs))
        if type(y) is Value and not y.label:
            y.label = self._y
        return y

    def __call__(self, inputs: Iterable[Any]) -> Any:
        return self.activate(self._inputs(inputs))


class Layer(Module):
    """A layer of `nout` neurons with the same inputs, with the options of `Neuron`; it returns the list of their y.

    A vector activation (see `vector`) takes all the z at once. `width` is the number of y. Raises `ValueError`,
    naming the layer, for another number of inputs, or of outputs of a vector activation.

    >>> layer = Layer(3, 2, init=constant(1.0))
    >>> [y.data for y in layer([1.0, 2.0, 3.0])]
    [6.0, 6.0]
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: Activation = relu,
        *,
        init: Initializer = WEIGHTS,
        bias_init: Initializer = BIASES,
        rng: random.Random | int = 0,
    ) -> None:
        rng = generator("Layer", rng)
        options: dict[str, Any] = {"init": init, "bias_init": bias_init, "rng": rng, "nout": nout}
        self.nin = size_of("Layer", "nin", nin)
        self.nout = size_of("Layer", "nout", nout)
        self.activation = function_of("Layer", "the activation", activation, "a function, such as sg.tanh")
        self.neurons = [Neuron(nin, activation, **options) for _ in range(nout)]
        self.width = outputs_of(activation, nout)
        self.set_labels()

    def set_labels(self, layer: int | None = None) -> None:
        """Name the nodes as those of this layer of a network, and the layer itself in messages."""
        self._name = "layer" if layer is None else f"layer {layer}"
        self._inputs = Inputs(self._name, self.nin)
        self._y = [indexed("y", j, layer=layer) for j in range(1, self.width + 1)]
        for j, neuron in enumerate(self.neurons, 1):
            neuron.set_labels(j, layer)

    def __call__(self, inputs: Iterable[Any]) -> list[Any]:
        checked = self._inputs(inputs)
        if not is_vector(self.activation):
            return [neuron.activate(checked) for neuron in self.neurons]
        outputs = list(self.activation([neuron.combine(checked) for neuron in self.neurons]))
        if len(outputs) != self.width:
            raise ValueError(
                f"{self._name}: its activation made {len(outputs)} outputs of {self.nout} z, expected {self.width}; "
                "give their number to nn.vector(f, outputs=…)"
            )
        return [named(y, label) for y, label in zip(outputs, self._y, strict=True)]

    def frozen(self) -> FrozenLayer:
        """Return the same layer on plain floats, which builds no graph."""
        rows = [([weight.data for weight in neuron.weights], neuron.bias.data) for neuron in self.neurons]
        activation = getattr(self.activation, "frozen", lambda: self.activation)()
        return FrozenLayer(self._name, self.nin, rows, activation)

    def __repr__(self) -> str:
        return f"Layer({self.nin} → {sized(self)}; {len(self.parameters())} parameters)"


class ProductUnits(Module):
    """A layer of multiplicative units yᵢ = Πₗ zₗ^αₗᵢ, whose parameters are the exponents.

    `exponents[i][l]` belongs to output i and input l; `init` draws it. Raises `ValueError` for another number of
    inputs, and for a negative z with a fractional exponent.
    Source: 11-785, "Multiplicative combination: can be viewed as a case of vector activations".

    >>> [y.data for y in ProductUnits(2, 1, init=constant(2.0))([3.0, 4.0])]
    [144.0]
    """

    def __init__(self, nin: int, nout: int, *, init: Initializer = EXPONENTS, rng: random.Random | int = 0) -> None:
        rng = generator("ProductUnits", rng)
        self.nin = size_of("ProductUnits", "nin", nin)
        self.nout = self.width = size_of("ProductUnits", "nout", nout)
        function_of("ProductUnits", "init", init, "an initialiser, such as nn.constant(1.0)")
        self.exponents = [[Value(init(rng, nin, nout)) for _ in range(nin)] for _ in range(nout)]
        self._inputs = Inputs("ProductUnits", nin)
        self.set_labels()

    def set_labels(self, layer: int | None = None) -> None:
        """Name the nodes as those of this layer of a network."""
        self._y = [indexed("y", i, layer=layer) for i in range(1, self.nout + 1)]
        for i, row in enumerate(self.exponents, 1):
            for source, exponent in enumerate(row, 1):
                exponent.label = indexed("α", source, i, layer=layer)

    def __call__(self, inputs: Iterable[Any]) -> list[Any]:
        checked = self._inputs(inputs)
        return [
            named(prod([power(z, exponent) for z, exponent in zip(checked, row, strict=True)]), label)
            for row, label in zip(self.exponents, self._y, strict=True)
        ]

    def __repr__(self) -> str:
        return f"ProductUnits({self.nin} → {self.nout}; {len(self.parameters())} parameters)"
