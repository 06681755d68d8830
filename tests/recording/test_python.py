"""The Python printer: loops, guards, bodies, refusals, equal to the reference to the last bit."""

from __future__ import annotations

import pytest

import scalargrad as sg
from scalargrad.engine.evaluation import REFUSALS
from scalargrad.recording import python
from scalargrad.recording.builder import Builder
from scalargrad.recording.passes import lowered
from scalargrad.recording.program import Const
from scalargrad.recording.verify import verify

from .generator import random_program
from .test_program import found, points


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_a_printed_program_is_equal_to_its_steps_to_the_last_bit(start: int) -> None:
    for seed in range(start, start + 100):
        program = random_program(seed)
        run = python.compiled(verify(lowered(program)))
        for point in points(seed, 6):
            try:
                outputs = run(point)
                outcome = outputs and [Const(x) for x in outputs]
                assert outputs is None or {*map(type, outputs)} == {float}
            except REFUSALS as error:
                outcome = type(error)
            assert outcome == found(program, point), (seed, point)


def test_columns_of_any_length() -> None:
    lane = Builder(2)
    body = lane.program([lane.write(sg.add, (0, lane.write(sg.exp, (1,), True))), lane.write(sg.sin, (1,))])
    b = Builder(2, wide=[1])
    total, stack = b.loop(None, [body], [], [Const(-0.0)], [1], ordered=False)
    program = lowered(b.program([b.write(sg.mul, (total, 0)), stack]))
    run = python.compiled(verify(program))
    for n in (1, 3):
        columns = [[0.5 * i for i in range(n)]]
        assert run([2.0], columns) == [2.0 * sum(map(sg.exp, columns[0])), [*map(sg.sin, columns[0])]]
