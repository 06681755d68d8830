"""Derivatives of programs, against sweeps of the same steps on Values, bit for bit; and of any order."""

import math
import random

import pytest

import scalargrad as sg
from scalargrad.engine.evaluation import REFUSALS
from scalargrad.engine.linearization import Linearization
from scalargrad.recording.builder import Builder
from scalargrad.recording.derivatives import jvp, vjp
from scalargrad.recording.program import Const, Loop, operands_of
from scalargrad.recording.verify import verify

from . import eager, reference
from .generator import random_program


def same(x, y):
    return x == y or (math.isnan(x) and math.isnan(y))


def points(seed):
    rng = random.Random(seed)
    return [[rng.uniform(-2.0, 2.0) for _ in range(5)] for _ in range(3)]


def swept(program, point, seeds):
    """The program's outputs on Values, and the adjoints of its inputs for these seeds."""
    leaves = [sg.Value(x) for x in point]
    outputs = eager.outputs(program, leaves)
    if outputs is None:
        return None
    roots = [(out, seed) for out, seed in zip(outputs, seeds, strict=True) if isinstance(out, sg.Value)]
    linear = Linearization(leaves, [root for root, _ in roots], as_nodes=False)
    return outputs, linear.pull_back([seed for _, seed in roots])


def keeps_order(program):
    """Tell whether no loop is a map over lanes and no value is read twice by one loop: then sums keep their order."""
    for step in program.steps:
        if isinstance(step, Loop):
            read = [x for x in operands_of(step) if type(x) is int]
            if not step.ordered or len(set(read)) < len(read) or not all(map(keeps_order, step.bodies)):
                return False
    return True


@pytest.mark.parametrize("risky", [False, True])
@pytest.mark.parametrize("first", range(0, 600, 100))
def test_reverse_equals_eager_sweeps(first, risky):
    compared = exact = 0
    for seed in range(first, first + 100):
        program = random_program(seed, risky=risky)
        count = len(program.outputs)
        derived = verify(vjp(program, range(count), range(5), keep=True))
        seeds = [float(k + 1) / 3.0 for k in range(count)]
        for point in points(seed):
            try:
                expected = swept(program, point, seeds)
            except REFUSALS:
                continue
            got = reference.run(derived, [*point, *seeds])
            if expected is None:
                assert got is None
                continue
            outputs, adjoints = expected
            assert all(same(x, reference.data(y)) for x, y in zip(got[:count], outputs, strict=True))
            if keeps_order(program) and not risky:
                assert got[count:] == adjoints, seed
                exact += 1
            pairs = zip(got[count:], adjoints, strict=True)
            finite = [(x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
            assert all(x == pytest.approx(y, rel=1e-11, abs=1e-13) for x, y in finite), seed
            compared += 1
    assert compared > 100
    assert risky or exact > 20


@pytest.mark.parametrize("first", range(0, 200, 100))
def test_forward_agrees_with_reverse(first):
    compared = 0
    for seed in range(first, first + 100):
        program = random_program(seed)
        count = len(program.outputs)
        forward = verify(jvp(program, range(5)))
        reverse = vjp(program, range(count), range(5))
        rng = random.Random(seed)
        seeds, tangents = [rng.uniform(-1, 1) for _ in range(count)], [rng.uniform(-1, 1) for _ in range(5)]
        for point in points(seed):
            try:
                pulled = reference.run(reverse, [*point, *seeds])
                pushed = reference.run(forward, [*point, *tangents])
            except REFUSALS:
                continue
            if pulled is None:
                assert pushed is None
                continue
            left = math.fsum(a * b for a, b in zip(pulled, tangents, strict=True))
            right = math.fsum(a * b for a, b in zip(pushed, seeds, strict=True))
            scale = math.fsum(abs(a * b) for a, b in zip(pulled, tangents, strict=True)) + abs(right)
            if math.isfinite(left) and math.isfinite(right):
                assert left == pytest.approx(right, rel=1e-9, abs=1e-9 * scale + 1e-12), seed
                compared += 1
    assert compared > 100


def recurrence(turns):
    """x ← sin(w·x) + b·u_t, stacked; the inputs are w, b, x and all u."""
    body = Builder(4, share=False)
    x = body.write(sg.sin, (body.write(sg.mul, (0, 2)),))
    x = body.write(sg.add, (x, body.write(sg.mul, (1, 3))))
    b = Builder(3 + turns, share=False)
    return b.program(b.loop(turns, [body.program([x, x])], [0, 1], [2], [range(3, 3 + turns)])[:1])


@pytest.mark.parametrize("turns", [3, 50])
def test_a_recurrence_backwards_is_a_loop(turns):
    derived = vjp(recurrence(turns), [0], range(3 + turns), [Const(1.0)])
    assert sum(isinstance(step, Loop) for step in derived.steps) == 2
    assert len(derived) == 2


def test_second_derivatives_of_a_recurrence():
    program = recurrence(6)
    gradient = vjp(program, [0], range(9), [Const(1.0)])
    second = verify(vjp(gradient, range(9), range(9)))
    forward = verify(jvp(gradient, range(9)))

    def f(v):
        x = v[2]
        for u in v[3:]:
            x = sg.sin(v[0] * x) + v[1] * u
        return x

    point = [0.3 * (k + 1) for k in range(9)]
    expected = sg.hessian(f)(point)
    for k in range(9):
        unit = [float(i == k) for i in range(9)]
        assert reference.run(second, [*point, *unit]) == pytest.approx(expected[k], rel=1e-13, abs=1e-15)
        assert reference.run(forward, [*point, *unit]) == pytest.approx(expected[k], rel=1e-13, abs=1e-15)


def test_nothing_flows_where_an_adjoint_is_zero():
    b = Builder(2, share=False)
    outputs = [0, b.write(sg.sqrt, (1,))]
    program = b.program(outputs)
    derived = vjp(program, [0, 1], [0, 1])
    assert reference.run(derived, [1.0, 0.0, 1.0, 0.0]) == [1.0, 0.0]
    assert reference.run(derived, [1.0, 0.0, 0.0, 1.0]) == [0.0, math.inf]
    assert reference.run(vjp(program, [0, 1], [0, 1], [Const(1.0), Const(0.0)]), [1.0, 0.0]) == [1.0, 0.0]
