"""Sparse Jacobians and Hessians against dense ones, and the number of passes that they take."""

from __future__ import annotations

import itertools
import random
import sys

import pytest

import scalargrad as sg
from scalargrad.recording.sparsity import colours, dense, members

np = pytest.importorskip("numpy", reason="no NumPy: pip install numpy")
sparse = pytest.importorskip("scipy.sparse", reason="no SciPy: pip install scipy")


def rosenbrock(x):
    """Return a chain of valleys: its Hessian is tridiagonal."""
    return sum((1.0 - a) ** 2 + 100.0 * (b - a * a) ** 2 for a, b in itertools.pairwise(x))


def assert_equal(found, wanted):
    """Assert that a sparse matrix is what the dense transform gave, and is well formed."""
    assert sparse.issparse(found)
    assert found.format == "csr"
    found.check_format(full_check=True)
    assert found.has_canonical_format
    wanted = np.array(wanted)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-13, atol=1e-13)


def random_function(rng, inputs, outputs):
    """Return a function whose outputs depend on a few inputs each, and a point of it."""
    operations = [sg.sin, sg.exp, sg.tanh, lambda x: 3.0 * x, lambda x: x * x, sg.relu, sg.stop_gradient]
    terms = [
        [
            (rng.choice(operations), rng.randrange(inputs), rng.randrange(inputs), rng.randrange(3))
            for _ in range(rng.randrange(4))
        ]
        for _ in range(outputs)
    ]

    def f(x):
        found = []
        for row in terms:
            total = 1.0
            for operation, i, j, kind in row:
                y = operation(x[i])
                total = total + (y if kind == 0 else y * x[j] if kind == 1 else sg.maximum(y, x[j]))
            found.append(total)
        return found

    return f, [rng.uniform(-1.0, 1.0) for _ in range(inputs)]


@pytest.mark.parametrize("seed", range(12))
def test_jacobian_and_hessian_of_random_patterns(seed):
    rng = random.Random(seed)
    f, x = random_function(rng, rng.randrange(2, 9), rng.randrange(1, 9))
    assert_equal(sg.sparse_jacobian(f)(x), sg.jacobian(f)(x))

    def energy(x):
        return sum((y * y for y in f(x)), 0.0 * x[0])

    assert_equal(sg.sparse_hessian(energy)(x), sg.hessian(energy)(x))


@pytest.mark.parametrize("n", [30, 300, 10000])
def test_banded_hessian_takes_three_passes_at_any_size(n):
    hessian = sg.sparse_hessian(rosenbrock)
    x = np.linspace(0.5, 1.5, n)
    found = hessian(x)
    assert hessian.stats == {"recordings": 1, "passes": 3}
    assert found.nnz == 3 * n - 2
    # The formula, by hand.
    diagonal = np.zeros(n)
    diagonal[:-1] += 2.0 + 1200.0 * x[:-1] ** 2 - 400.0 * x[1:]
    diagonal[1:] += 200.0
    np.testing.assert_allclose(found.diagonal(), diagonal, rtol=1e-12)
    np.testing.assert_allclose(found.diagonal(1), -400.0 * x[:-1], rtol=1e-13)
    np.testing.assert_allclose(found.diagonal(-1), -400.0 * x[:-1], rtol=1e-13)


@pytest.mark.parametrize("half", [1, 2, 3])
def test_passes_are_the_width_of_the_band(half):
    jacobian = sg.sparse_jacobian(
        lambda x: [sg.sin(sum(x[max(0, i - half) : i + half + 1])) for i in range(len(x))],
    )
    jacobian([0.1] * 40)
    assert jacobian.stats["passes"] == 2 * half + 1


def test_parameter_that_all_terms_share_costs_one_pass():
    def f(x):
        return sum(sg.sin(x[0] * a) + a**3 for a in x[1:])

    hessian = sg.sparse_hessian(f)
    x = [0.3 + 0.1 * i for i in range(25)]
    assert_equal(hessian(x), sg.hessian(f)(x))
    assert hessian.stats["passes"] == 2


def test_one_row_takes_one_backward_pass_and_one_column_one_forward_pass():
    x = [0.1 * i for i in range(20)]
    row, column = (
        sg.sparse_jacobian(lambda x: [sg.exp(sum(x))]),
        sg.sparse_jacobian(lambda y: [sg.sin(y) * a for a in x]),
    )
    assert_equal(row(x), sg.jacobian(lambda x: [sg.exp(sum(x))])(x))
    assert_equal(column(0.5), [[v] for v in sg.jacobian(lambda y: [sg.sin(y) * a for a in x])(0.5)])
    assert (row.stats["passes"], column.stats["passes"]) == (1, 1)


def test_dense_row_of_a_banded_jacobian_costs_one_backward_pass():
    def f(x):
        return [sg.exp(0.1 * sum(x)), *[a * b for a, b in itertools.pairwise(x)]]

    def turned(x):
        return [a * b * c for a, b, c in zip(x, x[1:], [x[-1]] * len(x), strict=False)]

    for function in (f, turned):
        jacobian = sg.sparse_jacobian(function)
        x = [0.3 + 0.1 * i for i in range(25)]
        assert_equal(jacobian(x), sg.jacobian(function)(x))
        assert jacobian.stats["passes"] == 3


def test_branch_without_a_derivative_is_left_again():
    jacobian = sg.sparse_jacobian(lambda x: [x[0] ** 2 if x[0] > 0 else 1.0])
    for x, slope in ((-1.0, 0.0), (2.0, 4.0), (-3.0, 0.0), (3.0, 6.0)):
        assert jacobian([x]).toarray().tolist() == [[slope]]


def test_each_way_through_the_branches_has_its_own_pattern():
    def f(x):
        return [x[0] * x[1] if x[0] > 0 else x[2], x[1]]

    jacobian = sg.sparse_jacobian(f)
    for x in ([1.0, 2.0, 3.0], [-1.0, 2.0, 3.0], [2.0, 2.0, 3.0]):
        assert_equal(jacobian(x), sg.jacobian(f)(x))
    assert jacobian([1.0, 2.0, 3.0]).nnz == 3
    assert jacobian([-1.0, 2.0, 3.0]).nnz == 2
    assert jacobian.stats["recordings"] == 2


def test_branches_in_the_turns_of_a_map():
    def f(x):
        return sg.vmap(lambda a, b: a * b if a > 0 else sg.sin(b))(x, x[::-1])

    x = [(-1.0) ** i * (1.0 + i) for i in range(12)]
    assert_equal(sg.sparse_jacobian(f)(x), sg.jacobian(f)(x))


def test_recurrence_and_a_loop_in_a_loop():
    def f(x):
        found, carried = [], 1.0
        for i in range(len(x) - 4):
            inner = 0.0
            for k in range(4):
                inner = inner + sg.sin(x[i + k]) * (k + 1.0)
            found.append(inner * x[i])
            carried = 0.5 * carried + x[i]
        return [*found, carried]

    x = [0.1 * i for i in range(40)]
    assert_equal(sg.sparse_jacobian(f)(x), sg.jacobian(f)(x))


def test_other_arguments_and_structures_keep_their_order():
    def f(a, p, scale):
        return {"u": [a * p["x"][0], scale], "v": p["x"][1] * p["k"] * scale}

    p = {"k": 2.0, "x": np.array([3, 5])}
    found = sg.sparse_jacobian(f, argnums=1)(2, p, 7.0)
    assert_equal(found, [[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [35.0, 0.0, 14.0]])
    assert_equal(sg.sparse_jacobian(f, argnums=-1)(2, p, 7.0), [[0.0], [1.0], [10.0]])


def test_arrays_in_the_function():
    def f(x):
        return (x[1:] * x[:-1]) ** 2

    x = np.linspace(1.0, 2.0, 40)
    assert_equal(
        sg.sparse_jacobian(f)(x),
        np.diag(2 * x[:-1] * x[1:] ** 2)[:, :] @ np.eye(39, 40) + np.diag(2 * x[1:] * x[:-1] ** 2) @ np.eye(39, 40, 1),
    )


def test_constants_and_nothing():
    assert_equal(sg.sparse_jacobian(lambda x: [1, x[0], 2.5])([4.0, 5.0]), [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    assert sg.sparse_jacobian(lambda x: [])([1.0, 2.0]).shape == (0, 2)
    assert_equal(sg.sparse_hessian(lambda x: 3.0 * x[0] + x[1])([1.0, 2.0]), [[0.0, 0.0], [0.0, 0.0]])


def test_nothing_flows_from_a_column_of_another_colour():
    jacobian = sg.sparse_jacobian(lambda x: [sg.sqrt(a) for a in x])
    assert jacobian([0.0, 4.0]).toarray().tolist() == [[np.inf, 0.0], [0.0, 0.25]]


def test_ready_for_optimisation():
    optimize = pytest.importorskip("scipy.optimize")
    n = 30
    found = optimize.minimize(
        sg.jit(rosenbrock),
        np.full(n, 0.9),
        jac=sg.jit(sg.grad(rosenbrock)),
        hess=sg.sparse_hessian(rosenbrock),
        method="trust-constr",
    )
    np.testing.assert_allclose(found.x, np.ones(n), atol=1e-5)

    def residuals(x):
        return [r for a, b in itertools.pairwise(x) for r in (1.0 - a, 10.0 * (b - a * a))]

    solved = optimize.least_squares(sg.jit(residuals), [0.5] * n, jac=sg.sparse_jacobian(residuals))
    np.testing.assert_allclose(solved.x, np.ones(n), atol=1e-7)


def test_bad_input_is_refused_by_name():
    with pytest.raises(TypeError, match=r"sparse_jacobian: args\[0\]\[1\] is 'a', a str"):
        sg.sparse_jacobian(lambda x: x)([1.0, "a"])
    with pytest.raises(TypeError, match="a Value; give numbers"):
        sg.sparse_jacobian(lambda x: x)([sg.Value(1.0)])
    with pytest.raises(TypeError, match="argnums is 1, but 1 arguments"):
        sg.sparse_jacobian(lambda x: x, argnums=1)([1.0])
    with pytest.raises(TypeError, match="sparse_hessian: f returned 2 numbers"):
        sg.sparse_hessian(lambda x: [x[0], x[1]])([1.0, 2.0])
    with pytest.raises(TypeError, match="f returned 'no', a str"):
        sg.sparse_jacobian(lambda x: [x[0], "no"])([1.0])
    outside = sg.Value(2.0)
    with pytest.raises(sg.RecordingError, match="a Value from outside"):
        sg.sparse_jacobian(lambda x: [x[0] * outside])([1.0])


def test_refusal_names_the_operation_also_at_a_later_call():
    jacobian = sg.sparse_jacobian(lambda x: [sg.log(x[0])])
    assert jacobian([2.0]).toarray().tolist() == [[0.5]]
    with pytest.raises(ValueError, match=r"log: x = -1\.0"):
        jacobian([-1.0])


def test_missing_scipy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match="sparse_hessian needs SciPy: pip install scipy"):
        sg.sparse_hessian(rosenbrock)


def test_columns_of_one_colour_share_no_row():
    rng = random.Random(1)
    for _ in range(50):
        columns = rng.randrange(1, 90)
        rows = [sorted(rng.sample(range(columns), rng.randrange(min(5, columns)))) for _ in range(rng.randrange(60))]
        chosen = colours(rows, columns)
        assert all(len({chosen[c] for c in row}) == len(row) for row in rows)
    assert dense([[0, 1, 2, 3], [0], [0], [0]]) == {0}
    places = sorted(rng.sample(range(1000), 60))
    assert members(sum(1 << k for k in places)) == places
    assert members(0) == []
