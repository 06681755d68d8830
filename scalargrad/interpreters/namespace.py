"""`Namespace`: the `m` of an interpreter. It finds functions in a library, then among the rows themselves."""

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
"""The rows that have another name in NumPy; listed here so that nothing needs to import NumPy."""


class Namespace:
    """The functions of `m`, by name: first the interpreter's own, then a library's, then the rows.

    `own` has the functions that the library lacks, names differently or computes differently. A function that neither
    has is a row: `interpret` runs its `forward` in this namespace.
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
        if primitive.home is None:  # a user's primitive may be replaced later
            setattr(self, name, function)
        return function

    def interpret(self, primitive: Primitive) -> Callable[..., Any]:
        """Return the function of flat operands that a row is in this namespace."""
        return functools.partial(primitive.forward, self)
