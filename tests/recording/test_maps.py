"""Maps of any nesting: in each other, over computed columns, in and around gradients, over any number of rows."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.recording.backends import missing
from scalargrad.recording.program import Loop

from .helpers import BACKENDS, agree, outcome

np = pytest.importorskip("numpy")


class Pair(NamedTuple):
    left: Any
    right: Any


def kernel(x: Any, y: Any) -> Any:
    return sg.exp(-((x[0] - y[0]) ** 2) - (x[1] - y[1]) ** 2)


NESTED: list[Callable[[Any, Any], Any]] = [
    lambda w, X: sg.vmap(sg.batch_mean(lambda a: w[0] * a * a))(X),
    lambda w, X: sg.vmap(sg.vmap(lambda a: a * w[1]))(X),
    lambda w, X: sg.batch_mean(lambda x: sg.batch_mean(lambda a: sg.sin(w[0] * a))(x) ** 2)(X),
    lambda w, X: sg.vmap(lambda x: sg.batch_mean(lambda y: kernel(x, y))(X))(X),
    lambda w, X: sg.batch_mean(lambda y: y * w[1])(sg.vmap(lambda x: sg.tanh(w[0] * x[0]) + x[1])(X)),
    lambda w, X: sg.batch_mean(lambda a, x: a * x[0])(sg.vmap(lambda x: w[0] * x[1])(X), X),
    lambda w, X: sg.vmap(lambda x: sg.grad(lambda a: sg.sin(a * w[0]) * x[1])(x[0]))(X),
    lambda w, X: sg.vmap(lambda x: w[0] * x[0] if x[0] > 0 else -x[1])(X),
    lambda w, X: sg.vmap(lambda x, k: x[0] * k, (0, None))(X, w[1]),
    lambda w, X: {"m": sg.vmap(lambda x: [x[0], {"s": x[0] + x[1]}])(X), "w": w[0]},
]


def available(*backends: str) -> list[str]:
    """Return those of the back ends whose packages are installed."""
    return [backend for backend in backends if not missing(backend)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("k", range(len(NESTED)))
def test_any_nesting_of_maps(k: int, backend: str) -> None:
    f = NESTED[k]
    jitted = sg.jit(f, backend=backend)
    rng = np.random.default_rng(k)
    for rows in (4, 4, 40, 33):
        w, X = [0.7, -1.3], rng.normal(size=(rows, 2))
        assert agree(outcome(jitted, w, X), outcome(f, w, X), 1e-13), rows
        assert agree(outcome(jitted, w, X.tolist()), outcome(f, w, X.tolist()), 1e-13), rows
    assert jitted.stats["eager_runs"] == 0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("k", [2, 4, 5])
def test_derivatives_through_any_nesting(k: int, backend: str) -> None:
    f = NESTED[k]
    for derivative in (sg.value_and_grad(f), sg.hessian(f)):
        jitted = sg.jit(derivative, backend=backend)
        for rows in (5, 30, 21):
            w, X = [0.7, -1.3], np.random.default_rng(k).normal(size=(rows, 2))
            assert agree(outcome(jitted, w, X), outcome(derivative, w, X), 1e-12), rows
    both = sg.value_and_grad(f, argnums=(0, 1))
    X = np.random.default_rng(k).normal(size=(20, 2))
    assert agree(outcome(sg.jit(both, backend=backend), [0.7, -1.3], X), outcome(both, [0.7, -1.3], X), 1e-12)


def test_a_map_of_a_map_over_an_array_is_jitted_as_a_whole() -> None:
    for backend in available("python", "numpy", "native"):
        f = sg.jit(sg.vmap(lambda xs: sg.batch_mean(lambda x: x * x)(xs) * 1.0), backend=backend)
        np.testing.assert_array_equal(f(np.ones((4, 3))), np.ones(4))
        np.testing.assert_array_equal(f(2 * np.ones((50, 3))), 4 * np.ones(50))
        assert f.stats["recordings"] == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_program_serves_any_number_of_rows(backend: str) -> None:
    loss = lambda w, X: sg.batch_mean(lambda x: sg.softplus(w[0] * x[0] + w[1] * x[1]))(X) + w[0] ** 2
    step = sg.jit(sg.value_and_grad(loss), backend=backend)
    rng = np.random.default_rng(0)
    for rows in (1000, 999, 17, 64):
        X = rng.normal(size=(rows, 2))
        assert agree(outcome(step, [0.3, 0.2], X), outcome(sg.value_and_grad(loss), [0.3, 0.2], X), 1e-12)
    assert step.stats == {"recordings": 1, "runs": 4, "guard_failures": 0, "eager_runs": 0}
    program = step.program([0.3, 0.2], X)
    assert [s.turns for s in program.steps if isinstance(s, Loop)] == [None]
    assert len(program) < 40


def test_a_batch_that_is_looked_into_is_spelled_out() -> None:
    for f in (
        lambda X: X[0, 1] + sg.batch_mean(lambda x: x[0])(X),
        lambda X: sg.sum([x[0] for x in X]),
        lambda X: (X * 2.0)[3, 0] + len(X),
        lambda X: X.sum() * 1.0,
        lambda X: sg.batch_mean(lambda x: x[0])(X) if X[0, 0] > 0 else 0.0,
        lambda X: [float(k) * x[0] for k, x in enumerate(X)],
    ):
        jitted = sg.jit(f, backend="python")
        for rows in (20, 30, 20):
            X = np.arange(2.0 * rows).reshape(rows, 2) + 1.0
            assert agree(outcome(jitted, X), outcome(f, X), 1e-13)
        assert jitted.stats["eager_runs"] == 0


def test_two_batches_of_other_lengths_and_a_table_of_weights() -> None:
    f = lambda W, X, Y: sg.batch_mean(lambda x: sg.dot(W[3], x))(X) + sg.batch_mean(lambda y: y * W[0, 0])(Y)
    jitted = sg.jit(f, backend="python")
    rng = np.random.default_rng(3)
    for rows in (30, 40):
        args = rng.normal(size=(20, 3)), rng.normal(size=(rows, 3)), rng.normal(size=25)
        assert jitted(*args) == pytest.approx(f(*args), rel=1e-13)


@pytest.mark.parametrize("wrap", [lambda f: f, functools.partial(sg.jit, backend="python")], ids=["eager", "jit"])
def test_axes_are_as_nested_as_the_argument(wrap: Any) -> None:
    f = wrap(sg.vmap(lambda p, x: p["w"] * x + p["b"], in_axes=({"w": None, "b": 0}, 0)))
    assert f({"w": 2.0, "b": [1.0, 0.0, 3.0]}, [1.0, 2.0, 3.0]) == [3.0, 4.0, 9.0]
    g = wrap(sg.vmap(lambda t: t[0] * t[1][0] + t[1][1], in_axes=((0, (None, 0)),)))
    assert g(([1.0, 2.0, 3.0], (10.0, [0.5, 0.25, 1.0]))) == [10.5, 20.25, 31.0]
    h = wrap(sg.vmap(lambda p: p.left + p.right, in_axes=(Pair(0, None),)))
    assert h(Pair([1.0, 2.0, 3.0], 5.0)) == [6.0, 7.0, 8.0]
    for bad in ({"w": None}, {"w": None, "c": 0}, (0,), {"w": None, "b": 1}):
        with pytest.raises(ValueError, match="in_axes is"):
            wrap(sg.vmap(lambda p, x: x, in_axes=(bad, 0)))({"w": 2.0, "b": [1.0, 2.0]}, [1.0, 2.0])


def test_a_generator_is_a_batch_too() -> None:
    rows = [np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])]
    mean = sg.batch_mean(lambda x: x[0] * x[1])
    assert mean(row for row in rows) == mean(rows)
    assert sg.jit(lambda s: mean(row * s for row in rows), backend="python")(2.0) == mean([row * 2.0 for row in rows])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [5, 40])
def test_errors_name_the_lane_on_every_back_end(backend: str, count: int) -> None:
    for f in (sg.vmap(sg.log), sg.batch_mean(lambda x: sg.log(x) * 2.0), sg.vmap(lambda x: 1 / (x - 2.0))):
        jitted = sg.jit(f, backend=backend)
        good = np.linspace(3.0, 4.0, count)
        assert agree(outcome(jitted, good), outcome(f, good), 1e-13)
        bad = good.copy()
        bad[3] = 2.0 if f(good) is not None and outcome(f, np.full(count, 2.0)) is ZeroDivisionError else -1.0
        for kind in (np.copy, np.ndarray.tolist):
            with pytest.raises((ValueError, ZeroDivisionError), match=r"lane 3"):
                jitted(kind(bad))
            with pytest.raises((ValueError, ZeroDivisionError), match=r"lane 3"):
                f(kind(bad))
        assert agree(outcome(jitted, good), outcome(f, good), 1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_bad_lane_gives_nan_on_request(backend: str) -> None:
    f = sg.jit(sg.vmap(lambda x: sg.log(x) + 1 / x), backend=backend, domain_errors="nan")
    X = np.linspace(-1.0, 4.0, 100)
    X[7] = 0.0
    found = f(X)
    np.testing.assert_array_equal(np.isfinite(found), X > 0)
    np.testing.assert_allclose(found[X > 0], np.log(X[X > 0]) + 1 / X[X > 0], rtol=1e-14)
    assert f.stats["eager_runs"] == 0
    step = sg.jit(sg.value_and_grad(lambda a: sg.log(a) * a), backend=backend, domain_errors="nan")
    assert math.isnan(step(-1.7)[0])
    assert step(2.0) == sg.value_and_grad(lambda a: sg.log(a) * a)(2.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_hessian_of_a_jitted_mean_and_two_means_with_other_branches(backend: str) -> None:
    f = lambda w: sg.batch_mean(lambda x: sg.softplus(w * x))([0.3, -1.2, 0.8, 2.0])
    assert sg.hessian(sg.jit(f, backend=backend))(0.7) == pytest.approx(sg.hessian(f)(0.7), rel=1e-12)
    means = lambda X: sg.batch_mean(lambda x: x if x > 0 else -x)(X) + sg.batch_mean(lambda x: x * x if x > 1 else x)(X)
    jitted = sg.jit(means, backend=backend)
    rng = random.Random(0)
    for rows in (5, 40, 40, 5):
        X = np.array([rng.uniform(-3, 3) for _ in range(rows)])
        assert jitted(X) == pytest.approx(means(X), rel=1e-13)
    assert jitted.stats["eager_runs"] == 0


def test_values_and_batches_mix() -> None:
    w = Value(0.5)
    for backend in available("python", "native"):
        f = sg.jit(lambda v, X: sg.batch_mean(lambda a: sg.tanh(w * a) * v)(X), backend=backend)
        for rows in (20, 31):
            v, X = Value(2.0), np.linspace(-1.0, 2.0, rows)
            w.grad = 0.0
            out = f(v, X)
            out.backward()
            assert out.data == pytest.approx(2.0 * np.tanh(0.5 * X).mean(), rel=1e-13)
            assert v.grad == pytest.approx(np.tanh(0.5 * X).mean(), rel=1e-13)
            assert w.grad == pytest.approx((2.0 * X / np.cosh(0.5 * X) ** 2).mean(), rel=1e-13)
        assert f.stats["recordings"] == 1
        many = sg.jit(sg.vmap(lambda x: w * x), backend=backend)(np.linspace(0.0, 1.0, 20))
        assert [v.data for v in many] == [0.5 * x for x in np.linspace(0.0, 1.0, 20)]
