"""The interpreter for nodes: local derivatives as new nodes, so that they can be differentiated again.

It follows IEEE, as everything does that is made while differentiating. A choice takes the chosen side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..eager import record
from ..rows import Functions, Primitive
from ..value import Value
from .floats import IEEE
from .namespace import Namespace


def _data(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


class Nodes(Namespace):
    """The namespace `m` whose functions record a node where an operand is one."""

    def interpret(self, row: Primitive) -> Callable[..., Any]:
        return lambda *args: record(row, row.filled(args), IEEE)


OWN: dict[str, Callable[..., Any]] = {
    "less": lambda x, y: _data(x) < _data(y),
    "equal": lambda x, y: _data(x) == _data(y),
    "select": lambda condition, x, y: x if condition else y,
}

NODES = cast(Functions, Nodes(OWN))
