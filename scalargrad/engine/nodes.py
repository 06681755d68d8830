"""The interpreter for nodes: local derivatives as new nodes, so that they can be differentiated again.

It follows IEEE, as everything does that is made while differentiating. A choice takes the chosen side;
while a program is recorded it stays an instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..interpreters.floats import IEEE
from ..interpreters.namespace import Namespace
from ..rows import Functions, Primitive
from .evaluation import evaluate
from .observer import OBSERVER, Observer
from .value import data_of


class Nodes(Namespace):
    """The namespace `m` whose functions record a node where an operand is one."""

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
    """The derivative of a recorded choice by one of its sides: it lets an adjoint pass or stops it.

    As a factor 0 it would turn an infinite adjoint of the other side into nan.
    """

    __slots__ = ("condition", "passes")

    def __init__(self, condition: Any, passes: bool) -> None:
        self.condition = condition
        self.passes = passes

    def __rmul__(self, adjoint: Any) -> Any:
        sides = (adjoint, 0.0) if self.passes else (0.0, adjoint)
        return NODES.select(self.condition, *sides)
