"""`vmap` and `batch_mean`: Python loops in eager code, and one `Loop` over all lanes in a recording."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..engine.evaluation import REFUSALS
from ..engine.observer import OBSERVER, RecordingError
from ..engine.structures import LEAF, Tree, flatten, opening
from ..engine.value import Value
from ..primitives import add, div, mean, pos
from ..rows import as_float
from .batches import Rows, TouchedError
from .lanes import Lanes, axes_of, columns_of, listed, run_lanes, spread, stack
from .program import Const, Operand, Program
from .recorder import Recording, RefusalCaughtError
from .stepwise import turn_of

__all__ = ["AbandonedError", "Mapped", "batch_mean", "vmap"]

Function = Callable[..., Any]
FEWEST = 3
"""With fewer lanes than this, each lane is recorded by itself."""
OUTCOMES = 16
"""The largest number of bodies of one loop, one for each outcome of the branches."""


class AbandonedError(RecordingError):
    """A recording was given up; the function runs eagerly instead."""


class Mapped:
    """A function mapped over the leading axis of its arguments; `vmap` and `batch_mean` make it."""

    def __init__(self, f: Function, in_axes: Any, averages: bool) -> None:
        functools.update_wrapper(self, f, updated=())
        self.f = f
        self.in_axes = in_axes
        self.averages = averages
        self.name = "batch_mean" if averages else "vmap"

    def __reduce__(self) -> tuple[Any, ...]:
        return Mapped, (self.f, self.in_axes, self.averages)

    def __call__(self, *args: Any) -> Any:
        """Return the results of all lanes, each leaf stacked on a leading axis or averaged."""
        args = listed(args)
        recording = OBSERVER.get()
        if isinstance(recording, Recording):
            if any(isinstance(x, Rows) for x in flatten(args)[0]):
                return _over_rows(recording, self, args)
            lanes = Lanes(self.name, args, self.in_axes)
            if lanes.count >= FEWEST and (found := _over_lanes(recording, self, lanes)) is not None:
                return found[0]
        else:
            lanes = Lanes(self.name, args, self.in_axes)
        results = run_lanes(self.f, lanes)
        if not self.averages:
            return stack(results, lanes.as_arrays)
        columns, rebuild = columns_of(self.name, results)
        return rebuild([mean(column) for column in columns])


def vmap(f: Function, in_axes: Any = 0) -> Callable[..., Any]:
    """Return the function that maps f over the leading axis of its arguments.

    `in_axes` is 0, or has for each argument 0 (mapped), None (the same for all lanes), or a container of these nested
    like the argument. A mapped argument is an array, list or tuple whose entries are the lanes' arguments, or a dict of
    such arguments. Each leaf of the output is stacked on a leading axis, as an array if a mapped argument is one, else
    as a list. In eager code it is a Python loop; under `jit` it is one loop of the program, for batches of any length.

    Raises `ValueError` if the lengths differ or are 0, and `TypeError` if an argument has no leading axis. If f raises
    an error for a bad operand, the error names the lane.

    >>> vmap(lambda x, y: x * y, in_axes=(0, None))([1.0, 2.0], 3.0)
    [3.0, 6.0]
    >>> vmap(lambda p: p["w"] * p["b"], in_axes=({"w": None, "b": 0},))({"w": 2.0, "b": [1.0, 3.0]})
    [2.0, 6.0]
    """
    return Mapped(f, in_axes, averages=False)


def batch_mean(f: Function, in_axes: Any = 0) -> Callable[..., Any]:
    """Return the function that averages f, which returns a number, over the leading axis of its arguments.

    This is the lecture's Loss = 1/T Σ Div (11-785, "Training by gradient descent"). The options and errors are those
    of `vmap`. In eager code it is a Python loop; under `jit` it is one loop of the program, which may add up the sum in
    another order. If f returns a list, tuple or dict, each of its numbers is averaged.

    >>> batch_mean(lambda w, x, d: (w * x - d) ** 2, in_axes=(None, 0, 0))(2.0, [1.0, 2.0], [2.0, 3.0])
    0.5
    """
    return Mapped(f, in_axes, averages=True)


class _Tracer:
    """Records a function of one lane, once for each outcome of its branches among the lanes, and writes the loop.

    `numbers(t)` are the numbers of lane t, one for each column. `arguments` makes a lane's arguments from Values.
    """

    def __init__(
        self,
        recording: Recording,
        mapped: Mapped,
        count: int,
        numbers: Callable[[int], list[float]],
        arguments: Callable[[Sequence[Any]], Sequence[Any]],
    ) -> None:
        self.recording = recording
        self.mapped = mapped
        self.count = count
        self.numbers = numbers
        self.arguments = arguments
        self.traced: list[tuple[Recording, list[Operand]]] = []
        self.tree: Tree | None = None
        remaining: Sequence[int] = range(count)
        while remaining:
            if len(self.traced) == OUTCOMES:
                raise abandoned(
                    recording, f"a batch took more than {OUTCOMES} different ways through the function's branches"
                )
            sub, outputs = self._trace(remaining[0])
            self.traced.append((sub, outputs))
            body = sub.program(outputs, [*sub.captured_at, *range(len(sub.inputs))])
            if not body.guarded:
                break
            remaining = self._left(body, [sub.data[ref] for ref in sub.captured_at], remaining)
        self.captured: dict[int, Any] = {id(x): x for sub, _ in self.traced for x in sub.captured}

    def _trace(self, t: int) -> tuple[Recording, list[Operand]]:
        sub = Recording(self.numbers(t), parent=self.recording, permissive=self.recording.permissive)
        leaves, tree = flatten(sub.run(self.mapped.f, *self.arguments(sub.inputs)))
        if any(isinstance(leaf, Rows) for leaf in leaves):
            raise TouchedError(None)
        for leaf, path in zip(leaves, tree.paths(), strict=True):
            if not isinstance(leaf, Value) and as_float(leaf) is None:
                raise TypeError(
                    f"{self.mapped.name}: the function returned {leaf!r}{path and ' at ' + path}, a "
                    f"{type(leaf).__name__}; return numbers"
                )
        if self.tree not in (None, tree):
            raise ValueError(f"{self.mapped.name}: the function's results are nested differently in different lanes")
        self.tree = tree
        return sub, [sub.operand(leaf) for leaf in leaves]

    def _left(self, body: Program, consts: list[Any], lanes: Sequence[int]) -> Sequence[int]:
        run = turn_of(body)
        try:
            return [t for t in lanes[1:] if run([*consts, *self.numbers(t)]) is None]
        except REFUSALS:
            self.recording.refused()  # a lane's operand is bad: f itself must raise the error, or catch it
            raise RefusalCaughtError from None

    def write(self, turns: int | None, columns: Sequence[Any]) -> list[Operand]:
        """Write the loop. Return its results: the sums, or the stacked values."""
        outer = list(self.captured.values())
        bodies = []
        for sub, outputs in self.traced:
            carries: list[int] = []
            totals: list[Operand] = list(outputs)
            if self.mapped.averages:
                carries = [sub.added(pos, (Const(0.0),), (0.0,)) for _ in outputs]
                totals = [sub.added(add, pair, (0.0,)) for pair in zip(carries, outputs, strict=True)]
            inputs = [*[sub.ref(x) for x in outer], *carries, *range(len(sub.inputs))]
            bodies.append(sub.program(totals, inputs))
        recording = self.recording
        consts = [recording.ref(x) for x in outer]
        init = [Const(-0.0)] * (len(self.traced[0][1]) if self.mapped.averages else 0)
        results = recording.tape.loop(turns, bodies, consts, init, columns, ordered=False)
        recording.written()
        return results

    def means(self, sums: Sequence[Operand], count: Operand) -> Any:
        """Return the averages, nested like the function's result."""
        assert self.tree is not None  # noqa: S101 (for the type checker)
        recording = self.recording
        averages = [recording.tape.write(div, (total, count)) for total in sums]
        recording.written()
        return self.tree.unflatten([recording.result(x) for x in averages])


def _over_lanes(recording: Recording, mapped: Mapped, lanes: Lanes) -> tuple[Any] | None:
    """Return the results of a loop over a known number of lanes; None if it has nothing to record."""
    first, tree = flatten(lanes.lane(0))
    rows = []
    for t in range(lanes.count):
        leaves, own = flatten(lanes.lane(t))
        if own != tree:
            return None
        rows.append(leaves)
    varying = [k for k in range(len(first)) if any(row[k] is not first[k] for row in rows)]
    columns = [[row[k] for row in rows] for k in varying]
    if any(not isinstance(x, Value) and as_float(x) is None for column in columns for x in column):
        return None
    operands = [[recording.operand(x) for x in column] for column in columns]

    def arguments(inputs: Sequence[Any]) -> Any:
        given = list(first)
        for k, x in zip(varying, inputs, strict=True):
            given[k] = x
        return tree.unflatten(given)

    def numbers(t: int) -> list[float]:
        return [recording.value(column[t]) for column in operands]

    tracer = _Tracer(recording, mapped, lanes.count, numbers, arguments)
    if not tracer.captured and not any(type(x) is int for column in operands for x in column):
        return None
    results = tracer.write(lanes.count, operands)
    if mapped.averages:
        return (tracer.means(results, Const(float(lanes.count))),)
    assert tracer.tree is not None  # noqa: S101 (for the type checker)
    width = len(results) // lanes.count
    nodes = [recording.result(x) for x in results]
    turns = [tracer.tree.unflatten(nodes[t * width : (t + 1) * width]) for t in range(lanes.count)]
    return (stack(turns, lanes.as_arrays),)


def _over_rows(recording: Recording, mapped: Mapped, args: Sequence[Any]) -> Any:
    """Return the results of a loop over batches of any length."""
    rows: list[Rows] = []
    build = _opened(tuple(args), tuple(spread(mapped.name, args, mapped.in_axes)), rows)
    counts = {batch._count for batch in rows}
    if len(counts) != 1:
        raise TouchedError(None)
    count = recording.count_of(rows[0])
    columns = [column for batch in rows for column in batch._columns]
    places = [recording.ref(column) for column in columns]
    data = [recording.number_of(place) for place in places]
    tracer = _Tracer(
        recording,
        mapped,
        counts.pop(),
        lambda t: [float(column[t]) for column in data],
        lambda inputs: build(iter(inputs)),
    )
    results = tracer.write(None, places)
    if mapped.averages:
        return tracer.means(results, recording.ref(count))
    kind = next((batch._kind for batch in rows if batch._kind not in (list, tuple)), list)
    assert tracer.tree is not None  # noqa: S101 (for the type checker)
    return _stacked(tracer.tree, iter([recording.column(x) for x in results]), rows[0]._count, kind)


def _opened(arg: Any, axis: Any, rows: list[Rows]) -> Callable[[Any], Any]:
    """Return a function that makes an argument of one lane from an iterator over the numbers of its columns."""
    if axis is None:
        return lambda inputs: arg
    if isinstance(arg, Rows):
        if axis != 0:
            raise TouchedError(arg._index)
        rows.append(arg)
        lane = arg._lane
        return next if lane is LEAF else lambda inputs: lane.unflatten([next(inputs) for _ in range(lane.size)])
    opened = opening(arg)
    if opened is None or (axis == 0 and not isinstance(arg, dict)):
        raise TouchedError(None)
    _, items, build = opened
    parts = [_opened(item, inner, rows) for item, inner in zip(items, axes_of(axis, arg), strict=True)]
    return lambda inputs: build([part(inputs) for part in parts])


def _stacked(tree: Tree, columns: Any, count: int, kind: type) -> Any:
    """Return the columns, nested like a lane's result, with a batch for each number and each array."""
    if tree.shape is None:
        return tree.build([_stacked(part, columns, count, kind) for part in tree.parts])
    return Rows([next(columns) for _ in range(tree.size)], tree, count, tree.kind if tree is not LEAF else kind)


def abandoned(recording: Recording, reason: str) -> AbandonedError:
    """Return the error that gives the recording up, even if the function catches it."""
    error = AbandonedError(reason)
    root = recording.root
    root.error = root.error or error
    return error
