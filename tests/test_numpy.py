"""`scalargrad.numpy`: NumPy's numbers for floats, and for Values the derivatives of NumPy's functions."""

import math
import pickle

import pytest

np = pytest.importorskip("numpy")

import scalargrad as sg  # noqa: E402
import scalargrad.numpy as snp  # noqa: E402
from scalargrad import Value  # noqa: E402

X = np.array([0.7, -1.3, 2.1, 0.4])
M = np.array([[4.0, 1.0, 0.5, 0.2], [0.3, 3.0, -0.4, 0.1], [0.2, -0.6, 5.0, 0.7], [0.1, 0.2, 0.3, 2.0]])
T = np.linspace(0.0, 3.0, 7)


def buffers(np, x):
    """Fill a buffer in place, by item, slice, mask and index."""
    y = np.zeros((3, 2))
    y[0, 0] = x[0]
    y[1] = x[1:3]
    y[:, 1] += x[3] * x[0]
    y[y > 1.0] = 2 * x[2]
    y[[0, 2], [1, 0]] *= x[1]
    return np.sum(y**2)


def runge_kutta(np, x):
    state, h = np.array([x[0], x[1]]), 0.1
    rate = lambda s: np.array([s[1], -np.sin(s[0]) * x[2] - x[3] * s[1]])
    for _ in range(4):
        k1 = rate(state)
        k2 = rate(state + h / 2 * k1)
        k3 = rate(state + h / 2 * k2)
        k4 = rate(state + h * k3)
        state += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state @ state


def _filled(np, y, x):
    for i in range(len(y)):
        y[i] = x[i] ** 2 * i
    return np.sum(y)


def _into(np, x):
    y = np.zeros(4)
    np.multiply(x, 2.0, out=y)
    y -= x[0]
    y /= 1 + x[2] ** 2
    return np.sum(y**2)


def _with_diagonal(np, x):
    y = np.array(M)
    np.fill_diagonal(y, x[1])
    np.copyto(y[0], x)
    np.add.at(y, (0, 1), x[2])
    return np.sum(y**2)


# Each is run on NumPy and here: the numbers must be equal, and the derivatives those of central differences.
FORMULAS = {
    "buffers": buffers,
    "Runge-Kutta": runge_kutta,
    "zeros_like": lambda np, x: _filled(np, np.zeros_like(x), x),
    "empty_like": lambda np, x: _filled(np, np.empty_like(x), x),
    "full": lambda np, x: np.sum(np.full((2, 3), x[0]) * x[1]),
    "ones": lambda np, x: np.sum(np.ones(4) * x),
    "array of rows": lambda np, x: np.sum(np.array([[x[0], 1.0], [2, x[1] * x[2]]]) ** 2),
    "array of arrays": lambda np, x: np.sum(np.array([x, x * 2, T[:4]]) ** 2),
    "asarray dtype": lambda np, x: np.sum(np.asarray([x[0], x[1]], dtype=float) ** 3),
    "astype": lambda np, x: np.sum((x * 2).astype(float) ** 3),
    "eye": lambda np, x: np.sum((np.eye(4) * x) @ M),
    "linspace": lambda np, x: np.sum(np.linspace(x[0], x[2], 5) ** 2),
    "arange": lambda np, x: np.sum(np.arange(4) * x),
    "copy": lambda np, x: np.sum(np.copy(x) * x),
    "mixed where": lambda np, x: np.sum(np.exp(np.where(x > 0, x, 0.0))),
    "where avoids nan": lambda np, x: np.sum(np.where(x > 0, np.log(np.abs(x) + 0 * x), 0.0)),
    "select": lambda np, x: np.sum(np.select([x > 1, x > 0], [x**2, 3 * x], -x)),
    "piecewise": lambda np, x: np.sum(np.piecewise(x, [x < 0, x >= 0], [lambda u: u**2, lambda u: 3 * u])),
    "clip": lambda np, x: np.sum(np.clip(x, -1.0, 1.0) ** 2),
    "clip method": lambda np, x: np.sum((2 * x).clip(-1.0, 1.0) ** 2),
    "maximum": lambda np, x: np.sum(np.maximum(x, 0.3) * np.minimum(x, x[0]) + np.fmax(x, 0) + np.fmin(x, 1)),
    "reductions": lambda np, x: np.sum(x) * np.prod(x) + np.mean(x) ** 2 + np.var(x) + np.std(x, ddof=1),
    "methods": lambda np, x: (x * 2).sum() * (x * 2).prod() + (3 * x).mean() ** 2 + (x + 1).var() + (x + 1).std(),
    "axes": lambda np, x: np.sum(np.sum(np.outer(x, x), axis=0) ** 2) + np.mean(np.outer(x, x), axis=(0, 1)),
    "keepdims": lambda np, x: np.sum(np.outer(x, x) - np.mean(np.outer(x, x), axis=1, keepdims=True)) + x[0],
    "where of a sum": lambda np, x: np.sum(x**2, where=x > 0),
    "max and min": lambda np, x: np.max(x) * np.min(x) + np.ptp(x) + np.amax(x) + x.max() + x.min(),
    "median": lambda np, x: np.median(x) + np.percentile(x, 30) + np.quantile(x, 0.9),
    "average": lambda np, x: np.average(x, weights=[1, 2, 3, 4]) + np.average(T[:4], weights=x**2),
    "cumsum": lambda np, x: np.sum(np.cumsum(x) ** 2) + np.sum(np.cumprod(x)) + np.cumsum(x)[2],
    "diff": lambda np, x: np.sum(np.diff(x) ** 2) + np.sum(np.diff(x, n=2) ** 2) + np.sum(np.ediff1d(x) ** 2),
    "gradient": lambda np, x: np.sum(np.gradient(x**2, 0.5) ** 2) + np.sum(np.gradient(x, T[:4]) ** 2),
    "sort": lambda np, x: np.sum(np.sort(x) * np.arange(4.0)) + x[np.argmax(x)] ** 2 + x[np.argsort(x)][1] ** 2,
    "interp": lambda np, x: np.interp(x[0], T, T**2) + np.sum(np.interp(T, np.sort(x), x**2)),
    "trapezoid": lambda np, x: np.trapezoid(x**2, T[:4]) + np.trapezoid(T[:4], np.cumsum(x**2)),
    "polyval": lambda np, x: np.polyval(x, 0.5) + np.sum(np.polyval(x, T)) + np.polyval([1.0, 2.0], x[0]),
    "polyfit": lambda np, x: np.sum(np.polyfit(T[:4], x, 2) * np.array([1.0, 2.0, 3.0])),
    "polyder": lambda np, x: np.sum(np.polyder(x) ** 2) + np.sum(np.polyint(x) ** 2) + np.sum(np.polymul(x, x)),
    "shapes": lambda np, x: np.sum(np.concatenate([x, [1.0], x[:2]]) ** 2) + np.sum(np.stack([x, x * x])[1] ** 2),
    "more shapes": lambda np, x: np.sum(np.hstack([x, x[0]]) * 2) + np.sum(np.vstack([x, T[:4]]) ** 2),
    "tiles": lambda np, x: np.sum(np.tile(x, 2)[2:6] ** 2) + np.sum(np.repeat(x, 2)[1:4] ** 2) + np.roll(x, 1)[0] ** 2,
    "pads": lambda np, x: np.sum(np.pad(x, 1) ** 2) + np.sum(np.append(x, x[0]) ** 2) + np.sum(np.flip(x)[:2] ** 2),
    "column_stack": lambda np, x: (
        np.sum(np.column_stack([x, x**2]) ** 2) + np.trace(np.diag(x)) + np.sum(np.triu(M * x))
    ),
    "products": lambda np, x: np.dot(x, x) + x @ M @ x + np.vdot(x, x) + np.inner(x, T[:4]) + np.sum(np.matmul(M, x)),
    "dot method": lambda np, x: np.array([x[0], x[1], 1.0, 2.0]).dot(M).dot(x),
    "einsum": lambda np, x: np.einsum("i,ij,j->", x, M, x) + np.sum(np.einsum("ij,j->i", M, x) ** 2),
    "outer and cross": lambda np, x: (
        np.sum(np.outer(x, x) * M) + np.sum(np.cross(x[:3], x[1:]) ** 2) + np.sum(np.kron(x, x))
    ),
    "tensordot": lambda np, x: np.tensordot(M, np.outer(x, x)) + np.sum(np.convolve(x, x) ** 2),
    "cov": lambda np, x: np.cov(x, x**2)[0, 1] + np.sum(np.corrcoef(x, x**2)),
    "norms": lambda np, x: np.linalg.norm(x) + np.linalg.norm(x, 1) + np.linalg.norm(x, np.inf) + np.linalg.norm(x, 3),
    "matrix norms": lambda np, x: (
        np.linalg.norm(np.outer(x, x)) + np.linalg.norm(M * x, 1) + np.linalg.norm(M * x, np.inf)
    ),
    "norm by axis": lambda np, x: np.sum(np.linalg.norm(M * x, axis=1) ** 3),
    "solve": lambda np, x: np.sum(np.linalg.solve(M + np.diag(x), x) ** 2) + np.sum(np.linalg.solve(M, np.outer(x, x))),
    "inv": lambda np, x: np.sum(np.linalg.inv(M + np.outer(x, x)) ** 2),
    "det": lambda np, x: np.linalg.det(M + np.outer(x, x)) + np.linalg.slogdet(M + np.diag(x))[1],
    "cholesky": lambda np, x: np.sum(np.linalg.cholesky(M @ M.T + np.outer(x, x)) ** 3),
    "lstsq": lambda np, x: np.sum(np.linalg.lstsq(M[:, :2] * x[0], x, rcond=None)[0] ** 2),
    "pinv": lambda np, x: np.sum(np.linalg.pinv(M[:, :2] * x[:2]) ** 2),
    "matrix_power": lambda np, x: np.sum(np.linalg.matrix_power(M * x[0], 3)) + np.sum(np.linalg.multi_dot([M, M, x])),
    "trigonometry": lambda np, x: np.sum(
        np.sin(x) * np.cos(x) + np.tan(x) + np.arctan(x) + np.arctan2(x, 1.0) + np.arctan2(1.0, x)
    ),
    "inverses": lambda np, x: (
        np.sum(np.arcsin(x / 3) + np.arccos(x / 3) + np.arcsinh(x) + np.arctanh(x / 3)) + np.arccosh(x[2])
    ),
    "hyperbolic": lambda np, x: np.sum(np.sinh(x) + np.cosh(x) + np.tanh(x) + np.hypot(x, 2.0)),
    "logarithms": lambda np, x: np.sum(
        np.log(x**2) + np.log1p(x**2) + np.log2(x**2) + np.log10(x**2) + np.logaddexp(x, 1)
    ),
    "exponentials": lambda np, x: np.sum(
        np.exp(x) + np.expm1(x) + np.exp2(x) + np.power(2.0, x) + np.power(np.abs(x), 1.5)
    ),
    "small ufuncs": lambda np, x: np.sum(
        np.square(x) + np.reciprocal(x) + np.sign(x) * x + np.degrees(x) + np.radians(x)
    ),
    "more ufuncs": lambda np, x: np.sum(
        np.cbrt(x) + np.fabs(x) + np.copysign(x, -1) + np.logaddexp2(x, 0) + np.sqrt(x**2)
    ),
    "remainders": lambda np, x: np.sum(
        np.fmod(x, 0.6) * x + np.mod(x, 0.6) + np.floor(x) * x + np.trunc(x) * x + np.modf(x)[0]
    ),
    "rounding": lambda np, x: np.sum(np.round(x, 1) * x + np.rint(x) * x + np.ceil(x) * x + np.fix(x) * x),
    "sinc": lambda np, x: np.sum(np.sinc(x)) + np.sum(np.heaviside(x, 0.5) * x),
    "nan functions": lambda np, x: (
        np.nansum(x) * np.nanmean(x) + np.nanmax(x) + np.nanstd(x) + np.sum(np.nan_to_num(x))
    ),
    "ufunc methods": lambda np, x: (
        np.add.reduce(x) ** 2 + np.multiply.accumulate(x)[3] + np.sum(np.multiply.outer(x, x) * M)
    ),
    "out": _into,
    "apply_along_axis": lambda np, x: np.sum(np.apply_along_axis(lambda r: r[0] * r[1], 1, M * x)),
    "vectorize": lambda np, x: np.sum(np.vectorize(lambda u: u * u if u > 0 else -u)(x)),
    "meshgrid": lambda np, x: np.sum(np.multiply(*np.meshgrid(x, x[:2]))),
    "unwrap and digitize": lambda np, x: np.sum(x[np.digitize(x, [-1.0, 0.5, 1.0])]) + x[np.searchsorted(T, 1.1)] ** 2,
    "isclose": lambda np, x: x[0] if np.allclose(x, x) and np.isfinite(x).all() and not np.isnan(x).any() else 0 * x[0],
    "transposes": lambda np, x: (
        np.sum((M * x).T[1] ** 2) + np.sum(np.swapaxes(M * x, 0, 1)[0] ** 2) + np.ravel(M * x)[2]
    ),
    "insert": lambda np, x: (
        np.sum(np.insert(x, 1, x[0] ** 2) ** 2) + np.sum(np.delete(x, 1) ** 2) + np.sum(np.split(x, 2)[0] ** 2)
    ),
    "fill_diagonal": _with_diagonal,
    "broadcasting": lambda np, x: np.sum(np.broadcast_to(x, (3, 4)) * M[:3]) + np.sum(x[:, None] * x[None, :] * M),
}


def differences(f, x):
    """Return the gradient by central differences of the fourth order."""
    h, found = 1e-3, []
    for i in range(len(x)):
        moved = lambda d, i=i: f(np.where(np.arange(len(x)) == i, x + d, x))
        found.append((8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h))
    return np.array(found)


@pytest.mark.parametrize("name", FORMULAS)
def test_numbers_are_numpy_s_and_derivatives_those_of_differences(name):
    formula = FORMULAS[name]
    expected = formula(np, X)
    assert float(formula(snp, X)) == pytest.approx(float(expected), rel=1e-12)
    value, gradient = sg.value_and_grad(lambda x: formula(snp, x))(X)
    assert value == pytest.approx(float(expected), rel=1e-12)
    assert gradient == pytest.approx(differences(lambda x: float(formula(np, x)), X), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(
    "name", ["buffers", "Runge-Kutta", "solve", "cholesky", "einsum", "interp", "norms", "cov", "clip"]
)
def test_a_recorded_function_gives_the_same(name):
    eager = sg.value_and_grad(lambda x: FORMULAS[name](snp, x))
    recorded = sg.jit(eager, backend="python")
    for x in (X, X + 0.01):
        value, gradient = recorded(x)
        assert value == pytest.approx(eager(x)[0], rel=1e-13)
        assert gradient == pytest.approx(eager(x)[1], rel=1e-12)


@pytest.mark.parametrize("name", ["Runge-Kutta", "solve", "det", "products", "polyval"])
def test_hessians_are_symmetric_differences_of_gradients(name):
    gradient = sg.grad(lambda x: FORMULAS[name](snp, x))
    hessian = sg.hessian(lambda x: FORMULAS[name](snp, x))(X)
    assert hessian == pytest.approx(hessian.T, rel=1e-9, abs=1e-9)
    for i in range(4):
        assert hessian[i] == pytest.approx(differences(lambda x, i=i: gradient(x)[i], X), rel=1e-7, abs=1e-7)


def test_plain_arrays_get_plain_arrays_of_numpy_itself():
    x = np.linspace(-1.0, 1.0, 5)
    for got, expected in [
        (snp.sin(x), np.sin(x)),
        (snp.where(x > 0, x, 0.0), np.where(x > 0, x, 0.0)),
        (snp.linalg.inv(M), np.linalg.inv(M)),
        (snp.concatenate([x, x]), np.concatenate([x, x])),
        (snp.asarray(x), x),
        (snp.arange(3), np.arange(3)),
        (snp.zeros(3, dtype=int), np.zeros(3, dtype=int)),
        (snp.array([1, 2]), np.array([1, 2])),
        (snp.array(["a"]), np.array(["a"])),
        (snp.zeros((2, 3)), np.zeros((2, 3))),
        (snp.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (snp.full(2, 3.0), np.full(2, 3.0)),
        (snp.empty((0, 2)), np.empty((0, 2))),
    ]:
        assert type(got) is np.ndarray
        assert got.dtype == expected.dtype
        assert np.array_equal(got, expected)
    assert snp.asarray(x) is x
    assert type(snp.sum(x)) is np.float64


def test_every_public_name_of_numpy_is_here():
    for name in np.__all__:
        assert hasattr(snp, name), name
    names: dict[str, object] = {}
    exec("from scalargrad.numpy import *", names)  # noqa: S102
    assert names["pi"] == math.pi
    assert names["sin"] is snp.sin
    for name in np.linalg.__all__:
        assert hasattr(snp.linalg, name), name
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = snp.no_such_name


def test_buffers_take_values_while_a_function_is_differentiated_or_recorded():
    kinds = []

    def f(x):
        kinds.append([type(snp.zeros(2)), type(snp.array([1.0])), type(snp.ones(3) * 2), snp.arange(2).dtype.kind])
        y = snp.zeros(2)
        y[1] = x
        return y[1] * y[1]

    assert sg.grad(f)(3.0) == 6.0
    assert sg.jit(f, backend="python")(3.0) == 9.0
    assert f(3.0) == 9.0
    assert kinds[0] == kinds[1] == [snp.Array, snp.Array, snp.Array, "i"]
    assert kinds[-1] == [np.ndarray, np.ndarray, np.ndarray, "i"]
    with pytest.raises(TypeError, match="an array with dtype=object"):
        f(Value(3.0))


def test_a_buffer_keeps_floats_and_values():
    a = snp.zeros((2, 2), dtype=object)
    a[0, 0], a[0, 1], a[1] = 1, np.float32(0.5), [True, Value(2.0)]
    assert [type(x) for x in a.ravel().tolist()] == [float, float, float, Value]
    a[0, 0] = snp.array([Value(3.0)])  # one number in an array is a number
    assert a[0, 0].data == 3.0
    a[:, 0] = np.array([1, 2])
    assert a[1, 0] == 2.0
    with pytest.raises((ValueError, TypeError), match=r"could not convert|not a number"):
        a[0, 0] = "text"
    assert isinstance(a[0], snp.Array)
    assert isinstance(a.T.copy(), snp.Array)
    assert a.astype(float)[1, 1].data == 2.0
    assert snp.zeros(3, dtype=object).astype(int).dtype.kind == "i"
    b = pickle.loads(pickle.dumps(a))  # noqa: S301
    assert b[1, 1].data == 2.0
    assert np.isclose(a, a).all()


def test_numpy_s_own_functions_and_operators_take_it():
    x = snp.array([Value(4.0), 9.0])
    assert [np.sqrt(x)[0].data, np.sqrt(x)[1]] == [2.0, 3.0]
    assert np.sum(x).data == 13.0
    assert (np.array([1.0, 2.0]) * x)[1] == 18.0
    assert (np.float64(2.0) * x)[0].data == 8.0
    assert (x > 5).tolist() == [False, True]
    assert type(x > 5) is np.ndarray
    assert np.concatenate([x, np.zeros(1)])[2] == 0.0
    assert np.linalg.norm(x).data == pytest.approx(math.sqrt(97.0))
    assert repr(snp.sin) == "<ufunc 'sin' of scalargrad.numpy>"
    assert snp.add.nin == 2
    assert sg.sqrt(x)[0].data == 2.0  # a primitive of an array
    assert np.frompyfunc(lambda item: item * 2, 1, 1)(x)[1] == 18.0


@pytest.mark.parametrize(
    ("f", "value", "slope"),
    [
        (lambda x: snp.sum(snp.log(snp.array([x, 1.0]))), -math.inf, math.inf),
        (lambda x: snp.array([1.0]) @ (1 / snp.array([x])), math.inf, -math.inf),
        (lambda x: snp.array([x - 1.0])[0] * 0 + snp.sqrt(snp.array([x - 1]))[0], math.nan, math.nan),
        (lambda x: snp.power(snp.array([x]), -1.0)[0], math.inf, -math.inf),
        (lambda x: snp.linalg.norm(snp.array([x, 0.0])), 0.0, 0.0),
        (lambda x: snp.maximum(snp.array([x]), math.nan)[0], math.nan, None),
        (lambda x: snp.sum(snp.where(snp.array([x]) > 0, snp.log(snp.array([x])), 2 * x)), 0.0, 2.0),
    ],
)
def test_the_edge_is_that_of_numpy(f, value, slope):
    with np.errstate(all="ignore"):
        got, gradient = sg.value_and_grad(f)(0.0)
    assert got == pytest.approx(value, nan_ok=True)
    assert slope is None or gradient == pytest.approx(slope, nan_ok=True)


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda x: snp.linalg.eigh(snp.outer(x, x)), TypeError, "numpy.linalg.eigh of Values is not here"),
        (lambda x: snp.linalg.svd(snp.outer(x, x)), TypeError, "numpy.linalg.svd of Values is not here"),
        (lambda x: snp.linalg.norm(snp.outer(x, x), 2), TypeError, "order 2 needs singular values"),
        (lambda x: snp.linalg.solve(snp.outer(x, x) * 0.0, x), np.linalg.LinAlgError, "Singular matrix"),
        (lambda x: snp.linalg.cholesky(snp.diag(-x * x)), np.linalg.LinAlgError, "not positive definite"),
        (snp.linalg.inv, np.linalg.LinAlgError, "square matrix is needed"),
        (snp.fft.fft, TypeError, r"not silently turned into a float|fft"),
        (snp.roots, TypeError, "numpy.roots of Values is not here"),
        (snp.histogram, TypeError, "numpy.histogram of Values"),
        (lambda x: snp.quantile(x, 0.5, method="nearest"), TypeError, "method 'nearest' is not here"),
        (lambda x: snp.gcd(x, 2), TypeError, "gcd of Values has no meaning here"),
        (lambda x: np.linspace(0, 1, 4).__iadd__(x), TypeError, "can't take Values: make it by scalargrad.numpy.array"),
        (lambda x: snp.matmul(x, x[:2]), ValueError, r"shapes \(4,\) and \(2,\) do not fit"),
        (lambda x: snp.max(x[:0]), ValueError, "zero-size array"),
        (lambda x: snp.interp(x, [0.0], []), ValueError, "xp and fp need one length"),
    ],
)
def test_what_is_missing_or_wrong_says_so_by_name(f, error, message):
    with pytest.raises(error, match=message):
        sg.jacobian(f)(X)
