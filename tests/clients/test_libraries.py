"""Derivatives handed to other libraries as users write it: SciPy, SymPy, iminuit, NetworkX, pandas; JAX beside."""

import math
import warnings

import pytest

np = pytest.importorskip("numpy")

import scalargrad as sg  # noqa: E402
import scalargrad.math as sm  # noqa: E402
import scalargrad.numpy as snp  # noqa: E402
from scalargrad import special  # noqa: E402

T = np.linspace(0.0, 4.0, 25)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.sin(40 * T)
START = np.array([-1.2, 1.0, 0.8])


def rosenbrock(x):
    return snp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def decay(t, a, k, c):
    return a * snp.exp(-k * t) + c


GRADIENT = ["CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "SLSQP", "dogleg", "trust-ncg", "trust-krylov", "trust-exact"]
SECOND = ("Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr")


@pytest.mark.parametrize("method", [*GRADIENT, "trust-constr"])
def test_minimize_with_jac_and_hess(method):
    optimize = pytest.importorskip("scipy.optimize")
    hessian = {"hess": sg.hessian(rosenbrock)} if method in SECOND else {}
    options = {"options": {"maxfun": 2000}} if method == "TNC" else {}
    tight = {} if method in ("trust-krylov", "TNC") else {"tol": 1e-10}
    found = optimize.minimize(rosenbrock, START, method=method, jac=sg.grad(rosenbrock), **hessian, **options, **tight)
    assert found.x == pytest.approx(np.ones(3), abs=1e-3)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"])
def test_minimize_with_hessp(method):
    optimize = pytest.importorskip("scipy.optimize")
    product = lambda x, p: sg.hvp(rosenbrock, (x,), (p,))
    found = optimize.minimize(rosenbrock, START, method=method, jac=sg.grad(rosenbrock), hessp=product)
    assert found.x == pytest.approx(np.ones(3), abs=1e-3)


def test_minimize_with_value_and_gradient_in_one_recorded():
    optimize = pytest.importorskip("scipy.optimize")
    both = sg.jit(sg.value_and_grad(rosenbrock))
    found = optimize.minimize(both, START, jac=True, method="L-BFGS-B")
    assert found.x == pytest.approx(np.ones(3), abs=1e-4)
    assert optimize.check_grad(rosenbrock, sg.grad(rosenbrock), START) < 1e-3


def test_constraints_and_least_squares_and_root():
    optimize = pytest.importorskip("scipy.optimize")
    circle = {"type": "ineq", "fun": lambda x: 1.5 - snp.sum(x**2), "jac": sg.grad(lambda x: 1.5 - snp.sum(x**2))}
    bound = optimize.minimize(rosenbrock, START / 2, jac=sg.grad(rosenbrock), constraints=[circle], method="SLSQP")
    assert np.sum(bound.x**2) == pytest.approx(1.5, abs=1e-6)

    residuals = lambda p: decay(T, *p) - Y
    for method in ("trf", "dogbox", "lm"):
        fitted = optimize.least_squares(residuals, [1.0, 1.0, 0.0], jac=sg.jacobian(residuals), method=method)
        assert fitted.x == pytest.approx([2.5, 1.3, 0.5], abs=0.02)

    system = lambda x: snp.array([x[0] + snp.cos(x[1]) - 1.3, x[1] - 0.5 * snp.sin(x[0])])
    for method in ("hybr", "lm"):
        assert optimize.root(system, [0.5, 0.5], jac=sg.jacobian(system), method=method).success
    cubic = lambda x: x**3 - 2 * x - 5
    root = optimize.root_scalar(cubic, x0=2.0, fprime=sg.grad(cubic), fprime2=sg.grad(sg.grad(cubic)), method="halley")
    assert root.root == pytest.approx(2.0945514815423265)


def test_curve_fit_with_a_jacobian_of_the_model():
    optimize = pytest.importorskip("scipy.optimize")
    jacobian = lambda t, *p: sg.jacobian(lambda q: decay(t, *q))(np.array(p))
    found, covariance = optimize.curve_fit(decay, T, Y, p0=[1.0, 1.0, 0.0], jac=jacobian)
    without, _ = optimize.curve_fit(decay, T, Y, p0=[1.0, 1.0, 0.0])
    assert found == pytest.approx(without, abs=1e-6)
    assert covariance.shape == (3, 3)


def test_solve_ivp_with_the_jacobian_of_a_stiff_system():
    integrate = pytest.importorskip("scipy.integrate")

    def rate(t, y):
        return snp.array(
            [-0.04 * y[0] + 1e4 * y[1] * y[2], 0.04 * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2, 3e7 * y[1] ** 2]
        )

    jacobian = sg.jacobian(rate, 1)
    for method in ("BDF", "Radau"):
        found = integrate.solve_ivp(rate, (0, 40), [1.0, 0.0, 0.0], method=method, jac=jacobian, rtol=1e-8, atol=1e-10)
        assert found.y[:, -1] == pytest.approx([0.7158270688, 9.1855347645e-06, 0.2841637458], rel=1e-5)


def test_special_functions_equal_scipy_s_and_have_their_derivatives():
    scipy_special = pytest.importorskip("scipy.special")
    x = 1.7
    for name in (
        "gamma",
        "gammaln",
        "psi",
        "erfcx",
        "expit",
        "exp10",
        "j0",
        "j1",
        "y0",
        "y1",
        "i0",
        "i1",
        "k0",
        "k1",
        "ndtr",
    ):
        f = getattr(special, name)
        assert f(x) == pytest.approx(float(getattr(scipy_special, name)(x)), rel=1e-12), name
        h = 1e-5
        slope = (f(x + h) - f(x - h)) / (2 * h)
        assert sg.grad(f)(x) == pytest.approx(slope, rel=1e-8), name
        assert sg.jit(sg.grad(f), backend="python")(x) == sg.grad(f)(x)
    pytest.importorskip("llvmlite")
    for f in (special.gamma, special.gammaln, special.psi, special.erfinv, special.ellipk, special.lambertw):
        assert sg.jit(sg.value_and_grad(f), backend="native")(0.6) == sg.value_and_grad(f)(0.6)
    for n in range(4):
        assert special.polygamma(n, x) == pytest.approx(float(scipy_special.polygamma(n, x)), rel=1e-13)
        assert special.jv(float(n), x) == pytest.approx(float(scipy_special.jn(n, x)), rel=1e-12)
        assert sg.grad(special.jv, 1)(float(n), x) == pytest.approx(float(scipy_special.jvp(n, x)), rel=1e-12)
    for name in ("ellipk", "ellipe", "expi", "exp1", "factorial", "entr", "log_expit", "erfinv"):
        f, x = getattr(special, name), 0.4
        assert f(x) == pytest.approx(float(getattr(scipy_special, name)(x)), rel=1e-13), name
        h = 1e-5
        assert sg.grad(f)(x) == pytest.approx((f(x + h) - f(x - h)) / (2 * h), rel=1e-8), name
    assert special.rel_entr(0.3, 0.7) == pytest.approx(float(scipy_special.rel_entr(0.3, 0.7)))
    assert special.airy(1.0) == scipy_special.airy(1.0)  # what is not here is SciPy's, of numbers
    with pytest.raises(TypeError, match=r"scipy.special.airy has no derivative here"):
        special.airy(sg.Value(1.0))
    with pytest.raises(AttributeError, match="no_such_function"):
        _ = special.no_such_function
    assert special.beta(2.5, 1.5) == pytest.approx(float(scipy_special.beta(2.5, 1.5)), rel=1e-14)
    assert special.beta(200.0, 1.5) == pytest.approx(float(scipy_special.beta(200.0, 1.5)), rel=1e-12)
    assert special.ndtri(0.3) == pytest.approx(float(scipy_special.ndtri(0.3)), rel=1e-14)
    assert math.isnan(sg.grad(special.gammainc)(2.0, 1.0))  # by the parameter no derivative is known
    with pytest.raises(ValueError, match="not a whole number"):
        special.polygamma(0.5, 1.0)
    with pytest.raises(ValueError, match=r"erfinv: x = 1.5 is outside \(-1, 1\)"):
        special.erfinv(sg.Value(1.5))


def test_ufuncs_of_scipy_take_values_as_numpy_s_do():
    scipy_special = pytest.importorskip("scipy.special")
    f = lambda functions, x: functions.gammaln(x) * functions.i1(x) + functions.erf(x) - functions.ellipe(-x)
    assert sg.grad(lambda x: f(scipy_special, x))(2.0) == sg.grad(lambda x: f(special, x))(2.0)
    assert sg.grad(lambda x: snp.sum(scipy_special.expit(x)))(START) == pytest.approx(
        np.exp(START) / (1 + np.exp(START)) ** 2
    )
    assert sg.grad(lambda x: scipy_special.lambertw(x).real)(1.5) == sg.grad(special.lambertw)(1.5)
    assert special.lambertw(-0.2, k=-1) == pytest.approx(scipy_special.lambertw(-0.2, k=-1).real, rel=1e-14)
    assert special.zeta(3.0) == pytest.approx(float(scipy_special.zeta(3.0)), rel=1e-15)
    with pytest.raises(TypeError, match="airy of Values has no meaning here"):
        sg.grad(lambda x: scipy_special.airy(x)[0])(1.0)


def test_gradients_equal_those_of_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def formula(np, x):
        A = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.1]])
        y = np.linalg.solve(A + np.outer(x, x), np.tanh(x))
        return np.sum(np.where(y > 0, y**2, np.abs(y))) + np.log(np.linalg.det(A)) + np.einsum("i,ij,j", x, A, y)

    ours, theirs = sg.grad(lambda x: formula(snp, x)), jax.grad(lambda x: formula(jnp, x))
    assert ours(START) == pytest.approx(np.asarray(theirs(jnp.array(START))), rel=1e-12)
    ours, theirs = sg.hessian(lambda x: formula(snp, x)), jax.hessian(lambda x: formula(jnp, x))
    assert ours(START) == pytest.approx(np.asarray(theirs(jnp.array(START))), rel=1e-10)


def test_a_formula_of_sympy():
    sympy = pytest.importorskip("sympy")
    x, y = sympy.symbols("x y")
    formula = (
        sympy.sin(x * y) * sympy.exp(-(x**2)) + sympy.sqrt(x + y) / sympy.log(y + 3) + sympy.Max(x, y) + sympy.gamma(x)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SymPy's, of mpmath
        slopes = [float(sympy.diff(formula, v).subs({x: 0.7, y: 1.9}).evalf(20)) for v in (x, y)]
    for names in (vars(sm), [{"gamma": special.gamma, **_names(snp)}, "numpy"]):
        f = sympy.lambdify((x, y), formula, modules=names)
        assert sg.grad(f, (0, 1))(0.7, 1.9) == pytest.approx(slopes, rel=1e-13)


def _names(module):
    return {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}


def test_a_fit_of_iminuit():
    iminuit = pytest.importorskip("iminuit")
    cost = lambda p: snp.sum((decay(T, *p) - Y) ** 2) / 0.01**2
    fit = iminuit.Minuit(cost, [1.0, 1.0, 0.0], grad=sg.grad(cost))
    fit.migrad()
    assert fit.valid
    assert list(fit.values) == pytest.approx([2.5, 1.3, 0.5], abs=0.02)
    assert fit.ngrad > 0


def test_a_shortest_path_of_networkx():
    networkx = pytest.importorskip("networkx")

    def length(weights):
        graph = networkx.DiGraph()
        for (a, b), w in zip([("s", "a"), ("s", "b"), ("a", "t"), ("b", "t"), ("a", "b")], weights, strict=True):
            graph.add_edge(a, b, weight=w * w)
        return networkx.shortest_path_length(graph, "s", "t", weight="weight")

    assert sg.grad(length)([1.0, 3.0, 4.0, 1.0, 1.5]) == [2.0, 0.0, 0.0, 2.0, 3.0]


def test_columns_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"t": T, "y": Y, "kind": ["a", "b"] * 12 + ["a"]})

    def cost(p):
        a, k, c = p
        model = a * snp.exp(-k * frame["t"].to_numpy()) + c
        return snp.mean((model - frame["y"].to_numpy()) ** 2)

    assert sg.grad(cost)([2.0, 1.0, 0.4]) == pytest.approx(
        sg.grad(lambda p: snp.mean((decay(T, *p) - Y) ** 2))([2.0, 1.0, 0.4])
    )

    def by_rows(p):
        scaled = frame.assign(z=[p[0] * t + p[1] for t in frame["t"]])
        return scaled.groupby("kind")["z"].sum()["a"] * 2 + scaled["z"].iloc[3]

    a = frame["t"][frame["kind"] == "a"]
    assert sg.grad(by_rows)([1.0, 2.0]) == pytest.approx([2 * a.sum() + T[3], 2 * len(a) + 1])
