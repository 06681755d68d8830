"""Replay: a program run row by row on floats, as eager code would. The other back ends fall back on it
where something is not finite, to raise what eager code raises, or to find that nothing is wrong."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from ..engine.evaluation import REFUSALS, refusal
from ..interpreters.floats import FLOATS, IEEE
from ..rows import Vector
from .program import Guard, Instruction, Mapped, Operand, Program, Runner

__all__ = ["in_lane", "lane_inputs", "over_lanes", "replay"]


def replay(program: Program, values: Sequence[float]) -> list[float] | None:
    """The outputs for the values of the inputs and the captured ones; None where a guard fails.

    Raises what eager code raises at the same operation, where no earlier guard fails.
    """
    cells = list(values)

    def number(operand: Operand) -> float:
        return cells[operand] if type(operand) is int else operand

    for step in program.steps:
        if isinstance(step, Guard):
            if (cells[step.condition] != 0.0) is not step.holds:
                return None
        elif isinstance(step, Instruction):
            cells.extend(_instruction(step, [number(x) for x in step.operands]))
        else:
            results = _mapped(step, [number(x) for x in step.broadcast], values)
            if results is None:
                return None
            cells.extend(results)
    return [number(x) for x in program.outputs]


def _instruction(step: Instruction, data: list[float]) -> Sequence[float]:
    try:
        out = step.row.forward(FLOATS if step.refuses else IEEE, *data)
    except REFUSALS as error:
        raise refusal(step.row, error, data, data) from None
    return out if isinstance(step.row, Vector) else (float(out),)


def _mapped(step: Mapped, broadcast: list[float], values: Sequence[float]) -> list[float] | None:
    runs = [functools.partial(replay, program) for program in step.programs]
    return over_lanes(step, runs, lambda lane: [*lane_inputs(step, lane, values), *broadcast])


def over_lanes(step: Mapped, runs: Sequence[Runner], inputs_of: Callable[[int], Sequence[float]]) -> list[float] | None:
    """The results of a mapped step, lane by lane by the first run whose guards hold; None where none does."""
    outputs: list[list[float]] = [[] for _ in step.summed]
    for lane in range(step.lanes):
        inputs = inputs_of(lane)
        with in_lane(lane):
            found = next((given for run in runs if (given := run(inputs)) is not None), None)
        if found is None:
            return None
        for column, out in zip(outputs, found, strict=True):
            column.append(out)
    results: list[float] = []
    for column, summed in zip(outputs, step.summed, strict=True):
        results.extend([_sum(column)] if summed else column)
    return results


def _sum(numbers: Sequence[float]) -> float:
    total = numbers[0]
    for number in numbers[1:]:
        total += number
    return total


def lane_inputs(step: Mapped, lane: int, values: Sequence[float]) -> list[float]:
    """The numbers that the columns have for one lane."""
    entries = [column[lane] for column in step.columns]
    return [values[x] if type(x) is int else x for x in entries]


class in_lane:  # noqa: N801 (a context manager reads as a phrase)
    """Within it, an error for a bad operand also names the lane."""

    def __init__(self, lane: int) -> None:
        self.lane = lane

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, REFUSALS):
            raise type(error)(f"{error} (lane {self.lane})") from None
