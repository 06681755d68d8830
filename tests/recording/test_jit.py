"""A jitted function calls like the function: arguments, results, closures, transforms, back ends."""

from __future__ import annotations

import builtins
import copy
import importlib.util
import math
import random
from typing import Any, NamedTuple

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import nn

from .helpers import BACKENDS, agree, outcome, random_function

pytest.importorskip("scalargrad.recording.derivatives")

TRANSFORMS = {
    "function": lambda f: f,
    "grad": sg.grad,
    "value_and_grad": sg.value_and_grad,
    "hessian": sg.hessian,
    "jvp": lambda f: lambda xs: sg.jvp(f, (xs,), ([1.0, -0.5, 2.0],)),
    "hvp": lambda f: lambda xs: sg.hvp(f, (xs,), ([1.0, -0.5, 2.0],)),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_random_functions_with_branches_agree_with_eager_code(backend: str, transform: str) -> None:
    for seed in range(8):
        eager = TRANSFORMS[transform](random_function(seed, risky=seed % 2 == 1))
        jitted = sg.jit(eager, backend=backend)
        rng = random.Random(seed)
        for _ in range(5):
            xs = [rng.choice([rng.uniform(-3, 3), rng.uniform(-1, 1), 0.0]) for _ in range(3)]
            # hypot is Python's own in eager code and the C library's in native code; second derivatives of softmax
            # are added up in another order.
            close = 1e-13 if backend == "native" or transform in ("hessian", "hvp") else 0.0
            expected, found = outcome(eager, xs), outcome(jitted, xs)
            if close and isinstance(expected, list):  # at a kink, eager code may have none where the program has one
                expected = [y if math.isnan(x) else x for x, y in zip(expected, found, strict=True)]
            assert agree(found, expected, close), (seed, xs)


@pytest.mark.parametrize("backend", BACKENDS)
def test_scalar_results_equal_eager_ones_to_the_last_bit(backend: str) -> None:
    rows = [r for r in vars(sg).values() if isinstance(r, sg.primitives.Unary) and r.name not in ("cbrt", "pos")]
    rng = random.Random(5)
    for row in rows:
        f = lambda x, row=row: (row(x), sg.grad(row)(x))
        jitted = sg.jit(f, backend=backend)
        for _ in range(25):
            x = rng.uniform(0.001, 0.999)
            while not row.contains([x]):
                x = rng.uniform(-3.0, 3.0)
            assert jitted(x) == f(x), (row.name, x)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["mod", "floordiv", "pow", "div", "atan2"])
def test_operators_equal_python_s_own_also_for_signs_and_whole_numbers(backend: str, name: str) -> None:
    row = getattr(sg, name)
    jitted = sg.jit(row, backend=backend)
    for x in (7.5, -7.5, 0.0, -0.0, 2.0, 1e300, math.inf, math.nan):
        for y in (2.0, -2.0, 0.5, 3.3, -1.0, 1e-300, math.inf, 0.0):
            expected, found = outcome(row, x, y), outcome(jitted, x, y)
            assert agree(found, expected), (x, y)
            if isinstance(expected, list) and not math.isnan(expected[0]):
                assert math.copysign(1.0, found[0]) == math.copysign(1.0, expected[0]), (x, y)


@pytest.mark.parametrize("backend", BACKENDS)
def test_clip_with_its_bounds_exchanged_gives_numpy_s_value_and_its_derivatives(backend: str) -> None:
    jitted = sg.jit(sg.value_and_grad(sg.clip, (0, 1, 2)), backend=backend)
    for x in (-3.0, 1.0, 1.5, 2.0, 3.0):
        assert jitted(x, 2.0, 1.0) == (np.clip(x, 2.0, 1.0), (0.0, 0.0, 1.0))
        assert sg.clip(np.array([x]), 2.0, 1.0) == [1.0]
        assert jitted(x, 1.0, 2.0) == sg.value_and_grad(sg.clip, (0, 1, 2))(x, 1.0, 2.0)


class Pair(NamedTuple):
    left: Any
    right: Any


@pytest.mark.parametrize("backend", BACKENDS)
def test_arguments_and_results_nest_as_in_eager_code(backend: str) -> None:
    def f(p: Any, xs: Any, t: Any, *, scale: Any = 2.0) -> Any:
        return {"a": [p["w"] * xs[0, 1], (xs[1, 0], t.left * scale)], "b": Pair(p["b"][0], xs * 2.0), "c": None}

    args = ({"w": 2.0, "b": [3, 4]}, np.array([[1.0, 2.0], [3.0, 4.0]]), Pair(5.0, 6.0))
    jitted = sg.jit(f, backend=backend)
    for named in ({}, {"scale": 3.0}):
        for _ in range(2):
            expected, found = f(*args, **named), jitted(*args, **named)
            assert found["a"] == expected["a"]
            assert type(found["b"]) is Pair
            assert found["b"].left == 3
            np.testing.assert_array_equal(found["b"].right, expected["b"].right)
            assert found["b"].right.dtype == float
            assert found["c"] is None


def test_a_decorator_a_method_and_static_arguments() -> None:
    class Power:
        @sg.jit
        def three(x: Any) -> Any:  # noqa: N805 (a function of its own, called on the class)
            return x**3

    assert Power.three(2.0) == 8.0
    f = sg.jit(lambda x, n, name: sg.sum([x] * n) if name == "sum" else x, static_argnums=(1, -1), backend="python")
    assert (f(2.0, 3, "sum"), f(2.0, 4, "sum"), f(2.0, 4, "x")) == (6.0, 8.0, 2.0)
    assert f.stats["recordings"] == 3
    with pytest.raises(TypeError, match=r"args\[1\] is 'sum', a str.*static_argnums"):
        sg.jit(lambda x, name: x)(1.0, "sum")
    with pytest.raises(TypeError, match="hashable"):
        sg.jit(lambda x, name: x, static_argnums=1)(1.0, [1.0])
    with pytest.raises(TypeError, match="True, a bool"):
        sg.jit(lambda x: x)(True)
    with pytest.raises(TypeError, match="give a function"):
        sg.jit(3.0)  # type: ignore[arg-type]


def test_other_shapes_have_programs_of_their_own() -> None:
    f = sg.jit(lambda xs: sg.sum(xs) * len(xs), backend="python")
    assert (f([1.0, 2.0]), f([1.0, 2.0, 3.0]), f((1.0, 2.0)), f([5.0, 2.0])) == (6.0, 18.0, 6.0, 14.0)
    assert f.stats["recordings"] == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_of_a_closure_are_read_afresh_and_get_gradients(backend: str) -> None:
    w, b = sg.Value(3.0, label="w"), sg.Value(1.0)
    f = sg.jit(lambda x: sg.relu(w * x + b) if w > 0 else w * x, backend=backend)
    for number, x in ((3.0, 2.0), (5.0, 2.0), (-1.0, 4.0)):
        w.data = number
        eager = sg.relu(w * x + b) if number > 0 else w * x
        w.grad = b.grad = 0.0
        eager.backward()
        expected = (eager.data, w.grad, b.grad)
        w.grad = b.grad = 0.0
        out = f(x)
        assert isinstance(out, sg.Value)
        out.backward()
        assert (out.data, w.grad, b.grad) == expected
    assert f.stats["recordings"] == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_in_values_out_with_derivatives_of_any_order(backend: str) -> None:
    f = lambda x, y: sg.sin(x * y) / (1 + x**2) if x > 0 else x * y
    jitted = sg.jit(f, backend=backend)
    x, y = sg.Value(0.7), sg.Value(1.3)
    out = jitted(x, y) * 2.0
    out.backward()
    expected = sg.grad(f, (0, 1))(0.7, 1.3)
    assert (x.grad, y.grad) == pytest.approx([2 * d for d in expected], rel=1e-14)
    assert sg.hessian(lambda v: jitted(v[0], v[1]))([0.7, 1.3]) == sg.hessian(lambda v: f(v[0], v[1]))([0.7, 1.3])
    assert sg.grad(sg.grad(sg.grad(lambda x: jitted(x, 2.0))))(0.5) == sg.grad(sg.grad(sg.grad(lambda x: f(x, 2.0))))(
        0.5
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_jit_combines_with_transforms_either_way_round(backend: str) -> None:
    f = lambda x: sg.exp(sg.sin(x)) if x > 0 else x * x
    jit = lambda g: sg.jit(g, backend=backend)
    for x in (0.5, -0.5):
        for order in (
            jit(sg.grad(sg.grad(f))),
            sg.grad(jit(sg.grad(f))),
            sg.grad(sg.grad(jit(f))),
            jit(jit(sg.grad(jit(sg.grad(f))))),
        ):
            assert order(x) == sg.grad(sg.grad(f))(x)
    # An inner derivative that depends on the outer variable: d/dx [x · d/dy (x·y)] is 2 at x = 1.
    assert jit(sg.grad(lambda x: x * sg.grad(lambda y: x * y)(2.0)))(1.0) == 2.0
    _, pullback = sg.vjp(jit(lambda x, y: [x * y, x]), 2.0, 3.0)
    assert pullback([1.0, 1.0]) == (4.0, 2.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_choices_inside_rows_keep_the_adjoint_of_the_other_side_out(backend: str) -> None:
    # sqrt′(0) is infinite: as a factor 0, the side that is not chosen would turn it into nan.
    f = lambda x, y: sg.sqrt(sg.hypot(x, y)) + sg.pow(sg.relu(x), y)
    for transform in (sg.grad, sg.hessian):
        eager = transform(lambda v: f(v[0], v[1]))
        jitted = sg.jit(eager, backend=backend)
        jitted([1.0, 2.0])
        for point in ([3.0, 4.0], [2.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]):
            if transform is sg.grad or point[0]:  # else relu has no second derivative
                assert agree(outcome(jitted, point), outcome(eager, point), 1e-14), point
        assert jitted.stats["recordings"] == 1


def test_has_aux_and_jacobians_of_arrays() -> None:
    f = sg.jit(sg.value_and_grad(lambda x: (x**2, {"double": 2 * x}), has_aux=True))
    assert f(3.0) == ((9.0, {"double": 6.0}), 6.0)
    jacobian = sg.jacobian(lambda v: np.array([v[0] * v[1], v[1]]))
    x = np.array([2.0, 3.0])
    np.testing.assert_array_equal(sg.jit(jacobian)(x), jacobian(x))


def test_a_missing_package_is_named_and_auto_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "llvmlite" else found(name, *a))
    with pytest.raises(ImportError, match="backend='native' needs llvmlite: pip install llvmlite"):
        sg.jit(lambda x: x, backend="native")
    assert sg.jit(lambda x: x * 2)(2.0) == 4.0
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name in ("llvmlite", "numpy") else found(name, *a)
    )
    f = sg.jit(sg.batch_mean(lambda x: x * x))
    assert f([1.0, 2.0, 3.0, 4.0]) == 7.5
    with pytest.raises(ValueError, match="'gpu'; choose 'auto'"):
        sg.jit(lambda x: x, backend="gpu")


def test_the_core_does_not_import_numpy_or_llvmlite() -> None:
    import subprocess
    import sys

    text = (
        "import sys, scalargrad as sg; sg.jit(lambda x: x * x, backend='python')(2.0); "
        "print({'numpy', 'llvmlite'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_python_s_max_min_and_sorted_are_branches() -> None:
    f = sg.jit(lambda x, y: builtins.max(x, y) * 2 + sorted([x, y])[0], backend="python")
    assert (f(1.0, 2.0), f(2.0, 1.0), f(3.0, 1.0)) == (5.0, 5.0, 7.0)
    assert f.stats["recordings"] == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_many_results_that_depend_on_values_are_differentiated_when_asked_for(backend: str) -> None:
    def powers(x: Any, y: Any) -> list[Any]:
        return [x, y, x * y, x**3, x**4, sg.sin(x * y), 2.0]

    f = sg.jit(powers, backend=backend)
    for a, b in ((2.0, 0.5), (3.0, -1.0)):
        x, y = sg.Value(a), sg.Value(b)
        results = f(x, y)
        assert [result.data for result in results[:-1]] == [g.data for g in powers(x, y)[:-1]]
        (results[4] * results[5] + results[0]).backward()
        expected = (4 * a**3 * math.sin(a * b) + a**4 * b * math.cos(a * b) + 1.0, a**5 * math.cos(a * b))
        assert (x.grad, y.grad) == pytest.approx(expected, rel=1e-14)
        copied = copy.deepcopy(results[4])
        assert (copied.data, copied.partials) == (a**4, (4 * a**3, 0.0))
    assert f.stats == {"recordings": 1, "runs": 2, "guard_failures": 0, "eager_runs": 0}
    assert sg.grad(sg.grad(lambda x: f(x, 0.5)[4]))(2.0) == pytest.approx(48.0, rel=1e-14)
    assert isinstance(sg.tanh(results[4]), sg.Value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gradient_by_values_gives_values(backend: str) -> None:
    def loss(w: list[Any], X: Any, d: Any) -> Any:
        return sg.batch_mean(lambda x, t: nn.quadratic(sg.dot(w, x), t))(X, d) + 0.1 * sg.dot(w, w)

    weights = [sg.Value(0.1 * k) for k in range(6)]
    data = [[0.1 * i * k - 0.2 for k in range(6)] for i in range(4)], [1.0, 0.0, -1.0, 0.5]
    step = sg.jit(sg.value_and_grad(loss), backend=backend)
    value, gradient = step(weights, *data)
    eager_value, eager = sg.value_and_grad(loss)(weights, *data)
    assert value.data == pytest.approx(eager_value.data, rel=1e-14)
    assert [g.data for g in gradient] == pytest.approx([g.data for g in eager], rel=1e-12)
    assert step.stats["eager_runs"] == 0
    sg.dot(gradient, gradient).backward()
    seconds = [w.grad for w in weights]
    for w in weights:
        w.grad = 0.0
    sg.dot(eager, eager).backward()
    assert seconds == pytest.approx([w.grad for w in weights], rel=1e-12)
