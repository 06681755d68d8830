"""Named cases that large libraries get wrong, each against mpmath or a literal."""

import math

import mpmath
import pytest
from mpmath import mp

import scalargrad as sg
from scalargrad import Value
from scalargrad.rows import TABLE

from . import checks

CASES = [
    ("hypot", (1e154, 1e154)),
    ("hypot", (1e-200, 1e-200)),
    ("hypot", (3e300, 4e300)),
    ("atan2", (1e-200, 1e-200)),
    ("atan2", (1e-200, -1e-200)),
    ("atan2", (1e200, 1e-200)),
    ("tanh", (19.0,)),
    ("tanh", (20.0,)),
    ("tanh", (300.0,)),
    ("div", (1.0, 1e-200)),
    ("div", (1e-200, 1e-200)),
    ("div", (1e100, -1e-100)),
    ("sigmoid", (-800.0,)),
    ("sigmoid", (-700.0,)),
    ("sigmoid", (800.0,)),
    ("softplus", (-700.0,)),
    ("softplus", (800.0,)),
    ("log1p", (-1.0 + 2**-53,)),
    ("expm1", (1e-300,)),
    ("atanh", (1.0 - 2**-53,)),
    ("asin", (1.0 - 2**-53,)),
    ("acosh", (1.0 + 2**-52,)),
    ("pow", (1e-200, 2.0)),
    ("pow", (1e-300, 0.1)),
    ("pow", (1e300, -0.3)),
    ("mod", (1e300, 7.0)),
    ("mod", (0.3, 0.1)),
    ("mod", (-1e-20, 1.0)),
    ("logaddexp", (1000.0, 1000.0)),
    ("logaddexp", (-1e300, 1e300)),
    ("logsumexp", (1000.0, 999.0, -1000.0)),
    ("softmax", (1000.0, 999.0, -1000.0)),
    ("log_softmax", (1e16, 1e16)),
    ("log_softmax", (0.0, 800.0)),
    ("erfc", (25.0,)),
    ("erf", (26.0,)),
    ("gelu", (-30.0,)),
    ("gelu", (-36.83499743732193,)),
    ("silu", (-714.2115341193777,)),
    ("sin", (1e22,)),
    ("tan", (math.pi / 2,)),
]


@pytest.mark.parametrize(("name", "args"), CASES)
def test_within_the_bound_of_the_row(name, args):
    checks.check_accuracy(TABLE[name], args)


def test_tanh_far_out_has_a_slope():
    x = Value(20.0)
    sg.tanh(x).backward()
    with mp.workdps(40):
        assert x.grad == pytest.approx(float(mpmath.sech(20) ** 2), rel=1e-15)
    assert x.grad > 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_branch_that_is_not_taken_leaks_nothing(bad):
    f = lambda x: sg.where(x > 0, x * x * x, bad * sg.exp(x))
    assert sg.grad(f)(2.0) == 12.0
    assert sg.grad(sg.grad(f))(2.0) == 12.0
    g = lambda x: sg.where(x > 0, lambda: sg.sqrt(x), x * 0.0)
    assert sg.grad(g)(-1.0) == sg.grad(sg.grad(g))(-1.0) == 0.0


def test_log_of_a_negative_number_is_an_error_and_no_gradient():
    with pytest.raises(ValueError, match=r"log: x = -1\.0 is outside"):
        sg.grad(sg.log)(-1.0)


def test_powers_at_zero_twice_differentiated():
    assert sg.grad(sg.grad(lambda x: x**1))(0.0) == 0.0
    assert sg.grad(sg.grad(lambda x: x**2))(0.0) == 2.0
    assert sg.grad(sg.grad(lambda x: x**0))(0.0) == 0.0
    assert sg.grad(sg.grad(lambda y: 0.0**y))(2.0) == 0.0
    assert sg.grad(sg.grad(lambda y: Value(0.0) ** y))(2.0) == 0.0


TWICE = [
    # function, order, point, the derivative there to 50 digits: where a careless rule cancels
    (sg.asin, 2, 1e-14, lambda x: x / mpmath.sqrt((1 - x * x) ** 3)),
    (sg.acos, 2, 1e-14, lambda x: -x / mpmath.sqrt((1 - x * x) ** 3)),
    (sg.atanh, 2, 1e-14, lambda x: 2 * x / (1 - x * x) ** 2),
    (sg.atanh, 2, 1 - 2**-53, lambda x: 2 * x / (1 - x * x) ** 2),
    (sg.asin, 2, 1 - 2**-53, lambda x: x / mpmath.sqrt((1 - x * x) ** 3)),
    (sg.silu, 3, 1e-10, lambda x: mpmath.diff(lambda t: t / (1 + mpmath.exp(-t)), x, 3)),
    (sg.silu, 3, -1e-3, lambda x: mpmath.diff(lambda t: t / (1 + mpmath.exp(-t)), x, 3)),
]


@pytest.mark.parametrize(("f", "order", "point", "true"), TWICE)
def test_higher_derivatives_keep_their_digits(f, order, point, true):
    for _ in range(order):
        f = sg.grad(f)
    with mp.workdps(80):
        assert f(point) == pytest.approx(float(true(mpmath.mpf(point))), rel=3e-15)


def test_the_mutations_of_some_rows_are_noticed(capsys):
    from .mutations import main

    assert main(["sin", "div", "sech2", "select", "softmax", "affine"]) == 0
    assert "noticed" in capsys.readouterr().out


@pytest.mark.slow
def test_all_mutations_are_noticed(capsys):
    from .mutations import main

    assert main([]) == 0, capsys.readouterr().out
