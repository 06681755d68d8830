"""A variant: one recording of a function, its program ready to run, and the nesting of its results."""

from __future__ import annotations

import contextvars
import functools
import gc
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from ..engine.evaluation import REFUSALS
from ..engine.observer import RecordingError
from ..engine.structures import flatten
from ..engine.value import Value
from ..rows import as_float
from . import stepwise
from .arguments import Call, Constant, Gathered, result_builder
from .batches import Batch, Rows, TouchedError, batch_of
from .calls import Differentiable, dependent
from .program import Operand, Program
from .recorder import Recording
from .roll import roll

__all__ = ["INLINE", "Variant", "record"]

INLINE: contextvars.ContextVar[bool] = contextvars.ContextVar("scalargrad_inline", default=False)
"""True while a recording is checked: jitted functions inside then run as plain functions."""
SHORT = 2000
"""A recording of at most this many steps is also checked at the point of the call itself."""
SAMPLED = 3
"""The number of lanes of a batch that are checked."""


class Variant:
    """One recording of a function, valid for arguments at which its guards hold."""

    def __init__(
        self,
        program: Program,
        captured: Sequence[Value],
        result: tuple[Any, list[Any]],
        values: Sequence[int],
        batches: Sequence[int],
        backend: str,
    ) -> None:
        self.program = program
        self.captured = captured
        self.batches = batches
        self.tree, self.entries = result
        self.takes_values = bool(values)
        numbers = program.inputs - len(program.wide)
        self.differentiable = Differentiable(program, [*values, *range(numbers - program.captured, numbers)], backend)
        self.plain = not self.differentiable.dependent
        self.assemble = result_builder(self.tree, self.entries, self.plain)

    @property
    def runner(self) -> Any:
        """The program, ready to run."""
        return self.differentiable.runner

    def compile(self) -> None:
        """Make the program ready to run, apart from a run, so that its errors differ from a run's."""
        _ = self.differentiable.runner

    @property
    def template(self) -> Any:
        """The result with the place of an output for each number; None if it has other leaves."""
        return self.tree.unflatten(self.entries) if all(isinstance(x, int) for x in self.entries) else None

    def run(self, call: Call, numbers: Sequence[float]) -> tuple[Any] | None:
        """Return the result for these arguments; None if a guard fails. Raises the errors of operations."""
        columns: Sequence[Any] = ()
        if self.batches:
            batches = [call.leaves[i] for i in self.batches]
            columns = [column for batch in batches for column in batch.columns]
            numbers = [*numbers, float(len(batches[0]))]
            if any(len(batch) != len(batches[0]) for batch in batches):
                return None
        point = [*numbers, *[node._data for node in self.captured]] if self.captured else numbers
        found = self.differentiable.run(point, columns)
        if found is None:
            return None
        if self.plain:
            return (self.assemble(found),)
        args: Sequence[Any] = numbers
        if self.takes_values:
            values = [x for x in call.leaves if isinstance(x, Value)]
            given = dict(zip(self.differentiable.by, values, strict=False))
            args = [given.get(i, x) for i, x in enumerate(numbers)]
        return (self.assemble(self.differentiable.nodes((*args, *self.captured), columns, found)),)


def record(f: Callable[..., Any], call: Call, opened: frozenset[int], backend: str, permissive: bool) -> Variant:
    """Return f recorded at these arguments, and checked.

    Raises `RecordingError` if a program can't follow f, `TouchedError` if f looks into a batch that is not opened,
    `RefusalCaughtError` if f caught an operation's error, and f's own errors.
    """
    enabled = gc.isenabled()
    try:
        gc.disable()  # a tape has no cycles, so collecting only costs time
        return _recorded(f, call, opened, backend, permissive)
    finally:
        if enabled:
            gc.enable()


def _recorded(f: Callable[..., Any], call: Call, opened: frozenset[int], backend: str, permissive: bool) -> Variant:
    batches = call.batches(opened)
    numbers = call.numbers(opened)
    count = len(numbers)
    columns = [column for _, batch in batches for column in batch.columns]
    recording = Recording([*numbers, 0.0] if batches else numbers, columns, permissive=permissive)
    recording.count = recording.inputs[count] if batches else None
    rows: dict[int, Rows] = {}
    at = 0
    for index, batch in batches:
        width = batch.matrix.shape[1]
        rows[index] = Rows(recording.columns[at : at + width], batch.lane, len(batch), batch.kind, index)
        at += width
    args, named = call.rebuilt(opened, iter(recording.inputs), lambda index, batch: rows[index])
    try:
        leaves, tree = flatten(recording.run(functools.partial(f, **named), *args))
    except (RecordingError, *REFUSALS):
        raise
    except Exception:
        if not batches:
            raise
        raise TouchedError(None) from None  # perhaps an operation on a batch failed; any other error will occur again
    outputs, entries = _outputs(recording, leaves, tree)
    length = recording.data[count] if batches else 0.0
    used = [index for index, batch in batches if len(batch) == length]
    if any(isinstance(leaf, Rows) and leaf._count != length for leaf in leaves):
        raise TouchedError(None)
    wide = [column.ref for index in used for column in rows[index]._columns]
    inputs = [*range(count), *([count] if used else []), *recording.captured_at, *wide]
    captured = recording.captured
    program = roll(recording.program(outputs, inputs, len(captured)))
    first = len(inputs) - len(wide) - len(captured)
    for k in dependent(program, range(first, first + len(captured))):
        if any(isinstance(x, Gathered) and x.first <= k < x.first + len(x.columns) for x in entries):
            raise TouchedError(None)  # a column of nodes is spelled out
    check(f, call, opened, program, used, captured, entries, permissive, len(recording.tape.steps))
    values: list[int] = []
    place = 0
    for index, leaf in enumerate(call.leaves):
        if isinstance(leaf, Value):
            values.append(place)
        place += 1 if not isinstance(leaf, Batch) else leaf.matrix.size if index in opened else 0
    return Variant(program, captured, (tree, entries), values, used, backend)


def _outputs(recording: Recording, leaves: Sequence[Any], tree: Any) -> tuple[list[Operand], list[Any]]:
    outputs: list[Operand] = []
    entries: list[Any] = []
    for index, leaf in enumerate(leaves):
        if isinstance(leaf, Value) or type(leaf) is float:
            entries.append(len(outputs))
            outputs.append(recording.operand(leaf))
        elif isinstance(leaf, Rows):
            entries.append(Gathered(leaf, len(outputs)))
            outputs += [recording.ref(column) for column in leaf._columns]
        elif isinstance(leaf, (bool, str, type(None))) or as_float(leaf) is not None:
            entries.append(Constant(leaf))
        else:
            path = tree.paths()[index]
            raise RecordingError(
                f"the recorded function returned {leaf!r}{path and ' at ' + path}, a {type(leaf).__name__}; "
                "return numbers, nested in lists, tuples, dicts or arrays"
            )
    return outputs, entries


# The check: a function and its program must agree, at another point too.


def check(
    f: Callable[..., Any],
    call: Call,
    opened: frozenset[int],
    program: Program,
    used: Sequence[int],
    captured: Sequence[Value],
    entries: Sequence[Any],
    permissive: bool,
    steps: int,
) -> None:
    """Run f on plain numbers nearby, and at the point itself, and compare its results with the program's.

    The program runs first. If a guard fails or an operand is refused, f is not run, since it might not end. Raises
    `RecordingError` if the two differ.
    """
    generator = random.Random(0)  # noqa: S311 (a point near the first one, the same in every run)
    numbers = call.numbers(opened)
    nearby = [x + (0.01 * abs(x) + 0.001) * generator.uniform(0.5, 1.0) for x in numbers]
    sample = {
        i: batch.part(sorted({0, len(batch) // 2, len(batch) - 1})) if len(batch) > SAMPLED else batch.original
        for i, batch in call.batches(opened)
    }
    seen = None
    for point in (nearby, numbers):
        if seen and (steps > SHORT or sample):
            return
        expected = _program_at(program, call, point, used, captured, sample)
        if expected is not None:
            agreed = _agrees(f, call, opened, point, sample, expected, entries)
            if agreed is False or (agreed is None and point is numbers and not sample and not permissive):
                raise RecordingError(
                    "the recorded function gave other results when it ran again: it is random, or depends on the time, "
                    "on something that it changes itself, or on a number that it did not compute with Values; "
                    "pass such numbers as arguments"
                )
            seen = seen or agreed


def _program_at(
    program: Program,
    call: Call,
    numbers: Sequence[float],
    used: Sequence[int],
    captured: Sequence[Value],
    sample: dict[int, Any],
) -> list[Any] | None:
    inputs: list[Any] = list(numbers)
    batches = [batch for i in used if (batch := batch_of(sample[i])) is not None]
    if batches:
        inputs.append(float(len(batches[0])))
    inputs += [node._data for node in captured]
    inputs += [column.tolist() for batch in batches for column in batch.columns]
    try:
        return stepwise.run(program, inputs)
    except REFUSALS:
        return None


def _agrees(
    f: Callable[..., Any],
    call: Call,
    opened: frozenset[int],
    numbers: Sequence[float],
    sample: dict[int, Any],
    expected: list[Any],
    entries: Sequence[Any],
) -> bool | None:
    """Return True if f gives the expected results, and None if f raises an error."""
    wanted = _flat(expected, entries)
    differs = False
    for kind in (float, Value):  # a method of Values, or a test of the type, needs Values
        found = _plain(f, call, opened, [kind(x) for x in numbers], sample)
        if found is None:
            continue
        if _equal(found, wanted, 1e-13):
            return True
        if _equal(found, wanted, 1e-9):
            # So small a difference may be rounding. If f is random, it differs from itself too.
            again = _plain(f, call, opened, [kind(x) for x in numbers], sample)
            return again is not None and _equal(found, again, 0.0)
        differs = True
    return False if differs else None


def _plain(
    f: Callable[..., Any], call: Call, opened: frozenset[int], numbers: Sequence[Any], sample: dict[int, Any]
) -> list[Any] | None:
    def run() -> Any:
        INLINE.set(True)
        args, named = call.rebuilt(opened, iter(numbers), lambda i, batch: sample[i])
        return f(*args, **named)

    try:
        leaves, _ = flatten(contextvars.copy_context().run(run))
    except RecordingError:
        raise
    except Exception:
        return None
    return [x._data if isinstance(x, Value) else x for x in leaves]


def _flat(expected: Sequence[Any], entries: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for entry in entries:
        if isinstance(entry, int):
            found.append(expected[entry])
        elif isinstance(entry, Constant):
            found.append(entry.leaf)
        else:
            found += flatten(entry(expected))[0]
    return found


def _equal(found: Sequence[Any], wanted: Sequence[Any], relative: float) -> bool:
    if len(found) != len(wanted):
        return False
    pairs = list(zip(found, wanted, strict=True))
    for x, y in pairs:
        a, b = as_float(x), as_float(y)
        if a is None or b is None:
            if type(x) is not type(y) or x != y:
                return False
        elif a == b or (a != a and b != b) or (relative and not math.isfinite(a - b)):
            continue  # at a kink a derivative may be nan for one of them
        elif abs(a - b) > relative * max(abs(a), abs(b), 1e-3) or not relative:
            return False
    return True
