"""A trace: one recording of a function, its program ready to run, and how its results are handed back."""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import operator
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, cast

from ..engine.observer import RecordingError
from ..engine.structures import flatten
from ..engine.value import Value, make_node
from ..rows import as_float
from .arguments import Constant, Inputs, assembler
from .backends import build
from .deferred import Deferred
from .derivative import Call, gradient
from .passes import constant_key
from .program import Guard, Instruction, Mapped, Program, Runner, operands_of
from .recorder import Recording

__all__ = ["Trace", "check", "is_dependent", "record_trace", "recorded"]

READY_RESULTS = 4
"""The most results whose derivatives by Values are computed at each call; those of more wait until asked for."""


class Trace:
    """One recording of a function."""

    def __init__(
        self,
        program: Program,
        captured: Sequence[Value],
        outputs: Sequence[Any],
        rebuild: Callable[..., Any],
        inputs: Inputs,
        backend: str,
    ) -> None:
        self.program = program
        self.captured = captured
        positions = itertools.count()
        self.template = rebuild([next(positions) if _is_number(x) else Constant(x) for x in outputs])
        self.assemble = assembler(self.template)
        self.by = [i for i, leaf in enumerate(inputs.leaves) if isinstance(leaf, Value)]
        self.takes_values = bool(self.by)
        self.by += range(program.inputs, program.inputs + program.captured)
        self.dependent = _dependent(program, set(self.by)) if self.by else []
        self.calls = [Call(program, (), k) for k in self.dependent]
        self.ready = self.dependent if len(self.dependent) <= READY_RESULTS else []
        self.plain = not self.dependent
        point = [*inputs.numbers, *(node._data for node in captured)]
        extended = program
        for k in self.ready:
            extended = gradient(extended, point, k, self.by, keep=True)
        self.backend = backend
        self.runner = build(extended, backend)
        self._derivatives: dict[int, Runner] = {}

    def run(self, numbers: list[float]) -> tuple[list[float], list[Any]] | None:
        """The point and the numbers that come out there; None where a guard fails."""
        point = [*numbers, *[node._data for node in self.captured]] if self.captured else numbers
        outputs = self.runner(point)
        return None if outputs is None else (point, outputs)

    def result(self, found: tuple[list[float], list[Any]]) -> Any:
        """The result of the function, nested as it returned it."""
        return self.assemble(found[1])

    def with_nodes(self, found: tuple[list[float], list[Any]], leaves: Sequence[Any]) -> Any:
        """The result, with nodes for the numbers that depend on Values.

        `leaves` are those of the arguments; where it `takes_values` of none, they may be their numbers.
        """
        point, outputs = found
        parents = tuple(self.captured)
        if self.takes_values:
            leaves = [x if isinstance(x, Value) else float(x) for x in leaves]
            parents = (*[x for x in leaves if isinstance(x, Value)], *parents)
        args = (*leaves, *self.captured)
        results = list(outputs)
        for n, k in enumerate(self.dependent):
            call = self.calls[n].at(point)
            if self.ready:
                start = len(self.program.outputs) + n * len(self.by)
                partials = outputs[start : start + len(self.by)]
                results[k] = make_node(call, args, outputs[k], partials, parents)
            else:
                results[k] = Deferred(call, args, outputs[k], functools.partial(self._partials, k, point), parents)
        return self.assemble(results)

    def _partials(self, output: int, point: Sequence[float]) -> Sequence[float]:
        """The local derivatives of one output by the Values."""
        if output not in self._derivatives:
            self._derivatives[output] = build(gradient(self.program, point, output, self.by), self.backend)
        return cast("list[float]", self._derivatives[output](point))  # the guards hold at this point


def _is_number(x: Any) -> bool:
    return isinstance(x, Value) or type(x) is float


def _dependent(program: Program, sources: set[int]) -> list[int]:
    """The outputs that are computed from these values."""
    reached = set(sources)
    for step in program.steps:
        if not isinstance(step, Guard) and not reached.isdisjoint(x for x in operands_of(step) if type(x) is int):
            reached.update(range(step.result, step.result + step.width))
    return [k for k, out in enumerate(program.outputs) if type(out) is int and out in reached]


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """While this lasts, no garbage is collected: a graph has no cycles, and is walked in vain time and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@collector_paused()
def record_trace(f: Callable[..., Any], inputs: Inputs, backend: str) -> Trace:
    """The trace of f at these inputs. Raises `RecordingError` where another run records something else."""
    recording, outputs, rebuild = recorded(f, inputs, inputs.numbers)
    program = recording.program([out for out in outputs if _is_number(out)])
    check(f, inputs, recording, outputs)
    return Trace(program, recording.captured, outputs, rebuild, inputs, backend)


def is_dependent(programs: Sequence[Program], captured: Sequence[Value]) -> bool:
    """Whether some output is computed from a captured Value."""
    return bool(captured) and any(_dependent(p, set(range(p.inputs, p.inputs + p.captured))) for p in programs)


@collector_paused()
def recorded(
    f: Callable[..., Any], inputs: Inputs, numbers: Sequence[float]
) -> tuple[Recording, list[Any], Callable[..., Any]]:
    """One recording of f at these numbers, its results, and what nests them."""
    recording = Recording(numbers)
    with recording.under_way():
        outputs, tree = flatten(inputs.call(f, recording.inputs))
        for out, path in zip(outputs, tree.paths(), strict=True):
            if not isinstance(out, (Value, bool, str, type(None))) and as_float(out) is None:
                raise RecordingError(
                    f"the recorded function returned {out!r}{path and ' at ' + path}, a {type(out).__name__}; "
                    "return numbers, nested in lists, tuples, dicts or arrays"
                )
        settled = [_settled(recording, out) for out in outputs]
    return recording, settled, tree.unflatten


def _settled(recording: Recording, out: Any) -> Any:
    # A Value that is the same at every run is a number.
    if isinstance(out, Value) and type(ref := recording.ref(out)) is float:
        return ref
    return out


def check(f: Callable[..., Any], inputs: Inputs, first: Recording, outputs: Sequence[Any]) -> None:
    """Record f again nearby, or, where that goes another way, at the same point: it must do the same."""
    generator = random.Random(0)  # noqa: S311 (a point near the first one, the same in every run)
    nearby = [x + (0.01 * abs(x) + 0.001) * generator.uniform(0.5, 1.0) for x in inputs.numbers]
    try:
        same = _same((first, outputs), recorded(f, inputs, nearby)[:2])
    except (ArithmeticError, ValueError, RecordingError):
        same = None
    if same is None:
        same = _same((first, outputs), recorded(f, inputs, inputs.numbers)[:2])
    if not same:
        raise RecordingError(
            "the recorded function did something else when it was run again: it is random, or depends on the "
            "time, on what it changes itself, or on a number that it did not compute with Values. Hand such "
            "numbers in as arguments"
        )


Run: TypeAlias = "tuple[Recording, Sequence[Any]]"


def _same(run: Run, other: Run) -> bool | None:
    """Whether two recordings took the same steps to the same results; None where a branch went the other way."""
    (first, outputs), (second, other_outputs) = run, other
    for mine, theirs in itertools.zip_longest(first.steps, second.steps):
        if _equal(mine, theirs):
            continue
        if isinstance(mine, Guard) and isinstance(theirs, Guard) and mine == theirs._replace(holds=not theirs.holds):
            return None
        if isinstance(mine, Mapped) and isinstance(theirs, Mapped) and (mine.guarded or theirs.guarded):
            return None
        return False
    if len(first.captured) != len(second.captured) or len(outputs) != len(other_outputs):
        return False
    pairs = zip(outputs, other_outputs, strict=True)
    return all(map(operator.is_, first.captured, second.captured)) and all(
        constant_key(first.ref(x)) == constant_key(second.ref(y))
        if _is_number(x) and _is_number(y)
        else repr(x) == repr(y)
        for x, y in pairs
    )


def _equal(step: Any, other: Any) -> bool:
    if not isinstance(step, Instruction) or not isinstance(other, Instruction):
        return repr(step) == repr(other)
    return (
        step.row is other.row
        and step.result == other.result
        and [*map(constant_key, step.operands)] == [*map(constant_key, other.operands)]
    )
