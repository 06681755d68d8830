"""The lanes of a batch: arguments split along their leading axis, and results stacked along it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..engine.evaluation import REFUSALS
from ..engine.structures import array, flatten, is_array, opening
from ..engine.value import Value
from ..rows import as_float

__all__ = ["Lanes", "axes_of", "columns_of", "fits", "listed", "run_lanes", "spread", "stack"]


class Lanes:
    """The arguments of a map: the number of lanes, and the arguments of each.

    An axis is 0 (mapped), None (the same for all lanes), or a container of axes nested like the argument. Raises
    `ValueError` and `TypeError`, as described at `vmap`.
    """

    def __init__(self, name: str, args: Sequence[Any], in_axes: Any) -> None:
        self.args = args
        self.axes = spread(name, args, in_axes)
        lengths: dict[str, int] = {}
        self.as_arrays = False
        for i, (arg, axis) in enumerate(zip(args, self.axes, strict=True)):
            self._measure(name, f"args[{i}]", arg, axis, lengths)
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{place} has {n}" for place, n in lengths.items()) or "no argument is mapped"
            raise ValueError(f"{name}: the mapped arguments need one common length: {told}")
        self.count = next(iter(lengths.values()))
        if not self.count:
            raise ValueError(f"{name}: the mapped arguments are empty; it needs at least one lane")

    def _measure(self, name: str, place: str, arg: Any, axis: Any, lengths: dict[str, int]) -> None:
        if axis is None:
            return
        if axis != 0 or (isinstance(arg, dict) and arg):
            keys, items, _ = opening(arg) or ((), (), None)
            for key, item, inner in zip(keys, items, axes_of(axis, arg), strict=True):
                self._measure(name, f"{place}[{key!r}]", item, inner, lengths)
        elif isinstance(arg, (list, tuple)) or (is_array(arg) and arg.ndim):
            lengths[place] = len(arg)
            self.as_arrays = self.as_arrays or is_array(arg)
        else:
            kind = "number" if isinstance(arg, (float, int, Value)) else type(arg).__name__
            raise TypeError(f"{name}: {place} is a {kind} and has no leading axis to map over; see in_axes")

    def lane(self, t: int) -> tuple[Any, ...]:
        """Return the arguments of one lane."""
        return tuple([_entry(arg, axis, t) for arg, axis in zip(self.args, self.axes, strict=True)])


def spread(name: str, args: Sequence[Any], in_axes: Any) -> Sequence[Any]:
    """Return the axis of each argument. Raises `ValueError` if `in_axes` does not fit the arguments."""
    axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
    if len(axes) != len(args) or not all(fits(axis, arg) for axis, arg in zip(axes, args, strict=True)):
        raise ValueError(
            f"{name}: in_axes is {in_axes!r} for {len(args)} arguments; give 0 or None for each, or a list, tuple or "
            "dict of these that is nested like the argument"
        )
    return axes


def fits(axis: Any, arg: Any) -> bool:
    """Return True if an axis is 0, None, or a container of axes nested like the argument."""
    if axis is None or (axis == 0 and type(axis) is int):
        return True
    opened = opening(arg)
    if opened is None or not isinstance(axis, (dict, list, tuple)):
        return False
    keys, items, _ = opened
    if isinstance(axis, dict) != isinstance(arg, dict) or len(axis) != len(keys):
        return False
    if isinstance(axis, dict) and set(axis) != set(keys):
        return False
    return all(fits(inner, item) for inner, item in zip(axes_of(axis, arg), items, strict=True))


def axes_of(axis: Any, arg: Any) -> Sequence[Any]:
    """Return the axis of each item of a container."""
    if isinstance(axis, dict):
        return [axis[key] for key in arg]
    return (0,) * len(arg) if axis == 0 else axis


def _entry(arg: Any, axis: Any, t: int) -> Any:
    if axis is None:
        return arg
    if axis != 0 or isinstance(arg, dict):
        _, items, build = opening(arg)  # type: ignore[misc]
        return build([_entry(item, inner, t) for item, inner in zip(items, axes_of(axis, arg), strict=True)])
    entry = arg[t]
    return float(entry) if is_array(arg) and arg.ndim == 1 and not isinstance(entry, Value) else entry


def run_lanes(f: Callable[..., Any], lanes: Lanes) -> list[Any]:
    """Return f's result for each lane. An error for a bad operand names the lane."""
    results = []
    t = 0
    try:
        for t in range(lanes.count):
            results.append(f(*lanes.lane(t)))
    except REFUSALS as error:
        if type(error) in REFUSALS:
            raise type(error)(f"{error} (lane {t})") from error
        raise
    return results


def columns_of(name: str, results: Sequence[Any]) -> tuple[list[list[Any]], Callable[..., Any]]:
    """Return the leaves of the results of all lanes, one list for each leaf, and a function that rebuilds a result."""
    first, tree = flatten(results[0])
    columns: list[list[Any]] = [[x] for x in first]
    for t, result in enumerate(results[1:], 1):
        leaves, own = flatten(result)
        if own != tree:
            raise ValueError(f"{name}: the function's results are nested differently in the lanes 0 and {t}")
        for column, x in zip(columns, leaves, strict=True):
            column.append(x)
    return columns, tree.unflatten


def stack(results: Sequence[Any], as_arrays: bool) -> Any:
    """Return the results of all lanes with each leaf, a number or an array, stacked on a leading axis."""
    first = results[0]
    opened = opening(first)
    if opened is not None and not is_array(first):
        keys, _, build = opened
        rows = [opening(result) for result in results]
        if any(row is None or (type(r), row[0]) != (type(first), keys) for r, row in zip(results, rows, strict=True)):
            raise ValueError("vmap: the function's results are nested differently in different lanes")
        columns = zip(*[row[1] for row in rows if row is not None], strict=True)
        return build([stack(column, as_arrays) for column in columns])
    if is_array(first):
        if any(not is_array(result) or result.shape != first.shape for result in results):
            raise ValueError("vmap: the function's results are nested differently in different lanes")
        return array([x for result in results for x in result.ravel().tolist()], (len(results), *first.shape))
    numbers = [x if isinstance(x, Value) else _number(x) for x in results]
    return array(numbers, (len(numbers),)) if as_arrays else numbers


def _number(x: Any) -> float:
    number = as_float(x)
    if number is None:
        raise TypeError(f"vmap: the function returned {x!r}, a {type(x).__name__}; return numbers")
    return number


def listed(args: Sequence[Any]) -> tuple[Any, ...]:
    """Return the arguments, with iterators turned into lists."""
    return tuple([list(arg) if isinstance(arg, Iterator) else arg for arg in args])
