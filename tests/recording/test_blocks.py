"""Programs on NumPy blocks give the results of single steps; in maps, within a few ulp."""

import random

import pytest

import scalargrad as sg
from scalargrad.recording.builder import Builder
from scalargrad.recording.derivatives import vjp
from scalargrad.recording.passes import lowered, prepared
from scalargrad.recording.program import Const
from scalargrad.recording.simplify import simplified

from . import reference
from .generator import random_program
from .test_derivatives import points
from .test_machine_code import close, outcome
from .test_passes import mean_loss

blocks = pytest.importorskip("scalargrad.recording.blocks", reason="no numpy: pip install numpy")


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_random_programs(first):
    for seed in range(first, first + 100):
        program = simplified(lowered(random_program(seed)))
        run = blocks.compiled(program)
        for point in points(seed):
            expected = outcome(lambda *args, p=program: reference.run(p, *args), point)
            got = outcome(run, point)
            if isinstance(expected, list):
                assert all(close(x, y) for x, y in zip(got, expected, strict=True)), seed
            else:
                assert got == expected, seed


@pytest.mark.parametrize("n", [1, 5, 1024, 3000])
def test_a_batch_of_any_length(n):
    both = prepared(vjp(mean_loss(None), [0], [0, 1], [Const(1.0)], keep=True))
    rng = random.Random(n)
    columns = [[rng.uniform(-2, 2) for _ in range(n)] for _ in range(2)]
    numbers = [0.7, -0.2, float(n)]
    assert blocks.compiled(both)(numbers, columns) == pytest.approx(reference.run(both, numbers, columns), rel=1e-12)


def test_one_bad_lane_raises_as_eager_code_does():
    body = Builder(1, share=False)
    inner = body.program([body.write(sg.log, (0,), True)])
    b = Builder(1, wide=(0,), share=False)
    run = blocks.compiled(prepared(b.program(b.loop(None, [inner], [], [], [0], ordered=False))))
    assert run([], [[1.0, 1.0]])[0].tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="math domain error"):
        run([], [[1.0, -1.0]])
