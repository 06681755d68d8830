"""The lanes of a batch: the leading axis of arguments taken apart, and of results put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.structures import array, flatten, is_array
from ..engine.value import Value
from ..rows import as_float

__all__ = ["columns_of", "has_array", "lanes_of", "mapped_axes", "stack"]


def mapped_axes(name: str, args: Sequence[Any], in_axes: Any) -> tuple[Sequence[int | None], int]:
    """The axis of each argument, and the number of lanes. Raises as `vmap` does."""
    axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
    if len(axes) != len(args) or any(axis not in (0, None) or isinstance(axis, bool) for axis in axes):
        raise ValueError(f"{name}: in_axes is {in_axes!r} for {len(args)} arguments; give 0 or None for each")
    lengths = {i: _length(name, f"args[{i}]", args[i]) for i, axis in enumerate(axes) if axis == 0}
    if len(set(lengths.values())) != 1:
        described = ", ".join(f"args[{i}] has {n}" for i, n in lengths.items()) or "no argument is mapped"
        raise ValueError(f"{name}: the mapped arguments need one common length: {described}")
    count = next(iter(lengths.values()))
    if not count:
        raise ValueError(f"{name}: the mapped arguments are empty; it needs at least one lane")
    return axes, count


def lanes_of(
    name: str, args: Sequence[Any], in_axes: Any, which: Sequence[int] | None = None
) -> tuple[list[tuple[Any, ...]], bool]:
    """The arguments of each lane, or of those named, and whether an array is among those that are mapped."""
    axes, count = mapped_axes(name, args, in_axes)
    pairs = list(zip(args, axes, strict=True))
    lanes = [tuple([arg if axis is None else _entry(arg, t) for arg, axis in pairs]) for t in which or range(count)]
    return lanes, any(has_array(arg) for arg, axis in pairs if axis == 0)


def _length(name: str, place: str, arg: Any) -> int:
    if isinstance(arg, dict) and arg:
        lengths = {_length(name, f"{place}[{key!r}]", item) for key, item in arg.items()}
        if len(lengths) > 1:
            raise ValueError(f"{name}: the entries of {place} have different lengths, {sorted(lengths)}")
        return lengths.pop()
    if isinstance(arg, (list, tuple)) or (is_array(arg) and arg.ndim):
        return len(arg)
    raise TypeError(f"{name}: {place} is a {type(arg).__name__} and has no leading axis to map over; see in_axes")


def _entry(arg: Any, t: int) -> Any:
    if isinstance(arg, dict):
        return {key: _entry(item, t) for key, item in arg.items()}
    entry = arg[t]
    return float(entry) if is_array(arg) and arg.ndim == 1 and not isinstance(entry, Value) else entry


def has_array(arg: Any) -> bool:
    return is_array(arg) or (isinstance(arg, dict) and any(has_array(item) for item in arg.values()))


def columns_of(name: str, results: Sequence[Any]) -> tuple[list[list[Any]], Callable[..., Any]]:
    first, tree = flatten(results[0])
    paths = tree.paths()
    columns: list[list[Any]] = [[x] for x in first]
    for t, result in enumerate(results[1:], 1):
        leaves, own = flatten(result)
        if own.paths() != paths:
            raise ValueError(f"{name}: the function's results are nested differently in the lanes 0 and {t}")
        for column, x in zip(columns, leaves, strict=True):
            column.append(x)
    return columns, tree.unflatten


def stack(results: Sequence[Any], as_arrays: bool) -> Any:
    """The results of all lanes, each leaf, number or array, stacked on a leading axis."""
    first = results[0]
    if isinstance(first, dict):
        return {key: stack([result[key] for result in results], as_arrays) for key in first}
    if isinstance(first, (list, tuple)):
        if any(len(result) != len(first) for result in results):
            raise ValueError("vmap: the function's results are nested differently in different lanes")
        parts = [stack([result[i] for result in results], as_arrays) for i in range(len(first))]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if is_array(first):
        return array([x for result in results for x in result.ravel().tolist()], (len(results), *first.shape))
    numbers = [x if isinstance(x, Value) else _number(x) for x in results]
    return array(numbers, (len(numbers),)) if as_arrays else numbers


def _number(x: Any) -> float:
    number = as_float(x)
    if number is None:
        raise TypeError(f"vmap: the function returned {x!r}, a {type(x).__name__}; return numbers")
    return number
