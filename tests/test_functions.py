"""`maximum`, `minimum`, `where`, rows that users add, and the calls of rows with bad input."""

import math

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Value


def flat(rows):
    return [x for row in rows for x in row]


def test_maximum_and_minimum():
    assert (sg.maximum(1, 3.0, 2), sg.minimum(2, 1.0)) == (3.0, 1.0)
    x, y = Value(1.0), Value(4.0)
    J = sg.maximum(x, 2.0, y) * sg.minimum(x, y)
    J.backward()
    assert (J.data, x.grad, y.grad) == (4.0, 4.0, 1.0)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        sg.maximum(1.0)
    with pytest.raises(TypeError, match=r"max: xs\[1\] is 'a', a str"):
        sg.maximum(1.0, "a")


def test_where_calls_only_what_it_chooses():
    x = Value(-1.0)
    y = sg.where(x > 0, lambda: sg.sqrt(x), lambda: x * 2.0)
    assert y.data == -2.0
    assert sg.where(x, 1.0, 2.0) == 1.0
    assert sg.where(Value(0.0), 1.0, x) is x


def test_prod_has_the_right_partials_at_zeros():
    for data in ([0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [2.0], [1.0, 2.0, 3.0, 4.0]):
        xs = [Value(x) for x in data]
        sg.prod(xs).backward()
        expected = [math.prod(data[:i] + data[i + 1 :]) for i in range(len(data))]
        assert [x.grad for x in xs] == expected


def test_softmax_is_a_vector_with_shared_arguments():
    ys = sg.softmax([Value(1.0), 2.0, Value(3.0)])
    assert sum(y.data for y in ys) == pytest.approx(1.0, rel=1e-15)
    assert all(y.args is ys[0].args for y in ys)
    J = sg.jacobian(sg.softmax)([1.0, 2.0, 3.0])
    y = sg.softmax([1.0, 2.0, 3.0])
    expected = [[y[j] * ((i == j) - y[i]) for i in range(3)] for j in range(3)]
    assert flat(J) == pytest.approx(flat(expected), rel=1e-14)


def test_sums_run_from_left_to_right():
    assert sg.sum([1e16, 1.0, -1e16]) == 0.0
    assert sg.sum([Value(1e16), 1.0, -1e16]).data == 0.0
    assert sg.dot([1e16, 1.0, -1e16], [1.0, 1.0, 1.0]) == 0.0


def test_iterables_of_any_kind():
    xs = [Value(1.0), Value(2.0)]
    assert sg.sum(x for x in xs).data == sg.sum(tuple(xs)).data == sg.sum({1: xs[0], 2: xs[1]}.values()).data == 3.0
    assert sg.affine((1.0, 2.0), iter(xs), 3).data == 8.0


BAD_CALLS = [
    (lambda: sg.sin("a"), TypeError, r"sin: x is 'a', a str, not a number or a Value; write float\(…\)"),
    (lambda: sg.sin(None), TypeError, "sin: x is None, a NoneType"),
    (lambda: sg.sin(1j), TypeError, "sin: x is 1j, a complex"),
    (lambda: sg.sin([1.0]), TypeError, r"sin: x is \[1.0\], a list"),
    (sg.sin, TypeError, "missing 1 required positional argument"),
    (lambda: sg.sin(1.0, 2.0), TypeError, "takes 2 positional arguments but 3 were given"),
    (lambda: sg.atan2(1.0, Value(2.0), 3.0), TypeError, "positional arguments"),
    (lambda: sg.relu(Value(1.0), slope=1.0), TypeError, "unexpected keyword argument 'slope'"),
    (lambda: sg.hypot(Value(1.0), "b"), TypeError, "hypot: y is 'b', a str"),
    (
        lambda: sg.sum(1.0),
        TypeError,
        r"sum: needs an iterable of numbers or Values, got float; write sum\(\[x, y, …\]\)",
    ),
    (lambda: sg.sum("abc"), TypeError, "sum: needs an iterable of numbers or Values, got str"),
    (lambda: sg.mean([]), ValueError, "mean: needs at least one argument, got an empty list"),
    (lambda: sg.max(()), ValueError, "max: needs at least one argument, got an empty tuple"),
    (lambda: sg.softmax([1.0, "a"]), TypeError, r"softmax: xs\[1\] is 'a', a str"),
    (lambda: sg.dot([1.0], [1.0, 2.0]), ValueError, "dot: needs two vectors of one length; got 1 and 2"),
    (
        lambda: sg.max(1.0, Value(2.0)),
        TypeError,
        r"takes one iterable, got 2 .*sg\.max\(\[x, y\]\), or sg\.maximum\(x, y\)",
    ),
    (lambda: sg.sum(1.0, 2.0, 3.0), TypeError, r"sum: takes one iterable, got 3 arguments; write sg\.sum\(\[x, y\]\)$"),
    (
        lambda: sg.sum([[1.0], [2.0]]),
        TypeError,
        r"xs\[0\] is \[1.0\], a list, .*write \[sg\.sum\(row\) for row in rows\]",
    ),
    (lambda: sg.dot([[1.0]], [Value(2.0)]), TypeError, r"a list, .*write \[sg\.dot\(row, x\) for row in rows\]"),
    *(
        (lambda f=f: f(np.ones((2, 2))), TypeError, r"in one row, got an array of shape \(2, 2\); write \[sg\.\w+\(row")
        for f in (sg.sum, sg.mean, sg.prod, sg.max, sg.logsumexp, sg.softmax, lambda a: sg.dot(a, [1.0, 2.0]))
    ),
    (lambda: sg.dot(1.0, [1.0]), TypeError, "dot: needs an iterable"),
    (lambda: sg.affine([1.0], [1.0], "b"), TypeError, "affine: .*'b', a str"),
    (lambda: sg.affine([1.0], [1.0, 2.0], 0.0), ValueError, "affine: needs two vectors of one length"),
]


def test_what_nothing_adds_up_to():
    x = Value(2.0)
    assert (sg.sum([]), sg.sum(()), sg.dot([], []), sg.prod([])) == (0.0, 0.0, 0.0, 1.0)
    assert sg.affine([], [], 3.0) == 3.0
    sg.affine([], [], x).backward()
    assert x.grad == 1.0
    assert sg.sin(True) == math.sin(1.0)


@pytest.mark.parametrize(("compute", "error", "message"), BAD_CALLS)
def test_bad_calls(compute, error, message):
    with pytest.raises(error, match=message):
        compute()


BAD_ROWS = [
    (("sin", lambda m, x: x, lambda m, out, x: 1.0), ValueError, "the name 'sin' is taken"),
    (("less", lambda m, x: x, lambda m, out, x: 1.0), ValueError, "the name 'less' is taken"),
    (("two words", lambda m, x: x, lambda m, out, x: 1.0), ValueError, "'two words' is not a public identifier"),
    (("lambda", lambda m, x: x, lambda m, out, x: 1.0), ValueError, "'lambda' is not a public identifier"),
    (
        ("half", lambda m, x, y: x, lambda m, out, x, y: 1.0),
        TypeError,
        r"2 arguments \(x, y\) need as many partials, got 1",
    ),
    (("own", lambda m, exp: m.exp(exp), lambda m, out, exp: out), ValueError, "its argument 'exp' needs another name"),
    (("own", lambda m, self: self, lambda m, out, self: 1.0), ValueError, "its argument 'self' needs another name"),
    (("compiled", math.hypot, [None, None]), TypeError, "opaque=True for plain functions of floats"),
    (("a..b", lambda m, x: x, lambda m, out, x: 1.0), ValueError, "'a..b' is not a public identifier"),
    (
        ("foreign", lambda m, x: math.sin(x), lambda m, out, x: 1.0),
        TypeError,
        "the functions of m alone, but they raised",
    ),
    (("unknown", lambda m, x: m.coz(x), lambda m, out, x: 1.0), TypeError, "the functions of m alone, but they raised"),
]


@pytest.mark.parametrize(("row", "error", "message"), BAD_ROWS, ids=[case[0][0] for case in BAD_ROWS])
def test_bad_rows(row, error, message, rows_restored):
    known = set(sg.rows.TABLE)
    with pytest.raises(error, match=message):
        sg.primitive(*row)
    assert set(sg.rows.TABLE) == known


def test_an_opaque_row_raises_what_its_function_raises(rows_restored):
    root = sg.primitive("opaque_root", math.sqrt, lambda x: 0.5 / math.sqrt(x), opaque=True)
    assert root(Value(4.0)).partials == (0.25,)
    with pytest.raises(ValueError, match=r"^opaque_root: x = -1\.0: "):
        root(Value(-1.0))


def test_a_foreign_forward_has_derivatives_of_any_order(rows_restored):
    special = pytest.importorskip("scipy.special", reason="no SciPy: pip install scipy")
    slope = 2.0 / math.sqrt(math.pi)
    erf = sg.primitive("scipy.erf", special.erf, lambda m, out, x: slope * m.exp(-(x * x)), opaque="forward")
    x = 0.7
    density = slope * math.exp(-x * x)
    assert erf(x) == pytest.approx(math.erf(x), rel=1e-15)
    assert sg.grad(erf)(x) == pytest.approx(density, rel=1e-15)
    assert sg.grad(sg.grad(erf))(x) == pytest.approx(-2.0 * x * density, rel=1e-15)
    assert sg.grad(sg.grad(sg.grad(erf)))(x) == pytest.approx((4.0 * x * x - 2.0) * density, rel=1e-14)
    assert erf(np.array([x, 0.0])).tolist() == [special.erf(x), 0.0]
    assert "J = scipy.erf x" in str(sg.derivation(erf(Value(x, label="x"))))
    with pytest.raises(sg.RecordingError, match=r"scipy\.erf is opaque"):
        sg.jit(erf)(0.5)


def test_an_opaque_row_has_one_derivative(rows_restored):
    sine = sg.primitive("plain_sine", math.sin, math.cos, opaque=True)
    assert sg.grad(sine)(0.5) == math.cos(0.5)
    with pytest.raises(TypeError, match=r"no derivative of higher order\. Write the partials against m"):
        sg.grad(sg.grad(sine))(0.5)


def test_what_a_module_adds_twice_replaces_itself(rows_restored):
    first = sg.primitive("mine.twice", lambda m, x: x + x, lambda m, out, x: 2.0)
    again = sg.primitive("mine.twice", lambda m, x: 2.0 * x, lambda m, out, x: 2.0)
    assert sg.rows.find("mine.twice") is again is not first
    with pytest.raises(ValueError, match=r"'mine\.twice' is taken by tests\.test_functions"):
        sg.rows.enter(sg.rows.Unary("mine.twice", lambda m, x: x, lambda m, out, x: 1.0), "another.package")


def test_a_domain_may_be_a_pair_of_numbers(rows_restored):
    rules = lambda m, x: m.log(x), lambda m, out, x: m.div(1.0, x)
    assert sg.primitive("own_log", *rules, domain=(0.0, math.inf)).domain == (sg.Interval(0.0, math.inf),)
    with pytest.raises(ValueError, match=r"own_log: x = -1\.0 is outside \(0, inf\)"):
        sg.rows.find("own_log")(-1.0)
    with pytest.raises(ValueError, match="2 domains for 1 arguments"):
        sg.primitive("two_domains", *rules, domain=(sg.Interval(0.0, 1.0), (0.0, 1.0)))


def test_a_row_named_like_what_the_compiled_code_uses(rows_restored):
    row = sg.primitive("inf", lambda m, x, y: x * y, [lambda m, out, x, y: y, lambda m, out, x, y: x])
    assert row(Value(2.0), 3.0).data == 6.0
