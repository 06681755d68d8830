"""Derivatives of a mapped loop by what each lane has for itself: they are mapped as well."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import scalargrad as sg
from scalargrad.recording.program import Loop

from .helpers import BACKENDS, agree, outcome

pytest.importorskip("scalargrad.recording.derivatives")


def softened(p: Any, x: Any) -> Any:
    """A mean within a logarithm, so that the adjoint of the mean is computed."""
    return sg.log(1.0 + sg.batch_mean(lambda a: sg.softplus(p * a))(x)) + p * p


def branched(p: Any, x: Any) -> Any:
    """Two sums over lanes that go different ways."""
    one = sg.batch_mean(lambda a: sg.sin(p * a) if a > 0 else a * a)(x)
    two = sg.batch_mean(lambda a, b: a * b * p)(x, x[::-1])
    return one * two


def stacked(p: Any, x: Any) -> Any:
    """Lanes that are used one by one."""
    return sg.logsumexp(list(sg.vmap(lambda a: sg.tanh(p * a))(x)))


FUNCTIONS = [softened, branched, stacked]
X = [0.3, -1.2, 0.8, 2.0, -0.4, 1.1]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_derivatives_by_each_lane_s_own_input_equal_eager_ones(f: Callable[..., Any], backend: str) -> None:
    tangents = [1.0, 1.0, -0.5, 0.0, 2.0, 1.0]
    for derivative in (
        sg.value_and_grad(f, argnums=(0, 1)),
        sg.grad(lambda p, x: sg.dot(x, sg.grad(f, argnums=1)(p, x))),
        sg.hessian(f, argnums=1),
        lambda p, x: sg.jvp(lambda x: f(p, x), (x,), (tangents,)),
        lambda p, x: sg.jvp(lambda x: f(p, x), (x,), ([p * t for t in tangents],)),
        lambda p, x: sg.hvp(f, (p, x), (0.5, tangents)),
        lambda p, x: sg.vjp(lambda x: f(p, x), x)[1](2.0),
    ):
        for x in (X, np.array(X)):
            assert agree(outcome(sg.jit(derivative, backend=backend), 0.7, x), outcome(derivative, 0.7, x), 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_gradient_by_a_column_is_a_column(backend: str) -> None:
    f = sg.jit(sg.grad(sg.batch_mean(sg.exp)), backend=backend)
    x = [0.001 * t for t in range(1000)]
    assert f(x) == pytest.approx([math.exp(a) / 1000 for a in x], rel=1e-14)
    program = f.program(x)
    assert len(program) == 1
    assert program.cost()["exp"] == 1000  # value and gradient share eˣ


def test_a_computed_adjoint_enters_the_map() -> None:
    step = sg.jit(sg.grad(softened, argnums=1))
    steps = [step.program(0.7, [0.001 * t for t in range(n)]).steps for n in (10, 500)]
    assert len(steps[0]) == len(steps[1]) < 15
    assert sum(isinstance(s, Loop) for s in steps[0]) == 2  # the second needs the result of the first


def test_a_stacked_result_has_the_operands_of_its_lane() -> None:
    f = sg.jit(sg.grad(lambda x: sg.sum(list(sg.vmap(sg.sin)(x)))))
    x = [0.01 * t for t in range(600)]
    assert f(x) == pytest.approx(list(map(math.cos, x)), rel=1e-14, abs=1e-15)
