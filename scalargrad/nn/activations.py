"""Activations. Any function of one number is one: the rows of the table (`sg.step`, `sg.sigmoid`, `sg.tanh`,
`sg.relu`, `sg.leaky_relu`, `sg.softplus`, `sg.softmax`), those here, and your own.

A function of all the z of a layer at once is marked by `vector`. Source: 11-785, "Special case 1. Vector
activations", "Special Case 2: Multiplicative networks", "Subgradients and the Max".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..engine.value import Value
from ..primitives import leaky_relu, pos, prod
from ..primitives import max as largest
from ..primitives import pow as power
from ..primitives import sum as total
from .initializers import generator

__all__ = ["RandomizedLeakyReLU", "identity", "max_over", "pairs", "polynomial", "vector"]

Activation = Callable[[Any], Any]


def identity(z: Any) -> Any:
    """z itself, as a node of its own: the output of a regression. Source: EE514, "Activation Function".

    >>> identity(2.0)
    2.0
    """
    return pos(z)


class VectorActivation:
    """A function from the list of all z of a layer to the list of its y. Made by `vector`."""

    vector = True

    def __init__(self, function: Activation, outputs: Callable[[int], int], name: str) -> None:
        self.function = function
        self.outputs = outputs
        self.__name__ = name

    def __call__(self, zs: Sequence[Any]) -> list[Any]:
        return list(self.function(zs))


def vector(function: Activation, outputs: Callable[[int], int] | None = None) -> VectorActivation:
    """The function, marked as an activation of a whole layer: it takes the list of all z, and gives that of all y.

    `outputs` tells the number of y from the number of z; without it they are as many. Raises `TypeError` for
    what can't be called. Source: 11-785, "Special case 1. Vector activations".

    >>> centred = vector(lambda zs: [z - sum(zs) / len(zs) for z in zs])
    >>> centred([1.0, 3.0])
    [-1.0, 1.0]
    """
    if not callable(function):
        raise TypeError(f"vector: {function!r} can't be called; give a function from the list of z to that of y")
    return VectorActivation(function, outputs or (lambda count: count), getattr(function, "__name__", "vector"))


def is_vector(activation: Activation) -> bool:
    """Whether an activation takes all z of a layer at once."""
    return bool(getattr(activation, "vector", False))


def outputs_of(activation: Activation, count: int) -> int:
    """The number of y that an activation makes of so many z."""
    number: int = getattr(activation, "outputs", lambda n: n)(count)
    return number


def _pairs(zs: Sequence[Any]) -> list[Any]:
    if len(zs) % 2:
        raise ValueError(f"pairs: needs an even number of z, got {len(zs)}")
    return [zs[i] * zs[i + 1] for i in range(0, len(zs), 2)]


pairs = VectorActivation(_pairs, lambda count: count // 2, "pairs")
"""The products of neighbours, yᵢ = z₂ᵢ₋₁ z₂ᵢ: half as many y as z. Raises `ValueError` for an odd number of z.

Source: 11-785, "Multiplicative combination as a case of vector activations".

>>> pairs([2.0, 3.0, 4.0, 5.0])
[6.0, 20.0]
"""


def polynomial(outputs: Sequence[Sequence[tuple[float, Sequence[float]]]]) -> VectorActivation:
    """The vector activation yᵢ = Σ c Π zₗ^eₗ: each output is a list of terms (c, exponents of all the z).

    Raises `ValueError` for no outputs or terms, and, called, where the exponents are not as many as the z.
    Source: 11-785, "Vector Activations" ("linear combinations, polynomials, logistic").

    >>> polynomial([[(1.0, (2, 1))], [(3.0, (0, 1)), (-1.0, (1, 0))]])([2.0, 5.0])
    [20.0, 13.0]
    """
    if not outputs or not all(outputs):
        raise ValueError(f"polynomial: needs at least one output of at least one term, got {outputs!r}")

    def term(coefficient: float, exponents: Sequence[float], zs: Sequence[Any]) -> Any:
        if len(exponents) != len(zs):
            raise ValueError(f"polynomial: a term has {len(exponents)} exponents for {len(zs)} z")
        factors = [z if e == 1 else power(z, e) for z, e in zip(zs, exponents, strict=True) if e != 0]
        return prod(factors if coefficient == 1 and factors else [coefficient, *factors])

    def function(zs: Sequence[Any]) -> list[Any]:
        return [total([term(c, e, zs) for c, e in terms]) for terms in outputs]

    return VectorActivation(function, lambda count: len(outputs), "polynomial")


def max_over(subsets: Iterable[Iterable[int]]) -> VectorActivation:
    """The vector activation yⱼ = max of the zₗ with l in subset j, as in pooling; l counts from 0.

    The derivative is 1 for the first argmax of each subset and 0 for the rest. Raises `ValueError` for an empty
    subset, and, called, for an index beyond the z. Source: 11-785, "Subgradients and the Max".

    >>> max_over([(0, 1), (1, 2)])([1.0, 5.0, 7.0])
    [5.0, 7.0]
    """
    chosen = [tuple(subset) for subset in subsets]
    if not chosen or not all(chosen):
        raise ValueError(f"max_over: needs at least one subset, and none empty; got {chosen!r}")

    def function(zs: Sequence[Any]) -> list[Any]:
        for j, subset in enumerate(chosen):
            if not all(0 <= index < len(zs) for index in subset):
                raise ValueError(f"max_over: subset {j}, {subset}, has an index beyond the {len(zs)} z (from 0)")
        return [largest([zs[index] for index in subset]) for subset in chosen]

    return VectorActivation(function, lambda count: len(chosen), "max_over")


class RandomizedLeakyReLU:
    """Leaky relu with a random slope for each of `count` neurons, drawn uniformly from [lower, upper].

    The slopes are leaves, and `draw()` gives them new numbers from the caller's generator, say after each
    training step: so they enter a recorded program as inputs. A frozen model takes the mean slope.
    Raises `ValueError` unless lower ≤ upper. Source: Xu, Wang, Chen and Li, "Empirical evaluation of rectified
    activations", 2015, with its bounds; EE514 ("Leaky Rectified Linear Unit") takes any slope below 0.01.

    >>> activation = RandomizedLeakyReLU(2, rng=0)
    >>> before = [slope.data for slope in activation.slopes]
    >>> activation.draw()
    >>> before == [slope.data for slope in activation.slopes]
    False
    >>> [y.data for y in activation([1.0, 2.0])]
    [1.0, 2.0]
    """

    vector = True
    __name__ = "randomized_leaky_relu"

    def __init__(self, count: int, rng: random.Random | int, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        if not lower <= upper:
            raise ValueError(f"RandomizedLeakyReLU: needs lower ≤ upper, got {lower!r} and {upper!r}")
        self.lower = lower
        self.upper = upper
        self.rng = generator("RandomizedLeakyReLU", rng)
        self.slopes = [Value(0.0, label="α") for _ in range(count)]
        self.draw()

    def draw(self) -> None:
        """Give all slopes new random numbers."""
        for slope in self.slopes:
            slope.data = self.rng.uniform(self.lower, self.upper)

    def __call__(self, zs: Sequence[Any]) -> list[Any]:
        if len(zs) != len(self.slopes):
            raise ValueError(f"RandomizedLeakyReLU: has slopes for {len(self.slopes)} neurons, got {len(zs)} z")
        return [leaky_relu(z, slope) for z, slope in zip(zs, self.slopes, strict=True)]

    def frozen(self) -> VectorActivation:
        """The same with the mean slope, on plain floats."""
        mean = (self.lower + self.upper) / 2
        return vector(lambda zs: [leaky_relu(z, mean) for z in zs])
