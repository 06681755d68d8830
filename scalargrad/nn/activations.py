"""Activations. Any function of one number is an activation: the primitives (`sg.step`, `sg.sigmoid`, `sg.tanh`,
`sg.relu`, `sg.leaky_relu`, `sg.softplus`, `sg.softmax`), those here, and your own.

`vector` marks a function of all the z of a layer at once. Source: 11-785, "Special case 1. Vector activations",
"Special Case 2: Multiplicative networks", "Subgradients and the Max".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..checks import function_of, list_of, number_of, size_of
from ..engine.value import Value
from ..primitives import abs as absolute
from ..primitives import clip, elu, leaky_relu, pos, prod, sigmoid
from ..primitives import max as largest
from ..primitives import pow as power
from ..primitives import sum as total
from ..rows import as_float
from .noise import Noise

__all__ = [
    "RandomizedLeakyReLU",
    "glu",
    "hard_tanh",
    "identity",
    "max_over",
    "pairs",
    "polynomial",
    "selu",
    "soft_sign",
    "vector",
]

Activation = Callable[[Any], Any]


def identity(z: Any) -> Any:
    """Return z itself, as a node of its own: the output of a regression. Source: EE514, "Activation Function".

    >>> identity(2.0)
    2.0
    """
    return pos(z)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu(z: Any) -> Any:
    """Return λ·elu(z, α) with the α and λ that keep mean 0 and variance 1 from layer to layer.

    Source: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-Normalizing Neural Networks" (2017).

    >>> round(selu(1.0), 6)
    1.050701
    """
    return elu(z, SELU_ALPHA) * SELU_SCALE


def hard_tanh(z: Any) -> Any:
    """Return z, held between −1 and 1: straight pieces in place of tanh.

    >>> hard_tanh(0.5), hard_tanh(-3.0)
    (0.5, -1.0)
    """
    return clip(z, -1.0, 1.0)


def soft_sign(z: Any) -> Any:
    """Return z / (1 + |z|), which goes to ±1 as a power, not as an exponential.

    >>> soft_sign(-3.0)
    -0.75
    """
    return z / (1.0 + absolute(z))


class VectorActivation:
    """A function from the list of all z of a layer to the list of its y. Made by `vector`."""

    vector = True

    def __init__(self, function: Activation, outputs: Callable[[int], int] | int | None, name: str) -> None:
        self.function = function
        self.count = outputs
        self.__name__ = name

    def outputs(self, count: int) -> int:
        """Return the number of y for a number of z."""
        if self.count is None:
            return count
        return self.count if isinstance(self.count, int) else self.count(count)

    def __call__(self, zs: Sequence[Any]) -> list[Any]:
        return list(self.function(zs))


def vector(function: Activation, outputs: Callable[[int], int] | None = None) -> VectorActivation:
    """Mark a function as an activation of a whole layer: it takes the list of all z and returns the list of all y.

    `outputs` gives the number of y for a number of z; without it they are equal. Raises `TypeError` for what can't
    be called. Source: 11-785, "Special case 1. Vector activations".

    >>> centred = vector(lambda zs: [z - sum(zs) / len(zs) for z in zs])
    >>> centred([1.0, 3.0])
    [-1.0, 1.0]
    """
    function_of("vector", "the function", function, "a function from the list of z to the list of y")
    if outputs is not None:
        function_of("vector", "outputs", outputs, "a function from the number of z to the number of y")
    return VectorActivation(function, outputs, getattr(function, "__name__", "vector"))


def is_vector(activation: Activation) -> bool:
    """Return True if an activation takes all z of a layer at once."""
    return bool(getattr(activation, "vector", False))


def outputs_of(activation: Activation, count: int) -> int:
    """Return the number of y that an activation makes of `count` z."""
    number: int = getattr(activation, "outputs", lambda n: n)(count)
    return number


def _pairs(zs: Sequence[Any]) -> list[Any]:
    if len(zs) % 2:
        raise ValueError(f"pairs: needs an even number of z, got {len(zs)}")
    return [zs[i] * zs[i + 1] for i in range(0, len(zs), 2)]


def _half(count: int) -> int:
    return count // 2


pairs = VectorActivation(_pairs, _half, "pairs")
"""The products of neighbours, yᵢ = z₂ᵢ₋₁ z₂ᵢ: half as many y as z. Raises `ValueError` for an odd number of z.

Source: 11-785, "Multiplicative combination as a case of vector activations".

>>> pairs([2.0, 3.0, 4.0, 5.0])
[6.0, 20.0]
"""


def _gated(zs: Sequence[Any]) -> list[Any]:
    if len(zs) % 2:
        raise ValueError(f"glu: needs an even number of z, got {len(zs)}")
    half = len(zs) // 2
    return [z * sigmoid(gate) for z, gate in zip(zs[:half], zs[half:], strict=True)]


glu = VectorActivation(_gated, _half, "glu")
"""The gated linear units zᵢ · σ(zᵢ₊ₙ): half as many y as z. Raises `ValueError` for an odd number of z.

Source: Dauphin, Fan, Auli, Grangier, "Language Modeling with Gated Convolutional Networks" (2017).

>>> glu([2.0, 3.0, 0.0, 0.0])
[1.0, 1.5]
"""


def polynomial(outputs: Sequence[Sequence[tuple[float, Sequence[float]]]]) -> VectorActivation:
    """Return the vector activation yᵢ = Σ c Π zₗ^eₗ: each output is a list of terms (c, exponents of all the z).

    Raises `ValueError` for no outputs or terms, and its call does for exponents that differ in number from the z.
    Source: 11-785, "Vector Activations" ("linear combinations, polynomials, logistic").

    >>> polynomial([[(1.0, (2, 1))], [(3.0, (0, 1)), (-1.0, (1, 0))]])([2.0, 5.0])
    [20.0, 13.0]
    """
    for terms in list_of("polynomial", "outputs", outputs, "a list of terms for each output"):
        for entry in list_of("polynomial", "an output", terms, "a list of terms"):
            if not isinstance(entry, (tuple, list)) or len(entry) != 2 or as_float(entry[0]) is None:
                raise TypeError(f"polynomial: a term is {entry!r}; give a pair: a factor, and the exponents of all z")
            list_of("polynomial", "the exponents of a term", entry[1], "a number for each z")
    if not len(outputs) or not all(map(len, outputs)):
        raise ValueError(f"polynomial: needs at least one output of at least one term, got {outputs!r}")
    return VectorActivation(partial(_polynomial, outputs), len(outputs), "polynomial")


def _polynomial(outputs: Sequence[Sequence[tuple[float, Sequence[float]]]], zs: Sequence[Any]) -> list[Any]:
    return [total([_term(c, exponents, zs) for c, exponents in terms]) for terms in outputs]


def _term(coefficient: float, exponents: Sequence[float], zs: Sequence[Any]) -> Any:
    if len(exponents) != len(zs):
        raise ValueError(f"polynomial: a term has {len(exponents)} exponents for {len(zs)} z")
    factors = [z if e == 1 else power(z, e) for z, e in zip(zs, exponents, strict=True) if e != 0]
    return prod(factors if coefficient == 1 and factors else [coefficient, *factors])


def max_over(subsets: Iterable[Iterable[int]]) -> VectorActivation:
    """Return the vector activation yⱼ = max of the zₗ with l in subset j, as in pooling; l counts from 0.

    The derivative is 1 for the first argmax of each subset and 0 for the rest. Raises `ValueError` for an empty
    subset, and its call does for an index beyond the z. Source: 11-785, "Subgradients and the Max".

    >>> max_over([(0, 1), (1, 2)])([1.0, 5.0, 7.0])
    [5.0, 7.0]
    """
    advice = "lists of indices, such as [(0, 1), (1, 2)]"
    chosen = [
        tuple(list_of("max_over", f"subset {j}", subset, advice))
        for j, subset in enumerate(list_of("max_over", "subsets", subsets, advice))
    ]
    for j, subset in enumerate(chosen):
        if not all(type(index) is int for index in subset):
            raise TypeError(f"max_over: subset {j} is {subset!r}; give {advice}")
    if not chosen or not all(chosen):
        raise ValueError(f"max_over: needs at least one subset, and none empty; got {chosen!r}")
    return VectorActivation(partial(_max_over, chosen), len(chosen), "max_over")


def _max_over(subsets: Sequence[tuple[int, ...]], zs: Sequence[Any]) -> list[Any]:
    for j, subset in enumerate(subsets):
        if not all(0 <= index < len(zs) for index in subset):
            raise ValueError(f"max_over: subset {j}, {subset}, has an index beyond the {len(zs)} z (from 0)")
    return [largest([zs[index] for index in subset]) for subset in subsets]


class RandomizedLeakyReLU(Noise):
    """Leaky relu with a random slope for each of `count` neurons, drawn uniformly from [lower, upper].

    The slopes are leaves, but not parameters. `training.train` draws them anew for each instance; in a loop of your
    own, `draw()` does. Until then, and in a frozen model, they are their mean. Raises `ValueError` unless
    lower ≤ upper. Source: Xu, Wang, Chen and Li, "Empirical evaluation of rectified activations", 2015, with its
    bounds; EE514 ("Leaky Rectified Linear Unit") takes any slope below 0.01.

    >>> activation = RandomizedLeakyReLU(2, rng=0, lower=0.0, upper=0.5)
    >>> [slope.data for slope in activation.slopes]
    [0.25, 0.25]
    >>> activation.draw()
    >>> [slope.data == 0.25 for slope in activation.slopes]
    [False, False]
    >>> [y.data for y in activation([1.0, 2.0])]
    [1.0, 2.0]
    """

    vector = True
    __name__ = "randomized_leaky_relu"

    def __init__(self, count: int, rng: random.Random | int, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        self.lower = number_of("RandomizedLeakyReLU", "lower", lower)
        self.upper = number_of("RandomizedLeakyReLU", "upper", upper)
        if self.lower > self.upper:
            raise ValueError(f"RandomizedLeakyReLU: needs lower ≤ upper, got {lower!r} and {upper!r}")
        size_of("RandomizedLeakyReLU", "the number of neurons", count)
        super().__init__(count, rng, (self.lower + self.upper) / 2, "α")

    @property
    def slopes(self) -> list[Value]:
        """The slopes, as leaves."""
        return self._leaves

    def sample(self) -> list[float]:
        """Draw a slope for each neuron."""
        return [self.rng.uniform(self.lower, self.upper) for _ in range(self.count)]

    def __call__(self, zs: Sequence[Any]) -> list[Any]:
        if len(zs) != self.count:
            raise ValueError(f"RandomizedLeakyReLU: has slopes for {self.count} neurons, got {len(zs)} z")
        return [leaky_relu(z, slope) for z, slope in zip(zs, self.numbers(), strict=True)]

    def frozen(self) -> VectorActivation:
        """Return the same with the mean slope, on plain floats."""
        return VectorActivation(partial(_leaky, self.mean), None, self.__name__)


def _leaky(slope: float, zs: Sequence[Any]) -> list[Any]:
    return [leaky_relu(z, slope) for z in zs]
