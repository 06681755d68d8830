"""Layers with random numbers of their own, which are inputs of the computation and not drawn within it."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from ..checks import number_of, size_of
from ..engine.value import Value
from .initializers import generator
from .inputs import Inputs
from .labels import indexed
from .module import Module

__all__ = ["Dropout", "Noise", "noise_layers", "replaced"]

REPLACED: ContextVar[dict[int, Sequence[Any]] | None] = ContextVar("scalargrad_noise", default=None)
"""The numbers of the layers in a training, by the layer's id; None outside of a training."""


class Noise(Module):
    """A layer with `count` random numbers, kept as leaves that are not parameters.

    They are `mean` until `draw()` gives them new numbers from the layer's generator. So a call draws nothing itself,
    and a recorded program reads them as inputs. A subclass defines `sample()`.
    """

    def __init__(self, count: int, rng: random.Random | int, mean: float, label: str) -> None:
        self.count = count
        self.rng = generator(type(self).__name__, rng)
        self.mean = mean
        self._leaves = [Value(mean, label=indexed(label, i)) for i in range(1, count + 1)]

    def numbers(self) -> Sequence[Any]:
        """Return the random numbers to compute with: the leaves, or those that a training gives."""
        given = REPLACED.get()
        if given is None:
            return self._leaves
        if id(self) not in given:
            raise TypeError(
                f"train: the model calls a {type(self).__name__}, but train can't find it to draw its random numbers; "
                "give train an nn.Module that has it in an attribute, or call a frozen() model for a plain prediction"
            )
        return given[id(self)]

    def sample(self) -> list[float]:
        """Draw `count` random numbers from the generator, and return them."""
        raise NotImplementedError(f"{type(self).__name__} defines no sample()")

    def _set_noise(self, drawn: bool) -> None:
        numbers = self.sample() if drawn else [self.mean] * self.count
        for leaf, number in zip(self._leaves, numbers, strict=True):
            leaf.data = number


class Dropout(Noise):
    """A layer that sets each of `count` inputs to 0 with probability p, and divides the others by 1 − p.

    `training.train` draws anew for each instance. In a loop of your own, call `model.draw()` before each instance
    and `model.eval()` after the training: until `draw()` is called, and in a frozen model, all inputs pass
    unchanged. Layers with one seed drop the same places, so give them different seeds, or one `random.Random`.
    Raises `ValueError` for a p outside [0, 1) and for another number of inputs. Source: Srivastava, Hinton,
    Krizhevsky, Sutskever and Salakhutdinov, "Dropout", JMLR 2014, in the form that scales while it trains.

    >>> dropout = Dropout(4, rng=1, p=0.5)
    >>> [y.data for y in dropout([1.0, 2.0, 3.0, 4.0])]
    [1.0, 2.0, 3.0, 4.0]
    >>> dropout.draw()
    >>> [y.data for y in dropout([1.0, 2.0, 3.0, 4.0])]
    [0.0, 4.0, 6.0, 0.0]
    """

    def __init__(self, count: int, rng: random.Random | int, p: float = 0.5) -> None:
        self.nin = self.width = size_of("Dropout", "the number of inputs", count)
        self.p = number_of("Dropout", "p", p, 0.0, 1.0)
        self._inputs = Inputs("Dropout", count)
        super().__init__(count, rng, 1.0, "m")

    def sample(self) -> list[float]:
        """Draw a factor for each input: 0 with probability p, else 1 / (1 − p)."""
        kept = 1.0 / (1.0 - self.p)
        return [0.0 if self.rng.random() < self.p else kept for _ in range(self.count)]

    def __call__(self, inputs: Iterable[Any]) -> list[Any]:
        return [x * factor for x, factor in zip(self._inputs(inputs), self.numbers(), strict=True)]

    def frozen(self) -> Inputs:
        """Return a function that passes a list of numbers unchanged."""
        return Inputs("Dropout", self.count, graph=False)

    def __repr__(self) -> str:
        return f"Dropout({self.count}, p={self.p!r})"


def noise_layers(model: Any) -> list[Noise]:
    """Return all layers of a model that use random numbers, in order; none if it is not a module."""
    return [layer for layer in model.modules() if isinstance(layer, Noise)] if isinstance(model, Module) else []


@contextlib.contextmanager
def replaced(layers: Sequence[Noise], numbers: Sequence[Any]) -> Iterator[None]:
    """Let the layers compute with these numbers inside the block: floats, or Values of a recording, layer by layer."""
    given: dict[int, Sequence[Any]] = {}
    start = 0
    for layer in layers:
        given[id(layer)] = numbers[start : start + layer.count]
        start += layer.count
    token = REPLACED.set(given)
    try:
        yield
    finally:
        REPLACED.reset(token)
