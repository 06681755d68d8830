"""Layers on plain floats: prediction without a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..engine.fastcalls import compile_plain
from ..rows import Fixed, Unary
from .activations import Activation, is_vector
from .inputs import Inputs

__all__ = ["FrozenLayer"]


class FrozenLayer:
    """A layer with the numbers that it had when it was frozen: from a list of numbers it makes a list of floats."""

    def __init__(self, name: str, nin: int, rows: Sequence[tuple[list[float], float]], activation: Activation) -> None:
        self.name = name
        self.nin = nin
        self.rows = rows
        self.activation = activation
        self._inputs = Inputs(name, nin, graph=False)
        self._function = compile_plain(activation) if isinstance(activation, (Unary, Fixed)) else activation

    def __call__(self, inputs: Iterable[Any]) -> list[float]:
        numbers = self._inputs(inputs)
        zs = []
        # The sum of `sg.affine`, in its order.
        for weights, z in self.rows:
            for weight, x in zip(weights, numbers):  # noqa: B905 (their number was checked)
                z += weight * x  # noqa: PLW2901
            zs.append(z)
        if is_vector(self.activation):
            return list(self._function(zs))
        return list(map(self._function, zs))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.nin, self.rows, self.activation)  # the compiled function can't be pickled
