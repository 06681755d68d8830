"""Solutions of equations: derivatives against 50-digit truth, and the refusal of what is no solution."""

import math

import mpmath
import pytest

import scalargrad as sg
from scalargrad.engine.elimination import is_positive
from scalargrad.engine.graph import topological_order
from scalargrad.engine.structures import flatten


def close(found, truth):
    return abs(found - float(truth)) <= 1e-12 * max(1.0, abs(float(truth)))


def derivatives(f, x, order):
    """Return f and its derivatives up to an order, by nesting `grad`."""
    found = [f(x)]
    for _ in range(order):
        f = sg.grad(f)
        found.append(f(x))
    return found


def truths(f, x, order):
    with mpmath.workdps(50):
        return [c * mpmath.factorial(k) for k, c in enumerate(mpmath.taylor(f, mpmath.mpf(x), order))]


def newton(f, x):
    for _ in range(60):
        x -= f(x) / sg.grad(f)(x)
    return x


def descent(f, x):
    for _ in range(2000):
        x = [x - 0.1 * slope for x, slope in zip(x, sg.grad(f)(x), strict=True)]
    return x


CASES = {
    "Kepler": (
        lambda e: sg.root(lambda x, e: x - e * sg.sin(x) - 1.0, 1.0, e, solver=newton),
        lambda e: mpmath.findroot(lambda x: x - e * mpmath.sin(x) - 1, 1.0),
        0.4,
    ),
    "cosine": (
        lambda a: sg.fixed_point(lambda x, a: sg.cos(a * x), 0.7, a, solver=newton_of_fixed_point),
        lambda a: mpmath.findroot(lambda x: x - mpmath.cos(a * x), 0.7),
        1.1,
    ),
    "quartic": (
        lambda a: sg.minimize(lambda x, a: x**4 + x * x - a * x, 0.5, a, solver=lambda f, x: newton(sg.grad(f), x)),
        lambda a: mpmath.findroot(lambda x: 4 * x**3 + 2 * x - a, 0.5),
        2.0,
    ),
}


def newton_of_fixed_point(f, x):
    return newton(lambda x: x - f(x), x)


@pytest.mark.parametrize("name", CASES)
def test_derivatives_to_fourth_order(name):
    f, exact, a = CASES[name]
    for found, truth in zip(derivatives(f, a, 4), truths(exact, a, 4), strict=True):
        assert close(found, truth)


@pytest.mark.parametrize("name", CASES)
def test_forward_is_reverse(name):
    f, _, a = CASES[name]
    assert close(sg.jvp(f, (a,), (1.0,))[1], sg.grad(f)(a))
    assert close(sg.hvp(f, (a,), (1.0,)), sg.grad(sg.grad(f))(a))


def intersection(a):
    """Return where the circle of radius √a₀ meets the line x = a₁ y: y = √(a₀ / (1 + a₁²))."""
    rough = lambda f, v: [1.3, 0.4]
    return sg.root(lambda v, a: [v[0] ** 2 + v[1] ** 2 - a[0], v[0] - a[1] * v[1]], [1.0, 1.0], a, solver=rough)


def test_systems_to_third_order():
    point = [2.0, 3.0]
    formula = lambda a: [a[1] * sg.sqrt(a[0] / (1 + a[1] ** 2)), sg.sqrt(a[0] / (1 + a[1] ** 2))]
    for derive in (lambda f: f, sg.jacobian, sg.hessian, lambda f: sg.jacobian(sg.hessian(f))):
        found, wanted = derive(intersection)(point), derive(formula)(point)
        assert all(map(close, flatten(found)[0], flatten(wanted)[0]))


def test_each_output_and_repeated_argument():
    x = sg.Value(2.0)
    first, second = intersection([x, x])
    (first * second).backward()  # x² / (1 + x²) · x
    assert close(x.grad, sg.grad(lambda a: a * a / (1 + a * a))(2.0))


@pytest.mark.parametrize("solve", [sg.root, sg.fixed_point, sg.minimize])
def test_scipy_solves(solve):
    pytest.importorskip("scipy")
    cases = {
        sg.root: (lambda v, a: [v[0] ** 3 - a, v[1] - v[0]], lambda a: a ** (1 / 3)),
        sg.fixed_point: (lambda v, a: [(v[0] + a / v[0]) / 2, v[0]], lambda a: a**0.5),
        sg.minimize: (lambda v, a: (v[1] - a) ** 2 + 100 * (v[0] - v[1] ** 2) ** 2, lambda a: a**2),
    }
    f, exact = cases[solve]
    for found, truth in zip(
        derivatives(lambda a: solve(f, [1.0, 1.0], a)[0], 2.0, 3), truths(exact, 2.0, 3), strict=True
    ):
        assert close(found, truth)


def test_arrays_keep_their_kind():
    np = pytest.importorskip("numpy")
    cube = lambda a: sg.root(lambda x, a: x**3 - a, np.ones(2), a, solver=lambda f, x: np.array([1.9, 2.9]))
    assert np.allclose(cube(np.array([8.0, 27.0])), [2.0, 3.0], rtol=0, atol=1e-14)
    assert np.allclose(sg.jacobian(cube)(np.array([8.0, 27.0])), [[1 / 12, 0.0], [0.0, 1 / 27]], rtol=0, atol=1e-14)


def test_the_graph_does_not_grow_with_the_iterations():
    a = sg.Value(2.0)
    long = sg.minimize(lambda v, a: (v[0] - a) ** 2, [0.0], a, solver=descent)[0]
    short = sg.minimize(lambda v, a: (v[0] - a) ** 2, [0.0], a, solver=lambda f, x: x)[0]
    assert len(topological_order(long)) == len(topological_order(short)) == 2


@pytest.mark.parametrize(
    ("solve", "f", "x0", "message"),
    [
        (sg.root, lambda x: x * x, 1e-9, r"singular within rounding errors: the residual is .* at x = "),
        (sg.root, lambda x: (x - 1.0) ** 2, 1.0, "singular: the residual is 0 at x = 1;"),
        (sg.root, lambda x: x * x + 1.0, 0.5, "found no solution: the residual is "),
        (sg.root, sg.exp, 0.0, "found no solution: the residual is "),
        (sg.fixed_point, lambda x: x + 1.0, 0.0, "singular: the residual is 1 at x = 0;"),
        (sg.minimize, lambda x: -x * x, 0.0, "the Hessian is not positive: the residual is 0 at x = 0;"),
        (sg.minimize, lambda v: v[0] * v[1], [0.0, 0.0], "the Hessian is not positive"),
        (sg.root, lambda v: [v[0] + v[1], 2 * v[0] + 2 * v[1]], [0.0, 0.0], "singular"),
        (sg.root, lambda x: x - math.inf, 0.0, "found no solution: the residual is inf"),
    ],
)
def test_no_solution_is_refused_with_its_residual(solve, f, x0, message):
    with pytest.raises(ValueError, match=message):
        solve(f, x0, solver=lambda f, x: x)


def test_wrong_use_is_refused():
    stay = lambda f, x: x
    with pytest.raises(TypeError, match="closes over a Value; pass it as one of the arguments"):
        sg.grad(lambda a: sg.root(lambda x: x - a, 0.0, solver=stay))(1.0)
    with pytest.raises(TypeError, match="root: found '1', a str"):
        sg.root(lambda x: x, "1", solver=stay)
    with pytest.raises(TypeError, match="nested like x0"):
        sg.root(lambda x: [x, x], 1.0, solver=stay)
    with pytest.raises(sg.RecordingError, match=r"sg.root, whose solver runs on floats"):
        sg.jit(lambda a: sg.root(lambda x, a: x - a, 0.0, a, solver=stay))(1.0)


def test_diagrams_name_the_solution():
    pair = intersection([sg.Value(2.0, label="a"), sg.Value(3.0, label="b")])
    assert "∂₁root₂(a, b)" in sg.derivative_diagram(pair[0] * pair[1]).source
    assert sg.walkthrough(pair[0]).html
    assert "root(a, b)₁" in sg.derivation(pair[0]).table("csv")


def test_recorded_functions_and_lanes():
    cube = sg.jit(lambda x, a: x**3 - a)
    solve = lambda a: sg.root(cube, 2.0, a, solver=lambda f, x: x)
    assert close(sg.grad(sg.grad(solve))(8.0), -2 / 9 * 8 ** (-5 / 3))
    assert sg.vmap(sg.grad(solve))([8.0, 27.0]) == [sg.grad(solve)(8.0), sg.grad(solve)(27.0)]


def test_an_error_of_the_function_tells_where_it_arose():
    pytest.importorskip("scipy")
    with pytest.raises(ValueError, match="log: x = ") as caught:
        sg.root(lambda x: sg.log(x) + 40.0, 1.0)
    assert caught.value.__notes__ == ["while root solved from x0 = 1.0; another start or solver may succeed"]


def test_positive_matrices():
    assert is_positive([[2.0, 1.0], [1.0, 2.0]])
    assert not is_positive([[1.0, 2.0], [2.0, 1.0]])
