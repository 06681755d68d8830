"""A jitted function bound to its buffers: no argument is taken apart, nothing is allocated at a call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..engine.structures import flatten, is_array
from ..engine.value import Value
from .arguments import scan

if TYPE_CHECKING:
    from .compiled import Jitted

__all__ = ["Bound", "parts"]


class Bound:
    """A jitted function on arrays that stay where they are; `bind` makes it."""

    def __init__(self, jitted: Jitted, args: tuple[Any, ...]) -> None:
        import numpy as np

        self.jitted = jitted
        result = jitted(*args)
        leaves, _ = flatten(result)
        numbers = scan(args, {}, ())[1]
        if any(isinstance(x, Value) for x in (*leaves, *flatten(args)[0])):
            raise TypeError("bind: a Value takes part; bind numbers and arrays, or call the function")
        if not all(type(x) is float for x in leaves):
            raise TypeError("bind: the result has a leaf that is no float, and no buffer could hold it")
        native = self._native(args)
        count = len(numbers)
        size = native.size if native is not None else count + len(leaves)
        self._scratch = (ctypes.c_double * size)()
        cells = np.frombuffer(memoryview(self._scratch).cast("B"))
        self._numbers, self._results = cells[:count], cells[count : count + len(leaves)]
        self._numbers[:] = numbers
        self._results[:] = leaves
        self._whole: Callable[[int], int] | None = None if native is None else native.whole
        self._native_program = native  # its machine code lives as long as this
        self._address = ctypes.addressof(self._scratch)
        self.inputs = _views(args, iter(_pieces(args, self._numbers)))
        self.outputs = _views(result, iter(_pieces(result, self._results)))

    def _native(self, args: tuple[Any, ...]) -> Any:
        case = self.jitted._cases.get(scan(args, {}, ())[0])
        if case is None or not case.traces or case.eager or case.traces[0].captured:
            return None
        return getattr(case.traces[0].runner, "native", None)

    def __call__(self) -> Any:
        """The outputs, computed from the inputs as they are now."""
        if self._whole is None or self._whole(self._address):
            self._slow()
        return self.outputs

    def _slow(self) -> None:
        # Another way through the branches, something not finite, or no native code.
        result = self.jitted(*_copied(self.inputs))
        self._results[:] = flatten(result)[0]


def _pieces(structure: Any, cells: Any) -> list[Any]:
    """For each array or number of a structure, its part of the cells."""
    pieces, at = [], 0
    for part in parts(structure):
        size = part.size if is_array(part) else 1
        shape = part.shape if is_array(part) else ()
        pieces.append(cells[at : at + size].reshape(shape))
        at += size
    return pieces


def parts(structure: Any) -> list[Any]:
    """The arrays and numbers of a structure, in order."""
    if isinstance(structure, dict):
        return [part for item in structure.values() for part in parts(item)]
    if isinstance(structure, (list, tuple)):
        return [part for item in structure for part in parts(item)]
    return [structure]


def _views(structure: Any, pieces: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _views(item, pieces) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        items = [_views(item, pieces) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    return next(pieces)


def _copied(structure: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _copied(item) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        items = [_copied(item) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    return structure.copy() if structure.ndim else float(structure)
