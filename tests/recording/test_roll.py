"""Loops are found: known structures come to known numbers of steps, and the results are the same bits."""

import itertools
import math
import random

import pytest

import scalargrad as sg
from scalargrad.recording.basis import LESS
from scalargrad.recording.builder import Builder
from scalargrad.recording.derivatives import vjp
from scalargrad.recording.program import Const, Loop
from scalargrad.recording.roll import roll
from scalargrad.recording.simplify import simplified
from scalargrad.recording.verify import verify

from . import reference
from .generator import random_program
from .test_derivatives import points, same
from .test_simplify import outcome


def loops(program):
    return [step for step in program.steps if isinstance(step, Loop)]


def compare(program, rolled, numbers):
    verify(rolled)
    for point in numbers:
        expected, got = outcome(program, point), outcome(rolled, point)
        if isinstance(expected, list):
            assert isinstance(got, list)
            assert all(same(x, y) for x, y in zip(got, expected, strict=True))
        else:
            assert got == expected


def uniform(count, n=3):
    rng = random.Random(7)
    return [[rng.uniform(-1.0, 1.0) for _ in range(count)] for _ in range(n)]


def chain(turns):
    """x ← sin(x)·x + w, again and again."""
    b = Builder(2, share=False)
    x = 0
    for _ in range(turns):
        x = b.write(sg.add, (b.write(sg.mul, (b.write(sg.sin, (x,)), x)), 1))
    return b.program([x])


def test_a_chain_is_one_loop():
    program = chain(100)
    rolled = roll(program)
    assert len(rolled) == 1
    assert (loops(rolled)[0].turns, len(loops(rolled)[0].bodies[0])) == (100, 3)
    compare(program, rolled, uniform(2))


def layer(b, inputs, weights, outputs):
    """Neurons that each take all inputs: a dot product written out, and tanh."""
    results = []
    for k in range(outputs):
        total = Const(0.0)
        for i, x in enumerate(inputs):
            total = b.write(sg.add, (total, b.write(sg.mul, (weights[k * len(inputs) + i], x))))
        results.append(b.write(sg.tanh, (total,)))
    return results


def test_a_layer_is_a_loop_in_a_loop():
    b = Builder(8 + 64, share=False)
    program = b.program(layer(b, range(8), range(8, 72), 8))
    rolled = roll(program)
    assert len(rolled) == 1
    (outer,) = loops(rolled)
    assert outer.turns == 8
    assert [type(step).__name__ for step in outer.bodies[0].steps] == ["Loop", "Instruction"]
    compare(program, rolled, uniform(72))


def test_a_recurrent_network_is_nested_loops():
    """h ← tanh(W h + U x_t), 20 steps of 6; all states are results."""
    n, steps = 6, 20
    b = Builder(2 * n * n + n * steps, share=False)
    state, states = [Const(0.0)] * n, []
    for t in range(steps):
        seen = [*state, *range(2 * n * n + n * t, 2 * n * n + n * (t + 1))]
        state = layer(b, seen, range(2 * n * n), n)
        states += state
    program = b.program(states)
    rolled = roll(program)
    assert len(rolled) <= 3
    compare(program, rolled, uniform(program.inputs))


def test_rosenbrock_is_a_loop_and_so_is_its_gradient():
    n = 200
    b = Builder(n, share=False)
    total = Const(0.0)
    for i in range(n - 1):
        square = b.write(sg.mul, (i, i))
        far = b.write(sg.sub, (i + 1, square))
        near = b.write(sg.sub, (Const(1.0), i))
        term = b.write(
            sg.add, (b.write(sg.mul, (Const(100.0), b.write(sg.mul, (far, far)))), b.write(sg.mul, (near, near)))
        )
        total = b.write(sg.add, (total, term))
    program = b.program([total])
    rolled = roll(program)
    assert len(rolled) == 1
    compare(program, rolled, uniform(n))
    gradient = vjp(rolled, [0], range(n), [Const(1.0)])
    flat = vjp(program, [0], range(n), [Const(1.0)])
    small = simplified(roll(gradient))
    assert len(small) <= 8
    for point in uniform(n):
        assert reference.run(small, point) == pytest.approx(reference.run(flat, point), rel=1e-13, abs=1e-13)


def test_guards_stand_inside_loops():
    b = Builder(51, share=False)
    total = Const(0.0)
    for i in range(1, 51):
        b.guard(b.write(LESS, (i, 0)), True)
        total = b.write(sg.add, (total, b.write(sg.sqrt, (i,), True)))
    program = b.program([total])
    rolled = roll(program)
    assert len(rolled) == 1
    assert loops(rolled)[0].bodies[0].guarded
    compare(program, rolled, [[2.0, *([1.0] * 50)], [2.0, *([1.0] * 49), 3.0], [2.0, *([1.0] * 49), -1.0]])


def test_the_levels_of_a_tree_are_loops():
    """A binomial tree backwards: v_i ← max(p·v_i + q·v_{i+1}, x_i), one level shorter each time."""
    n = 30
    b = Builder(n + 2, share=False)
    values = list(range(2, n + 2))
    while len(values) > 1:
        values = [
            b.write(sg.add, (b.write(sg.mul, (0, x)), b.write(sg.mul, (1, y)))) for x, y in itertools.pairwise(values)
        ]
    program = b.program(values)
    rolled = roll(program)
    assert len(rolled) == 26 + 18  # the levels of three, two and one are written out: they have 18 operations
    compare(program, rolled, uniform(n + 2))


def test_short_programs_stay_flat():
    program = chain(20)
    assert roll(program) == program
    assert len(roll(program, short=0)) == 1


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_random_programs_repeated(first):
    """A random body run on random operands, turn after turn, with values carried: rolled at any length."""
    for seed in range(first, first + 100):
        rng = random.Random(seed)
        body = random_program(seed)
        b = Builder(40, share=False)
        values, results = list(range(40)), []
        for turn in range(rng.randint(5, 12)):
            picked = [rng.choice([3, 5 + turn, values[-1], values[-1], 20 + 2 * turn % 20]) for _ in range(5)]
            out = b.inline(body, picked)
            values += [x for x in out if type(x) is int]
            if rng.random() < 0.5:
                results += out
        program = b.program([*results, *values[-3:]])
        compare(program, roll(program, short=0), uniform(40, 2))


def test_the_time_grows_as_the_program(monkeypatch):
    """Counted, not timed: the operands looked at, a turn."""
    counted = []

    def count(turns):
        looked = 0
        from scalargrad.recording import roll as module

        fits = module._Slot.fits

        def counting(self, *args):
            nonlocal looked
            looked += 1
            return fits(self, *args)

        monkeypatch.setattr(module._Slot, "fits", counting)
        module.roll(chain(turns))
        monkeypatch.setattr(module._Slot, "fits", fits)
        return looked / turns

    counted = [count(100), count(3000)]
    assert counted[1] <= 1.1 * counted[0]
    assert math.isfinite(counted[0])


def test_random_programs_as_they_are():
    for seed in range(300):
        program = random_program(seed)
        compare(program, roll(program, short=0), points(seed))
