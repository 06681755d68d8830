"""The conventions for cases in which mathematics leaves a choice, as one literal table."""

import math

import pytest

import scalargrad as sg

INF, NAN = math.inf, math.nan

CONVENTIONS = [
    # function, point, its derivatives there with respect to each argument
    (sg.relu, (0.0,), (1.0,)),
    (sg.relu, (-0.0,), (1.0,)),
    (lambda x: sg.relu(x, at_zero=0.0), (0.0,), (0.0,)),
    (lambda x: sg.relu(x, at_zero=0.5), (0.0,), (0.5,)),
    (sg.leaky_relu, (0.0,), (1.0,)),
    (lambda x: sg.leaky_relu(x, 0.01, 0.3), (0.0,), (0.3,)),
    (sg.elu, (0.0,), (1.0,)),
    (sg.maximum, (2.0, 2.0), (1.0, 0.0)),
    (lambda x, y, z: sg.max([x, y, z]), (1.0, 2.0, 2.0), (0.0, 1.0, 0.0)),
    (sg.minimum, (2.0, 2.0), (1.0, 0.0)),
    (lambda x, y, z: sg.min([x, y, z]), (3.0, 2.0, 2.0), (0.0, 1.0, 0.0)),
    (abs, (0.0,), (0.0,)),
    (sg.abs, (-0.0,), (0.0,)),
    (sg.sign, (0.0,), (0.0,)),
    (sg.sign, (3.0,), (0.0,)),
    (sg.floor, (2.0,), (0.0,)),
    (sg.ceil, (2.5,), (0.0,)),
    (sg.round, (2.5,), (0.0,)),
    (sg.step, (0.0,), (0.0,)),
    (sg.step, (1.0,), (0.0,)),
    (lambda x, y: x // y, (7.0, 2.0), (0.0, 0.0)),
    (lambda x, y: x % y, (6.0, 2.0), (1.0, -3.0)),
    (lambda x: sg.clip(x, -1.0, 1.0), (1.0,), (1.0,)),
    (lambda x: sg.clip(x, -1.0, 1.0), (-1.0,), (1.0,)),
    (sg.clip, (0.0, 2.0, 1.0), (0.0, 0.0, 1.0)),
    (sg.clip, (3.0, 2.0, 1.0), (0.0, 0.0, 1.0)),
    (sg.sqrt, (0.0,), (INF,)),
    (sg.cbrt, (0.0,), (INF,)),
    (sg.acosh, (1.0,), (INF,)),
    (sg.asin, (1.0,), (INF,)),
    (sg.acos, (-1.0,), (-INF,)),
    (lambda x: x**0, (0.0,), (0.0,)),
    (lambda x: x**1, (0.0,), (1.0,)),
    (lambda x: x**2, (0.0,), (0.0,)),
    (lambda x, y: x**y, (0.0, 0.0), (0.0, 0.0)),
    (lambda x, y: x**y, (0.0, 2.0), (0.0, 0.0)),
    (lambda x, y: x**y, (0.0, 0.5), (INF, 0.0)),
    (lambda x, y: x**y, (0.0, 0.25), (INF, 0.0)),
    (lambda x, y: x**y, (-2.0, 3.0), (12.0, NAN)),
    (lambda x, y: x**y, (INF, 0.25), (0.0, INF)),
    (lambda x: x**-1, (INF,), (0.0,)),
    (sg.atan2, (0.0, 0.0), (0.0, 0.0)),
    (sg.hypot, (0.0, 0.0), (0.0, 0.0)),
    (lambda x: sg.where(x > 0, lambda: sg.log(x), 0.0 * x), (-1.0,), (0.0,)),
    (lambda x: sg.where(x > 0, x, lambda: 1 / (x - 1.0)), (1.0,), (1.0,)),
    (lambda x, y: 2.0 * x, (1.0, INF), (2.0, 0.0)),
    (lambda x: sg.stop_gradient(x) * x, (3.0,), (3.0,)),
    (sg.relu, (NAN,), (NAN,)),
    (sg.maximum, (NAN, 1.0), (NAN, NAN)),
    (sg.maximum, (1.0, NAN), (NAN, NAN)),
    # A derivative that is exactly 0 stops at an infinite one.
    (lambda x: sg.relu(sg.sqrt(x) - 1.0), (0.0,), (0.0,)),
    (lambda x: sg.select(0.0, sg.sqrt(x), 2.0), (0.0,), (0.0,)),
    (lambda x: sg.maximum(sg.sqrt(x), 1.0), (0.0,), (0.0,)),
    (lambda x: 0.0 * sg.sqrt(x), (0.0,), (0.0,)),
    (lambda x, y: 0.0 * x**y, (-2.0, 3.0), (0.0, 0.0)),
    # Infinite logits, and masks of −∞: those count for nothing.
    (lambda *xs: sg.logsumexp(xs), (-INF, -INF), (0.0, 0.0)),
    (lambda *xs: sg.logsumexp(xs), (INF, 0.0), (1.0, 0.0)),
    (lambda *xs: sg.logsumexp(xs), (INF, INF), (0.5, 0.5)),
    (lambda *xs: sg.logsumexp(xs), (-INF, 1.0), (0.0, 1.0)),
    (lambda *xs: sg.logsumexp(xs), (NAN, 1.0), (NAN, NAN)),
    (sg.logaddexp, (-INF, -INF), (0.0, 0.0)),
    (sg.logaddexp, (INF, 0.0), (1.0, 0.0)),
    (sg.logaddexp, (INF, INF), (0.5, 0.5)),
    (lambda *xs: sg.softmax(xs)[0], (-INF, 1.0), (0.0, 0.0)),
    (lambda *xs: sg.softmax(xs)[0], (-INF, -INF), (0.0, 0.0)),
    (lambda *xs: sg.log_softmax(xs)[0], (0.0, -INF), (0.0, 0.0)),
    (lambda *xs: sg.log_softmax(xs)[1], (-INF, 0.0), (0.0, 0.0)),
    (lambda *xs: -sg.log_softmax(xs)[0], (0.0, 0.0, -INF), (-0.5, 0.5, 0.0)),
]


@pytest.mark.parametrize(("f", "point", "expected"), CONVENTIONS)
@pytest.mark.parametrize("how", ["floats", "nodes"])
def test_derivative(f, point, expected, how):
    if how == "floats":
        xs = [sg.Value(x) for x in point]
        f(*xs).backward()
        got = [x.grad for x in xs]
    else:
        got = [d.data for d in sg.grad(f, tuple(range(len(point))))(*map(sg.Value, point))]
    assert [repr(abs(d)) if d == 0 else repr(d) for d in got] == [repr(d) for d in expected]


VALUES = [
    (lambda: sg.step(0.0), 0.0),
    (lambda: sg.step(0.0, at_zero=1.0), 1.0),
    (lambda: sg.sign(0.0), 0.0),
    (lambda: sg.round(2.5), 2.0),
    (lambda: sg.round(-0.5), -0.0),
    (lambda: sg.relu(NAN), NAN),
    (lambda: sg.maximum(NAN, 1.0), NAN),
    (lambda: sg.minimum(1.0, NAN), NAN),
    (lambda: sg.pow(0.0, 0.0), 1.0),
    (lambda: sg.hypot(0.0, 0.0), 0.0),
    (lambda: sg.clip(0.0, 2.0, 1.0), 1.0),
    (lambda: sg.sum([]), 0.0),
    (lambda: sg.dot([], []), 0.0),
    (lambda: sg.prod([]), 1.0),
    (lambda: sg.logsumexp([-INF, -INF]), -INF),
    (lambda: sg.logsumexp([INF, 0.0]), INF),
    (lambda: sg.logsumexp([INF, INF]), INF),
    (lambda: sg.logsumexp([INF, 800.0, -INF]), INF),
    (lambda: sg.logsumexp([-INF, 3.0]), 3.0),
    (lambda: sg.logsumexp([NAN, INF]), NAN),
    (lambda: sg.logaddexp(-INF, -INF), -INF),
    (lambda: sg.softmax([-INF, 2.0]), [0.0, 1.0]),
    (lambda: sg.softmax([INF, 800.0, INF]), [0.5, 0.0, 0.5]),
    (lambda: sg.softmax([-INF, -INF]), [0.0, 0.0]),
    (lambda: sg.softmax([NAN, 1.0]), [NAN, NAN]),
    (lambda: sg.log_softmax([-INF, 2.0]), [-INF, 0.0]),
    (lambda: sg.log_softmax([INF, 2.0]), [0.0, -INF]),
    (lambda: sg.less(NAN, 1.0), 0.0),
    (lambda: sg.greater_equal(NAN, NAN), 0.0),
    (lambda: sg.not_equal(NAN, NAN), 1.0),
]


@pytest.mark.parametrize(("compute", "expected"), VALUES)
def test_value(compute, expected):
    assert repr(compute()) == repr(expected)


TWICE = [
    # function, point, its second derivative there: where a careless rule gives nan
    (lambda x: x**1, (0.0,), 0.0),
    (lambda x: x**2, (0.0,), 2.0),
    (lambda x: x**3, (0.0,), 0.0),
    (lambda x: x**0, (0.0,), 0.0),
    (lambda y: 0.0**y, (2.0,), 0.0),
    (sg.relu, (0.0,), 0.0),
    (abs, (0.0,), 0.0),
    (lambda x: sg.where(x > 0, lambda: sg.sqrt(x), x * x), (-1.0,), 2.0),
    (lambda x: sg.where(x > 0, x * x * x, NAN), (1.0,), 6.0),
]


@pytest.mark.parametrize(("f", "point", "expected"), TWICE)
def test_second_derivative(f, point, expected):
    assert sg.grad(sg.grad(f))(*point) == expected


def lifted(f):
    return lambda v: f(*v)


HESSIANS = [
    # function, point, its second derivatives there; where there are none, nan or an infinity
    (sg.hypot, (0.0, 0.0), [[NAN, NAN], [NAN, NAN]]),
    (lambda x, y: sg.hypot(x, y) ** 2, (0.0, 0.0), [[NAN, NAN], [NAN, NAN]]),
    (lambda x, y: sg.hypot(x, y) + x * y, (3.0, 4.0), [[0.128, 0.904], [0.904, 0.072]]),
    (sg.atan2, (0.0, 0.0), [[NAN, NAN], [NAN, NAN]]),
    (lambda x, y: x**y, (0.0, 0.0), [[0.0, NAN], [NAN, NAN]]),
    (lambda x, y: x**y, (0.0, 0.5), [[-INF, NAN], [NAN, 0.0]]),
    (lambda x, y: x**y, (0.0, 1.0), [[0.0, NAN], [NAN, 0.0]]),
    (lambda x, y: x**y, (0.0, 1.5), [[INF, 0.0], [0.0, 0.0]]),
    (lambda x, y: x**y, (0.0, 2.0), [[2.0, 0.0], [0.0, 0.0]]),
    (lambda x, y: x**y, (0.0, 3.0), [[0.0, 0.0], [0.0, 0.0]]),
    (lambda x, y: sg.sqrt(x) + y * y, (0.0, 1.0), [[-INF, 0.0], [0.0, 2.0]]),
    (sg.maximum, (1.0, 1.0), [[0.0, 0.0], [0.0, 0.0]]),
    (lambda x, y: sg.select(1.0, y, sg.hypot(y, sg.sqrt(sg.sin(x)))), (0.0, 2.0), [[0.0, 0.0], [0.0, 0.0]]),
    (lambda x, y: sg.select(1.0, y * y, sg.hypot(x, 0.0 * y)), (0.0, 2.0), [[0.0, 0.0], [0.0, 2.0]]),
    (lambda x, y: sg.relu(x) + abs(y), (0.0, 0.0), [[0.0, 0.0], [0.0, 0.0]]),
    (lambda x, y: sg.logsumexp([x, y]), (-INF, -INF), [[0.0, 0.0], [0.0, 0.0]]),
    (lambda x, y: sg.logsumexp([x, y, 0.0]), (-INF, 0.0), [[0.0, 0.0], [0.0, 0.25]]),
    (lambda x, y: sg.logsumexp([x, y]), (NAN, 0.0), [[NAN, NAN], [NAN, NAN]]),
    (lambda x, y: -sg.log_softmax([x, y, 0.0])[2], (-INF, 0.0), [[0.0, 0.0], [0.0, 0.25]]),
    (lambda x, y: sg.softmax([x, y, 0.0])[1], (-INF, 0.0), [[0.0, 0.0], [0.0, 0.0]]),
]


@pytest.mark.parametrize(("f", "point", "expected"), HESSIANS)
def test_second_derivatives(f, point, expected):
    forward = [sg.hvp(lifted(f), (list(point),), (unit,)) for unit in ([1.0, 0.0], [0.0, 1.0])]
    for got in (sg.hessian(lifted(f))(list(point)), [list(row) for row in zip(*forward, strict=True)]):
        for row, expected_row in zip(got, expected, strict=True):
            assert row == pytest.approx(expected_row, rel=1e-14, abs=1e-15, nan_ok=True)


REFUSED = [
    (lambda: sg.Value(-2.0) ** 0.5, ValueError, r"pow: x = -2.0; y = 0.5: outside its domain"),
    (lambda: sg.log(sg.Value(-1.0)), ValueError, r"log: x = -1.0 is outside \(0, inf\)"),
    (lambda: sg.log(sg.Value(0.0)), ValueError, r"log: x = 0.0 is outside \(0, inf\)"),
    (lambda: 1 / sg.Value(0.0), ZeroDivisionError, r"div: y = 0.0 is outside"),
    (lambda: sg.Value(0.0) ** -1, ZeroDivisionError, r"pow: x = 0.0; y = -1.0: outside its domain"),
    (lambda: sg.sqrt(-1.0), ValueError, r"sqrt: x = -1.0 is outside \[0, inf\)"),
    (lambda: sg.exp(sg.Value(1000.0)), OverflowError, r"exp: x = 1000.0: the result is too large for a float"),
    (lambda: sg.Value(1.0) % 0, ZeroDivisionError, r"mod: y = 0.0 is outside"),
]


@pytest.mark.parametrize(("compute", "error", "message"), REFUSED)
def test_refused(compute, error, message):
    with pytest.raises(error, match=message):
        compute()


def test_the_perceptron_learns_nothing_by_gradients():
    w = sg.Value(0.3)
    sg.step(w * 2.0 - 1.0).backward()
    assert w.grad == 0.0


@pytest.mark.parametrize("how", ["eager", "recorded"])
def test_a_zero_of_a_product_keeps_its_own_derivative(how):
    # y · log x at y = 0: what flows to log is 0, and its derivative with respect to y is not.
    f = lambda v: v[1] * sg.log(v[0]) + v[2] * sg.sqrt(v[2])
    hessian = sg.hessian(f) if how == "eager" else sg.jit(sg.hessian(f), backend="python")
    rows = hessian([0.5, 0.0, 1.0])
    assert [row[:2] for row in rows[:2]] == [[0.0, 2.0], [2.0, 0.0]]
    assert rows[2][2] == 0.75
