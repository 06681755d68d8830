"""Buffers that are bound once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import scalargrad as sg

from .helpers import BACKENDS

pytest.importorskip("scalargrad.recording.derivatives")


@pytest.mark.parametrize("backend", BACKENDS)
def test_bound_buffers_are_read_and_written_in_place(backend: str) -> None:
    f = lambda p, X: {"v": sg.log(p["w"]) * X[0, 1] if X[0, 0] > 0 else p["w"], "g": X * p["w"]}
    bound = sg.jit(f, backend=backend).bind({"w": 2.0}, np.ones((2, 2)))
    (p, X), out = bound.inputs, bound.outputs
    for w, corner in ((3.0, 1.0), (5.0, -1.0), (7.0, 2.0)):
        p["w"][...] = w
        X[:] = [[corner, 4.0], [5.0, 6.0]]
        assert bound() is out
        expected = f({"w": w}, X.copy())
        assert float(out["v"]) == expected["v"]
        np.testing.assert_array_equal(out["g"], expected["g"])
    p["w"][...] = -1.0
    with pytest.raises(ValueError, match=r"log: x = -1\.0"):
        bound()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_buffers_of_a_batch_are_read_and_written_in_place(backend: str) -> None:
    f = lambda x, k: {"v": sg.log(x[0]) * x[1] if x[1] > 0 else x[0] * k, "g": [x[0], k]}
    jitted = sg.jit(sg.vmap(f, in_axes=(0, None)), backend=backend)
    X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    bound = jitted.bind(X, 2.0)
    (x, k), out = bound.inputs, bound.outputs
    for factor, corner in ((1.0, 4.0), (3.0, -4.0), (0.5, 1.0)):  # the second takes the other branch in a lane
        x[...] = X * factor
        x[1, 1], k[...] = corner, factor
        assert bound() is out
        lanes = [f(list(row), factor) for row in x.tolist()]
        np.testing.assert_allclose(out["v"], [lane["v"] for lane in lanes], rtol=1e-15)
        np.testing.assert_array_equal(out["g"][0], x[:, 0])
        np.testing.assert_array_equal(out["g"][1], [factor] * 3)
    x[2, 0] = -1.0
    with pytest.raises(ValueError, match=r"log: x = -1\.0.*lane 2"):
        bound()


def test_what_can_not_be_bound_is_refused() -> None:
    with pytest.raises(TypeError, match="a Value takes part"):
        sg.jit(lambda x: x * 2).bind(sg.Value(1.0))
    returns_text: Any = sg.jit(lambda x: (x, "text"))
    with pytest.raises(TypeError, match="not a float"):
        returns_text.bind(1.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_buffers_of_a_batch_also_serve_what_runs_eagerly(backend: str) -> None:
    def steps(x: Any) -> dict[str, Any]:
        k = 0
        while x > k + 0.5:
            k += 1
        return {"v": x * k, "pair": (x, sg.exp(-x))}

    bound = sg.jit(sg.vmap(steps), backend=backend).bind(np.zeros(40))
    (x,), out = bound.inputs, bound.outputs
    x[...] = np.arange(40.0)  # more ways through the loop than are recorded
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert bound() is out
    np.testing.assert_array_equal(out["v"], np.arange(40.0) ** 2)
    np.testing.assert_allclose(out["pair"][1], np.exp(-np.arange(40.0)), rtol=1e-15)
