"""jax, in double precision on one CPU thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import jax.numpy as jnp

from ..workloads import Workload

VERSION_OF = "jax"


class M:
    sin, cos, exp, log = jnp.sin, jnp.cos, jnp.exp, jnp.log

    @staticmethod
    def relu(x: Any) -> Any:
        return jnp.maximum(x, 0.0)


def record(workload: Workload) -> tuple[Any, Any]:
    return jax.vjp(lambda *xs: workload.function(M, xs), *workload.inputs)


def sweep(recorded: tuple[Any, Any]) -> list[float]:
    value, pull_back = recorded
    return [float(value), *(float(g) for g in pull_back(jnp.ones(())))]


def _both(workload: Workload) -> Callable[[Any], Any]:
    def row(x: Any) -> Any:
        value, gradient = jax.value_and_grad(lambda x: workload.function(M, list(x)))(x)
        return jnp.concatenate([value[None], gradient])

    return row


def compile(workload: Workload) -> Callable[[Sequence[float]], list[float]]:
    import numpy as np

    program = jax.jit(_both(workload))
    return lambda point: np.asarray(program(np.asarray(point))).tolist()


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    import numpy as np

    program = jax.jit(jax.vmap(_both(workload)))
    return lambda: np.asarray(program(points))
