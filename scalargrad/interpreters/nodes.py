"""The interpreter for nodes: local derivatives as new nodes, so that they can be differentiated again.

It follows IEEE, as everything does that is made while differentiating. A choice takes the chosen side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..eager import record
from ..rows import Functions, find
from ..value import Value
from .floats import IEEE


def _data(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


class Nodes:
    """The namespace `m` whose functions record a node where an operand is one."""

    def less(self, x: Any, y: Any) -> bool:
        return _data(x) < _data(y)

    def equal(self, x: Any, y: Any) -> bool:
        return _data(x) == _data(y)

    def select(self, condition: bool, x: Any, y: Any) -> Any:
        return x if condition else y

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        row = find(name)

        def function(*args: Any) -> Any:
            return record(row, row.filled(args), IEEE)

        setattr(self, name, function)
        return function


NODES = cast(Functions, Nodes())
