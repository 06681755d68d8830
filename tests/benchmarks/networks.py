"""The networks that are trained: their shapes, their data and their loss, once for all tools."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Instance = tuple[Sequence[float], Sequence[float]]
"""The inputs and the targets."""


@dataclass(frozen=True)
class Network:
    """A multi-layer perceptron with linear outputs, and its training by gradient descent."""

    sizes: tuple[int, ...]
    """The number of inputs, and of each layer's neurons."""
    activation: str
    """That of the hidden layers, by its name in a tool's namespace `m`."""
    loss: str
    """A key of `LOSSES`."""
    data: Sequence[Instance]
    batch: int
    """How many instances a step takes."""
    rate: float = 0.1
    penalty: float = 0.0
    """The loss of a step has this times the sum of all parameters' squares."""
    steps: int = 3
    """How many steps, one batch after the other, are one run."""

    @property
    def parameters(self) -> list[float]:
        """The first parameters, in micrograd's order: neuron after neuron, its weights and then its bias."""
        rng = random.Random(1337)
        return [
            rng.uniform(-1, 1) / (1 if inputs < 20 else math.sqrt(inputs)) if i < inputs else 0.0
            for inputs, width in itertools.pairwise(self.sizes)
            for _ in range(width)
            for i in range(inputs + 1)
        ]

    def layers(self, parameters: Sequence[Any]) -> list[list[tuple[Sequence[Any], Any]]]:
        """The parameters as layers of neurons `(weights, bias)`."""
        remaining = iter(parameters)
        return [
            [([next(remaining) for _ in range(inputs)], next(remaining)) for _ in range(width)]
            for inputs, width in itertools.pairwise(self.sizes)
        ]

    def arrays(self) -> list[tuple[Any, Any]]:
        """The first parameters as NumPy arrays: each layer's weights, a row for each neuron, and its biases."""
        import numpy as np

        return [
            (np.array([weights for weights, _ in layer]), np.array([bias for _, bias in layer]))
            for layer in self.layers(self.parameters)
        ]

    def batches(self) -> list[Sequence[Instance]]:
        """The instances of each step of a run; after the last of the data the first come again."""
        starts = [step * self.batch % len(self.data) for step in range(self.steps)]
        return [self.data[start : start + self.batch] for start in starts]

    def array_batches(self) -> list[tuple[Any, Any]]:
        """The inputs and the targets of each step as NumPy arrays, a row for each instance."""
        import numpy as np

        return [(np.array([x for x, _ in batch]), np.array([d for _, d in batch])) for batch in self.batches()]

    def outputs(self, m: Any, layers: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        """The network's outputs for one instance, in plain arithmetic on numbers of a tool."""
        activate = getattr(m, self.activation)
        for layer in layers:
            sums = [sum((w * x for w, x in zip(weights, inputs, strict=True)), bias) for weights, bias in layer]
            inputs = sums if layer is layers[-1] else [activate(z) for z in sums]
        return list(inputs)

    def objective(self, m: Any, parameters: Sequence[Any], batch: Sequence[Instance]) -> Any:
        """The loss of a step."""
        layers = self.layers(parameters)
        losses = [LOSSES[self.loss](m, self.outputs(m, layers, x), d) for x, d in batch]
        mean = sum(losses) * (1.0 / len(losses))
        return mean + self.penalty * sum(p * p for p in parameters) if self.penalty else mean


LOSSES: dict[str, Callable[[Any, Sequence[Any], Sequence[float]], Any]] = {
    "max_margin": lambda m, y, d: m.relu(-d[0] * y[0] + 1),
    "cross_entropy": lambda m, y, d: m.log(sum(m.exp(z) for z in y)) - sum(z * t for z, t in zip(y, d, strict=True)),
    "squared_error": lambda m, y, d: sum((z - t) ** 2 for z, t in zip(y, d, strict=True)),
}
"""The loss of one instance, of the outputs y and the targets d."""


def moons(points: int = 100) -> Network:
    """micrograd's demo: two moons, relus, max-margin loss over all points and an L2 penalty."""
    data = two_moons(points)
    return Network((2, 16, 16, 1), "relu", "max_margin", data, batch=points, penalty=1e-4)


def two_moons(points: int) -> list[Instance]:
    """Two interleaved half circles with noise 0.1, labelled −1 and 1."""
    rng = random.Random(1337)
    data = []
    for i in range(points):
        upper, angle = i % 2 == 0, math.pi * i / points
        x, y = (math.cos(angle), math.sin(angle)) if upper else (1 - math.cos(angle), 0.5 - math.sin(angle))
        data.append(((x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)), (-1.0 if upper else 1.0,)))
    return data


def digits(batch: int = 16) -> Network:
    """The ten digits' network, 64 → 32 tanh → 10, in mini-batches; the images are noisy stand-ins of their size."""
    rng = random.Random(1337)
    shapes = [[rng.random() for _ in range(64)] for _ in range(10)]
    data = []
    for i in range(3 * batch):
        image = [pixel + rng.gauss(0, 0.1) for pixel in shapes[i % 10]]
        data.append((image, [float(number == i % 10) for number in range(10)]))
    return Network((64, 32, 10), "tanh", "cross_entropy", data, batch)


def square(width: int, batch: int) -> Network:
    """As many inputs as hidden neurons, and one output: for the widths from which arrays are faster than scalars."""
    rng = random.Random(1337)
    data = [([rng.gauss(0, 1) for _ in range(width)], (rng.gauss(0, 1),)) for _ in range(batch)]
    return Network((width, width, 1), "tanh", "squared_error", data, batch, rate=0.01)


NETWORKS: dict[str, Callable[..., Network]] = {f.__name__: f for f in (moons, digits, square)}
