"""Batches: arguments with many rows, stored as columns of numbers, and their form inside a recorded function."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any, NoReturn

from ..engine.structures import LEAF, Tree, flatten, is_array
from .recorded import Column

__all__ = ["LONG", "Batch", "Rows", "TouchedError", "batch_of", "is_long"]

LONG = 16
"""An array of floats with more rows than this is a batch, if the function only maps over it."""


class TouchedError(BaseException):
    """A function looked into a batch. It is recorded again with the numbers of this batch (None: of each) spelled out.

    It is not an `Exception`, so that a function does not catch it.
    """

    def __init__(self, index: int | None) -> None:
        super().__init__("a batch was looked into outside of a map")
        self.index = index


class Batch:
    """The rows of an argument as a matrix of floats: one lane a row, nested like `lane`."""

    def __init__(self, matrix: Any, lane: Tree, kind: type, original: Any) -> None:
        self.matrix = matrix
        self.lane = lane
        self.kind = kind
        self.original = original

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def columns(self) -> list[Any]:
        """The columns of numbers, one for each number of a lane."""
        return list(self.matrix.T)

    def flat(self) -> list[float]:
        """Return all numbers, row after row."""
        numbers: list[float] = self.matrix.ravel().tolist()
        return numbers

    def part(self, rows: Sequence[int]) -> Any:
        """Return these rows as an argument of that kind."""
        if is_array(self.original):
            return self.original[list(rows)]
        return self.kind([self.original[t] for t in rows])


def is_long(x: Any) -> bool:
    """Return True if an array may be a batch."""
    return x.ndim > 0 and len(x) > LONG and x.dtype.kind in "fiu"


def batch_of(x: Any) -> Batch | None:
    """Return an array of floats, or a list of equally nested lanes of floats and ints, as a batch.

    Return None for anything else, and if NumPy is not installed.
    """
    if is_array(x):
        if x.ndim == 0 or not len(x) or x.dtype.kind not in "fiu":
            return None
        matrix = x.reshape(len(x), -1) if x.dtype == float else x.reshape(len(x), -1).astype(float)
        return Batch(matrix, Tree.of_array(type(x), x.shape[1:]) if x.ndim > 1 else LEAF, type(x), x)
    if type(x) not in (list, tuple) or not x or importlib.util.find_spec("numpy") is None:
        return None
    import numpy as np

    if set(map(type, x)) <= {float, int}:
        return Batch(np.array(x, dtype=float).reshape(len(x), 1), LEAF, type(x), x)
    first, lane = flatten(x[0])
    rows = [first]
    for entry in x[1:]:
        leaves, tree = flatten(entry)
        if tree != lane:
            return None
        rows.append(leaves)
    if not first or not all(set(map(type, row)) <= {float, int} for row in rows):
        return None
    return Batch(np.array(rows, dtype=float), lane, type(x), x)


class Rows:
    """A batch as a recorded function gets it: it can be mapped over and returned; anything else touches it."""

    def __init__(self, columns: Sequence[Column], lane: Tree, count: int, kind: type, index: int | None = None) -> None:
        self._columns = columns
        self._lane = lane
        self._count = count
        self._kind = kind
        self._index = index

    def _touched(self, *args: Any) -> NoReturn:
        raise TouchedError(self._index)

    __len__ = __iter__ = __getitem__ = __array__ = __getattr__ = __bool__ = __contains__ = _touched
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _touched
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _touched
    __matmul__ = __rmatmul__ = __pow__ = __neg__ = __abs__ = __float__ = __int__ = __format__ = __str__ = _touched
    __repr__ = _touched  # a function that takes numbers would name it in an error
    __hash__ = object.__hash__
