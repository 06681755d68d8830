"""How the core tells a recording what a function does with Values. Nobody listens unless one is under way."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..rows import Functions, Primitive
    from .value import Value


class RecordingError(TypeError):
    """What a function does can't be recorded as a program; the message names what to write instead."""


class Observer(Protocol):
    """What a recording is told, and what it answers."""

    def computed(self, primitive: Primitive, args: Sequence[Any], nodes: Sequence[Value], m: Functions) -> None:
        """A row made these nodes from these arguments; `m` tells whether it would have refused."""

    def applied(self, primitive: Primitive, args: tuple[Any, ...], m: Functions) -> Any:
        """What `evaluate` gives for the same, kept as well."""

    def decided(self, relation: str, x: Any, y: Any, outcome: bool) -> bool:
        """A comparison of Values was decided, for a Python branch: gives the outcome back."""
        raise NotImplementedError

    def less(self, x: Any, y: Any) -> Any:
        """The condition x < y, kept as an instruction."""

    def equal(self, x: Any, y: Any) -> Any:
        """The condition x = y, kept as an instruction."""

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition holds, else y, kept as an instruction."""

    def refusal(self, what: str, advice: str) -> Exception:
        """The error for what would leave the recording behind."""
        raise NotImplementedError


OBSERVER: ContextVar[Observer | None] = ContextVar("scalargrad_observer", default=None)
"""The recording under way in this thread, or None."""

DIFFERENTIATING: ContextVar[bool] = ContextVar("scalargrad_differentiating", default=False)
"""Whether a transform runs a function in this thread."""


def differentiating() -> bool:
    """Return True while a transform or a recording runs a function in this thread."""
    return DIFFERENTIATING.get() or OBSERVER.get() is not None
