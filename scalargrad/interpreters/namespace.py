"""How an interpreter's namespace finds its functions: those of its library, then the rows themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ..rows import LIBRARY, Primitive, find

NUMPY_NAMES = {
    "div": "true_divide",
    "pow": "power",
    "floordiv": "floor_divide",
    "round": "rint",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
"""The rows that NumPy calls otherwise; known without NumPy, so that nothing needs to import it."""


class Namespace:
    """The functions of `m`, by name: first the interpreter's own, then those of a library, then the rows'.

    `own` has what the library lacks, calls otherwise or does otherwise. A function that neither has is a
    row, interpreted by `interpret`: by its own `forward` in this namespace.
    """

    def __init__(self, own: Mapping[str, Callable[..., Any]], library: object = None) -> None:
        for name in LIBRARY:
            function = own.get(name) or getattr(library, name, None)
            if function is not None:
                setattr(self, name, function)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            primitive = find(name)
        except LookupError as error:
            raise AttributeError(str(error)) from None
        function = self.interpret(primitive)
        if primitive.home is None:  # what a user added may be replaced
            setattr(self, name, function)
        return function

    def interpret(self, primitive: Primitive) -> Callable[..., Any]:
        """What a row computes in this namespace, for flat operands."""
        return functools.partial(primitive.forward, self)
