"""The form of programs, their text, and the builder: shared and simplified programs are equal to the last bit."""

from __future__ import annotations

import math
import pickle
import random
from typing import Any

import pytest

import scalargrad as sg
from scalargrad.engine.evaluation import REFUSALS
from scalargrad.recording.builder import Builder
from scalargrad.recording.program import Const, Instruction, Loop, Program, accumulators
from scalargrad.recording.verify import verify

from .generator import random_program
from .reference import run

POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -2.5, 700.0, 1e-300, math.inf, math.nan]


def found(program: Program, point: list[float]) -> Any:
    """The program's results at a point, bit for bit: its outputs, None, or the kind of its error."""
    try:
        outputs = run(program, point)
    except REFUSALS as error:
        return type(error)
    return outputs and [Const(x) for x in outputs]


def points(seed: int, count: int) -> list[list[float]]:
    rng = random.Random(seed)
    return [[rng.choice([rng.uniform(-2, 2), rng.choice(POINTS)]) for _ in range(5)] for _ in range(count)]


def test_a_constant_is_compared_by_its_bits() -> None:
    assert Const(0.0) != Const(-0.0)
    assert Const(math.nan) == Const(math.nan)
    assert Const(1.0) != 1
    assert len({Const(0.0), Const(-0.0), Const(math.nan), Const(-math.nan)}) == 3


def test_a_program_prints_its_loops() -> None:
    body = Builder(3)
    product = body.write(sg.mul, (0, 2))
    b = Builder(5)
    total, *_ = b.loop(4, [body.program([body.write(sg.add, (1, product))])], [0], [Const(-0.0)], [range(1, 5)])
    program = verify(b.program([b.write(sg.sin, (total,), True)]))
    assert str(program) == (
        "program of v0…v4\n"
        "v5 = for t in 4 turns:\n"
        "    u0 = v0; u1 from -0.0; u2 in v1, v2 … v4\n"
        "    u3 = u0 · u2\n"
        "    u4 = u1 + u3\n"
        "    next u4\n"
        "v6 = sin(v5)\n"
        "return v6"
    )
    assert program.cost() == {"mul": 4, "add": 4, "sin": 1}
    assert run(program, [2.0, 1.0, 2.0, 3.0, 4.0]) == [math.sin(20.0)]
    (loop, _) = program.steps
    assert isinstance(loop, Loop)
    assert accumulators(loop) == {0}


def test_programs_are_plain_data() -> None:
    program = random_program(3)
    loaded = pickle.loads(pickle.dumps(program))  # noqa: S301 (our own)
    assert loaded == program
    assert hash(loaded) == hash(program)


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_what_the_builder_shares_and_simplifies_is_equal_to_the_last_bit(start: int) -> None:
    for seed in range(start, start + 100):
        program = verify(random_program(seed))
        b = Builder(5)
        shared = verify(b.program(b.inline(program, range(5))))
        for point in points(seed, 6):
            expected = found(program, point)
            assert isinstance(expected, type) or found(shared, point) == expected, (seed, point)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Program(1, (Instruction(sg.sin, (1,)),), (1,)), "not an earlier value"),
        (Program(1, (Instruction(sg.add, (0,)),), (1,)), "add"),
        (Program(1, (Instruction(sg.sin, (0.5,)),), (1,)), "or Const"),  # type: ignore[arg-type]
        (Program(2, (Loop(3, (Program(1, (), (0,)),), (), (), (range(2),)),), (2,)), "2 for 3 turns"),
        (Program(1, (Loop(3, (Program(2, (), (0,)),), (0,), (), ()),), (1,)), "2 inputs for 1"),
        (Program(1, (Instruction(sg.sin, (0,)),), (1,), wide=(0,)), "wide"),
    ],
)
def test_what_is_not_well_formed_is_named(broken: Program, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        verify(broken)


def test_extract_moves_what_leads_from_the_leaves_to_the_roots() -> None:
    b = Builder(3, share=False)
    x = b.write(sg.mul, (0, 1))
    y = b.write(sg.log, (x,), True)
    z = b.write(sg.add, (y, 2))
    program, consts = b.extract([0], [z])
    assert consts == [1, 2]
    assert str(program) == "program of v0, v1, v2\nv3 = v0 · v1\nv4 = log(v3)\nv5 = v4 + v2\nreturn v5"
    assert program.has_effects
    assert not b.program([z]).has_effects
