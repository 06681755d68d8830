"""Arguments of a call taken apart into a key and numbers, and results put together."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from ..engine.structures import LEAF, Tree, array, flatten, is_array, opening
from ..engine.value import Value
from ..rows import as_float
from .batches import Batch, Rows, batch_of, is_long
from .lanes import axes_of, fits
from .recorded import Column

__all__ = ["Call", "Constant", "Extractor", "Gathered", "batch_extractor", "extractor", "result_builder"]

FLOATS = {float}
NUMBERS = {float, int}


class Call:
    """The arguments of one call.

    `leaves` are numbers, Values and `Batch`es. The key has the complete nesting of the arguments, the places of the
    Values, and the static arguments with their types. `opened` batches count as the numbers in them.
    """

    def __init__(
        self, args: tuple[Any, ...], named: dict[str, Any], static: Sequence[int], in_axes: Any = None
    ) -> None:
        self.args = args
        self.named = named
        self.fixed = {n % len(args): args[n] for n in static if -len(args) <= n < len(args)}
        moving = tuple([arg for i, arg in enumerate(args) if i not in self.fixed]) if self.fixed else args
        given = moving if in_axes is None else _batched(moving, in_axes)
        self.leaves, self.tree = flatten((given, named), is_long)
        if not {*map(type, self.leaves)} <= FLOATS:
            self.leaves = [x if type(x) is float else self._leaf(i, x) for i, x in enumerate(self.leaves)]
        self.others = [(i, x) for i, x in enumerate(self.leaves) if type(x) is not float]

    def _leaf(self, index: int, leaf: Any) -> Any:
        if isinstance(leaf, (Value, Batch)):
            return leaf
        if is_array(leaf):
            return batch_of(leaf)
        number = as_float(leaf)
        if number is None:
            path = self.tree.paths()[index]
            raise TypeError(
                f"jit: args{path.removeprefix('[0]')} is {leaf!r}, a {type(leaf).__name__}, not a number or a Value; "
                "name the argument in static_argnums if it stays the same"
            )
        return number

    def key(self, opened: frozenset[int]) -> Any:
        """Return a hashable key: calls with equal keys can share a program."""
        kinds: list[Any] = []
        for i, leaf in self.others:
            kinds += (i, leaf.kind, leaf.lane, len(leaf) if i in opened else None) if isinstance(leaf, Batch) else (i,)
        static = tuple([(i, _typed(x)) for i, x in self.fixed.items()])
        found = len(self.args), self.tree, tuple(kinds), static
        try:
            hash(found)
        except TypeError:
            raise TypeError(
                f"jit: a static argument must be hashable, as numbers, strings and tuples are: {self.fixed!r}"
            ) from None
        return found

    def numbers(self, opened: frozenset[int]) -> list[float]:
        """Return all numbers in order, including those of opened batches."""
        found: list[float] = []
        at = 0
        for i, leaf in self.others:
            found += self.leaves[at:i]
            at = i + 1
            if isinstance(leaf, Value):
                found.append(leaf._data)
            elif i in opened:
                found += leaf.flat()
        return found + self.leaves[at:] if self.others else self.leaves

    def batches(self, opened: frozenset[int]) -> list[tuple[int, Batch]]:
        """Return the batches that are not opened, with the index of each."""
        return [(i, x) for i, x in self.others if isinstance(x, Batch) and i not in opened]

    def rebuilt(self, opened: frozenset[int], numbers: Iterator[Any], batch: Callable[[int, Batch], Any]) -> Any:
        """Return (args, named) with these numbers, and the result of `batch` for each batch."""
        leaves: list[Any] = []
        for i, leaf in enumerate(self.leaves):
            if not isinstance(leaf, Batch):
                leaves.append(next(numbers))
            elif i in opened:
                leaves.append(_refilled(leaf, numbers))
            else:
                leaves.append(batch(i, leaf))
        moving, named = self.tree.unflatten(leaves)
        rest = iter(moving)
        return tuple([self.fixed[i] if i in self.fixed else next(rest) for i in range(len(self.args))]), named


def _refilled(batch: Batch, numbers: Iterator[Any]) -> Any:
    items = [next(numbers) for _ in range(batch.matrix.size)]
    if is_array(batch.original):
        return array(items, batch.original.shape)
    if batch.lane is LEAF:
        return batch.kind(items)
    size = batch.lane.size
    return batch.kind([batch.lane.unflatten(items[at : at + size]) for at in range(0, len(items), size)])


def _batched(args: tuple[Any, ...], in_axes: Any) -> tuple[Any, ...]:
    """Return the arguments of a mapped function, with each mapped argument as a batch."""
    axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
    if len(axes) != len(args):
        return args
    return tuple([_batched_part(arg, axis) for arg, axis in zip(args, axes, strict=True)])


def _batched_part(arg: Any, axis: Any) -> Any:
    if axis is None:
        return arg
    if axis == 0 and not isinstance(arg, dict):
        return batch_of(arg) or arg
    opened = opening(arg)
    if opened is None or not fits(axis, arg):
        return arg
    return opened[2]([_batched_part(x, inner) for x, inner in zip(opened[1], axes_of(axis, arg), strict=True)])


def _typed(x: Any) -> Any:
    """Return a static argument with its type: 0.0 is not −0.0, True is not 1, at all levels."""
    if isinstance(x, float):
        return type(x), float.hex(x)
    if isinstance(x, frozenset):
        return type(x), frozenset(map(_typed, x))
    if isinstance(x, tuple):
        return type(x), tuple(map(_typed, x))
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return type(x), x, tuple([_typed(getattr(x, field.name)) for field in dataclasses.fields(x)])
    return type(x), x


# The quick way: only the numbers are read from arguments that are nested like the last ones.

Extractor: TypeAlias = "Callable[[tuple[Any, ...]], Sequence[float] | None]"


def extractor(args: tuple[Any, ...]) -> Extractor | None:
    """Return a function that gives the numbers of arguments nested exactly like these, and None for others.

    Return None if there is anything but floats in lists, tuples, dicts and short arrays of floats.
    """
    if {*map(type, args)} == FLOATS:
        count = len(args)
        return lambda args: args if len(args) == count and {*map(type, args)} == FLOATS else None
    part = _taker(args)
    if part is None:
        return None

    def numbers(args: tuple[Any, ...]) -> Sequence[float] | None:
        found: list[float] = []
        return found if part(args, found) else None

    return numbers


class _WithBatches(list[float]):
    """Numbers, together with the columns of the batches."""

    def __init__(self) -> None:
        self.columns: list[Any] = []


def batch_extractor(args: tuple[Any, ...]) -> Callable[[tuple[Any, ...]], tuple[list[float], list[Any]] | None] | None:
    """Return a function that gives the numbers and the columns of arguments nested like these, and None for others.

    Long arrays of floats are batches. They have one length, which is the last of the numbers.
    """
    part = _taker(args, batches=True)
    if part is None:
        return None

    def numbers(args: tuple[Any, ...]) -> tuple[list[float], list[Any]] | None:
        found = _WithBatches()
        if not part(args, found) or len({*map(len, found.columns)}) != 1:
            return None
        found.append(float(len(found.columns[0])))
        return found, found.columns

    return numbers


def _taker(x: Any, batches: bool = False) -> Callable[[Any, list[float]], bool] | None:
    kind = type(x)
    if kind is float:
        return _take_float
    if is_array(x):
        if x.dtype != float or kind.__name__ != "ndarray":
            return None
        return _array_taker(x) if not is_long(x) else _batch_taker(x) if batches else None
    if kind is dict:
        keys = [*x]
        types = [*map(type, keys)]
        parts = [_taker(item, batches) for item in x.values()]
        if None in parts:
            return None

        def take_dict(x: Any, found: list[float]) -> bool:
            return (
                type(x) is dict
                and [*x] == keys
                and [*map(type, x)] == types
                and all(part(item, found) for part, item in zip(parts, x.values(), strict=True))  # type: ignore[misc]
            )

        return take_dict
    if kind not in (list, tuple):
        return None
    count = len(x)
    if {*map(type, x)} == FLOATS:

        def take_floats(x: Any, found: list[float]) -> bool:
            if type(x) is not kind or len(x) != count:
                return False
            at = len(found)
            found += x  # before the check, so that another thread can't change the numbers that were checked
            return len(found) == at + count and {*map(type, found[at:])} == FLOATS

        return take_floats
    parts = [_taker(item, batches) for item in x]
    if None in parts:
        return None

    def take(x: Any, found: list[float]) -> bool:
        return (
            type(x) is kind and len(x) == count and all(part(item, found) for part, item in zip(parts, x, strict=True))  # type: ignore[misc]
        )

    return take


def _take_float(x: Any, found: list[float]) -> bool:
    found.append(x)
    return type(x) is float


def _array_taker(x: Any) -> Callable[[Any, list[float]], bool]:
    kind, shape, dtype, flat = type(x), x.shape, x.dtype, x.ndim == 1

    def take_array(x: Any, found: list[float]) -> bool:
        if type(x) is not kind or x.shape != shape or x.dtype != dtype:
            return False
        found += x.tolist() if flat else x.ravel().tolist()
        return True

    return take_array


def _batch_taker(x: Any) -> Callable[[Any, list[float]], bool]:
    kind, lane, dtype = type(x), x.shape[1:], x.dtype

    def take_batch(x: Any, found: list[float]) -> bool:
        if type(x) is not kind or x.ndim == 0 or x.shape[1:] != lane or x.dtype != dtype or not is_long(x):
            return False
        found.columns.extend(x.reshape(len(x), -1).T)  # type: ignore[attr-defined]
        return True

    return take_batch


# Results.

Entry: TypeAlias = "int | Constant | Gathered"


class Constant:
    """A leaf of a result that is the same at every run; it need not be a number."""

    def __init__(self, leaf: Any) -> None:
        self.leaf = leaf


class Gathered:
    """A leaf of a result that is a batch: the places of its columns, and the nesting of a row."""

    def __init__(self, rows: Rows, first: int) -> None:
        self.kind = rows._kind
        self.lane = rows._lane
        self.first = first
        self.columns: Sequence[Column] = rows._columns

    def __call__(self, out: Sequence[Any]) -> Any:
        columns = out[self.first : self.first + len(self.columns)]
        if self.kind in (list, tuple):
            lists = [column if type(column) is list else column.tolist() for column in columns]
            if self.lane is LEAF:
                return self.kind(lists[0])
            return self.kind([self.lane.unflatten(row) for row in zip(*lists, strict=True)])
        import numpy as np

        if self.lane is LEAF:
            return np.array(columns[0], dtype=float)
        matrix = np.empty((len(columns[0]), len(columns)))
        for k, column in enumerate(columns):
            matrix[:, k] = column
        return matrix.reshape(len(matrix), *(self.lane.shape or ()))


def result_builder(tree: Tree, entries: Sequence[Entry], plain: bool) -> Callable[[Sequence[Any]], Any]:
    """Return a function that nests the outputs of a run like the function's result.

    An entry that is an int is the place of an output. `plain` outputs are floats; others may be nodes.
    """
    return _part(tree, iter(entries), plain)


def _part(tree: Tree, entries: Iterator[Entry], plain: bool) -> Callable[[Sequence[Any]], Any]:
    if tree is LEAF:
        entry = next(entries)
        return operator.itemgetter(entry) if isinstance(entry, int) else gathered(entry)
    if tree.shape is not None or (tree.kind in (list, tuple) and {LEAF} == {*tree.parts}):
        own = [next(entries) for _ in range(tree.size)]
        first = own[0] if own else None
        if isinstance(first, int) and own == list(range(first, first + len(own))):
            return _run_of(tree, slice(first, first + len(own)), plain)
        picks = [operator.itemgetter(x) if isinstance(x, int) else gathered(x) for x in own]
        return lambda out: tree.unflatten([pick(out) for pick in picks])
    parts = [_part(part, entries, plain) for part in tree.parts]
    if tree.kind is tuple and len(parts) == 2:
        one, two = parts
        return lambda out: (one(out), two(out))
    build = tree.build
    return lambda out: build([part(out) for part in parts])


def _run_of(tree: Tree, places: slice, plain: bool) -> Callable[[Sequence[Any]], Any]:
    """Return a function that nests consecutive outputs as a list, a tuple or an array."""
    if tree.kind is list:
        return operator.itemgetter(places)
    if tree.shape is None:
        return lambda out: tuple(out[places])
    if not plain or tree.kind.__name__ != "ndarray":
        return lambda out: tree.unflatten(out[places])
    import numpy as np

    shape = tree.shape
    return (lambda out: np.array(out[places])) if len(shape) == 1 else lambda out: np.array(out[places]).reshape(shape)


def gathered(entry: Constant | Gathered) -> Callable[[Sequence[Any]], Any]:
    """Return a function that makes a leaf that is not a single output."""
    if isinstance(entry, Constant):
        leaf = entry.leaf
        return lambda out: leaf
    return entry
