"""`vmap` and `batch_mean`: loops in eager code, one mapped program under `jit`, with equal results."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad.recording.program import Loop

from .helpers import BACKENDS, agree, outcome, random_function

pytest.importorskip("scalargrad.recording.derivatives")


def test_eager_maps_are_loops_that_stack_each_leaf() -> None:
    f = sg.vmap(lambda p, x: {"sum": p["a"] + x[0], "pair": (x[1], [x[0]])}, in_axes=(None, 0))
    assert f({"a": 1.0}, [[1.0, 2.0], [3.0, 4.0]]) == {"sum": [2.0, 4.0], "pair": ([2.0, 4.0], [[1.0, 3.0]])}
    out = sg.vmap(lambda x: x * np.array([1.0, 2.0]))(np.array([1.0, 3.0]))
    np.testing.assert_array_equal(out, [[1.0, 2.0], [3.0, 6.0]])
    assert sg.vmap(lambda d: d["x"] * d["y"])({"x": [1.0, 2.0], "y": (3.0, 4.0)}) == [3.0, 8.0]
    assert sg.batch_mean(lambda x: [x, x * x])([1.0, 3.0]) == [2.0, 5.0]
    v = sg.Value(2.0)
    sg.batch_mean(lambda x: v * x)([1.0, 3.0]).backward()
    assert v.grad == 2.0


@pytest.mark.parametrize("wrap", [lambda f: f, sg.jit], ids=["eager", "jit"])
def test_bad_axes_lengths_and_arguments_are_named(wrap: Any) -> None:
    add = lambda x, y: x + y
    with pytest.raises(ValueError, match=r"args\[0\] has 2, args\[1\] has 3"):
        wrap(sg.vmap(add))([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="in_axes is 1"):
        wrap(sg.vmap(add, in_axes=1))([1.0], [1.0])
    with pytest.raises(ValueError, match="empty"):
        wrap(sg.batch_mean(add))([], [])
    with pytest.raises(TypeError, match=r"args\[1\] is a number.*in_axes"):
        wrap(sg.vmap(add))([1.0], 2.0)
    with pytest.raises(ValueError, match="no argument is mapped"):
        wrap(sg.vmap(add, in_axes=None))([1.0], [2.0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_random_functions_with_branches_agree_over_batches(backend: str) -> None:
    for seed in range(6):
        f = random_function(seed, risky=seed % 3 == 1)
        rng = random.Random(seed)
        for transform in (lambda f: f, sg.grad):
            eager = sg.vmap(transform(f))
            jitted = sg.jit(eager, backend=backend)
            for lanes in (1, 3, 9, 9):
                rows: Any = [[rng.uniform(-3, 3) for _ in range(3)] for _ in range(lanes)]
                rows = np.array(rows) if lanes == 9 else rows
                assert agree(outcome(jitted, rows), outcome(eager, rows), 1e-12), (seed, lanes)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: f,
        sg.value_and_grad,
        lambda f: sg.grad(f, argnums=1),
        lambda f: lambda w, X: sg.hvp(lambda w: f(w, X), (w,), ([1.0, 0.5, -1.0],)),
    ],
    ids=["loss", "value_and_grad", "grad_by_data", "hvp"],
)
def test_a_mean_is_a_part_of_a_larger_function_and_of_its_derivatives(transform: Any, backend: str) -> None:
    for seed in (1, 2):
        f = random_function(seed)

        def loss(w: Any, X: Any, f: Any = f) -> Any:
            mean = sg.batch_mean(lambda w, x: f([x[0] * w[0], x[1] + w[1], w[2]]), in_axes=(None, 0))
            second = sg.batch_mean(lambda x: sg.exp(-(x[0] ** 2)) * w[2])  # w from the closure
            return mean(w, X) + 0.1 * w[0] ** 2 + sg.log(1.0 + second(X) ** 2)

        eager = transform(loss)
        jitted = sg.jit(eager, backend=backend)
        rng = random.Random(seed)
        for lanes in (2, 7, 7):
            w, X = (
                [rng.uniform(-1, 1) for _ in range(3)],
                np.array([[rng.uniform(-3, 3) for _ in range(2)] for _ in range(lanes)]),
            )
            assert agree(outcome(jitted, w, X), outcome(eager, w, X), 1e-12), (seed, lanes)


def mixture(p: Any, X: Any) -> Any:
    """A mixture's log-likelihood: a logsumexp over components inside of a mean over points."""
    weights = sg.log_softmax(p["logits"])
    terms = lambda x: [
        w - 0.5 * sg.sum([(a - b) ** 2 for a, b in zip(x, m, strict=True)])
        for w, m in zip(weights, p["means"], strict=True)
    ]
    return sg.batch_mean(lambda x: sg.logsumexp(terms(x)))(X)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_mixture_s_likelihood_is_one_mapped_program(backend: str) -> None:
    rng = np.random.default_rng(0)
    p = {"logits": [0.1, -0.3], "means": [[0.0, 1.0], [2.0, -1.0]]}
    X = rng.normal(size=(50, 2))
    step = sg.jit(sg.value_and_grad(mixture), backend=backend)
    assert agree(outcome(step, p, X), outcome(sg.value_and_grad(mixture), p, X), 1e-12)
    program = step.program(p, X)
    assert sum(isinstance(s, Loop) for s in program.steps) == 1  # the value and the gradient share it
    assert len(program) < 60  # and the lanes are not written out
    inner = next(s for s in program.steps if isinstance(s, Loop))
    assert sum(inner.bodies[0].cost().values()) < 4 * 30


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_program_serves_batches_of_any_length(backend: str) -> None:
    f = sg.jit(sg.vmap(sg.value_and_grad(lambda x: sg.sin(x[0]) * x[1])), backend=backend)
    for lanes in (1, 2, 3, 4, 5, 63, 64, 1025):
        X = np.random.default_rng(lanes).normal(size=(lanes, 2))
        value, gradient = f(X)
        np.testing.assert_allclose(value, np.sin(X[:, 0]) * X[:, 1], rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(gradient[:, 0], np.cos(X[:, 0]) * X[:, 1], rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(gradient[:, 1], np.sin(X[:, 0]), rtol=1e-14, atol=1e-15)
    if backend != "python":
        assert f.stats["recordings"] == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_any_layout_and_broadcast_arguments(backend: str) -> None:
    f = sg.vmap(lambda a, x, n: a * x[0] - x[1] * n, in_axes=(None, 0, 0))
    jitted = sg.jit(f, backend=backend)
    base = np.arange(24.0).reshape(6, 4)
    for X in (
        base[:, :2],
        base[::2, 1:3],
        np.asfortranarray(base[:, 1:3]),
        base[::-1, ::-2],
        base[:, :2].astype(np.float32),
    ):
        n = np.arange(len(X))
        np.testing.assert_array_equal(jitted(2.0, X, n), f(2.0, X, n))
    assert jitted(2, [[1.0, 2.0], [3, 4]], [1, 2]) == f(2.0, [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0]) == [0.0, -2.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_lanes_are_grouped_by_outcome_and_errors_name_the_first_lane(backend: str) -> None:
    f = sg.jit(sg.vmap(lambda x: sg.log(x) if x > 0 else (x * x if x > -1 else 1 / (x + 2))), backend=backend)
    X = np.array([1.0, -0.5, 2.0, -1.5, 3.0, -0.25])
    np.testing.assert_allclose(f(X), [0.0, 0.25, np.log(2), 2.0, np.log(3), 0.0625], rtol=1e-15)
    np.testing.assert_allclose(f(X[::-1]), [0.0625, np.log(3), 2.0, np.log(2), 0.25, 0.0], rtol=1e-15)
    with pytest.raises(ZeroDivisionError, match="y = 0.0" if backend == "python" else r"y = 0.0.*\(lane 4\)"):
        f(np.array([1.0, 1.0, -1.5, -0.5, -2.0, -2.0]))
    mean = sg.jit(sg.grad(lambda a, X: sg.batch_mean(lambda x: sg.log(a * x))(X)), backend=backend)
    assert mean(1.0, X[::2]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match=r"log: x = -0.5.*\(lane 1\)"):
        mean(1.0, np.array([1.0, -0.5, -1.0]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_nan_and_infinity_travel_as_in_eager_code(backend: str) -> None:
    f = lambda x: sg.exp(-x) + sg.maximum(x, 1.0) + (x if x > 0 else -x)
    X = np.array([np.nan, np.inf, 1.0, np.inf, np.nan, -3.0, 0.0])
    np.testing.assert_allclose(sg.jit(sg.vmap(f), backend=backend)(X), sg.vmap(f)(X), rtol=1e-14)


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b.values[0] != "python"])
def test_too_many_outcomes_run_eagerly_with_a_warning(backend: str) -> None:
    def f(x: Any) -> Any:
        while x > 1:
            x = x - 1
        return x

    X = np.arange(40) + 0.5
    jitted = sg.jit(sg.vmap(f), backend=backend)
    with pytest.warns(RuntimeWarning, match="different ways"):
        found = jitted(X)
    np.testing.assert_array_equal(found, sg.vmap(f)(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jitted = sg.jit(sg.batch_mean(f), backend=backend)
        assert jitted(X) == pytest.approx(sg.batch_mean(f)(X), rel=1e-14)
        assert jitted.stats["eager_runs"] == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_closure_s_values_get_gradients_through_a_mean(backend: str) -> None:
    w = [sg.Value(0.5), sg.Value(-1.0)]
    loss = lambda X: sg.batch_mean(lambda x: sg.relu(w[0] * x + w[1]) ** 2)(X) + w[0] ** 2
    jitted = sg.jit(loss, backend=backend)
    X = np.linspace(-3, 5, 11)
    for data in ((0.5, -1.0), (2.0, 0.5)):
        for v, x in zip(w, data, strict=True):
            v.data = x
        found = []
        for f in (loss, jitted):
            for v in w:
                v.grad = 0.0
            out = f(X)
            out.backward()
            found.append([out.data, *(v.grad for v in w)])
        assert found[1] == pytest.approx(found[0], rel=1e-12)
    assert jitted.stats == {"recordings": 1, "runs": 2, "guard_failures": 0, "eager_runs": 0}
    many = sg.jit(sg.vmap(lambda x: w[0] * x), backend=backend)(X)
    assert all(isinstance(v, sg.Value) for v in many)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_through_a_map_inside_of_a_function(backend: str) -> None:
    f = lambda w, X: sg.logsumexp(list(sg.vmap(lambda x: sg.tanh(w[0] * x[0]) + w[1] * x[1])(X)))
    X = np.random.default_rng(1).normal(size=(6, 2))
    for transform in (sg.value_and_grad, sg.hessian):
        eager = transform(f)
        assert agree(outcome(sg.jit(eager, backend=backend), [0.3, 0.7], X), outcome(eager, [0.3, 0.7], X), 1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_step_is_one_recorded_function(backend: str) -> None:
    """An MLP on two half moons, full batch: jit(value_and_grad(loss)) trains as eager code does."""
    rng = random.Random(1337)
    X = np.array([[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(20)])
    d = np.array([1.0 if x[1] > x[0] ** 2 - 0.3 else -1.0 for x in X])
    parameters = {
        "W": [[rng.uniform(-1, 1) for _ in range(2)] for _ in range(4)],
        "b": [0.0] * 4,
        "v": [rng.uniform(-1, 1) for _ in range(4)],
    }

    def loss(p: Any, X: Any, d: Any) -> Any:
        def one(x: Any, t: Any) -> Any:
            hidden = [sg.relu(sg.affine(w, x, b)) for w, b in zip(p["W"], p["b"], strict=True)]
            return sg.relu(1 - t * sg.dot(p["v"], hidden))

        return sg.batch_mean(one)(X, d) + 1e-4 * sg.dot(p["v"], p["v"])

    histories = []
    for step in (sg.value_and_grad(loss), sg.jit(sg.value_and_grad(loss), backend=backend)):
        p: Any = parameters
        history = []
        for _ in range(20):
            value, g = step(p, X, d)
            history.append(value)
            p = _moved(p, g)
        histories.append(history)
    assert histories[1] == pytest.approx(histories[0], rel=1e-10)
    assert histories[0][-1] < 0.5 * histories[0][0]


def _moved(p: Any, g: Any) -> Any:
    if isinstance(p, dict):
        return {key: _moved(p[key], g[key]) for key in p}
    if isinstance(p, list):
        return [_moved(x, y) for x, y in zip(p, g, strict=True)]
    return p - 0.3 * g
