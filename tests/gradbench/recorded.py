"""The one place where the evals meet recorded programs; without them, all runs eagerly and the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import scalargrad as sg

jit = getattr(sg, "jit", None)
vmap = getattr(sg, "vmap", None)
batch_mean = getattr(sg, "batch_mean", None)

Function = Callable[..., Any]


def prepared(f: Function, *args: Any) -> Callable[[], Any]:
    """The call f(*args), recorded and compiled already where programs can be recorded."""
    if jit is None:
        return lambda: f(*args)
    program = jit(f)
    program(*args)
    return lambda: program(*args)


def total(f: Function, in_axes: Sequence[int | None]) -> Function:
    """The function that sums f over the leading axis of the arguments with axis 0."""
    if batch_mean is None:
        return lambda *args: sg.sum(_mapped(f, in_axes, args))
    mean = batch_mean(f, in_axes=tuple(in_axes))
    first = list(in_axes).index(0)
    return lambda *args: len(args[first]) * mean(*args)


def each(f: Function, in_axes: Sequence[int | None]) -> Function:
    """The function that maps f over the leading axis of the arguments with axis 0."""
    if vmap is None:
        return lambda *args: _mapped(f, in_axes, args)
    return vmap(f, in_axes=tuple(in_axes))


def _mapped(f: Function, in_axes: Sequence[int | None], args: Sequence[Any]) -> list[Any]:
    count = len(args[list(in_axes).index(0)])
    return [
        f(*(arg if axis is None else arg[i] for arg, axis in zip(args, in_axes, strict=True))) for i in range(count)
    ]
