"""The evals at small sizes, against closed forms and against NumPy's matrices with complex steps."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from . import ba, descent, oracles
from .test_gradbench import error, evaluate


@pytest.fixture
def rng():
    return np.random.default_rng(31337)


def listed(x):
    return np.asarray(x).tolist()


@pytest.mark.parametrize("mode", descent.MODES.values())
def test_both_modes_give_the_gradient(mode):
    assert mode(lambda x: x[0] * x[0] * x[1])([3.0, 2.0]) == [12.0, 9.0]


def test_descent_finds_the_least_and_the_greatest():
    x = descent.argmin(lambda x: (x[0] - 1.0) ** 2 + (x[1] + 0.5) ** 2, [0.0, 0.0], descent.reverse)
    assert x == pytest.approx([1.0, -0.5], abs=1e-4)
    x = descent.argmax(lambda x: -((x[0] - 1.0) ** 2), [0.0], descent.forward)
    assert x == pytest.approx([1.0], abs=1e-4)


def test_all_variants_of_the_nested_evals_agree():
    for name, given in (("saddle", {"start": [0.02, -0.01]}), ("particle", {"w": 0.207})):
        answers = [evaluate(name, variant, given) for variant in ("ff", "fr", "rf", "rr")]
        assert all(error(answered, answers[0]) <= 1e-8 for answered in answers)


def test_lse(rng):
    x = [*listed(rng.uniform(-100.0, 100.0, 30)), 710.0, 709.5]
    with mpmath.workdps(50):
        weights = [mpmath.exp(a) for a in x]
        value = mpmath.log(mpmath.fsum(weights))
        gradient = [float(w / mpmath.fsum(weights)) for w in weights]
    assert error(evaluate("lse", "primal", {"x": x}), float(value)) <= 1e-15
    assert error(evaluate("lse", "gradient", {"x": x}), gradient) <= 1e-13


@pytest.mark.parametrize(("n", "m"), [(9, 4), (2, 3), (16, 1)])
def test_llsq(rng, n, m):
    x = rng.normal(size=m)
    t = np.linspace(-1.0, 1.0, n)
    powers = np.vander(t, m, increasing=True)
    errors = np.sign(np.round(t, 12)) - powers @ x
    given = {"x": listed(x), "n": n}
    assert error(evaluate("llsq", "primal", given), 0.5 * errors @ errors) <= 1e-14
    assert error(evaluate("llsq", "gradient", given), -powers.T @ errors) <= 1e-14


@pytest.mark.parametrize("ell", [1, 2, 5])
def test_det(rng, ell):
    a = rng.normal(size=(ell, ell))
    given = {"A": listed(a.ravel()), "ell": ell}
    value = np.linalg.det(a)
    assert error(evaluate("det", "primal", given), value) <= 1e-13
    assert error(evaluate("det", "gradient", given), value * np.linalg.inv(a).T) <= 1e-13


def test_ode_where_runge_kutta_is_exact(rng):
    # yᵢ = x₀ ⋯ xᵢ tⁱ⁺¹/(i+1)!, a polynomial of degree ≤ 4 for i ≤ 3.
    x = listed(rng.uniform(0.5, 1.5, 4))
    exact = [math.prod(x[: i + 1]) * 2.0 ** (i + 1) / math.factorial(i + 1) for i in range(4)]
    for s in (1, 3):
        assert error(evaluate("ode", "primal", {"x": x, "s": s}), exact) <= 1e-14
        assert error(evaluate("ode", "gradient", {"x": x, "s": s}), [exact[-1] / a for a in x]) <= 1e-14


def test_ode_of_higher_degree(rng):
    # With a diagonal scaling Y of y, the method is that of the nilpotent matrix: y ← Σ (hN)ᵏ/k! (y, 1), k ≤ 4.
    x = rng.uniform(0.5, 1.5, 7)
    steps = 3
    shift = np.diag(x, -1)[: len(x) + 1, : len(x) + 1]  # acts on (1, y): the constant 1 drives y₀
    h = 2.0 / steps * shift
    step = sum(np.linalg.matrix_power(h, k) / math.factorial(k) for k in range(5))
    y = np.linalg.matrix_power(step, steps)[1:, 0]
    given = {"x": listed(x), "s": steps}
    assert error(evaluate("ode", "primal", given), y) <= 1e-14
    # The last y is linear in each x.
    assert error(evaluate("ode", "gradient", given), y[-1] / x) <= 1e-14


def test_kmeans(rng):
    points = rng.normal(size=(40, 3))
    centroids = points[-4:] + 0.1
    squares = ((points[:, None] - centroids) ** 2).sum(axis=2)
    nearest = squares.argmin(axis=1)
    given = {"points": listed(points), "centroids": listed(centroids)}
    assert error(evaluate("kmeans", "cost", given), squares.min(axis=1).sum()) <= 1e-14
    # Newton's step leads from a centroid to the mean of its points.
    steps = [c - points[nearest == i].mean(axis=0) for i, c in enumerate(centroids)]
    assert error(evaluate("kmeans", "dir", given), steps) <= 1e-14


@pytest.mark.parametrize(("d", "k", "n", "m", "gamma"), [(3, 4, 5, 2, 1.7), (2, 3, 1, 0, 1.0), (1, 2, 3, 1, 0.5)])
def test_gmm(rng, d, k, n, m, gamma):
    x, alpha, mu = rng.normal(size=(n, d)), rng.normal(size=k), rng.uniform(size=(k, d))
    q, below = rng.normal(size=(k, d)), rng.normal(size=(k, d * (d - 1) // 2))
    given = {"d": d, "k": k, "n": n, "m": m, "gamma": gamma}
    given |= {name: listed(a) for name, a in (("x", x), ("alpha", alpha), ("mu", mu), ("q", q), ("l", below))}

    def posterior(alpha, mu, q, below):
        return oracles.gmm_log_likelihood(alpha, mu, q, below, x) + oracles.gmm_log_prior(q, below, m, gamma)

    assert error(evaluate("gmm", "objective", given), posterior(alpha, mu, q, below)) <= 1e-12
    gradient = evaluate("gmm", "jacobian", given)
    arguments = {"alpha": alpha, "mu": mu, "q": q, "l": below}
    for i, name in enumerate(arguments):
        fixed = list(arguments.values())

        def along(moved, i=i, fixed=fixed):
            return posterior(*fixed[:i], moved, *fixed[i + 1 :])

        assert list(np.shape(gradient[name])) == list(np.shape(given[name]))
        if fixed[i].size:
            assert error(gradient[name], oracles.complex_step(along, fixed[i])) <= 1e-12


def observation(rng, turn):
    camera = [*turn, *rng.normal(size=3), 400.0, 5.0, -8.0, 0.08, 0.003]
    point = camera[3] + 7.0, camera[4] + 0.5, camera[5] + 3.0
    return np.array([*camera, *point, 0.4]), np.array([270.0, 830.0])


@pytest.mark.parametrize("turn", [(-0.8, 1.1, 0.9), (0.0, 0.0, 0.0), (0.0, 0.05, 0.0)])
def test_ba_residual(rng, turn):
    parameters, feature = observation(rng, turn)
    args = listed(parameters[:11]), listed(parameters[11:14]), float(parameters[14]), listed(feature)
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


def test_lstm(rng):
    layers, length, bits = 2, 6, 3
    main, extra = rng.uniform(size=(2 * layers, 4 * bits)), rng.uniform(size=(3, bits))
    state, sequence = rng.uniform(size=(2 * layers, bits)), rng.integers(2, size=(length, bits)).astype(float)
    names = ("main_params", "extra_params", "state", "sequence")
    given = dict(zip(names, map(listed, (main, extra, state, sequence)), strict=True))
    value = oracles.lstm_objective(main, extra, state, sequence)
    assert error(evaluate("lstm", "objective", given), value) <= 1e-14
    by_main = oracles.complex_step(lambda p: oracles.lstm_objective(p, extra, state, sequence), main)
    by_extra = oracles.complex_step(lambda p: oracles.lstm_objective(main, p, state, sequence), extra)
    assert error(evaluate("lstm", "jacobian", given), [by_main, by_extra]) <= 1e-14


def hand(rng, mirrored):
    """A hand of 22 bones in a chain of fingers, with ten vertices, each moved by a few bones."""
    bones, vertices = 22, 10

    def transforms():
        result = np.array([np.eye(4)] * bones)
        result[:, :3] += 0.3 * rng.normal(size=(bones, 3, 4))
        return listed(result)

    weights = rng.uniform(size=(vertices, bones)) * (rng.uniform(size=(vertices, bones)) < 0.2)
    return {
        "bone_count": bones,
        "parents": [-1, *(0 if i % 4 == 1 else i - 1 for i in range(1, 21)), 0],
        "base_relatives": transforms(),
        "inverse_base_absolutes": transforms(),
        "base_positions": listed(np.column_stack([rng.normal(size=(vertices, 3)), np.ones(vertices)])),
        "weights": listed(weights),
        "triangles": listed(rng.integers(vertices, size=(6, 3))),
        "is_mirrored": mirrored,
    }


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("still", [False, True])
@pytest.mark.parametrize("simple", [False, True])
def test_ht(rng, simple, still, mirrored):
    count = 5
    theta = rng.normal(size=26)
    theta[:3] *= not still
    us = np.zeros((0, 2)) if simple else rng.uniform(0.0, 0.5, size=(count, 2))
    which = rng.integers(10 if simple else 6, size=count)
    data = {
        "model": hand(rng, mirrored),
        "correspondences": listed(which),
        "points": listed(rng.normal(size=(count, 3))),
    }
    given = {"theta": listed(theta), "us": listed(us), "data": data}
    assert error(evaluate("ht", "objective", given), oracles.ht_distances(theta, us, data)) <= 1e-13
    expected = oracles.complex_step(lambda t: oracles.ht_distances(t, us, data), theta)
    if not simple:
        by_us = oracles.complex_step(lambda v: oracles.ht_distances(theta, us + v, data), np.zeros(2))
        expected = np.hstack([by_us, expected])
    assert error(evaluate("ht", "jacobian", given), expected) <= 1e-13
