"""Mapped steps as nodes of a recording, and their derivatives, which are mapped steps too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import RecordingError
from ..observer import OBSERVER
from ..value import Value, make_node
from .backends import missing
from .derivative import gradient
from .generated import GeneratedProgram
from .program import Mapped, Operand
from .recorder import Recording
from .replay import in_lane, replay

__all__ = ["mapped_nodes"]


def _data(x: Any) -> float:
    return x._data if isinstance(x, Value) else float(x)


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
            node = make_node(MappedOutput(call, k, t), args, results[len(nodes)], nan, parents)
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
