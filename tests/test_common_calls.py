"""Rows of any number of arguments: the calls compiled for common operands equal `evaluate` bit by bit."""

import itertools
import linecache
import random

import pytest

import scalargrad as sg
from scalargrad.engine import fastcalls
from scalargrad.engine.evaluation import evaluate
from scalargrad.engine.fastcalls import COMMON, WIDEST_VECTOR
from scalargrad.rows import TABLE, Affine, Dot, Many

ROWS = [row for row in TABLE.values() if isinstance(row, Many)]
KINDS = {"values": lambda i: True, "floats": lambda i: False, "mixed": lambda i: i % 2 == 1}


def call(row, flat):
    if isinstance(row, Affine):
        half = len(flat) // 2
        return row(flat[:half], flat[half:-1], flat[-1])
    if isinstance(row, Dot):
        return row(flat[: len(flat) // 2], flat[len(flat) // 2 :])
    return row(flat)


def facts(result):
    if isinstance(result, list):
        return [facts(item) for item in result]
    if isinstance(result, float):
        return repr(result)
    partials = [repr(partial) for partial in result.partials]
    return repr(result.data), list(map(id, result.parents)), list(map(id, result.args)), partials, result.primitive


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_common_calls_equal_record(row, kind):
    rng = random.Random(7)
    for length, _ in itertools.product((1, 2, 5), range(COMMON + 8)):
        size = 2 * length + isinstance(row, Affine) if isinstance(row, (Affine, Dot)) else length
        numbers = [rng.choice([rng.uniform(-3, 3), 0.0, -0.0]) for _ in range(size)]
        flat = [sg.Value(x) if KINDS[kind](i) else x for i, x in enumerate(numbers)]
        assert facts(call(row, flat)) == facts(evaluate(row, tuple(flat)))


def test_outputs_of_one_common_call_share_their_arguments():
    for _ in range(COMMON + 1):
        outputs = sg.softmax([sg.Value(1.0), 2.0, sg.Value(3.0)])
    assert all(out.args is outputs[0].args and len(out.parents) == 2 for out in outputs)
    derivative = sg.grad(sg.grad(lambda y: sg.softmax([y, 2.0])[0]))(1.0)
    y = 0.2689414213699951  # 1 / (1 + e); the second derivative of the logistic function is y (1 − y)(1 − 2y)
    assert derivative == pytest.approx(y * (1 - y) * (1 - 2 * y), rel=1e-14)


def test_errors_of_common_calls_are_those_of_the_first():
    class Refusing(float):
        pass

    assert sg.sum([Refusing(1.0), 2.0]) == 3.0
    with pytest.raises(TypeError, match=r"sum: xs\[1\] is None, a NoneType"):
        sg.sum([1.0, None])
    for _ in range(COMMON + 1):
        sg.sum([1.0, 2.0])
    with pytest.raises(TypeError, match=r"sum: xs\[1\] is None, a NoneType"):
        sg.sum([1.0, None])
    with pytest.raises(ValueError, match="affine: needs two vectors of one length; got 1 and 2"):
        sg.affine([1.0], [1.0, 2.0], 0.0)


def test_wide_calls_are_not_compiled_and_equal_them():
    xs = [sg.Value(0.01 * i) for i in range(WIDEST_VECTOR + 1)]
    for _ in range(COMMON + 1):
        outputs = sg.softmax(xs)
    assert sum(out.data for out in outputs) == pytest.approx(1.0, abs=1e-15)


def test_only_so_much_is_kept(monkeypatch):
    kept = lambda: [name for name in linecache.cache if name.startswith("<scalargrad max.call")]
    before = len(kept())
    monkeypatch.setattr(fastcalls, "MOST_OPERANDS", 10)
    row = fastcalls.compile_call(sg.max)
    for length in [*range(1, 9), 2, 3]:
        for _ in range(COMMON + 1):
            assert row(sg.max, [float(i) for i in range(length)]) == length - 1.0
    assert len(kept()) - before == 2  # of 2 and 3 operands: with those of 8, it would be too many
