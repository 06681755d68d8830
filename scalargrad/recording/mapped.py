"""Mapped steps as nodes of a recording, and their derivatives, which are mapped steps too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.observer import OBSERVER, RecordingError
from ..engine.value import Value, data_of, make_node
from .backends import missing
from .generated import GeneratedProgram
from .program import Mapped, Operand, Program
from .recorder import Recording
from .replay import over_lanes, replay

__all__ = ["mapped_nodes"]


def mapped_nodes(
    step: Mapped, broadcast: Sequence[Any], columns: Sequence[Sequence[Any]], gradient: Callable[..., Program]
) -> list[Any]:
    """The results of a mapped step as nodes, for these operands: added to the recording under way.

    `gradient` makes the program of the derivatives of a sub-program.
    """
    recording = OBSERVER.get()
    if not isinstance(recording, Recording):
        raise RecordingError("a mapped step was differentiated outside of a recording")
    call = MappedCall(step, broadcast, columns, gradient)
    refs = tuple([recording.ref(x) for x in broadcast])
    packed = tuple([_packed([recording.ref(x) for x in column]) for column in columns])
    step = step._replace(broadcast=refs, columns=packed, result=recording.size)
    results = _evaluate(step, call)
    operands = recording.map(step)
    of_all = _shared((*broadcast, *(x for column in columns for x in column)))
    of_lanes = [] if all(step.summed) else [_shared((*broadcast, *xs)) for xs in zip(*columns, strict=True)]
    nodes: list[Value] = []
    for k, summed in enumerate(step.summed):
        for t, (args, parents, nan) in [(None, of_all)] if summed else enumerate(of_lanes):
            node = make_node(MappedOutput(call, k, t), args, results[len(nodes)], nan, parents)
            recording.bind(node, operands[len(nodes)])
            nodes.append(node)
    return nodes


def _shared(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Value, ...], tuple[float, ...]]:
    """What nodes with these arguments have in common: them, the Values among them, and the derivatives by those."""
    parents = tuple([arg for arg in args if isinstance(arg, Value)])
    return args, parents, (float("nan"),) * len(parents)  # no sweep over floats reaches these nodes


def _packed(refs: list[Operand]) -> range | tuple[Operand, ...]:
    first = refs[0]
    if len(refs) > 1 and all(type(ref) is int for ref in refs):
        stride = int(refs[1] - first)
        if stride and refs == list(range(int(first), int(first) + stride * len(refs), stride)):
            return range(int(first), int(first) + stride * len(refs), stride)
    return tuple(refs)


def _evaluate(step: Mapped, call: MappedCall) -> list[float]:
    results: list[float] | None
    if missing("numpy"):
        results = over_lanes(step, [GeneratedProgram(program) for program in step.programs], call.lane)
    else:
        results = _by_numpy(step, call)
    if results is None:
        raise RecordingError("a mapped function took another way when it was run again; is it random?")
    return results


def _by_numpy(step: Mapped, call: MappedCall) -> list[float] | None:
    import numpy as np

    from .kernels import mapped_runner

    columns = [np.array(column, dtype=float) for column in call.columns_data]
    results = mapped_runner(step.programs, step.summed, "numpy")(columns, call.broadcast_data, step.lanes)
    if isinstance(results, int):
        return None
    return [x for r in results for x in (r.tolist() if isinstance(r, np.ndarray) else [float(r)])]


class MappedCall:
    """A mapped step with its operands and their numbers, and its derivatives, made once for all its outputs."""

    def __init__(
        self,
        step: Mapped,
        broadcast: Sequence[Any],
        columns: Sequence[Sequence[Any]],
        gradient: Callable[..., Program],
    ) -> None:
        self.step = step
        self.broadcast = broadcast
        self.columns = columns
        self.gradient = gradient
        self.broadcast_data = list(map(data_of, broadcast))
        self.columns_data = [list(map(data_of, column)) for column in columns]
        self._samples: list[list[float]] = []
        self._derivatives: dict[Any, list[Any]] = {}

    def lane(self, t: int) -> list[float]:
        """The numbers that a lane begins with."""
        return [*(column[t] for column in self.columns_data), *self.broadcast_data]

    def derivatives(self, output: int, wanted: tuple[int, ...], seed: Any = 1.0) -> list[Any]:
        """The nodes of the derivatives of an output, times the seed, by the wanted inputs of the sub-programs.

        Those by an input that is the same in all lanes are summed where the output is; the others are stacked.
        """
        key = (output, wanted, seed if isinstance(seed, float) else id(seed))
        if key not in self._derivatives:
            self._derivatives[key] = self._differentiated(output, wanted, seed)
        return self._derivatives[key]

    def _differentiated(self, output: int, wanted: tuple[int, ...], seed: Any) -> list[Any]:
        programs = self.step.programs
        if not self._samples:
            lanes = [*map(self.lane, range(self.step.lanes))] if len(programs) > 1 else [self.lane(0)]
            self._samples = [next(x for x in lanes if replay(program, x) is not None) for program in programs]
        pairs = zip(programs, self._samples, strict=True)
        derived = tuple([self.gradient(program, sample, output, wanted, seed=seed) for program, sample in pairs])
        sums = tuple([self.step.summed[output] and i >= len(self.columns) for i in wanted])
        step = self.step._replace(programs=derived, summed=sums)
        broadcast = (*self.broadcast, seed) if isinstance(seed, Value) else self.broadcast
        return mapped_nodes(step, broadcast, self.columns, self.gradient)


class MappedOutput:
    """What a result of a mapped step names as its primitive: an output, and the lane of a stacked one.

    The arguments of a sum are the broadcast ones and then the lanes of each column, those of a stacked result
    the broadcast ones and the own lane's entry of each column.
    """

    name = "map"

    def __init__(self, call: MappedCall, output: int, lane: int | None) -> None:
        self.call = call
        self.output = output
        self.lane = lane

    def derivatives(self, m: Any, out: Any, args: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
        """The local derivatives by the arguments, as nodes."""
        return self._of_sum(wanted) if self.lane is None else self._of_lane(self.lane, wanted)

    def _of_sum(self, wanted: Sequence[bool]) -> list[Any]:
        call, count = self.call, self.call.step.lanes
        columns, broadcast = len(call.columns), len(call.broadcast)
        partials: list[Any] = [None] * len(wanted)
        by_broadcast = [i for i in range(broadcast) if wanted[i]]
        if by_broadcast:
            nodes = call.derivatives(self.output, tuple([columns + i for i in by_broadcast]))
            for i, node in zip(by_broadcast, nodes, strict=True):
                partials[i] = node
        for k in range(columns):
            start = broadcast + k * count
            lanes = [t for t in range(count) if wanted[start + t]]
            if lanes:
                column = _Column(call, self.output, k, lanes[0])
                partials[start : start + count] = [
                    _Entry(column, t) if w else None for t, w in enumerate(wanted[start : start + count])
                ]
        return partials

    def _of_lane(self, lane: int, wanted: Sequence[bool]) -> list[Any]:
        call, count = self.call, self.call.step.lanes
        columns, broadcast = len(call.columns), len(call.broadcast)
        # An argument's place among the inputs of the sub-programs: they have the columns first.
        places = [*range(columns, columns + broadcast), *range(columns)]
        chosen = [i for i, w in enumerate(wanted) if w]
        partials: list[Any] = [None] * len(wanted)
        nodes = call.derivatives(self.output, tuple([places[i] for i in chosen]))
        for n, i in enumerate(chosen):
            partials[i] = nodes[n * count + lane]
        return partials


class _Column:
    """The derivatives of a sum by the entries of a column."""

    def __init__(self, call: MappedCall, output: int, column: int, first: int) -> None:
        self.call = call
        self.output = output
        self.column = column
        self.first = first
        self.seed: Any = None

    def times(self, adjoint: Any, lane: int) -> Any:
        """The product with the derivative by one lane's entry.

        A reverse sweep asks for all lanes with one adjoint, so from the first lane on all are one mapped step.
        """
        if lane == self.first:
            self.seed = adjoint
        same = adjoint is self.seed or (type(adjoint) is float and adjoint == self.seed)
        if same:
            return self.call.derivatives(self.output, (self.column,), adjoint)[lane]
        return adjoint * self.call.derivatives(self.output, (self.column,))[lane]


class _Entry:
    """The derivative of a sum by the entry of one lane: as a factor, it gives a part of a mapped step."""

    __slots__ = ("column", "lane")

    def __init__(self, column: _Column, lane: int) -> None:
        self.column = column
        self.lane = lane

    def __rmul__(self, adjoint: Any) -> Any:
        return self.column.times(adjoint, self.lane)
