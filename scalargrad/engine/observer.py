"""The interface for recordings: the engine tells the current one, if there is one, what a function does with Values."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..rows import Functions, Primitive
    from .value import Value


class RecordingError(TypeError):
    """The error for a function that can't be recorded as a program; its message says what to write instead."""


class Observer(Protocol):
    """A recording, as the engine sees it."""

    def evaluated(self, primitive: Primitive, args: tuple[Any, ...], m: Functions) -> Any:
        """Return the result of `evaluate`, and record it; `NotImplemented` if no argument is recorded."""

    def refused(self) -> None:
        """Note that an operation raised an error for a bad operand."""

    def decided(self, relation: str, x: Any, y: Any, outcome: bool) -> bool:
        """Note that a comparison of Values decided a Python branch, and return its outcome."""
        raise NotImplementedError

    def linearization(self, leaves: Sequence[Value], roots: Sequence[Value]) -> Any:
        """Return the derivative of the roots with respect to the leaves, with the methods of `Linearization`."""

    def refusal(self, what: str, advice: str) -> Exception:
        """Return the error for an operation that a recording can't follow."""
        raise NotImplementedError


OBSERVER: ContextVar[Observer | None] = ContextVar("scalargrad_observer", default=None)
"""The recording under way in this thread, or None."""

DIFFERENTIATING: ContextVar[bool] = ContextVar("scalargrad_differentiating", default=False)
"""True while a transform runs a function in this thread."""


def differentiating() -> bool:
    """Return True while a transform or a recording runs a function in this thread."""
    return DIFFERENTIATING.get() or OBSERVER.get() is not None
