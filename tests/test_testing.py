"""`scalargrad.testing`: checks that pass and fail, and their messages; generated formulas on every kind of number."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad.rows import TABLE
from scalargrad.testing import Expression, branching, check_gradients, expressions, points, reference, ulp_error
from scalargrad.testing.differences import derivatives
from scalargrad.testing.estimates import SHARP
from scalargrad.testing.formulas import Step

# Differences


@pytest.mark.parametrize(
    ("f", "slope"),
    [(math.sin, math.cos), (math.exp, math.exp), (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2)],
)
@given(x=st.floats(-3, 3))
def test_differences_know_their_error(f, slope, x):
    (found,) = derivatives(lambda t: [f(t)], x)
    assert abs(found.value - slope(x)) <= found.error <= SHARP * abs(found.value) + 1e-9
    assert found.left == found.right == found.value


SLOPES = {
    # What is differentiated, where, and its derivative: scales from 1e-12 to 1e12, rounding, features of two sizes.
    "tiny values": (lambda x: 1e-12 * x * x, 3.0, 6e-12),
    "a narrow bump": (lambda x: math.exp(-(((x - 1) * 1e6) ** 2)), 1 + 2**-23, -2e12 / 2**23 * math.exp(-1e12 / 2**46)),
    "a narrow kink at 0": (lambda x: abs(x * 1e12) - 0.5 * math.sin(x * 1e12), 0.0, -0.5e12),
    "a wide one": (lambda x: 5 + math.sin(1e-12 * x), 1e-12, 1e-12),
    "an offset": (lambda x: 1e12 + x, 1e-5, 1.0),
    "near a minimum": (lambda x: math.cos(x) + 3, 1e-12, -1e-12),
    "a ripple": (lambda x: x + 1e-9 * math.sin(1e9 * x), 1.0, 1 + math.cos(1e9)),
    "resonance with the steps": (lambda x: math.sin(128 * math.pi * x), 1.0, 128 * math.pi),
    "cancellation": (lambda x: (x + 1e8) - 1e8 + 1e-3 * x, 0.3, 1.001),
    "single precision": (lambda x: float(np.sin(np.float32(x))), 1.3, math.cos(1.3)),
    "a kink nearby": (lambda x: max(x - 1, 0.0) + 5, 1 - 1e-5, 0.0),
    "a dead unit": (lambda x: max(x - 5, 0.0) + 3, 1.0, 0.0),
    "no second derivative": (lambda x: x * abs(x) ** 0.5, 0.0, 0.0),
    "a complex neighbour": (lambda x: x**0.5, 1e-8, 5e3),
    "an overflow nearby": (math.exp, 709.0, math.exp(709.0)),
    "the end of a domain": (lambda x: x + 0 * math.sqrt(x), 0.0, 1.0),
}


@pytest.mark.parametrize("name", SLOPES)
def test_steps_find_their_scale(name):
    f, x, slope = SLOPES[name]
    (found,) = derivatives(lambda t: [f(t)], x)
    assert found.trouble == ""
    assert abs(found.value - slope) <= found.error <= 1e-3 * abs(slope) + 1e-6


TROUBLES = {
    "uncertain": (lambda x: 1e15 + math.sin(x), 1.0),
    "jump": (lambda x: float(math.floor(x)), 2.0),
    "jumps by": (lambda x: (x + 1e12) - 1e12, 0.3),
    "don't settle": (lambda x: abs(x) ** 0.5, 0.0),
    "on one side only": (math.sqrt, 0.0),
    "no finite values": (lambda x: x if x == 1.0 else math.nan, 1.0),
    "faster than the smallest steps": (lambda x: abs(x - 1e6) ** 1.5, 1e6 + 1e-7),
}


@pytest.mark.parametrize("text", TROUBLES)
def test_differences_that_decide_nothing_say_why(text):
    f, x = TROUBLES[text]
    assert text in derivatives(lambda t: [f(t)], x)[0].trouble


# check_gradients


def test_right_derivatives_pass():
    report = check_gradients(lambda p, z: [p["w"][0] * p["w"][1], sg.exp(z) * p["w"][0]], {"w": [1.0, 2.0]}, 0.5)
    assert report.compared == 6 + 18
    assert report.kinks == report.undecided == []
    assert check_gradients(lambda x: sg.sin(x) * x, 2, order=4).compared == 4
    assert check_gradients(lambda v: (v * v).sum(), np.array([1.0, 2.0])).compared == 2 + 4
    assert check_gradients(sg.tanh, 0.3, modes=("forward",)).compared == 2
    assert check_gradients(lambda x: 3.0, 1.0).compared == 2


def test_a_wrong_rule_is_found_at_either_order(rows_restored):
    first = sg.primitive("wrong_first", lambda m, x: m.sin(x), lambda m, out, x: 1.001 * m.cos(x))
    message = r"derivative with respect to args\[0\]\['w'\]\[1\] is .* but .* give .*relative error 0\.000999.*step"
    with pytest.raises(AssertionError, match=message) as caught:
        check_gradients(lambda p: sg.exp(first(p["w"][1] * 2.0)) * p["w"][0], {"w": [1.0, 0.25]}, order=1)
    assert "The first local derivative that disagrees: wrong_first(0.5) by argument 0: 0.878460" in str(caught.value)
    second = sg.primitive(
        "wrong_second", lambda m, x: m.sin(x), lambda m, out, x: m.cos(x) + 0.001 * (m.stop_gradient(x) - x)
    )
    check_gradients(second, 0.5, order=1)
    with pytest.raises(AssertionError, match=r"with respect to args\[0\] and args\[0\] is -0\.48\d+, but"):
        check_gradients(second, 0.5)


def test_a_number_taken_out_is_found():
    with pytest.raises(AssertionError, match=r"perhaps f took a number out of a Value by \.data"):
        check_gradients(lambda x: x * x.data if isinstance(x, sg.Value) else x * x, 3.0)


def test_foreign_gradients():
    f = lambda w, xs: sum(math.tanh(w["a"] * x) + w["b"] for x in xs)

    def gradient(w, xs):
        slopes = [1 - math.tanh(w["a"] * x) ** 2 for x in xs]
        by_a = sum(s * x for s, x in zip(slopes, xs, strict=True))
        return {"a": by_a, "b": float(len(xs))}, [s * w["a"] for s in slopes]

    args = {"a": 0.7, "b": 0.1}, [0.3, -1.2]
    assert check_gradients(f, *args, gradient=gradient).compared == 4
    with pytest.raises(AssertionError, match=r"with respect to args\[0\]\['b'\] is 3\.0, but differences give 2"):
        check_gradients(f, *args, gradient=lambda w, xs: ({**gradient(w, xs)[0], "b": 3.0}, gradient(w, xs)[1]))


def test_a_gradient_is_compared_by_key_and_shape():
    f = lambda p: p["a"] * p["b"] ** 2
    assert check_gradients(f, {"a": 2.0, "b": 3.0}, gradient=lambda p: {"b": 12.0, "a": 9.0}).compared == 2
    wrong = {"b": 12.0, "A": 9.0}, {"a": 9.0}, {"a": 9.0, "b": 12.0, "c": 0.0}, [9.0, 12.0], 9.0, None
    for gradient in wrong:
        with pytest.raises(AssertionError, match="gradient= is nested differently"):
            check_gradients(f, {"a": 2.0, "b": 3.0}, gradient=lambda p, gradient=gradient: gradient)
    with pytest.raises(AssertionError, match=r"\['b'\], but a number is expected; write 0.0 if f does not depend"):
        check_gradients(f, {"a": 2.0, "b": 3.0}, gradient=lambda p: {"a": 9.0, "b": None})
    matrix = np.arange(6.0).reshape(3, 2)
    for fits in (2 * matrix, (2 * matrix).tolist(), tuple(2 * matrix)):
        check_gradients(lambda m: float((m * m).sum()), matrix, gradient=lambda m, fits=fits: fits)
    for wrong in (2 * matrix.ravel(), 2 * matrix.reshape(1, 6), 2 * matrix.T, 2 * matrix[:2]):
        with pytest.raises(AssertionError, match="gradient= is nested differently"):
            check_gradients(lambda m: float((m * m).sum()), matrix, gradient=lambda m, wrong=wrong: wrong)


def test_every_wrong_derivative_is_named_the_worst_first():
    def gradient(xs):
        return [2.0 * x for x in xs[:-3]] + [math.nan, 2.002 * xs[-2], 0.0]

    with pytest.raises(AssertionError) as caught:
        check_gradients(lambda xs: sum(x * x for x in xs), [1.0 + i for i in range(30)], gradient=gradient)
    first, *lines = str(caught.value).splitlines()
    assert first == "3 of 30 derivatives are wrong, the worst first:"
    assert [line.split("args[0]")[1][:4] for line in lines] == ["[27]", "[29]", "[28]"]
    with pytest.raises(AssertionError, match=r"30 of 30 [\s\S]*\n  and args\[0\]\[\d+\], (.*, ){8}args\[0\]\[\d+\]$"):
        check_gradients(lambda xs: sum(x * x for x in xs), [1.0 + i for i in range(30)], gradient=lambda xs: xs)


def test_arrays_in_arrays_out():
    seen = []

    def f(w, b):
        seen.append((type(w), w.dtype, w.shape, type(b)))
        return np.sum(w * w) * b

    whole = np.arange(1, 5, dtype=np.int64).reshape(2, 2)
    assert check_gradients(f, whole, np.float32(2.0), gradient=lambda w, b: (2 * w * b, np.sum(w * w))).compared == 5
    assert set(seen) == {(np.ndarray, np.dtype(float), (2, 2), float)}
    assert whole.tolist() == [[1, 2], [3, 4]]


def test_arrays_of_other_libraries():
    numpy = pytest.importorskip("jax.numpy")
    f = lambda w: numpy.sum(numpy.tanh(numpy.array(w)) ** 2)  # in single precision, as it comes
    gradient = lambda w: 2 * numpy.tanh(numpy.array(w)) * (1 - numpy.tanh(numpy.array(w)) ** 2)
    check_gradients(f, [0.5, -0.25], gradient=gradient)
    with pytest.raises(AssertionError, match=r"args\[0\]\[0\] is 0\.0, but"):
        check_gradients(f, [0.5, -0.25], gradient=lambda w: gradient(w) * numpy.array([0.0, 1.0]))


def test_jacobians():
    matrix = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    f = lambda x: np.sin(matrix @ x)
    right = lambda x: np.cos(matrix @ x)[:, None] * matrix
    x = np.array([0.1, -0.2, 0.3])
    assert check_gradients(f, x, jacobian=right).compared == 6
    for wrong in (lambda x: right(x).T, lambda x: right(x)[:1]):
        with pytest.raises(AssertionError, match="jacobian= is nested differently"):
            check_gradients(f, x, jacobian=wrong)
    with pytest.raises(
        AssertionError, match=r"6 of 6 derivatives are wrong.*\n.* to args\[0\]\[\d\], of output\[\d\] is"
    ):
        check_gradients(f, x, jacobian=lambda x: 1.001 * right(x))
    nested = lambda p: {"sum": p["a"] + p["b"][0], "product": [p["a"] * p["b"][0]]}
    jacobian = lambda p: {"product": [{"b": [p["a"]], "a": p["b"][0]}], "sum": {"a": 1.0, "b": [1.0]}}
    assert check_gradients(nested, {"a": 2.0, "b": [3.0]}, jacobian=jacobian).compared == 4
    both = lambda x, y: [x * y, x - y]
    assert check_gradients(both, 2.0, 3.0, jacobian=lambda x, y: [(y, x), (1.0, -1.0)]).compared == 4


def test_second_derivatives_of_others():
    f, gradient = lambda x: float(np.sum(x**4)), lambda x: 4 * x**3
    product = lambda factor: lambda primals, tangents: factor * primals[0] ** 2 * tangents[0]
    x = np.array([0.5, 2.0, -1.0])
    assert check_gradients(f, x, gradient=gradient, hvp=product(12.0)).compared == 3 + 9
    assert check_gradients(f, x, gradient=gradient, hvp=product(12.0), directions=2).compared == 2 + 6
    for options in ({}, {"directions": 1}):
        with pytest.raises(AssertionError, match=r"3 of 9 .*\n.* args\[0\]\[0\] and args\[0\]\[0\] is 3\.003"):
            check_gradients(f, x, gradient=gradient, hvp=product(12.012), **options)


@pytest.fixture
def counted():
    """A function of 1,000 numbers that counts its calls, and its gradient."""

    def f(w):
        f.calls += 1
        return float(np.sum(np.tanh(w[:-1] * w[1:])))

    def gradient(w):
        slopes = 1 - np.tanh(w[:-1] * w[1:]) ** 2
        return np.append(slopes * w[1:], 0.0) + np.insert(slopes * w[:-1], 0, 0.0)

    f.calls = 0
    return f, gradient, np.random.default_rng(1).normal(size=1000)


def test_calls(counted):
    f, gradient, w = counted
    check_gradients(f, w, gradient=gradient)
    assert f.calls <= 2.5 * len(w)
    f.calls = 0
    check_gradients(lambda w: f(w) + float(w @ w), 0 * w, gradient=lambda w: gradient(w) + 2 * w)  # a minimum
    assert f.calls <= 2.5 * len(w)
    f.calls = 0
    check_gradients(f, w, gradient=gradient, directions=1)
    assert f.calls <= 40


@pytest.mark.parametrize("options", [{}, {"directions": 1}])
def test_wrong_ones_among_many(counted, options):
    f, gradient, w = counted

    def wrong(w):
        changed = gradient(w)
        changed[[7, 500]] = 0.0, 1.001 * changed[500]
        return changed

    with pytest.raises(
        AssertionError, match=r"2 of 1000 .*\n.*\[7\] is 0\.0, .*\n.*\[500\] is .*relative error 0\.000999"
    ):
        check_gradients(f, w, gradient=wrong, **options)


def test_what_two_values_confirm_is_confirmed_at_all_steps():
    # Each bump is far narrower than the steps that the other numbers ask for, and looks flat at those.
    f = lambda xs: sum(math.sin(x) for x in xs[:20]) + sum(math.exp(-((x - 1.0) ** 2) * 1e16) for x in xs[20:])
    at = [1.0 + 0.1 * i for i in range(20)] + [1.0 + 2.0**-27] * 2
    flat = lambda xs: [math.cos(x) for x in xs[:20]] + [0.0] * 2
    with pytest.raises(AssertionError, match="2 of 22 derivatives are wrong"):
        check_gradients(f, at, gradient=flat)


def test_bad_functions_are_refused():
    for f in (lambda x: math.nan, lambda x: math.inf):
        with pytest.raises(ValueError, match="at the point; choose one where it is finite"):
            check_gradients(f, 1.0, gradient=lambda x: 0.0)
    draws = iter(range(100))
    with pytest.raises(ValueError, match="different values at the same point"):
        check_gradients(lambda x: x + next(draws), 1.0, gradient=lambda x: 1.0)
    with pytest.raises(ValueError, match=r"f of one number, not of 2; give jacobian="):
        check_gradients(lambda x: [x, x], 1.0, gradient=lambda x: 1.0)
    with pytest.raises(ValueError, match="no number among the arguments"):
        check_gradients(lambda: 1.0)


def test_tolerances_decide_what_is_uncertain():
    f, gradient = lambda x: 1e10 + math.sin(x), math.cos
    noisy = lambda x: math.sin(x) + 1e-6 * math.sin(1e9 * x + 5)  # the ripple is steep, but small
    for options in ({"rtol": 1e-2}, {"atol": 1e-2}):
        assert check_gradients(f, 1.5, gradient=gradient, **options).undecided == []
        with pytest.raises(AssertionError, match="but differences give"):
            check_gradients(f, 1.5, gradient=lambda x: math.cos(x) + 0.1, **options)
        with pytest.raises(AssertionError, match="but differences give"):
            check_gradients(noisy, 1.5, gradient=gradient, **options)
    with pytest.raises(AssertionError, match="uncertain"):
        check_gradients(f, 1.5, gradient=gradient)


def test_a_failure_shows_the_test_and_not_the_checker():
    for gradient in (lambda x: 3.0 * x, lambda x: [x]):
        with pytest.raises(AssertionError) as caught:
            check_gradients(lambda x: x * x, 2.0, gradient=gradient)
        assert {entry.path.name for entry in caught.traceback if not entry.ishidden(caught)} == {"test_testing.py"}


def test_kinks():
    for slope in (0.0, 0.3, 1.0):
        report = check_gradients(lambda x: max(x, 0.0), 0.0, gradient=lambda x, slope=slope: slope)
        assert report.kinks == ["args[0]"]
    for slope in (-0.1, 1.1):
        with pytest.raises(AssertionError, match=r"\(0 from the left, 1 from the right\)"):
            check_gradients(lambda x: max(x, 0.0), 0.0, gradient=lambda x, slope=slope: slope)
    assert check_gradients(sg.relu, 0.0).kinks == ["args[0]"]
    assert check_gradients(sg.max, [1.0, 1.0], order=1).kinks == ["args[0][0]", "args[0][1]"]


def test_a_composition_of_kinks_is_not_judged():
    f = lambda x: sg.relu(x) - sg.relu(-x)
    report = check_gradients(f, 0.0, undecided="report")
    assert (report.kinks, report.undecided) == ([], ["args[0]"])
    with pytest.raises(AssertionError, match=r"can't judge 1 of 1 .*\n  args\[0\]: several kinks meet here\nChoose"):
        check_gradients(f, 0.0)


def test_a_jump_and_the_end_of_a_domain_are_not_judged():
    for f, x in ((sg.floor, 2.0), (sg.sqrt, 0.0)):
        assert check_gradients(f, x, undecided="report").undecided == ["args[0]"]
        with pytest.raises(AssertionError, match="can't judge"):
            check_gradients(f, x)


BAD = [
    (lambda: check_gradients(sg.sin, "a"), TypeError, r"args\[0\] is 'a', a str; give plain real numbers"),
    (lambda: check_gradients(sg.sin, {"w": ["a"]}), TypeError, r"\['w'\]\[0\] is 'a'"),
    (lambda: check_gradients(sg.sin, 1.0, order=0), ValueError, "order 0 must be at least 1"),
    (lambda: check_gradients(sg.sin, 1.0, modes=("sideways",)), ValueError, "of reverse and forward"),
    (lambda: check_gradients(sg.sin, 1.0, undecided="pass"), ValueError, "write 'raise' or 'report'"),
    (lambda: check_gradients(sg.sin, 1.0, directions=0), ValueError, "give the number of random directions"),
    (lambda: check_gradients(sg.sin, 1.0, hvp=sg.hvp), ValueError, "give gradient= too"),
    (lambda: expressions([]), ValueError, "needs names"),
    (lambda: expressions(["x"], max_nodes=0), ValueError, "max_nodes of at least 1"),
    (lambda: expressions(["x"], ["sinus"]), ValueError, "no primitive is named sinus"),
    (lambda: expressions(["x"], ["floor"]), ValueError, "none of the primitives is smooth"),
    (lambda: reference(lambda x: x, {"x": 1.0}, digits=0), ValueError, "digits is 0"),
]


@pytest.mark.parametrize(("compute", "error", "message"), BAD)
def test_bad_input(compute, error, message):
    with pytest.raises(error, match=message):
        compute()


# Generated formulas


def run(formula):
    """The function that the printed source defines."""
    scope = {"sg": sg}
    exec(str(formula), scope)  # noqa: S102 (the source is what is tested)
    return scope["f"]


@given(data=st.data())
def test_expressions_compute_on_every_kind_of_number(data):
    f = data.draw(expressions())
    point = data.draw(points(f))
    value = f(point)
    assert type(value) is float
    assert run(f)(**point) == value
    leaves = {name: sg.Value(x) for name, x in point.items()}
    node = f(leaves)
    assert (node.data if isinstance(node, sg.Value) else node) == value
    exact = reference(f, point)
    assert isinstance(exact, mpmath.mpf)
    # Each of at most some dozen steps adds a few ulp, times how much the later ones enlarge them.
    assert float(exact) == pytest.approx(value, rel=1e-7, abs=1e-7)
    batch = f({name: np.array([x, x]) for name, x in point.items()})
    assert np.broadcast_to(batch, (2,)).tolist() == pytest.approx([value] * 2, rel=1e-9, abs=1e-9)


@settings(max_examples=settings().max_examples // 2)
@given(data=st.data())
def test_expressions_have_right_gradients(data):
    f = data.draw(expressions(smooth=data.draw(st.booleans())))
    point = data.draw(points(f, margin=1e-2))
    # Values up to 10³ of compositions may have large higher derivatives: differences then decide nothing.
    check_gradients(f, point, order=1, rtol=1e-5, atol=1e-5)


@settings(max_examples=settings().max_examples // 2)
@given(data=st.data())
def test_branching_functions(data):
    f = data.draw(branching())
    point = data.draw(points(f))
    value = f(point)
    assert run(f)(**point) == value
    check_gradients(f, point, order=1, rtol=1e-5, atol=1e-5)


def test_expressions_use_the_rows_they_are_given(rows_restored):
    sg.primitive("cubed", lambda m, x: x * x * x, lambda m, out, x: 3.0 * x * x)
    found = find(expressions(["x"], ["cubed", "add"]), lambda f: any(s.row.name == "cubed" for s in f.steps))
    assert str(found) == "def f(x):\n    return sg.cubed(x)"


def test_failures_shrink_to_the_smallest_formula():
    quiet = settings(max_examples=2000, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    found = find(expressions(), lambda f: any(s.row.name == "log" for s in f.steps), settings=quiet)
    assert str(found) == "def f(x, y):\n    return sg.log(sg.add(sg.softplus(y), 0.1))"


def test_an_expression_prints_its_shared_steps_once():
    f = Expression(("x",), (Step(TABLE["sin"], ("x",)), Step(TABLE["mul"], (0, 0)), Step(TABLE["sum"], (1, 0, 2.0))))
    assert str(f) == "def f(x):\n    t0 = sg.sin(x)\n    return sg.sum([sg.mul(t0, t0), t0, 2.0])"
    with pytest.raises(TypeError, match="the expression takes x, and was given y"):
        f(y=1.0)


def test_points_are_off_kinks_and_inside_the_domain():
    f = Expression(("x", "y"), (Step(TABLE["sub"], ("x", "y")), Step(TABLE["abs"], (0,)), Step(TABLE["sqrt"], ("x",))))

    @given(points(f, margin=0.1))
    def holds(point):
        assert abs(point["x"] - point["y"]) >= 0.1
        assert point["x"] >= 0.0

    holds()


def test_two_equal_inputs_are_a_tie_also_where_they_are_one_object():
    zero = 0.0
    f = Expression(("x", "y"), (Step(TABLE["clip"], ("x", "y", "y")),))
    assert f.margin({"x": zero, "y": zero}) == 0.0
    assert f.margin({"x": 0.5, "y": 2.0}) == 1.5


# Measures


def test_ulp_error():
    assert ulp_error(1.0, mpmath.mpf(1)) == 0.0
    assert ulp_error(1.0 + 2**-52, mpmath.mpf(1)) == 1.0
    assert ulp_error(1e-300, mpmath.mpf("1e-300")) < 0.5
    assert ulp_error(math.inf, mpmath.mpf("1e400")) == ulp_error(math.nan, mpmath.nan) == 0.0
    assert ulp_error(1.0, mpmath.inf) == ulp_error(math.nan, mpmath.mpf(1)) == math.inf
    assert ulp_error(2.0**-52, mpmath.mpf(0), scale=1) == 1.0


def test_reference_has_the_digits_asked_for():
    f = Expression(("x",), (Step(TABLE["gelu"], ("x",)), Step(TABLE["log2"], (0,)), Step(TABLE["round"], (1,))))
    assert reference(f, {"x": 1.0}) == 0
    exact = reference(Expression(("x",), f.steps[:1]), {"x": 1.0}, digits=100)
    with mpmath.workdps(120):
        assert abs(exact - mpmath.ncdf(1)) < mpmath.mpf(10) ** -98


# locate_nonfinite


def test_where_a_value_became_infinite():
    x = sg.Value(1e200, label="x")
    u = x * x
    found = sg.locate_nonfinite(sg.exp(-u) + u)
    assert (found.kind, found.node) == ("value", u)
    assert str(found).startswith(
        "the value begins at mul(x = 1e+200, x = 1e+200) = inf, with the local derivatives ∂/∂x"
    )
    assert found.path[0] is u


def test_where_a_gradient_became_infinite():
    x = sg.Value(0.0, label="x")
    root = sg.sqrt(x)
    goal = sg.sin(root) * 2.0
    found = sg.locate_nonfinite(goal)
    assert (found.kind, found.node) == ("gradient", root)
    assert [node.primitive.name for node in found.path] == ["sqrt", "sin", "mul"]
    assert goal.grad == x.grad == 0.0


def test_nothing_to_locate():
    assert sg.locate_nonfinite(sg.Value(1.0) * 2.0) is None
    assert sg.locate_nonfinite(sg.floor(sg.sqrt(sg.Value(0.0)))) is None
    assert sg.locate_nonfinite(sg.Value(math.nan)).kind == "value"
    with pytest.raises(TypeError, match=r"needs a Value, .* got 1\.0"):
        sg.locate_nonfinite(1.0)
