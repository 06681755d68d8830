"""`vmap` and `batch_mean`: a function over the leading axis of its arguments.

Eager, both are plain loops. While a program is recorded, the function is recorded for one lane of each
outcome of its branches, and the loop becomes one mapped step over those sub-programs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..engine.observer import OBSERVER, RecordingError
from ..engine.structures import flatten
from ..engine.value import Value, data_of
from ..primitives import mean
from ..rows import as_float
from .derivative import gradient
from .generated import GeneratedProgram
from .lanes import columns_of, lanes_of, stack
from .mapped import mapped_nodes
from .program import Mapped, Program
from .recorder import Recording

__all__ = ["Vmapped", "batch_mean", "vmap"]

Function = Callable[..., Any]
FEWEST = 3
"""With fewer lanes than this a loop is recorded as it is written."""
OUTCOMES = 16
"""The largest number of sub-programs, one for each outcome of the branches."""


class Vmapped:
    """A function mapped over the leading axis of its arguments; `vmap` makes it."""

    def __init__(self, f: Function, in_axes: Any) -> None:
        functools.update_wrapper(self, f, updated=())
        self.f = f
        self.in_axes = in_axes

    def __call__(self, *args: Any) -> Any:
        """The results of all lanes, each leaf stacked on a leading axis."""
        lanes, as_arrays = lanes_of("vmap", args, self.in_axes)
        return stack(_results(self.f, lanes, False), as_arrays)


def vmap(f: Function, in_axes: Any = 0) -> Function:
    """The function that maps f over the leading axis of its arguments.

    `in_axes` is 0, or has for each argument 0 (mapped) or None (the same for all lanes). A mapped argument is
    an array, list or tuple, whose entries are the lanes' arguments, or a dict of such. Each leaf of the output
    is stacked on a leading axis: an array where an argument is one, else a list. Eager, it is a loop; under
    `jit` it is one program over all lanes.

    Raises `ValueError` where the lengths differ or are 0, `TypeError` for an argument without a leading axis.

    >>> vmap(lambda x, y: x * y, in_axes=(0, None))([1.0, 2.0], 3.0)
    [3.0, 6.0]
    """
    return Vmapped(f, in_axes)


def batch_mean(f: Function, in_axes: Any = 0) -> Function:
    """The function that averages f, which returns a number, over the leading axis of its arguments.

    This is the lecture's Loss = 1/T Σ Div (11-785, "Training by gradient descent"). The options and errors are
    those of `vmap`. Eager, it is a loop; under `jit` one program over all lanes, whose sum may be added up in
    another order. Where f returns a list, tuple or dict, each of its numbers is averaged.

    >>> batch_mean(lambda w, x, d: (w * x - d) ** 2, in_axes=(None, 0, 0))(2.0, [1.0, 2.0], [2.0, 3.0])
    0.5
    """

    @functools.wraps(f)
    def averaged(*args: Any) -> Any:
        lanes, _ = lanes_of("batch_mean", args, in_axes)
        results = _results(f, lanes, True)
        if isinstance(results, Summed):
            return results.rebuild([total / float(len(lanes)) for total in results.totals])
        columns, rebuild = columns_of("batch_mean", results)
        return rebuild([mean(column) for column in columns])

    return averaged


class Summed:
    """The sums over all lanes of each number of the output."""

    def __init__(self, totals: Sequence[Any], rebuild: Function) -> None:
        self.totals = totals
        self.rebuild = rebuild


def _results(f: Function, lanes: Sequence[tuple[Any, ...]], summed: bool) -> Any:
    """The results of all lanes; while a program is recorded, their sums by a mapped step if it can be one."""
    recording = OBSERVER.get()
    if isinstance(recording, Recording) and recording.parent is None and len(lanes) >= FEWEST:
        found = _mapped(recording, f, lanes, summed)
        if found is not None:
            return found
    return [f(*lane) for lane in lanes]


def _mapped(recording: Recording, f: Function, lanes: Sequence[tuple[Any, ...]], summed: bool) -> Any:
    """The lanes as one mapped step; None where the columns are not plain inputs, or nothing is recorded."""
    first, tree = flatten(lanes[0])
    paths = tree.paths()
    flat = []
    for lane in lanes:
        leaves, own = flatten(lane)
        if own.paths() != paths:
            return None
        flat.append(leaves)
    varying = [k for k in range(len(first)) if any(leaves[k] is not first[k] for leaves in flat)]
    columns = [[leaves[k] for leaves in flat] for k in varying]
    if any(not isinstance(x, Value) and as_float(x) is None for column in columns for x in column):
        return None
    refs = [[recording.ref(x) for x in column] for column in columns]
    if any(type(ref) is int and ref >= len(recording.inputs) for column in refs for ref in column):
        return None
    tracer = _LaneTracer(recording, f, lanes, varying, [[data_of(x) for x in column] for column in columns])
    programs, captured, rebuild = tracer.programs()
    if not any(type(recording.ref(x)) is int for x in (*captured, *(x for column in columns for x in column))):
        return None
    outputs = len(programs[0].outputs)
    step = Mapped(tuple(programs), len(lanes), (), (), (summed,) * outputs, 0)
    nodes = mapped_nodes(step, captured, columns, gradient)
    if summed:
        return Summed(nodes, rebuild)
    return [rebuild(nodes[t :: len(lanes)]) for t in range(len(lanes))]


class _LaneTracer:
    """Records a function once for each outcome of its branches among the lanes."""

    def __init__(
        self,
        recording: Recording,
        f: Function,
        lanes: Sequence[tuple[Any, ...]],
        varying: Sequence[int],
        data: Sequence[Sequence[float]],
    ) -> None:
        self.recording = recording
        self.f = f
        self.lanes = lanes
        self.varying = varying
        self.data = data
        self.captured: list[Value] = []

    def programs(self) -> tuple[list[Program], list[Value], Function]:
        """The programs, the Values that they capture, and what rebuilds an output."""
        traced: list[tuple[Recording, list[Any]]] = []
        remaining: Sequence[int] = range(len(self.lanes))
        rebuild: Function = list
        output_paths = None
        while remaining:
            if len(traced) == OUTCOMES:
                raise AbandonedError(
                    f"a batch took more than {OUTCOMES} different ways through the function's branches"
                )
            sub, outputs, paths, rebuild = self._trace(remaining[0])
            if output_paths not in (None, paths):
                raise RecordingError("a mapped function's results are nested differently in different lanes")
            output_paths = paths
            traced.append((sub, outputs))
            program = sub.program(outputs, self.captured)
            if not program.guarded:
                break
            remaining = self._left(program, remaining)
        return [sub.program(outputs, self.captured) for sub, outputs in traced], self.captured, rebuild

    def _trace(self, lane: int) -> tuple[Recording, list[Any], list[str], Function]:
        sub = Recording([column[lane] for column in self.data], parent=self.recording)
        leaves, lane_tree = flatten(self.lanes[lane])
        for k, leaf in zip(self.varying, sub.inputs, strict=True):
            leaves[k] = leaf
        with sub.under_way():
            outputs, tree = flatten(self.f(*lane_tree.unflatten(leaves)))
            paths = tree.paths()
            for out, path in zip(outputs, paths, strict=True):
                if not isinstance(out, Value) and as_float(out) is None:
                    raise RecordingError(f"a mapped function returned {out!r}{path and ' at ' + path}; return numbers")
            sub.program(outputs)
        self.captured += [node for node in sub.captured if not any(node is known for known in self.captured)]
        return sub, outputs, paths, tree.unflatten

    def _left(self, program: Program, lanes: Sequence[int]) -> Sequence[int]:
        run = GeneratedProgram(program)
        broadcast = [node._data for node in self.captured]
        return [t for t in lanes[1:] if run([*(column[t] for column in self.data), *broadcast]) is None]


class AbandonedError(RecordingError):
    """A recording was given up; the function runs eagerly instead."""
