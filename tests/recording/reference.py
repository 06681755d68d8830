"""A program run step by step on floats: every pass and every printer must agree with this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import scalargrad as sg
from scalargrad.interpreters.floats import FLOATS, IEEE
from scalargrad.recording.program import Guard, Instruction, Loop, Program
from scalargrad.rows import Vector

Results: TypeAlias = Callable[[Instruction, list[Any]], list[Any]]


def run(program: Program, numbers: Sequence[float], columns: Sequence[Sequence[float]] = ()) -> list[Any] | None:
    """Return the outputs, floats and, if wide, lists; None if a guard fails. Raises the error of a row that refuses."""
    given, wide = iter(map(float, numbers)), iter(columns)
    return outputs(program, [list(next(wide)) if i in program.wide else next(given) for i in range(program.inputs)])


def data(x: Any) -> float:
    """Return the number of a Value, or the number itself."""
    return x.data if isinstance(x, sg.Value) else float(x)


def on_floats(step: Instruction, args: list[Any]) -> list[Any]:
    """Return the results of an instruction for floats."""
    out = step.primitive.forward(FLOATS if step.refuses else IEEE, *args)
    return [float(y) for y in out] if isinstance(step.primitive, Vector) else [float(out)]


def outputs(program: Program, inputs: Sequence[Any], results: Results = on_floats) -> list[Any] | None:
    """Return the outputs for all inputs in order, with this way to do an instruction; None if a guard fails."""
    values = list(inputs)

    def value(x: Any) -> Any:
        return values[x] if type(x) is int else float(x)

    for step in program.steps:
        if isinstance(step, Instruction):
            values += results(step, [*map(value, step.operands)])
        elif isinstance(step, Guard):
            if (data(value(step.condition)) != 0.0) is not step.holds:
                return None
        else:
            looped = _loop(step, value, results)
            if looped is None:
                return None
            values += looped
    return [value(x) for x in program.outputs]


def _loop(loop: Loop, value: Any, results: Results) -> list[Any] | None:
    consts, carries = [*map(value, loop.consts)], [*map(value, loop.init)]
    columns = [value(c) if type(c) is int else [*map(value, c)] for c in loop.columns]
    count = len(columns[0]) if loop.turns is None else loop.turns
    rows: list[list[Any]] = []
    for turn in range(count):
        inputs = [*consts, *carries, *(column[turn] for column in columns)]
        found = next((out for body in loop.bodies if (out := outputs(body, inputs, results)) is not None), None)
        if found is None:
            return None
        carries, row = found[: len(carries)], found[len(carries) :]
        rows.append(row)
    if loop.turns is None:
        return [*carries, *([row[k] for row in rows] for k in range(loop.stacks))]
    return [*carries, *(x for row in rows for x in row)]
