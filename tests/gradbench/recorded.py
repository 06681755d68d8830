"""The only module of the evals that uses recorded programs; eager code gives the same results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import scalargrad as sg

jit = getattr(sg, "jit", None)
batch_mean = getattr(sg, "batch_mean", None)

EAGER = "eager"
backend = os.environ.get("GRADBENCH_BACKEND", EAGER if jit is None else "auto")
"""A back end of `sg.jit`, or `eager`."""

Function = Callable[..., Any]


def prepared(f: Function, *args: Any) -> Callable[[], Any]:
    """The call f(*args), already recorded and compiled if programs are recorded."""
    program = recorded(f, args)
    return lambda: program(*args)


def each(f: Function, *columns: Sequence[Any]) -> Callable[[], list[Any]]:
    """The calls of f on the first entries of the columns, on the second ones and so on: one program for all."""
    program = recorded(f, next(zip(*columns, strict=True)))
    return lambda: [program(*entries) for entries in zip(*columns, strict=True)]


def recorded(f: Function, args: Iterable[Any]) -> Function:
    """f as a program, recorded for such arguments, or f itself if nothing is recorded."""
    if jit is None or backend == EAGER:
        return f
    program = jit(f, backend=backend)
    program(*args)
    return program


def total(f: Function, in_axes: Sequence[int | None]) -> Function:
    """The function that sums f over the leading axis of the arguments with axis 0."""
    first = in_axes.index(0)

    def summed(*args: Any) -> Any:
        count = len(args[first])
        if batch_mean is not None:
            return count * batch_mean(f, in_axes=in_axes)(*args)
        entries = (
            [arg[i] if axis == 0 else arg for arg, axis in zip(args, in_axes, strict=True)] for i in range(count)
        )
        return sg.sum([f(*entry) for entry in entries])

    return summed
