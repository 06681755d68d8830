"""Results of a program that find their local derivatives when a sweep first asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.value import Value

__all__ = ["Deferred"]


class Deferred(Value):
    """A node whose `partials` by its parents are computed at first use, where a function has many results."""

    __slots__ = ("_derivatives", "_found")

    def __init__(
        self,
        primitive: Any,
        args: tuple[Value | float, ...],
        data: float,
        derivatives: Callable[[], Sequence[float]],
        parents: tuple[Value, ...],
    ) -> None:
        self._found: tuple[float, ...] | None = None
        super().__init__(data)
        self.primitive = primitive
        self.first, self.second = args, parents
        self._derivatives = derivatives

    @property
    def partial_first(self) -> Any:
        """The local derivatives by the parents, as every node of more than two operands has them."""
        if self._found is None:
            self._found = tuple(self._derivatives())
        return self._found

    @partial_first.setter
    def partial_first(self, found: tuple[float, ...] | None) -> None:
        self._found = found
