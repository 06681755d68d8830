"""The evals at small sizes, against closed forms and against NumPy's matrices with complex steps."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from . import ba, descent, gmm, inputs, oracles, recorded
from .answers import error, numbers
from .test_gradbench import RECORDED, evaluate


@pytest.fixture(params=[recorded.EAGER, RECORDED])
def way(request, monkeypatch):
    """Both ways of running an eval: eager, and recorded by the back end that `GRADBENCH_BACKEND` names, or the best."""
    monkeypatch.setattr(recorded, "backend", request.param)


@pytest.fixture
def rng(way):
    return np.random.default_rng(31337)


def large(*size):
    """A size of the documentation's table."""
    return pytest.param(*size, marks=pytest.mark.slow)


@pytest.mark.parametrize("mode", descent.MODES.values())
def test_both_modes_give_the_gradient(mode):
    assert mode(lambda x: x[0] * x[0] * x[1])([3.0, 2.0]) == [12.0, 9.0]


def test_descent_finds_the_least_and_the_greatest():
    bowl = lambda x: (x[0] - 1.0) ** 2 + (x[1] + 0.5) ** 2
    assert descent.argmin(bowl, descent.reverse(bowl), [0.0, 0.0]) == pytest.approx([1.0, -0.5], abs=1e-4)
    hill = lambda x: -((x[0] - 1.0) ** 2)
    assert descent.argmax(hill, descent.forward(hill), [0.0]) == pytest.approx([1.0], abs=1e-4)


def test_all_variants_of_the_nested_evals_agree():
    for name, given in (("saddle", {"start": [0.02, -0.01]}), ("particle", {"w": 0.207})):
        answers = [evaluate(name, variant, given) for variant in ("ff", "fr", "rf", "rr")]
        assert all(error(answered, answers[0]) <= 1e-8 for answered in answers)


def test_lse(rng):
    x = [*map(float, rng.uniform(-100.0, 100.0, 30)), 710.0, 709.5]
    with mpmath.workdps(50):
        weights = [mpmath.exp(a) for a in x]
        value = mpmath.log(mpmath.fsum(weights))
        gradient = [float(w / mpmath.fsum(weights)) for w in weights]
    assert error(evaluate("lse", "primal", {"x": x}), float(value)) <= 1e-15
    assert error(evaluate("lse", "gradient", {"x": x}), gradient) <= 1e-13


@pytest.mark.parametrize(("n", "m"), [(9, 4), (2, 3), (16, 1), large(1024, 128)])
def test_llsq(rng, n, m):
    given = inputs.llsq(rng, n, m)
    t = np.linspace(-1.0, 1.0, n)
    powers = np.vander(t, m, increasing=True)
    errors = np.sign(np.round(t, 12)) - powers @ given["x"]
    assert error(evaluate("llsq", "primal", given), 0.5 * errors @ errors) <= 1e-14
    assert error(evaluate("llsq", "gradient", given), -powers.T @ errors) <= 1e-13


@pytest.mark.parametrize("ell", [1, 2, 5, large(8)])
def test_det(rng, ell):
    given = inputs.det(rng, ell)
    a = np.reshape(given["A"], (ell, ell))
    value = np.linalg.det(a)
    assert error(evaluate("det", "primal", given), value) <= 1e-13
    assert error(evaluate("det", "gradient", given), value * np.linalg.inv(a).T) <= 1e-13


def test_ode_where_runge_kutta_is_exact(rng):
    # yᵢ = x₀ ⋯ xᵢ tⁱ⁺¹/(i+1)!, a polynomial of degree ≤ 4 for i ≤ 3.
    x = rng.uniform(0.5, 1.5, 4).tolist()
    exact = [math.prod(x[: i + 1]) * 2.0 ** (i + 1) / math.factorial(i + 1) for i in range(4)]
    for s in (1, 3):
        assert error(evaluate("ode", "primal", {"x": x, "s": s}), exact) <= 1e-14
        assert error(evaluate("ode", "gradient", {"x": x, "s": s}), [exact[-1] / a for a in x]) <= 1e-14


@pytest.mark.parametrize(("n", "s"), [(7, 3), large(1000, 10)])
def test_ode_of_higher_degree(rng, n, s):
    # With N y for y′, where (1, y) stands for y, a step of the method multiplies by Σ (hN)ᵏ/k! for k ≤ 4.
    given = inputs.ode(rng, n, s)
    step, term = np.eye(n + 1), np.eye(n + 1)
    for k in range(1, 5):
        term = term @ np.diag(given["x"], -1) * (2.0 / s / k)
        step = step + term
    y = np.linalg.matrix_power(step, s)[1:, 0]
    assert error(evaluate("ode", "primal", given), y) <= 1e-14
    # The last y is linear in each x.
    assert error(evaluate("ode", "gradient", given), y[-1] / given["x"]) <= 1e-14


@pytest.mark.parametrize(("k", "n", "d"), [(4, 40, 3), (1, 2, 1), large(10, 1000, 8)])
def test_kmeans(rng, k, n, d):
    given = inputs.kmeans(rng, k, n, d)
    points, centroids = np.array(given["points"]), np.array(given["centroids"])
    squares = ((points[:, None] - centroids) ** 2).sum(axis=2)
    nearest = squares.argmin(axis=1)
    assert error(evaluate("kmeans", "cost", given), squares.min(axis=1).sum()) <= 1e-14
    # Newton's step leads from a centroid to the mean of its points.
    steps = [c - points[nearest == i].mean(axis=0) for i, c in enumerate(centroids)]
    assert error(evaluate("kmeans", "dir", given), steps) <= 1e-14


@pytest.mark.parametrize(
    ("d", "k", "n", "m", "gamma"), [(3, 4, 5, 2, 1.7), (2, 3, 1, 0, 1.0), (1, 2, 3, 1, 0.5), large(10, 5, 1000, 0, 1.0)]
)
def test_gmm(rng, d, k, n, m, gamma):
    given = inputs.gmm(rng, d, k, n, m, gamma)
    x = np.array(given["x"])
    arguments = [np.array(given[name]) for name in gmm.PARAMETERS]
    sizes = np.cumsum([a.size for a in arguments])[:-1]

    def posterior(flat):
        alpha, mu, q, below = (part.reshape(a.shape) for part, a in zip(np.split(flat, sizes), arguments, strict=True))
        return oracles.gmm_log_likelihood(alpha, mu, q, below, x) + oracles.gmm_log_prior(q, below, m, gamma)

    at = np.concatenate([a.ravel() for a in arguments])
    assert error(evaluate("gmm", "objective", given), posterior(at)) <= 1e-12
    gradient = evaluate("gmm", "jacobian", given)
    assert [np.shape(gradient[name]) for name in gmm.PARAMETERS] == [a.shape for a in arguments]
    flat = [number for name in gmm.PARAMETERS for number in numbers(gradient[name])]
    # The determinants of the precision matrices, which only the oracle forms, lose digits at d = 10.
    assert error(flat, oracles.complex_step(posterior, at)) <= (1e-9 if d > 3 else 1e-12)


@pytest.mark.parametrize("turn", [None, (0.0, 0.0, 0.0), (0.0, 0.05, 0.0)])
def test_ba_residual(rng, turn):
    given = inputs.ba(rng, 1, 1, 1)
    given["cam"][:3] = turn or given["cam"][:3]
    parameters, feature = np.array([*given["cam"], *given["x"], given["w"]]), given["feat"]
    args = given["cam"], given["x"], given["w"], feature
    assert error(ba.residual(*args), oracles.ba_residual(parameters, feature)) <= 1e-13
    expected = oracles.complex_step(lambda p: oracles.ba_residual(p, feature), parameters)
    assert error(ba.derivatives(*args), expected) <= 1e-11


def test_ba_jacobian_is_the_sparse_one(rng):
    n, m, p = 2, 3, 7
    blocks = [np.arange(30.0).reshape(2, 15) + 100 * i for i in range(p)]
    cols, rows, vals = ba.assembled(blocks, [-1.0] * p, n, m)
    dense = np.zeros((3 * p, 11 * n + 3 * m + p))
    for row, (start, end) in enumerate(itertools.pairwise(rows)):
        dense[row, cols[start:end]] = vals[start:end]
    expected = np.zeros_like(dense)
    for i, block in enumerate(blocks):
        expected[2 * i : 2 * i + 2, 11 * (i % n) : 11 * (i % n) + 11] = block[:, :11]
        expected[2 * i : 2 * i + 2, 22 + 3 * (i % m) : 25 + 3 * (i % m)] = block[:, 11:14]
        expected[2 * i : 2 * i + 2, 31 + i] = block[:, 14]
        expected[2 * p + i, 31 + i] = -1.0
    assert rows[-1] == len(vals) == len(cols)
    assert (dense == expected).all()


@pytest.mark.parametrize(("layers", "length", "bits"), [(2, 6, 3), (1, 3, 2)])
def test_lstm(rng, layers, length, bits):
    given = inputs.lstm(rng, layers, length, bits)
    main, extra, state, sequence = map(np.array, given.values())
    value = oracles.lstm_objective(main, extra, state, sequence)
    assert error(evaluate("lstm", "objective", given), value) <= 1e-14
    by_main = oracles.complex_step(lambda p: oracles.lstm_objective(p, extra, state, sequence), main)
    by_extra = oracles.complex_step(lambda p: oracles.lstm_objective(main, p, state, sequence), extra)
    assert error(evaluate("lstm", "jacobian", given), [by_main, by_extra]) <= 1e-14


@pytest.mark.parametrize("options", [{}, {"simple": True}, {"still": True}, {"mirrored": True}], ids=str)
@pytest.mark.parametrize(("count", "vertices"), [(4, 10), large(100, 544)])
def test_ht(rng, count, vertices, options):
    given = inputs.ht(rng, count, vertices, **options)
    data, theta, us = given["data"], np.array(given["theta"]), np.array(given["us"])
    assert error(evaluate("ht", "objective", given), oracles.ht_distances(theta, us, data)) <= 1e-13
    expected = oracles.complex_step(lambda t: oracles.ht_distances(t, us, data), theta)
    if len(us):
        by_us = oracles.complex_step(lambda v: oracles.ht_distances(theta, us + v, data), np.zeros(2))
        expected = np.hstack([by_us, expected])
    assert error(evaluate("ht", "jacobian", given), expected) <= 1e-13
