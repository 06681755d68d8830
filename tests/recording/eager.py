"""A program run on Values, each step a call of its row: its derivatives must agree with this to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import scalargrad as sg
from scalargrad.engine.evaluation import evaluate
from scalargrad.interpreters.floats import FLOATS, IEEE
from scalargrad.recording.basis import CHOOSE, EQUAL, LESS
from scalargrad.recording.program import Guard, Instruction, Loop, Program
from scalargrad.rows import Vector


def data(x: Any) -> float:
    """Return the number of a Value, or the number itself."""
    return x.data if isinstance(x, sg.Value) else float(x)


def outputs(program: Program, inputs: Sequence[Any]) -> list[Any] | None:
    """Return the outputs for Values and floats; None if a guard fails. A choice takes its side."""
    values = list(inputs)

    def value(x: Any) -> Any:
        return values[x] if type(x) is int else float(x)

    for step in program.steps:
        if isinstance(step, Instruction):
            values += _results(step, [*map(value, step.operands)])
        elif isinstance(step, Guard):
            if (data(value(step.condition)) != 0.0) is not step.holds:
                return None
        else:
            results = _loop(step, value)
            if results is None:
                return None
            values += results
    return [value(x) for x in program.outputs]


def _results(step: Instruction, args: list[Any]) -> list[Any]:
    if step.primitive is CHOOSE:
        return [sg.pos(args[1] if data(args[0]) != 0.0 else args[2])]  # a node of its own, as a row's is
    if step.primitive in (LESS, EQUAL):
        x, y = map(data, args)
        return [float(x < y if step.primitive is LESS else x == y)]
    out = evaluate(step.primitive, tuple(args), FLOATS if step.refuses else IEEE)
    return list(out) if isinstance(step.primitive, Vector) else [out]


def _loop(loop: Loop, value: Any) -> list[Any] | None:
    consts, carries = [*map(value, loop.consts)], [*map(value, loop.init)]
    columns = [value(c) if type(c) is int else [*map(value, c)] for c in loop.columns]
    rows = []
    for turn in range(len(columns[0]) if loop.turns is None else loop.turns):
        inputs = [*consts, *carries, *(column[turn] for column in columns)]
        found = next((out for body in loop.bodies if (out := outputs(body, inputs)) is not None), None)
        if found is None:
            return None
        carries, row = found[: len(carries)], found[len(carries) :]
        rows.append(row)
    return [*carries, *(x for row in rows for x in row)]
