"""The interpreter for nodes: partial derivatives as new nodes, so that they can be differentiated again.

It follows IEEE, like everything made while differentiating. A `select` gives the chosen side; in a recording it
remains an instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from ..interpreters.floats import IEEE
from ..interpreters.namespace import Namespace
from ..rows import Functions, Primitive
from .evaluation import evaluate
from .observer import OBSERVER, Observer
from .value import Value, data_of


class Nodes(Namespace):
    """The namespace `m` whose functions make a node if an operand is one."""

    def interpret(self, primitive: Primitive) -> Callable[..., Any]:
        def function(*args: Any) -> Any:
            recording = OBSERVER.get()
            return (evaluate if recording is None else recording.applied)(primitive, primitive.filled(args), IEEE)

        return function


def _less(x: Any, y: Any) -> Any:
    return data_of(x) < data_of(y) if (recording := OBSERVER.get()) is None else recording.less(x, y)


def _equal(x: Any, y: Any) -> Any:
    return data_of(x) == data_of(y) if (recording := OBSERVER.get()) is None else recording.equal(x, y)


def _select(condition: Any, x: Any, y: Any) -> Any:
    if isinstance(condition, bool):
        return x if condition else y
    return cast(Observer, OBSERVER.get()).select(condition, x, y)  # only a recording makes other conditions


OWN: dict[str, Callable[..., Any]] = {"less": _less, "equal": _equal, "select": _select}

NODES = cast(Functions, Nodes(OWN))


class Gate:
    """The derivative of a recorded choice with respect to one of its sides: an adjoint passes or is stopped.

    A factor 0 would turn an infinite adjoint into nan on the side that is not chosen.
    """

    __slots__ = ("condition", "passes")

    def __init__(self, condition: Any, passes: bool) -> None:
        self.condition = condition
        self.passes = passes

    def __rmul__(self, adjoint: Any) -> Any:
        sides = (adjoint, 0.0) if self.passes else (0.0, adjoint)
        return NODES.select(self.condition, *sides)


class Pole:
    """A partial derivative in a recording that can be infinite or nan: it stops an adjoint of 0."""

    __slots__ = ("partial",)

    def __init__(self, partial: Any) -> None:
        self.partial = partial

    def __rmul__(self, adjoint: Any) -> Any:
        if not isinstance(adjoint, Value):
            return 0.0 if adjoint == 0.0 else self.partial if adjoint == 1.0 else adjoint * self.partial
        return NODES.passed(adjoint, self.partial)


class Kink:
    """A partial derivative that has no derivative itself at points where `smooth` is 0.

    The contribution is marked, not the partial alone: an adjoint of 0 must not hide the kink.
    """

    __slots__ = ("args", "partial", "smooth")

    def __init__(self, partial: Any, args: Sequence[Any], smooth: Any) -> None:
        self.partial = partial
        self.args = args
        self.smooth = smooth

    def marked(self, amount: Any) -> Any:
        """Return the contribution as a number without a derivative with respect to the operands."""
        for arg in self.args:
            if isinstance(arg, Value):
                amount = NODES.kinked(amount, arg, self.smooth)
        return amount
