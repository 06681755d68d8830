"""Simplified programs give the same bits, and are as small as they can be said to be."""

import pytest

import scalargrad as sg
from scalargrad.engine.evaluation import REFUSALS
from scalargrad.recording.builder import Builder
from scalargrad.recording.derivatives import vjp
from scalargrad.recording.program import Const, Loop
from scalargrad.recording.simplify import simplified
from scalargrad.recording.verify import verify

from . import reference
from .generator import random_program
from .test_derivatives import points, recurrence, same


def outcome(program, numbers):
    try:
        return reference.run(program, numbers)
    except REFUSALS as error:
        return type(error)


def compare(program, numbers):
    """The number of outcomes compared: each the same bits, or the same refusal."""
    small = verify(simplified(program))
    for point in numbers:
        expected, got = outcome(program, point), outcome(small, point)
        if isinstance(expected, list):
            assert isinstance(got, list)
            assert all(same(x, y) for x, y in zip(got, expected, strict=True))
        else:
            assert got == expected
    return len(numbers)


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("first", range(0, 400, 100))
def test_the_same_bits(first, share):
    for seed in range(first, first + 100):
        compare(random_program(seed, share=share), points(seed))


@pytest.mark.parametrize("first", range(0, 200, 100))
def test_the_same_bits_of_derivatives(first):
    for seed in range(first, first + 100):
        program = random_program(seed, risky=False)
        count = len(program.outputs)
        derived = vjp(program, range(count), range(5), keep=True)
        compare(derived, [[*point, *(0.5 + k for k in range(count))] for point in points(seed)])


def test_simplified_twice_is_simplified_once():
    for seed in range(100):
        once = simplified(random_program(seed))
        assert simplified(once) == once


def test_a_loop_carries_no_ballast():
    """y ← y + sin(w)·x over a column x that is read twice; a stack that nothing reads; a carry that never moves."""
    body = Builder(6, share=False)
    w, steady, total, x, again, unread = range(6)
    product = body.write(sg.mul, (body.write(sg.sin, (w,)), x))
    total = body.write(sg.add, (total, body.write(sg.add, (product, again))))
    inner = body.program([steady, total, unread, x, w])
    b = Builder(9, share=False)
    out = b.loop(4, [inner], [0], [1, Const(0.0)], [range(2, 6), range(2, 6), range(5, 9)])
    small = simplified(b.program([out[0], out[1], out[3], out[4]]))
    loops = [step for step in small.steps if isinstance(step, Loop)]
    assert [(len(x.consts), len(x.init), len(x.columns), x.stacks) for x in loops] == [(1, 1, 1, 0)]
    assert len(small) == 2  # sin(w), and the loop
    assert small.outputs == (1, 10, 2, 0)


def test_a_loop_of_one_turn_is_its_body():
    body = Builder(2, share=False)
    inner = body.program([body.write(sg.mul, (0, 1))])
    b = Builder(2, share=False)
    assert not any(isinstance(s, Loop) for s in simplified(b.program(b.loop(1, [inner], [0], [], [[1]]))).steps)


def test_the_gradient_of_a_recurrence_is_small():
    small = simplified(vjp(recurrence(50), [0], [0, 1, 2], [Const(1.0)]))
    assert sum(isinstance(step, Loop) for step in small.steps) == 2
    assert sum(len(body) for step in small.steps for body in step.bodies) <= 11
