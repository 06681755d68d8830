"""The check of a layer's inputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..engine.value import Value
from ..rows import as_float

NUMBERS = frozenset({Value, float})


class Inputs:
    """The check of a layer's inputs: called with them, it returns their list, with plain numbers as floats.

    Raises `ValueError` for another number of inputs than `nin` and `TypeError` for what is not a number; both name
    the layer. Values pass unless `graph` is false.
    """

    def __init__(self, name: str, nin: int, graph: bool = True) -> None:
        self.name = name
        self.nin = nin
        self.kinds = NUMBERS if graph else frozenset({float})

    def __call__(self, inputs: Iterable[Any]) -> list[Any]:
        if not isinstance(inputs, Iterable) or isinstance(inputs, (str, bytes)):
            raise TypeError(f"{self.name}: needs a list of {self.nin} inputs, got {inputs!r}")
        numbers = inputs if type(inputs) is list else list(inputs)
        if len(numbers) != self.nin:
            raise ValueError(f"{self.name}: needs {self.nin} inputs, got {len(numbers)}")
        if self.kinds.issuperset(map(type, numbers)):
            return numbers
        return [self._number(index, x) for index, x in enumerate(numbers)]

    def _number(self, index: int, x: Any) -> Any:
        allowed = isinstance(x, Value) and Value in self.kinds
        number = x if allowed else as_float(x)
        if number is None:
            advice = "; give its .data, or call the model that was frozen" if isinstance(x, Value) else ""
            raise TypeError(f"{self.name}: input {index} is {x!r}, a {type(x).__name__}, not a number{advice}")
        return number
