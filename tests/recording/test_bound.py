"""Buffers that are bound once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scalargrad as sg

from .helpers import BACKENDS


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


def test_what_can_not_be_bound_is_refused() -> None:
    with pytest.raises(TypeError, match="a Value takes part"):
        sg.jit(lambda x: x * 2).bind(sg.Value(1.0))
    returns_text: Any = sg.jit(lambda x: (x, "text"))
    with pytest.raises(TypeError, match="no float"):
        returns_text.bind(1.0)
