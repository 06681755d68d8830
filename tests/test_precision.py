"""Digits that are right, and values and gradients in 50 digits."""

import math
import sys

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

import scalargrad as sg
from scalargrad.interpreters.multiprecision import function, partials
from scalargrad.precision import FULL, right_digits
from scalargrad.rows import TABLE, Affine, Primitive, Vector
from scalargrad.testing import expressions

from . import oracle

PUBLIC = [row for row in TABLE.values() if not row.opaque and not isinstance(row, Vector)]


NUMBERS = st.floats(-3, 3).map(lambda x: round(x, 9))


def truth_of(f, point, name=None):
    """A formula's value, or its derivative by one input by differences, in digits that its own rows have not chosen."""

    def compute(step_row, operands):
        return oracle.function(step_row)(*map(mp.mpf, operands))

    def at(x):
        inputs = {key: mp.mpf(value) for key, value in point.items()}
        return mp.mpf(f._values(inputs if name is None else {**inputs, name: x}, compute)[-1])

    last = None
    for precision in (150, 450, 1350):
        with mp.workdps(precision):
            number = at(None) if name is None else mp.diff(at, point[name])
            if last is not None and abs(number - last) <= abs(number) * mp.mpf(10) ** -25:
                return number
            last = number
    raise ValueError("the truth does not settle")


@settings(max_examples=4 * settings().max_examples)
@given(f=expressions(), x=NUMBERS, y=NUMBERS)
def test_reported_digits_are_within_one_of_the_truth(f, x, y):
    point = {"x": x, "y": y}
    nodes = {name: sg.Value(number) for name, number in point.items()}
    goal = f(nodes)
    if not isinstance(goal, sg.Value):
        return
    found = sg.digits(goal)
    goal.backward()
    for node, name in ((goal, None), (nodes["x"], "x"), (nodes["y"], "y")):
        if node.grad == 0.0 or (name and not any(n.node is node for n in found.nodes)):
            continue
        try:
            truth = truth_of(f, point, name)
        except (ArithmeticError, ValueError, TypeError):
            continue
        number = goal.data if name is None else node.grad
        digits = found[node].value if name is None else found[node].gradient
        assert abs(digits - right_digits(number, truth)) <= 1.0, (str(f), point, name)


@pytest.mark.parametrize("row", PUBLIC, ids=lambda row: row.name)
def test_every_row_has_50_digits(row: Primitive):
    if row.name in ("kinked", "passed", "lambertw", "hyp2f1"):
        pytest.skip("its partials are of another function, or its second argument is a branch")
    count = (5 if isinstance(row, Affine) else 4) if row.variadic else len(row.parameters)
    points = [[0.7 + 0.11 * i * k - 0.3 * k for i in range(count)] for k in range(1, 4)] + [
        [1.25 + 0.2 * i for i in range(count)]
    ]
    points = [point for point in points if row.contains(point)]
    with mp.workdps(60):
        f, truth = function(row), oracle.function(row)
        for point in points:
            args = [mp.mpf(x) for x in point]
            out = f(*args)
            assert abs(out - truth(*args)) <= mp.mpf(10) ** -50 * max(1, abs(out))
            if row.smooth is None and not row.kinks and row.name not in CHOOSING:
                for i, partial in enumerate(partials(row, out, args, [True] * count)):
                    orders = tuple(int(k == i) for k in range(count))
                    if partial is not None and not mp.isnan(partial):  # nan by orders that have no formula
                        assert abs(partial - mp.diff(truth, tuple(args), orders)) <= mp.mpf(10) ** -45 * max(
                            1, abs(partial)
                        )


CHOOSING = {"max", "min", "clip", "select", "relu", "step", "abs", "leaky_relu", "elu", "copysign"}


def test_cancellation_is_named_and_the_gradient_after_it():
    x = sg.Value(1e-4, label="x")
    cosine = sg.cos(x)
    difference = 1.0 - cosine
    goal = difference / (x * x)
    found = sg.digits(goal)
    assert found.first.node is difference
    assert found[difference].value == pytest.approx(8.2, abs=0.2)  # (1 − cos x) keeps 16 − log₁₀(2/x²)
    assert found[difference].condition == pytest.approx(2e8, rel=1e-6)
    assert found[cosine].value > 15
    assert found[x].gradient < 2  # −x/12 is the difference of two numbers near 1/x
    assert str(found).startswith("digits of the value are first lost at sub(1.0, cos(…)) = ")
    assert x.grad == 0.0


def test_a_gradient_may_lose_what_the_value_keeps():
    x = sg.Value(1e8, label="x")
    goal = sg.sqrt(x * x + 1.0) - x + 1e9
    found = sg.digits(sg.mul(goal, 1.0), least=9.0)
    assert found[goal].value > 15
    assert found[x].gradient == 0.0  # it is −5e-17, and the double 0


def test_a_value_that_is_zero_is_told_from_one_that_vanishes():
    x = sg.Value(1e-200)
    assert sg.digits((1.0 + x) - 1.0).nodes[-1].value == 0.0
    zero = sg.sin(sg.Value(0.5)) ** 2
    zero = zero + sg.cos(zero.parents[0].parents[0]) ** 2 - 1.0
    found = sg.digits(zero)[zero]
    assert found.exact_value == 0
    assert found.value == (FULL if zero.data == 0.0 else 0.0)
    tenths = sg.Value(0.1) + 0.2 - 0.3
    assert sg.digits(tenths)[tenths].value == pytest.approx(0.0)  # 2.8e-17 in truth, 5.6e-17 in doubles


def test_no_digit_is_right_where_no_exact_number_is():
    x, y = sg.Value(0.1), sg.Value(0.2)
    root = sg.sqrt(0.30000000000000004 - (x + y))
    assert root.data == 0.0
    found = sg.digits(root)[root]
    assert (found.value, mp.isnan(found.exact_value)) == ((0.0, False) if found.exact_value > 0 else (0.0, True))


def test_a_value_keeps_its_digits_where_the_derivative_is_infinite():
    x = sg.Value(0.0)
    root = sg.sqrt(x)
    found = sg.digits(root)
    assert found[root].value == FULL
    assert found[x].gradient == 0.0
    assert mp.isnan(found[x].exact_gradient)


def test_vector_rows_and_shared_operands():
    x, y = sg.Value(0.3), sg.Value(-1.2)
    goal = sg.log(sg.softmax([x, y, x * y])[1]) * sg.prod([x, x, y])
    found = sg.digits(goal)
    assert found.first is None
    assert str(found) == "every value and gradient has at least 12 right digits"
    square = x * x
    assert sg.digits(square)[square].condition == pytest.approx(2.0)


def test_a_deep_graph():
    x = v = sg.Value(0.5)
    for _ in range(5000):
        v = v * 0.999 + 0.001
    assert sg.digits(v)[x].gradient > 12


def test_exact_nests_like_the_argument():
    def f(p, scale):
        return scale * sg.erf(p["w"]) * p["b"][0]

    value, gradient = sg.exact(f)({"w": 0.5, "b": [2.0, 7.0]}, scale=3.0)
    with mp.workdps(50):
        assert abs(value - 6 * mp.erf(0.5)) < mp.mpf(10) ** -48
        assert abs(gradient["w"] - 12 / mp.sqrt(mp.pi) * mp.exp(-0.25)) < mp.mpf(10) ** -48
        assert abs(gradient["b"][0] - 3 * mp.erf(0.5)) < mp.mpf(10) ** -48
    assert gradient["b"][1] == 0
    assert sg.exact(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0) == (6, (3, 2))
    assert sg.exact(lambda x: 4.0)(1.0) == (4, 0)
    assert sg.exact(lambda x: x)(1.0) == (1, 1)


def test_exact_takes_numbers_of_many_digits():
    with mp.workdps(80):
        tenth = mp.mpf(1) / 10
        value, slope = sg.exact(lambda x: x * x, digits=70)(tenth)
        assert abs(value - tenth**2) < mp.mpf(10) ** -71
        assert abs(slope - 2 * tenth) < mp.mpf(10) ** -70


def test_exact_sees_through_cancellation():
    value, slope = sg.exact(lambda x: (1.0 - sg.cos(x)) / (x * x))(1e-20)
    with mp.workdps(50):
        assert abs(value - (mp.mpf(1) / 2 - mp.mpf(1e-20) ** 2 / 24)) < mp.mpf(10) ** -49
        assert abs(slope + mp.mpf(1e-20) / 12) < mp.mpf(10) ** -60


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="digits: needs a Value"):
        sg.digits(1.0)
    with pytest.raises(TypeError, match=r"exact: .*'1'"):
        sg.exact(lambda x: x)("1")
    with pytest.raises(TypeError, match="exact: the function must return one number"):
        sg.exact(lambda x: [x, x])(1.0)
    for digits in (0, True, 1.5):
        with pytest.raises(ValueError, match="exact: digits is"):
            sg.exact(lambda x: x, digits=digits)
    with pytest.raises(KeyError, match="not part of the graph"):
        sg.digits(sg.Value(1.0))[sg.Value(1.0)]
    with pytest.raises(sg.RecordingError, match="digits"):
        sg.jit(lambda x: sg.digits(x) and x)(1.0)


def test_an_opaque_row_is_refused_by_name(rows_restored):
    half = sg.primitive("half", lambda x: x / 2, lambda x: 0.5, opaque=True)
    with pytest.raises(TypeError, match="digits: half is opaque"):
        sg.digits(half(sg.Value(1.0)))


def test_absence_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpmath", None)
    with pytest.raises(ModuleNotFoundError, match="digits: needs the package mpmath"):
        sg.digits(sg.Value(1.0))
    with pytest.raises(ModuleNotFoundError, match="exact: needs the package mpmath"):
        sg.exact(lambda x: x)(1.0)


@pytest.mark.parametrize(
    ("number", "truth", "digits"),
    [(1.0, 1, FULL), (1.001, 1, 3.0), (2.0, 1, 0.0), (0.0, 1, 0.0), (1.0, 0, 0.0), (0.0, 0, FULL), (math.nan, 1, 0.0)],
)
def test_digits_of_one_number(number, truth, digits):
    assert right_digits(number, mpmath.mpf(truth)) == pytest.approx(digits, abs=1e-6)
