"""`vmap` and `batch_mean`: a function over the leading axis of its arguments.

Eager, both are plain loops. While a program is recorded, the function is recorded for one lane of each
outcome of its branches, and the loop becomes one mapped step over those sub-programs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import RecordingError
from ..interpreters.floats import plain
from ..observer import OBSERVER
from ..primitives import mean
from ..structures import array, flatten, is_array
from ..value import Value
from .backends import missing
from .derivative import gradient, make_node
from .generated import GeneratedProgram
from .program import Mapped, Operand, Program
from .recorder import Recording
from .replay import in_lane, replay

__all__ = ["Vmapped", "batch_mean", "lanes_of", "mapped_axes", "mapped_nodes", "vmap"]

Function = Callable[..., Any]
FEWEST = 3
"""With fewer lanes than this a loop is recorded as it is written."""
OUTCOMES = 16
"""The largest number of sub-programs, one for each outcome of the branches."""


class Vmapped:
    """A function mapped over the leading axis of its arguments; `vmap` makes it."""

    def __init__(self, f: Function, in_axes: Any) -> None:
        functools.update_wrapper(self, f)
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
        columns, rebuild = _columns("batch_mean", results)
        return rebuild([mean(column) for column in columns])

    return averaged


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
    return lanes, any(_has_array(arg) for arg, axis in pairs if axis == 0)


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


def _has_array(arg: Any) -> bool:
    return is_array(arg) or (isinstance(arg, dict) and any(_has_array(item) for item in arg.values()))


def _columns(name: str, results: Sequence[Any]) -> tuple[list[list[Any]], Function]:
    first, paths, rebuild = flatten(results[0])
    columns: list[list[Any]] = [[x] for x in first]
    for t, result in enumerate(results[1:], 1):
        leaves, own_paths, _ = flatten(result)
        if own_paths != paths:
            raise ValueError(f"{name}: the function's results are nested differently in the lanes 0 and {t}")
        for column, x in zip(columns, leaves, strict=True):
            column.append(x)
    return columns, rebuild


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
    number = plain(x)
    if number is None:
        raise TypeError(f"vmap: the function returned {x!r}, a {type(x).__name__}; return numbers")
    return number


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
    first, paths, _ = flatten(lanes[0])
    flat = []
    for lane in lanes:
        leaves, own_paths, _ = flatten(lane)
        if own_paths != paths:
            return None
        flat.append(leaves)
    varying = [k for k in range(len(first)) if any(leaves[k] is not first[k] for leaves in flat)]
    columns = [[leaves[k] for leaves in flat] for k in varying]
    if any(not isinstance(x, Value) and plain(x) is None for column in columns for x in column):
        return None
    refs = [[recording.ref(x) for x in column] for column in columns]
    if any(type(ref) is int and ref >= len(recording.inputs) for column in refs for ref in column):
        return None
    tracer = _LaneTracer(recording, f, lanes, varying, [[_data(x) for x in column] for column in columns])
    programs, captured, rebuild = tracer.programs()
    if not any(type(recording.ref(x)) is int for x in (*captured, *(x for column in columns for x in column))):
        return None
    outputs = len(programs[0].outputs)
    step = Mapped(tuple(programs), len(lanes), (), (), (summed,) * outputs, 0)
    nodes = mapped_nodes(step, captured, columns)
    if summed:
        return Summed(nodes, rebuild)
    return [rebuild(nodes[t :: len(lanes)]) for t in range(len(lanes))]


def _data(x: Any) -> float:
    return x._data if isinstance(x, Value) else float(x)


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
        leaves, _, rebuild_lane = flatten(self.lanes[lane])
        for k, leaf in zip(self.varying, sub.inputs, strict=True):
            leaves[k] = leaf
        with sub.under_way():
            outputs, paths, rebuild = flatten(self.f(*rebuild_lane(leaves)))
            for out, path in zip(outputs, paths, strict=True):
                if not isinstance(out, Value) and plain(out) is None:
                    raise RecordingError(f"a mapped function returned {out!r}{path and ' at ' + path}; return numbers")
            sub.program(outputs)
        self.captured += [node for node in sub.captured if not any(node is known for known in self.captured)]
        return sub, outputs, paths, rebuild

    def _left(self, program: Program, lanes: Sequence[int]) -> Sequence[int]:
        run = GeneratedProgram(program)
        broadcast = [node._data for node in self.captured]
        return [t for t in lanes[1:] if run([*(column[t] for column in self.data), *broadcast]) is None]


class AbandonedError(RecordingError):
    """A recording was given up; the function runs eagerly instead."""


def mapped_nodes(step: Mapped, broadcast: Sequence[Any], columns: Sequence[Sequence[Any]]) -> list[Any]:
    """The results of a mapped step as nodes, for these operands: added to the recording under way."""
    recording = OBSERVER.get()
    data = [_data(x) for x in broadcast]
    lanes = [[*(_data(column[t]) for column in columns), *data] for t in range(step.lanes)]
    if not isinstance(recording, Recording):
        raise RecordingError("a mapped step was differentiated outside of a recording")
    refs = tuple([recording.ref(x) for x in broadcast])
    packed = tuple([_packed([recording.ref(x) for x in column]) for column in columns])
    step = step._replace(broadcast=refs, columns=packed, result=recording.size)
    results = _evaluate(step, lanes)
    operands = recording.map(step)
    args = (*broadcast, *(x for column in columns for x in column))
    call = MappedCall(step, lanes, len(broadcast), len(columns))
    parents = tuple([arg for arg in args if isinstance(arg, Value)])
    nan = (float("nan"),) * len(parents)  # no sweep over floats reaches these nodes
    nodes: list[Value] = []
    for k, summed in enumerate(step.summed):
        for t in [None] if summed else range(step.lanes):
            node = make_node(MappedOutput(call, k, t), results[len(nodes)], args, parents, nan)
            recording.bind(node, operands[len(nodes)])
            nodes.append(node)
    return nodes


def _packed(refs: list[Operand]) -> range | tuple[Operand, ...]:
    first = refs[0]
    if len(refs) > 1 and all(type(ref) is int for ref in refs):
        stride = int(refs[1] - first)
        if stride and refs == list(range(int(first), int(first) + stride * len(refs), stride)):
            return range(int(first), int(first) + stride * len(refs), stride)
    return tuple(refs)


def _evaluate(step: Mapped, lanes: Sequence[Sequence[float]]) -> list[float]:
    if missing("numpy"):
        return _evaluated(step, lanes)
    import numpy as np

    from .kernels import mapped_runner

    matrix = np.array(lanes, dtype=float)
    columns, broadcast = list(matrix[:, : len(step.columns)].T), lanes[0][len(step.columns) :]
    results = mapped_runner(step.programs, step.summed, "numpy")(columns, broadcast, len(lanes))
    if isinstance(results, int):
        raise RecordingError(ANOTHER_WAY)
    return [float(x) for r in results for x in (r if isinstance(r, np.ndarray) else [r])]


ANOTHER_WAY = "a mapped function took another way when it was run again; is it random?"


def _evaluated(step: Mapped, lanes: Sequence[Sequence[float]]) -> list[float]:
    runs = [GeneratedProgram(program) for program in step.programs]
    columns: list[list[float]] = [[] for _ in step.summed]
    for t, inputs in enumerate(lanes):
        with in_lane(t):
            out = next((out for run in runs if (out := run(inputs)) is not None), None)
        if out is None:
            raise RecordingError(ANOTHER_WAY)
        for column, x in zip(columns, out, strict=True):
            column.append(x)
    results: list[float] = []
    for column, summed in zip(columns, step.summed, strict=True):
        results.extend([sum(column)] if summed else column)
    return results


class MappedCall:
    """A mapped step with the numbers of its lanes, and its derivatives, made once for all its outputs."""

    def __init__(self, step: Mapped, lanes: Sequence[Sequence[float]], broadcast: int, columns: int) -> None:
        self.step = step
        self.lanes = lanes
        self.broadcast = broadcast
        self.columns = columns
        self.samples = [next(x for x in lanes if replay(program, x) is not None) for program in step.programs]
        self._derivatives: dict[Any, list[Any]] = {}

    def derivatives(self, output: int, summed: bool, wanted: tuple[int, ...], args: Sequence[Any]) -> list[Any]:
        """The nodes of the derivatives of one output by the wanted inputs of the sub-programs."""
        key = (output, summed, wanted)
        if key not in self._derivatives:
            pairs = zip(self.step.programs, self.samples, strict=True)
            programs = tuple([gradient(program, sample, output, wanted) for program, sample in pairs])
            sums = tuple([summed and i >= self.columns for i in wanted])
            step = self.step._replace(programs=programs, summed=sums)
            count = self.step.lanes
            columns = [args[self.broadcast + k * count : self.broadcast + (k + 1) * count] for k in range(self.columns)]
            self._derivatives[key] = mapped_nodes(step, args[: self.broadcast], columns)
        return self._derivatives[key]


class MappedOutput:
    """What a result of a mapped step names as its primitive: an output, and the lane of a stacked one."""

    name = "map"

    def __init__(self, call: MappedCall, output: int, lane: int | None) -> None:
        self.call = call
        self.output = output
        self.lane = lane

    def derivatives(self, m: Any, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        """The local derivatives by the broadcast arguments and then by the lanes of each column, as nodes."""
        call, count = self.call, self.call.step.lanes
        by_column = [wanted[call.broadcast + k * count : call.broadcast + (k + 1) * count] for k in range(call.columns)]
        inputs = [k for k, lanes in enumerate(by_column) if any(lanes)]
        inputs += [call.columns + i for i in range(call.broadcast) if wanted[i]]
        nodes = iter(call.derivatives(self.output, self.lane is None, tuple(inputs), args))
        partials: list[Any] = [None] * len(args)
        for i in inputs:
            start = call.broadcast + i * count
            if i >= call.columns:
                if self.lane is None:
                    partials[i - call.columns] = next(nodes)
                else:
                    partials[i - call.columns] = [next(nodes) for _ in range(count)][self.lane]
            else:
                stacked = [next(nodes) for _ in range(count)]
                for t in range(count) if self.lane is None else [self.lane]:
                    partials[start + t] = stacked[t]
        return partials
