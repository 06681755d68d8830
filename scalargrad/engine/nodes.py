"""The interpreter for nodes: partial derivatives as new nodes, so that they can be differentiated again.

It follows IEEE, like everything made while differentiating. A `select` gives the chosen side; in a recording it
remains an instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from ..interpreters.floats import IEEE
from ..interpreters.namespace import Namespace
from ..primitives import equal, less, select
from ..rows import Functions, Primitive
from .evaluation import evaluate
from .observer import OBSERVER
from .value import Value, data_of


class Nodes(Namespace):
    """The namespace `m` whose functions make a node if an operand is one."""

    def interpret(self, primitive: Primitive) -> Callable[..., Any]:
        return lambda *args: evaluate(primitive, primitive.filled(args), IEEE)


def _less(x: Any, y: Any) -> Any:
    return data_of(x) < data_of(y) if OBSERVER.get() is None else evaluate(less, (x, y), IEEE)


def _equal(x: Any, y: Any) -> Any:
    return data_of(x) == data_of(y) if OBSERVER.get() is None else evaluate(equal, (x, y), IEEE)


def _select(condition: Any, x: Any, y: Any) -> Any:
    if isinstance(condition, bool):
        return x if condition else y
    return evaluate(select, (condition, x, y), IEEE)


OWN: dict[str, Callable[..., Any]] = {"less": _less, "equal": _equal, "select": _select}

NODES = cast(Functions, Nodes(OWN))


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
