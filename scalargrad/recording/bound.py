"""A jitted function bound to its buffers: a call takes no arguments apart and allocates nothing."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.structures import flatten, is_array
from ..engine.value import Value

if TYPE_CHECKING:
    from .jitted import Jitted

__all__ = ["Bound"]


class Bound:
    """A jitted function on fixed arrays; `Jitted.bind` makes it."""

    def __init__(self, jitted: Jitted[..., Any], args: tuple[Any, ...]) -> None:
        import numpy as np

        self.jitted = jitted
        result = jitted(*args)
        call = jitted._call(args, {})
        self._fixed = call.fixed
        self._count = len(args)
        moving = tuple([arg for i, arg in enumerate(args) if i not in call.fixed])
        given, self._arguments = flatten(moving, is_array)
        leaves, self._result = flatten(result, is_array)
        if any(isinstance(x, Value) or (is_array(x) and x.dtype == object) for x in (*leaves, *given)):
            raise TypeError("bind: a Value takes part; bind numbers and arrays, or call the function")
        if not all(type(x) is float or is_array(x) for x in leaves):
            raise TypeError("bind: the result has a leaf that is not a float, which no buffer can hold; return floats")
        numbers, results = _size(given), _size(leaves)
        native = self._native(call)
        self._scratch = (ctypes.c_double * (native.size if native is not None else numbers + results))()
        cells = np.frombuffer(memoryview(self._scratch).cast("B"))
        self._given = _views(given, cells[:numbers])
        self._found = _views(leaves, cells[numbers : numbers + results])
        for view, x in zip([*self._given, *self._found], [*given, *leaves], strict=True):
            view[...] = x
        self._program = native  # its machine code lives as long as this
        self._whole = None if native is None else native.bound(self._scratch)
        self.inputs = self._placed(self._given)
        self.outputs = self._result.unflatten(self._found)

    def _placed(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        moving = iter(self._arguments.unflatten(leaves))
        return tuple([self._fixed[i] if i in self._fixed else next(moving) for i in range(self._count)])

    def _native(self, call: Any) -> Any:
        case, opened = self.jitted._case(call)
        if case.eager or not case.variants or call.batches(opened):
            return None
        variant = case.variants[0]
        if variant.captured or variant.template is None or not hasattr(variant.runner, "whole"):
            return None
        return variant.runner

    def __call__(self) -> Any:
        """Return the outputs, computed from the inputs as they are now."""
        if self._whole is None or self._whole():
            self._slow()
        return self.outputs

    def _slow(self) -> None:
        # Other branches, a result that is not finite, a batch, or no native code.
        args = self._placed([view.copy() if view.ndim else float(view) for view in self._given])
        leaves, tree = flatten(self.jitted(*args), is_array)
        same = tree == self._result and all(
            getattr(x, "shape", ()) == view.shape for view, x in zip(self._found, leaves, strict=True)
        )
        if not same:
            raise ValueError("bind: for these inputs the result is nested differently from the outputs; bind again")
        for view, x in zip(self._found, leaves, strict=True):
            view[...] = x


def _size(leaves: Sequence[Any]) -> int:
    return sum(x.size if is_array(x) else 1 for x in leaves)


def _views(leaves: Sequence[Any], cells: Any) -> list[Any]:
    """Return, for each array or number, its part of the cells."""
    found, at = [], 0
    for x in leaves:
        size, shape = (x.size, x.shape) if is_array(x) else (1, ())
        found.append(cells[at : at + size].reshape(shape))
        at += size
    return found
