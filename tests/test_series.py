"""Taylor series of every smooth row against mpmath's, kinks and poles, and the calling conventions of `jet`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from mpmath import mp

import scalargrad as sg
from scalargrad.engine.evaluation import evaluate
from scalargrad.interpreters.floats import IEEE
from scalargrad.rows import SCIPY, TABLE, Affine, Dot, Primitive, Vector
from tests.operands import RANGES
from tests.oracle import output

ORDER = 20
POINTS = (0.7, -0.37, 1.6, -1.9, -0.8)
"""The arguments are the first ones that a row's domain has, so that none of them is a kink."""
AT = {"pow": [0.7, 1.6], "xlogy": [0.7, 1.6], "gamma": [2.4], "lgamma": [2.4], "digamma": [2.4]}
SLOW = {"zeta", "gammaincc", "kv", "gamma", "lgamma", "digamma", "betainc"}
"""The functions that mpmath's differences take seconds for; Cauchy's integral takes none."""


def point_of(row: Primitive) -> list[float]:
    """Return an ordinary point in a row's domain."""
    if row.name in AT:
        return AT[row.name]
    if row.name in RANGES:
        return [low + 0.4 * (min(high, low + 6.0) - low) for low, high in RANGES[row.name]]
    count = 4 if isinstance(row, Dot) else 5 if isinstance(row, Affine) else 2 if row.variadic else len(row.parameters)
    return [
        next(x for x in (*POINTS[i:], *POINTS) if x in row.domain_of(i) and _alone(row, i, x)) for i in range(count)
    ]


def _alone(row: Primitive, index: int, x: float) -> bool:
    return len(row.parameters) != 1 or row.variadic or row.contains([x])


def cases() -> list[Any]:
    """Return each row with each argument that it has a derivative for."""
    found = []
    for row in TABLE.values():
        if row.home is not None or row.opaque:
            continue
        point = point_of(row)
        for index in range(len(point)):
            if row.variadic or row.partials[index] is not None:
                found.append(pytest.param(row, index, point, id=f"{row.name}-{index}"))
    return found


@pytest.mark.parametrize(("row", "index", "point"), cases())
def test_every_smooth_row_to_order_20(row: Primitive, index: int, point: list[float]) -> None:
    """Coefficients are within 1e-11 of mpmath's, relative to the larger of 1 and the coefficient."""
    if row.name in SCIPY:
        pytest.importorskip("scipy")

    def at(x: Any) -> Any:
        return evaluate(row, (*point[:index], x, *point[index + 1 :]))

    if _nan_by_design(row, index, point):
        with pytest.raises(ValueError, match=row.name):
            sg.series(at, point[index], ORDER)
        return
    for j in range(len(point) if isinstance(row, Vector) else 1):
        true = mp.loggamma if row.name == "lgamma" else output(row, j)  # log |Γ| has no complex derivative
        found = sg.series(lambda x, j=j: at(x)[j] if isinstance(row, Vector) else at(x), point[index], ORDER)
        expected = (cauchy if row.name in SLOW else taylor)(true, index, point)
        for k, (c, e) in enumerate(zip(found, expected, strict=True)):
            assert abs(c - e) <= 1e-11 * max(1.0, abs(e)), (k, c, e)


def _nan_by_design(row: Primitive, index: int, point: list[float]) -> bool:
    return not row.variadic and math.isnan(row.partials[index](IEEE, 1.0, *point))


def taylor(f: Callable[..., Any], index: int, point: list[float]) -> list[float]:
    """Return mpmath's coefficients with respect to one argument."""
    with mp.workdps(50):
        args = [mp.mpf(x) for x in point]
        return [float(c) for c in mpmath.taylor(lambda x: f(*args[:index], x, *args[index + 1 :]), args[index], ORDER)]


def cauchy(f: Callable[..., Any], index: int, point: list[float], count: int = 96) -> list[float]:
    """Return the coefficients from values on a circle, at half the way to the nearest singularity, 0 or 1."""
    with mp.workdps(40):
        args = [mp.mpf(x) for x in point]
        x = args[index]
        radius = min(x, abs(1 - x) if x < 1 else x) / 2
        angles = [mp.expjpi(mp.mpf(2 * i) / count) for i in range(count)]
        values = [f(*args[:index], x + radius * angle, *args[index + 1 :]) for angle in angles]
        sums = [mp.fsum(v * a**-k for v, a in zip(values, angles, strict=True)) for k in range(ORDER + 1)]
        return [float(mp.re(total) / count / radius**k) for k, total in enumerate(sums)]


@pytest.mark.parametrize(
    ("f", "x", "name"),
    [
        (sg.abs, 0.0, "abs has a kink at x = 0.0"),
        (sg.relu, 0.0, "relu has a kink"),
        (sg.sqrt, 0.0, "sqrt has a kink"),
        (sg.floor, 1.0, "floor has a kink or a jump at x = 1.0"),
        (lambda x: sg.maximum(x, 2.0 * x), 0.0, "max has a kink or a jump"),
        (lambda x: sg.clip(x, 0.0, 1.0), 1.0, "clip has a kink"),
        (lambda x: x % 1.0, 2.0, "mod has a kink"),
        (lambda x: sg.hypot(x, x), 0.0, "hypot has a kink"),
        (sg.asin, 1.0, "asin has the coefficient inf of order 1 at x = 1.0"),
        (lambda x: x**0.5, 0.0, "pow has the coefficient inf of order 1"),
    ],
)
def test_kinks_jumps_and_poles_are_refused_by_name(f: Callable[..., Any], x: float, name: str) -> None:
    """The message names the operation and the point; a step away there is a series."""
    with pytest.raises(ValueError, match=name):
        sg.series(f, x, 3)
    assert len(sg.series(f, x + (-0.25 if x == 1.0 else 0.25), 3)) == 4


def test_a_smooth_point_of_a_piecewise_function_is_no_kink() -> None:
    """Equal sides, whole powers at 0, and removable singularities."""
    assert sg.series(lambda x: sg.maximum(x, x), 0.0, 2) == [0.0, 1.0, 0.0]
    assert sg.series(lambda x: x**2, 0.0, 3) == [0.0, 0.0, 1.0, 0.0]
    assert sg.series(sg.sinc, 0.0, 2) == pytest.approx([1.0, 0.0, -(math.pi**2) / 6.0])


def test_jet_takes_derivatives_as_jax_does() -> None:
    """The example of JAX's documentation: derivatives, not coefficients; several arguments along one curve."""
    h = 0.5
    out, terms = sg.jet(sg.sin, (h**3,), ([3.0 * h**2, 6.0 * h],))
    assert out == pytest.approx(math.sin(h**3))
    assert terms[0] == pytest.approx(3 * h**2 * math.cos(h**3))
    assert terms[1] == pytest.approx(6 * h * math.cos(h**3) - (3 * h**2) ** 2 * math.sin(h**3))
    out, terms = sg.jet(lambda v, y: {"p": v[0] * v[1] * y}, ([1.0, 2.0], 3.0), ([[1.0, 0.0]], [0.5]))
    assert (out, terms) == ({"p": 6.0}, [{"p": 7.0}])


def test_jet_along_a_curve_is_the_series_of_the_composition() -> None:
    """With every argument moving, and nonlinearly."""
    x, y = [0.3, 1.0, -0.5, 0.25], [0.8, -0.4, 0.1, 0.3]
    scaled = [[c * math.factorial(k) for k, c in enumerate(cs)] for cs in (x, y)]
    f = lambda x, y: sg.tanh(x * y) + sg.atan2(y, x) ** 2 / sg.hypot(x, y)
    out, terms = sg.jet(f, (x[0], y[0]), (scaled[0][1:], scaled[1][1:]))
    at = lambda t: (sum(c * t**k for k, c in enumerate(cs)) for cs in (x, y))
    whole = lambda t: mp.tanh(mp.fprod(at(t))) + mp.atan2(*reversed([*at(t)])) ** 2 / mp.hypot(*at(t))
    true = [float(c) * math.factorial(k) for k, c in enumerate(mpmath.taylor(whole, 0, 3))]
    assert [out, *terms] == pytest.approx(true, rel=1e-12)


def test_series_can_be_differentiated() -> None:
    """With respect to the point, and to a number that f closes over."""
    f = lambda x: sg.tanh(sg.sin(x) * x + 1.0)
    assert sg.grad(lambda x: sg.series(f, x, 3)[2])(0.7) == pytest.approx(3.0 * sg.series(f, 0.7, 3)[3], rel=1e-12)
    assert sg.grad(lambda y: sg.series(lambda x: x * x * y, 2.0, 2)[1])(0.7) == 4.0


def test_bad_calls() -> None:
    """Each message says what to give."""
    with pytest.raises(ValueError, match="all of one length"):
        sg.jet(lambda x, y: x * y, (1.0, 2.0), ([1.0], [1.0, 0.0]))
    with pytest.raises(TypeError, match="nested like"):
        sg.jet(lambda v: v[0], ([1.0, 2.0],), ([[1.0]],))
    with pytest.raises(ValueError, match="whole number ≥ 0"):
        sg.series(sg.exp, 0.0, -1)
    with pytest.raises(TypeError, match=r"without sg\.jit"):
        sg.series(sg.jit(lambda x: x * x), 1.0, 2)
    with pytest.raises(sg.RecordingError, match=r"sg\.series"):
        sg.jit(lambda x: sg.series(sg.exp, x, 2)[1])(1.0)


def test_a_wrong_partial_gives_a_wrong_series() -> None:
    """The series come from the partials alone: one wrong by 0.1 % is found by the tolerance of the rows' test."""
    wrong = Primitive("doc.wrong", lambda m, x: m.sin(x), lambda m, out, x: 1.001 * m.cos(x))
    found = sg.series(lambda x: evaluate(wrong, (x,)), 0.7, 2)
    assert found[1] == pytest.approx(1.001 * math.cos(0.7), rel=1e-14)
    assert abs(found[1] - math.cos(0.7)) > 1e-11


def test_high_orders_of_a_long_chain_of_rules() -> None:
    """The partial of a power is another power, and so on: 100 rules deep, without recursion to the limit."""
    found = sg.series(lambda x: x**0.5, 1.3, 100)
    with mp.workdps(30):
        true = mp.binomial(0.5, 100) * mp.mpf(1.3) ** mp.mpf(-99.5)
    assert found[-1] == pytest.approx(float(true), rel=1e-11)
