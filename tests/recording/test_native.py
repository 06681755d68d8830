"""Native code: large programs in pieces, SIMD code's accuracy, machines without SIMD functions."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad.recording import machine, native
from scalargrad.recording.backends import build
from scalargrad.recording.passes import prepared

pytest.importorskip("llvmlite")

mpmath = pytest.importorskip("mpmath")


def wide(xs: Any, count: int) -> Any:
    """A program whose values live long, with branches inside of rows and every kind of operation."""
    rng = random.Random(4)
    found = list(xs)
    for k in range(count):
        x, y = rng.choice(found), rng.choice(found[-60:])
        if k % 4 == 0:
            found.append(sg.tanh(x) + y * 0.5)
        elif k % 4 == 1:
            found.append(sg.maximum(x, y) - 0.25 * sg.sin(y))
        elif k % 4 == 2:
            found.append(sg.relu(x - y) + sg.sigmoid(y))
        else:
            found.append(sg.hypot(x, y) / (2.0 + y * y))
    return sg.sum(found[::7])


@pytest.mark.parametrize("count", [700, pytest.param(3000, marks=pytest.mark.slow)])
def test_large_programs_are_cut_in_pieces_and_compute_the_same(count: int) -> None:
    xs = [0.3, -0.4, 0.9]
    program = sg.jit(sg.value_and_grad(lambda v: wide(v, count)), backend="python").program(xs)
    compiled = native.compiled(prepared(program))
    assert len(prepared(program)) > 3000
    assert len(compiled.steps) > 1
    rng = random.Random(0)
    run = build(program, "python")
    for _ in range(3):
        xs = [rng.uniform(-1, 1) for _ in xs]
        assert compiled(xs) == pytest.approx(run(xs), rel=1e-12)


def test_a_number_that_is_returned_and_used_on_crosses_in_its_own_place() -> None:
    def chain(x: Any) -> Any:
        found = [x * 1.5]
        for _ in range(2000):
            found.append(found[-1] * x + 0.5)
        return [found[10], found[10], x, 2.0, found[-1] * found[10]]

    program = sg.jit(chain, backend="python").program(0.9)
    assert native.compiled(prepared(program))([0.9]) == chain(0.9)
    assert sg.jit(sg.vmap(chain), backend="native")(np.array([0.9]))[0].tolist() == [chain(0.9)[0]]


def test_large_batches_are_cut_in_pieces_too() -> None:
    f = lambda v: wide(v, 700)
    X = np.random.default_rng(0).uniform(-1, 1, (10, 3))
    value, gradient = sg.jit(sg.vmap(sg.value_and_grad(f)), backend="native")(X)
    for row, v, g in zip(X, value, gradient, strict=True):
        expected = sg.value_and_grad(f)(row.tolist())
        assert v == pytest.approx(expected[0], rel=1e-11)
        assert g.tolist() == pytest.approx(expected[1], rel=1e-9)


DOMAINS = {
    "log": (1e-3, 100),
    "log2": (1e-3, 100),
    "log10": (1e-3, 100),
    "sqrt": (0, 9),
    "asin": (-1, 1),
    "acos": (-1, 1),
}
DOMAINS |= {"atanh": (-0.99, 0.99), "acosh": (1, 50), "log1p": (-0.9, 9)}
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 1e-310, 700.0, -700.0, 1e17]
LIBRARY = ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf"]
LIBRARY += ["erfc", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt"]


@pytest.mark.parametrize("name", LIBRARY)
def test_simd_functions_are_within_four_ulp_and_agree_on_special_values(name: str) -> None:
    row = getattr(sg, name)
    low, high = DOMAINS.get(name, (-5, 5))
    x = np.random.default_rng(0).uniform(low, high, 500)
    f = sg.jit(sg.vmap(row), backend="native")
    found = f(x)
    with mpmath.workdps(50):
        for number, out in zip(x.tolist(), found.tolist(), strict=True):
            exact = _exact(name, number)
            assert abs(mpmath.mpf(out) - exact) <= 4 * math.ulp(float(exact)), number
    for special in SPECIAL:
        try:
            expected = row(special)
        except (ValueError, OverflowError):
            with pytest.raises((ValueError, OverflowError)):
                f(np.array([0.5 if name != "acosh" else 2.0, special]))
        else:
            out = f(np.array([special]))[0]
            np.testing.assert_allclose(out, expected, rtol=1e-15)


def _exact(name: str, x: float) -> Any:
    if name in ("log2", "log10"):
        return mpmath.log(x, int(name[3:]))
    if name == "cbrt":
        return mpmath.sign(x) * mpmath.cbrt(abs(mpmath.mpf(x)))
    return getattr(mpmath, name)(mpmath.mpf(x))


def test_without_simd_functions_each_lane_calls_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.Machine, "simd_symbol", lambda self, name: None)
    f = lambda x: sg.sin(x[0]) * sg.atan2(x[1], x[0]) + x[0] % x[1] + sg.exp(x[1]) // 0.3 + sg.round(x[0] * 3)
    X = np.random.default_rng(0).normal(size=(37, 2))
    found = sg.jit(sg.vmap(f), backend="native")(X)
    assert found.tolist() == [f(row.tolist()) for row in X]  # to the last bit


def test_a_narrow_machine_takes_two_lanes_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.machine(), "width", 2)
    machine.Machine.simd_symbol.cache_clear()
    try:
        X = np.random.default_rng(0).normal(size=(7, 2))
        f = sg.grad(lambda x: sg.exp(sg.sin(x[0])) * x[1] if x[0] > 0 else x[0] * x[1])
        np.testing.assert_allclose(sg.jit(sg.vmap(f), backend="native")(X), [f(row) for row in X], rtol=1e-14)
    finally:
        monkeypatch.undo()
        machine.Machine.simd_symbol.cache_clear()


def test_a_missing_function_of_the_c_library_is_named() -> None:
    with pytest.raises(RuntimeError, match="no nosuch"):
        machine.machine().link(["sg_nosuch"])


def test_the_llvm_source_is_shown() -> None:
    program = sg.jit(lambda x: sg.sin(x) if x > 0 else x).program(1.0)
    text = program.source("llvm")
    assert "call double @sg_sin" in text
    assert "fast" not in text


def test_memory_does_not_grow_with_calls() -> None:
    import tracemalloc

    f = sg.jit(sg.value_and_grad(lambda v: wide(v, 20)), backend="native")
    batch = sg.jit(sg.vmap(sg.value_and_grad(lambda v: wide(v, 20))), backend="native")
    X = np.random.default_rng(0).uniform(-1, 1, (100, 3))
    f([0.1, 0.2, 0.3])
    batch(X)

    def growth() -> int:
        tracemalloc.start()
        for _ in range(50):
            f([0.1, 0.2, 0.3])
            batch(X)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return grown

    # What leaks does so each time; a table of the interpreter's own, such as that of its strings, grows once.
    assert min(growth() for _ in range(3)) < 50_000
