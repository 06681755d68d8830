"""`scalargrad.math`: every name of `math`, the same numbers and errors, and the derivatives of mpmath."""

import builtins
import math
import random
from fractions import Fraction

import mpmath
import pytest
from mpmath import mp

import scalargrad as sg
from scalargrad import Value
from scalargrad import math as sm

# Calls with plain numbers, which must be those of `math`: ints, fractions, nans, and what it refuses.
NUMBERS = [
    0,
    1,
    -1,
    3,
    2.5,
    -0.75,
    -0.0,
    1e300,
    -1e300,
    1e-300,
    170.5,
    True,
    math.inf,
    -math.inf,
    math.nan,
    Fraction(1, 3),
]
BINARY = ["atan2", "copysign", "fmod", "pow", "remainder", "hypot", "log", "isclose", "nextafter"]
OTHERS = [
    "comb",
    "dist",
    "e",
    "factorial",
    "fma",
    "fsum",
    "gcd",
    "inf",
    "isqrt",
    "lcm",
    "ldexp",
    "nan",
    "perm",
    "pi",
    "prod",
]
UNARY = [name for name in sm.__all__ if name not in {*BINARY, *OTHERS, "sumprod", "tau"}]


def outcome(f, *args):
    """Return the result of a call, exact to the last bit and sign, or the type of its error."""
    try:
        return repr(f(*args))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        return type(error)


def test_every_name_of_math_is_there():
    assert {name for name in dir(math) if not name.startswith("_")} <= set(sm.__all__)
    assert {"cbrt", "exp2", "sumprod", "fma"} <= set(sm.__all__)  # added by Python 3.11 to 3.14


def test_star_imports_leave_the_builtins_alone():
    names: dict[str, object] = {}
    exec("from scalargrad.math import *", names)  # noqa: S102
    assert [name for name in names if hasattr(builtins, name) and name != "__builtins__"] == ["pow"]  # as `math` does
    names = {}
    exec("from scalargrad import *", names)  # noqa: S102
    assert not [name for name in names if hasattr(builtins, name) and not name.startswith("__")]
    assert sg.max([1.0, 2.0]) == 2.0


@pytest.mark.parametrize("name", UNARY)
def test_numbers_get_what_math_gives(name):
    for x in [*NUMBERS, "1", None, 1j]:
        assert outcome(getattr(sm, name), x) == outcome(getattr(math, name), x), x


@pytest.mark.parametrize("name", BINARY)
def test_two_numbers_get_what_math_gives(name):
    for x in NUMBERS:
        for y in NUMBERS:
            assert outcome(getattr(sm, name), x, y) == outcome(getattr(math, name), x, y), (x, y)


def test_functions_of_many_numbers_are_those_of_math():
    assert sm.hypot() == 0.0
    assert sm.hypot(2, 3, 6) == 7.0
    assert sm.dist((1, 1), (4, 5)) == 5.0
    assert sm.prod([2, 3], start=4) == 24
    assert isinstance(sm.prod([2, 3]), int)
    assert sm.fsum([0.1] * 10) == 1.0
    assert sm.comb(5, 2) == 10
    assert sm.sumprod([1, 2], [3, 4]) == 11
    assert sm.sumprod([1e16, 1.0, -1e16], [1.0, 1.0, 1.0]) == 1.0
    assert sm.fma(0.1, 10.0, -1.0) == 2.0**-54
    assert math.copysign(1.0, sm.fma(-0.0, 1.0, -0.0)) == -1.0
    for refused in (lambda: sm.sumprod([1], [1, 2]), lambda: sm.dist([1], [1, 2])):
        with pytest.raises(ValueError, match=r"length|dimension"):
            refused()


# Functions of a Value: at 50 digits, and where.
DERIVATIVES = {
    "log": (lambda x: sm.log(x, 3), lambda x: mp.log(x, 3)),
    "log of base x": (lambda x: sm.log(2.0, x + 2), lambda x: mp.log(2, x + 2)),
    "degrees": (sm.degrees, mp.degrees),
    "radians": (sm.radians, mp.radians),
    "hypot": (lambda x: sm.hypot(x, 2, x * x), lambda x: mp.sqrt(x**2 + 4 + x**4)),
    "hypot of one": (sm.hypot, abs),
    "dist": (lambda x: sm.dist((x, 1.0), (2.0, 3 * x)), lambda x: mp.sqrt((x - 2) ** 2 + (1 - 3 * x) ** 2)),
    "fsum": (lambda x: sm.fsum([x, 1e16, x * x, -1e16]), lambda x: x + x**2),
    "prod": (lambda x: sm.prod([x, x + 1], start=x), lambda x: x * x * (x + 1)),
    "sumprod": (lambda x: sm.sumprod([x, 2], [x, x]), lambda x: x * x + 2 * x),
    "fma": (lambda x: sm.fma(x, x, 1), lambda x: x * x + 1),
    "modf": (lambda x: sm.modf(x)[0] ** 2 + sm.modf(x)[1], lambda x: (x - mp.sign(x) * mp.floor(abs(x))) ** 2),
    "ldexp": (lambda x: sm.ldexp(x, 5) ** 2, lambda x: (32 * x) ** 2),
    "fmod": (lambda x: sm.fmod(x * x, 0.7), lambda x: x * x),
    "remainder": (lambda x: sm.remainder(7.0, x), lambda x: -x * round(7.0 / float(x))),
    "copysign": (lambda x: sm.copysign(x**3, -1.0), lambda x: -(abs(x) ** 3)),
    "nextafter": (lambda x: sm.nextafter(x, 100) * x, lambda x: x * x),
    "gamma": (sm.gamma, mp.gamma),
    "lgamma": (sm.lgamma, lambda x: mp.re(mp.loggamma(x))),
    "exp2": (sm.exp2, lambda x: mp.mpf(2) ** x),
    "cbrt": (sm.cbrt, lambda x: mp.sign(x) * mp.root(abs(x), 3)),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_of_a_value_are_those_of_mpmath(name):
    f, exact = DERIVATIVES[name]
    rng = random.Random(name)
    for x in [rng.uniform(0.1, 6.0) for _ in range(8)]:
        with mp.workdps(50):
            value_of, slope = exact(mp.mpf(x)), mpmath.diff(exact, mp.mpf(x))
        value, derivative = sg.value_and_grad(f)(x)
        assert derivative == pytest.approx(float(slope), rel=1e-12, abs=1e-12)
        if name not in ("modf", "fmod", "remainder"):
            assert value == pytest.approx(float(value_of), rel=1e-14)
        assert value == pytest.approx(float(f(x)), rel=1e-14)


def test_predicates_of_a_value_are_bools():
    x = Value(1.0)
    assert sm.isfinite(x) is True
    assert sm.isnan(Value(math.nan)) is True
    assert sm.isinf(Value(-math.inf)) is True
    assert sm.isclose(x, 1.0 + 1e-12) is True
    assert sm.isclose(x, 1.1) is False
    assert sm.isclose(Value(math.inf), 1.0) is False
    assert sm.ulp(x) == math.ulp(1.0)


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda x: sm.log(x - x), ValueError),
        (lambda x: sm.pow(x - x, -1.0), ValueError),
        (lambda x: sm.pow(-x, 0.5), ValueError),
        (lambda x: sm.fmod(x, 0.0), ValueError),
        (lambda x: sm.remainder(x, 0.0), ValueError),
        (lambda x: sm.sqrt(-x), ValueError),
        (lambda x: sm.gamma(x - x), ValueError),
        (lambda x: sm.exp(1000 * x), OverflowError),
        (lambda x: sm.ldexp(x, 5000), OverflowError),
        (lambda x: sm.isclose(x, 1.0, rel_tol=-1.0), ValueError),
        (lambda x: sm.sumprod([x], []), ValueError),
        (lambda x: sm.sin(x, x), TypeError),
    ],
)
def test_what_math_refuses_is_refused_by_the_same_kind_of_error(f, error):
    for x in (1.0, Value(1.0)):
        with pytest.raises(error):
            f(x)


def test_a_wrap_by_fmod_is_recorded():
    def wrapped(x):
        return sm.fmod(x + sm.pi, sm.tau) - sm.pi

    recorded = sg.jit(sg.value_and_grad(wrapped), backend="python")
    for x in (0.5, 3.5, 7.0, -10.0):
        assert recorded(x) == sg.value_and_grad(wrapped)(x)
