"""The pipeline: maps over the same lanes are one, and every stage gives the results of the one before."""

import random

import pytest

import scalargrad as sg
from scalargrad.recording.basis import LESS
from scalargrad.recording.builder import Builder
from scalargrad.recording.derivatives import vjp
from scalargrad.recording.fuse import fused
from scalargrad.recording.passes import prepared, stages
from scalargrad.recording.program import Const, Loop
from scalargrad.recording.python import compiled
from scalargrad.recording.simplify import simplified
from scalargrad.recording.verify import verify

from . import reference
from .generator import random_program
from .test_derivatives import points, same
from .test_simplify import outcome


def mean_loss(turns):
    """The mean over lanes of (tanh(w·x + b) − d)², with a branch; the inputs are w, b, n, and the columns x and d."""
    bodies = []
    for holds in (True, False):
        body = Builder(5, share=False)
        w, b, total, x, d = range(5)
        body.guard(body.write(LESS, (x, Const(0.0))), holds)
        z = body.write(sg.add, (body.write(sg.mul, (w, x)), b))
        y = body.write(sg.tanh, (z,)) if holds else z
        error = body.write(sg.sub, (y, d))
        bodies.append(body.program([body.write(sg.add, (total, body.write(sg.mul, (error, error))))]))
    if turns is None:
        b = Builder(5, wide=(3, 4), share=False)
        columns = [3, 4]
    else:
        b = Builder(3 + 2 * turns, share=False)
        columns = [range(3, 3 + turns), range(3 + turns, 3 + 2 * turns)]
    (total,) = b.loop(turns, bodies, [0, 1], [Const(-0.0)], columns, ordered=False)
    return b.program([b.write(sg.div, (total, 2))])


@pytest.mark.parametrize("turns", [None, 6])
def test_a_value_and_its_gradient_are_one_map(turns):
    program = verify(mean_loss(turns))
    both = verify(vjp(program, [0], [0, 1], [Const(1.0)], keep=True))
    one = verify(prepared(both))
    assert [step.ordered for step in one.steps if isinstance(step, Loop)] == [False]
    assert next(step.stacks for step in one.steps if isinstance(step, Loop)) == 0
    rng = random.Random(1)
    n = 6
    xs, ds = [rng.uniform(-2, 2) for _ in range(n)], [rng.uniform(-1, 1) for _ in range(n)]
    numbers, columns = ([0.7, -0.2, float(n)], [xs, ds]) if turns is None else ([0.7, -0.2, float(n), *xs, *ds], [])

    def loss(w, b):
        outs = [sg.tanh(w * x + b) if x < 0 else w * x + b for x in xs]
        return sum((y - d) ** 2 for y, d in zip(outs, ds, strict=True)) / n

    value, gradient = sg.value_and_grad(loss, (0, 1))(0.7, -0.2)
    for run in (compiled(one), lambda *args: reference.run(one, *args)):
        assert run(numbers, columns) == pytest.approx([value, *gradient], rel=1e-14)


@pytest.mark.parametrize("first", range(0, 200, 100))
def test_every_stage_keeps_the_results(first):
    for seed in range(first, first + 100):
        program = random_program(seed)
        expected = [outcome(program, point) for point in points(seed)]
        for _, stage in stages(program):
            verify(stage)
            for point, wanted in zip(points(seed), expected, strict=True):
                got = outcome(stage, point)
                if isinstance(wanted, list):
                    assert isinstance(got, list)
                    assert all(same(x, y) or x == pytest.approx(y, rel=1e-12) for x, y in zip(got, wanted, strict=True))
                else:
                    assert got == wanted


def test_maps_that_wait_for_a_sum_stay_apart():
    body = Builder(2, share=False)
    add = body.program([body.write(sg.add, (0, 1))])
    scale = Builder(2, share=False)
    scaled = scale.program([scale.write(sg.mul, (0, 1))])
    b = Builder(4, share=False)
    (total,) = b.loop(4, [add], [], [Const(-0.0)], [range(4)], ordered=False)
    out = b.loop(4, [scaled], [total], [], [range(4)], ordered=False)
    program = b.program(out)
    assert len(fused(program)) == 2
    assert reference.run(simplified(fused(program)), [1.0, 2.0, 3.0, 4.0]) == [10.0, 20.0, 30.0, 40.0]
