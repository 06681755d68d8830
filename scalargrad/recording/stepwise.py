"""Programs run step by step on floats, for cases with too few runs to print and compile the program.

Only loops are printed: each body becomes a Python function once, and is called for each turn.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from ..interpreters.floats import FLOATS, IEEE
from ..rows import Vector
from .passes import lowered
from .program import Guard, Instruction, Loop, Operand, Program, Step
from .python import Runner, compiled

__all__ = ["results", "run"]

Reader: TypeAlias = "Callable[[Operand], Any]"
LONGEST_PRINTED = 2000
"""The largest number of steps of a body that is printed; to compile a longer one takes as long as many turns."""


def run(program: Program, inputs: Sequence[Any]) -> list[Any] | None:
    """Return the outputs for all inputs in order, wide ones as lists; None if a guard fails.

    Instructions that refuse raise the errors of floats.
    """
    values = list(inputs)

    def value(x: Operand) -> Any:
        return values[x] if type(x) is int else float(x)

    for step in program.steps:
        found = results(step, value)
        if found is None:
            return None
        values += found
    return [value(x) for x in program.outputs]


def results(step: Step, value: Reader) -> list[Any] | None:
    """Return the results of a step; None if it is a guard that fails, or a loop in which one fails."""
    if isinstance(step, Instruction):
        out = step.primitive.forward(FLOATS if step.refuses else IEEE, *map(value, step.operands))
        return [float(y) for y in out] if isinstance(step.primitive, Vector) else [float(out)]
    if isinstance(step, Guard):
        return [] if (value(step.condition) != 0.0) is step.holds else None
    return _loop(step, value)


def _loop(loop: Loop, value: Reader) -> list[Any] | None:
    consts, carries = [*map(value, loop.consts)], [*map(value, loop.init)]
    columns = [_listed(value(c)) if isinstance(c, int) else [*map(value, c)] for c in loop.columns]
    turns: Iterable[Sequence[Any]] = zip(*columns, strict=True) if columns else [()] * (loop.turns or 0)
    runs = [turn_of(body) for body in loop.bodies]
    rows: list[list[Any]] = []
    for entries in turns:
        found = None
        for run_body in runs:
            found = run_body([*consts, *carries, *entries])
            if found is not None:
                break
        if found is None:
            return None
        carries = found[: len(carries)]
        rows.append(found[len(carries) :])
    if loop.turns is None:
        return [*carries, *([row[k] for row in rows] for k in range(loop.stacks))]
    return [*carries, *(x for row in rows for x in row)]


def _listed(column: Any) -> Any:
    return column if isinstance(column, list) else column.tolist()  # NumPy's own floats never raise


def turn_of(body: Program) -> Callable[[Sequence[Any]], list[Any] | None]:
    """Return the function that runs a loop's body for one turn, from all its inputs in order."""
    if len(body) > LONGEST_PRINTED:
        return functools.partial(run, body)
    return _printed(body)


@functools.lru_cache(maxsize=256)
def _printed(body: Program) -> Callable[[Sequence[Any]], list[Any] | None]:
    runner: Runner = compiled(lowered(body))
    if not body.wide:
        return runner
    numbers = [i for i in range(body.inputs) if i not in set(body.wide)]
    return lambda inputs: runner([inputs[i] for i in numbers], [inputs[i] for i in body.wide])
