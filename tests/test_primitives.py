"""One set of properties for every row of the table, and tests that a wrong row fails them."""

from __future__ import annotations

import importlib.util
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad.engine import evaluation
from scalargrad.interpreters import arrays
from scalargrad.interpreters.floats import IEEE
from scalargrad.rows import NONZERO, POSITIVE, REAL, SCIPY, TABLE, Primitive

from . import checks
from .operands import operands, ordinary_operands

WITHOUT_SCIPY = pytest.mark.skipif(importlib.util.find_spec("scipy") is None, reason="needs SciPy")
ROWS = pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=WITHOUT_SCIPY if row.name in SCIPY else ()) for row in TABLE.values() if not row.opaque],
    ids=lambda row: row.name,
)


@ROWS
@given(data=st.data())
def test_value_and_partials_are_those_of_mpmath(row, data):
    checks.check_accuracy(row, data.draw(operands(row)))


@ROWS
@settings(max_examples=settings().max_examples // 2)
@given(data=st.data())
def test_the_interpreters_agree(row, data):
    checks.check_agreement(row, data.draw(operands(row)))


@ROWS
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_second_and_third_derivatives_are_those_of_mpmath(row, data):
    checks.check_higher_orders(row, data.draw(ordinary_operands(row)))


def for_all(strategy, check, row: Primitive, examples: int = 30) -> None:
    """Run a check of one row on drawn operands."""
    settings(max_examples=examples)(given(strategy(row))(lambda args: check(row, args)))()


@pytest.mark.parametrize(
    ("name", "forward", "partials", "options"),
    [
        ("cube", lambda m, x: x * x * x, lambda m, out, x: 3.0 * (x * x), {}),
        ("rsqrt", lambda m, x: m.div(1.0, m.sqrt(x)), lambda m, out, x: m.div(-0.5 * out, x), {"domain": POSITIVE}),
        (
            "ratio",
            lambda m, x, y: m.div(x, y),
            [lambda m, out, x, y: m.div(1.0, y), lambda m, out, x, y: -m.div(out, y)],
            {"domain": (REAL, NONZERO)},
        ),
        (
            "hinge",
            lambda m, x: m.select(m.less(1.0, x), 0.0, 1.0 - x),
            lambda m, out, x: m.select(m.less(1.0, x), 0.0, -1.0),
            {"kinks": (1.0,)},
        ),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_an_added_row_has_all_that_a_row_has(rows_restored, name, forward, partials, options):
    row = sg.primitive(name, forward, partials, **options)
    for_all(operands, checks.check_accuracy, row)
    for_all(operands, checks.check_agreement, row)
    for_all(ordinary_operands, checks.check_higher_orders, row)


@pytest.mark.parametrize("order", [1, 2])
def test_a_rule_wrong_by_a_thousandth_fails(rows_restored, order):
    wrong = {
        1: lambda m, out, x: 1.001 * m.cos(x),
        2: lambda m, out, x: m.cos(x) + 0.001 * (m.stop_gradient(m.sin(x)) - m.sin(x)),
    }
    row = sg.primitive(f"wrong{order}", lambda m, x: m.sin(x), wrong[order])
    check = {1: checks.check_accuracy, 2: checks.check_higher_orders}[order]
    with pytest.raises(AssertionError, match=f"wrong{order}"):
        for_all(ordinary_operands, check, row)
    if order == 2:
        for_all(ordinary_operands, checks.check_accuracy, row)


def test_a_choice_with_an_infinite_side_fails(rows_restored):
    row = sg.primitive(
        "leaky_log",
        lambda m, x: m.select(m.less(0.0, x), m.log(m.select(m.less(0.0, x), x, 1.0)), 0.0),
        lambda m, out, x: m.select(m.less(0.0, x), m.div(1.0, x), 0.0),
    )
    checks.check_finite_sides(row, (2.0,))
    with pytest.raises(AssertionError, match="not chosen"):
        checks.check_finite_sides(row, (0.0,))


def test_an_opaque_row_works_at_first_order(rows_restored):
    j0 = sg.primitive(
        "opaque_sinc", lambda x: math.sin(x) / x, lambda x: math.cos(x) / x - math.sin(x) / x**2, opaque=True
    )
    x = sg.Value(2.0)
    y = j0(x)
    y.backward()
    assert y.data == math.sin(2.0) / 2.0
    assert x.grad == math.cos(2.0) / 2.0 - math.sin(2.0) / 4.0
    assert j0(2.0) == y.data
    with pytest.raises(TypeError, match=r"opaque_sinc is opaque.* no derivative of higher order"):
        sg.grad(sg.grad(j0))(2.0)


SIGNED_ZEROS = [
    # call, arguments, value; compared with its sign
    ("add", (-0.0, -0.0), -0.0),
    ("add", (0.0, -0.0), 0.0),
    ("sub", (0.0, 0.0), 0.0),
    ("mul", (-0.0, 3.0), -0.0),
    ("div", (-0.0, 3.0), -0.0),
    ("div", (3.0, -math.inf), -0.0),
    ("mod", (-0.0, 3.0), 0.0),
    ("pow", (-0.0, 3.0), -0.0),
    ("pow", (-0.0, 2.0), 0.0),
    ("neg", (0.0,), -0.0),
    ("pos", (-0.0,), -0.0),
    ("abs", (-0.0,), 0.0),
    ("sqrt", (-0.0,), -0.0),
    ("cbrt", (-0.0,), -0.0),
    ("sin", (-0.0,), -0.0),
    ("tan", (-0.0,), -0.0),
    ("asin", (-0.0,), -0.0),
    ("atan", (-0.0,), -0.0),
    ("sinh", (-0.0,), -0.0),
    ("tanh", (-0.0,), -0.0),
    ("asinh", (-0.0,), -0.0),
    ("atanh", (-0.0,), -0.0),
    ("expm1", (-0.0,), -0.0),
    ("log1p", (-0.0,), -0.0),
    ("erf", (-0.0,), -0.0),
    ("relu", (-0.0,), -0.0),
    ("sign", (-0.0,), -0.0),
    ("floor", (-0.0,), -0.0),
    ("ceil", (-0.5,), -0.0),
    ("round", (-0.5,), -0.0),
    ("atan2", (0.0, 1.0), 0.0),
    ("atan2", (-0.0, 1.0), -0.0),
    ("atan2", (0.0, -1.0), math.pi),
    ("atan2", (-0.0, -1.0), -math.pi),
    ("atan2", (0.0, 0.0), 0.0),
    ("atan2", (-0.0, 0.0), -0.0),
    ("atan2", (0.0, -0.0), math.pi),
    ("atan2", (-0.0, -0.0), -math.pi),
    ("hypot", (-0.0, -0.0), 0.0),
    ("prod", (-0.0, 3.0), -0.0),
    ("sum", (-0.0, -0.0), -0.0),
    ("trunc", (-0.5,), -0.0),
    ("fmod", (-4.0, 2.0), -0.0),
    ("fmod", (-0.0, 3.0), -0.0),
    ("remainder", (-4.0, 2.0), -0.0),
    ("remainder", (-0.0, 3.0), -0.0),
    ("copysign", (0.0, -0.0), -0.0),
    ("copysign", (3.0, -0.0), -3.0),
    ("copysign", (-3.0, 0.0), 3.0),
    ("rem2pi", (-0.0,), -0.0),
]


@pytest.mark.parametrize(("name", "args", "expected"), SIGNED_ZEROS)
def test_signed_zeros(name, args, expected):
    row = TABLE[name]
    args = row.filled(args)
    by_value = evaluation.evaluate(row, tuple(map(sg.Value, args))).data
    by_array = float(arrays.on_arrays(row.forward, *args))
    for out in (
        evaluation.evaluate(row, args),
        checks.call_forms(row, args),
        by_value,
        by_array,
        row.forward(IEEE, *args),
    ):
        assert out == expected
        assert math.copysign(1.0, out) == math.copysign(1.0, expected)
