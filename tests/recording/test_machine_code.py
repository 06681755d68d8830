"""Machine code of programs: scalar code to the last bit, maps over SIMD lanes within the functions' few ulp."""

import math
import random

import pytest

import scalargrad as sg
from scalargrad.engine.evaluation import REFUSALS
from scalargrad.recording.builder import Builder
from scalargrad.recording.derivatives import vjp
from scalargrad.recording.passes import lowered, prepared
from scalargrad.recording.program import Const, Loop
from scalargrad.recording.simplify import simplified

from . import reference
from .generator import random_program
from .test_derivatives import points, recurrence, same
from .test_passes import mean_loss

pytest.importorskip("llvmlite", reason="no llvmlite: pip install llvmlite")
native = pytest.importorskip("scalargrad.recording.native")


def outcome(run, numbers, columns=()):
    try:
        return run(numbers, columns)
    except REFUSALS as error:
        return type(error)


def close(x, y):
    return same(x, y) or x == pytest.approx(y, rel=1e-13, abs=1e-13)


def is_scalar(program):
    """Tell whether a program is scalar code throughout, of functions that are the C library's: not Python's hypot."""
    if "hypot" in program.cost():
        return False
    return all(not isinstance(s, Loop) or (s.ordered and all(map(is_scalar, s.bodies))) for s in program.steps)


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_random_programs(first):
    exact = 0
    for seed in range(first, first + 50):
        program = simplified(lowered(random_program(seed)))
        run = native.compiled(program)
        scalar = is_scalar(program)
        for point in points(seed):
            expected = outcome(lambda *args, p=program: reference.run(p, *args), point)
            got = outcome(run, point)
            if isinstance(expected, list):
                assert isinstance(got, list), seed
                alike = same if scalar else close
                assert all(alike(x, y) for x, y in zip(got, expected, strict=True)), seed
                exact += scalar
            else:
                assert got == expected, seed
    assert exact > 20


@pytest.mark.parametrize("first", range(0, 100, 50))
def test_derivatives_of_random_programs(first):
    for seed in range(first, first + 50):
        program = random_program(seed, risky=False)
        count = len(program.outputs)
        both = prepared(vjp(program, range(count), range(5), keep=True))
        run = native.compiled(both)
        for point in points(seed):
            numbers = [*point, *(0.5 + k for k in range(count))]
            expected = outcome(lambda *args, p=both: reference.run(p, *args), numbers)
            got = outcome(run, numbers)
            if isinstance(expected, list):
                assert all(close(x, y) for x, y in zip(got, expected, strict=True)), seed
            else:
                assert got == expected


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 103])
def test_a_batch_of_any_length(n):
    both = prepared(vjp(mean_loss(None), [0], [0, 1], [Const(1.0)], keep=True))
    run = native.compiled(both)
    rng = random.Random(n)
    columns = [[rng.uniform(-2, 2) for _ in range(n)] for _ in range(2)]
    numbers = [0.7, -0.2, float(n)]
    assert run(numbers, columns) == pytest.approx(reference.run(both, numbers, columns), rel=1e-13)


def test_what_a_batch_stacks_is_an_array():
    body = Builder(2, share=False)
    inner = body.program([body.write(sg.sin, (body.write(sg.mul, (0, 1)),)), 1])
    b = Builder(2, wide=(1,), share=False)
    program = b.program(b.loop(None, [inner], [0], [], [1], ordered=False))
    xs = [0.1 * k for k in range(11)]
    first, second = native.compiled(prepared(program))([2.0], [xs])
    assert first.tolist() == pytest.approx([math.sin(2.0 * x) for x in xs], rel=1e-15)
    assert list(second) == xs


def test_one_bad_lane_raises_as_eager_code_does():
    body = Builder(1, share=False)
    inner = body.program([body.write(sg.log, (0,), True)])
    b = Builder(1, wide=(0,), share=False)
    run = native.compiled(prepared(b.program(b.loop(None, [inner], [], [], [0], ordered=False))))
    assert run([], [[1.0, 2.0, 3.0, 4.0, 5.0]])[0].tolist() == pytest.approx([math.log(k) for k in range(1, 6)])
    with pytest.raises(ValueError, match="math domain error"):
        run([], [[1.0, 2.0, -3.0, 4.0, 5.0]])


@pytest.mark.parametrize("turns", [3, 50])
def test_a_recurrence(turns):
    both = prepared(vjp(recurrence(turns), [0], range(3 + turns), [Const(1.0)], keep=True))
    run = native.compiled(both)
    point = [0.01 * k for k in range(3 + turns)]
    assert run(point) == reference.run(both, point)


def test_a_long_program_in_pieces():
    b = Builder(2)
    x = 0
    for k in range(9000):
        x = b.write(sg.add, (b.write(sg.mul, (x, Const(0.5))), 1 if k % 2 else Const(0.25 + k)))
    program = b.program([x])
    run = native.compiled(program)
    assert len(run.steps) > 10
    assert run.size <= 6  # a place is taken again when its number is not needed any more
    assert run([0.1, 0.2]) == reference.run(program, [0.1, 0.2])
