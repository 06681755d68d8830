"""jax, in double precision on one CPU thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import jax.numpy as jnp
import numpy as np

from ..networks import Network
from ..preparations import Task
from ..workloads import Workload

VERSION_OF = "jax"


class M:
    sin, cos, exp, log, tanh = jnp.sin, jnp.cos, jnp.exp, jnp.log, jnp.tanh

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
    program = jax.jit(_both(workload))
    return lambda point: np.asarray(program(np.asarray(point))).tolist()


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    program = jax.jit(jax.vmap(_both(workload)))
    return lambda: np.asarray(program(points))


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "max_margin": lambda y, d: jax.nn.relu(1 - d * y).mean(),
    "cross_entropy": lambda y, d: -(d * jax.nn.log_softmax(y)).sum(axis=1).mean(),
    "squared_error": lambda y, d: ((y - d) ** 2).sum(axis=1).mean(),
}


def train(network: Network) -> Callable[[], list[float]]:
    """On arrays; one jitted function is a step."""
    start = jax.tree.map(jnp.asarray, network.arrays())
    batches = jax.tree.map(jnp.asarray, network.array_batches())
    activate, loss = getattr(M, network.activation), LOSSES[network.loss]

    def objective(layers: Any, x: Any, d: Any) -> Any:
        for weights, biases in layers[:-1]:
            x = activate(x @ weights.T + biases)
        weights, biases = layers[-1]
        penalty = network.penalty * sum((p * p).sum() for p in jax.tree.leaves(layers)) if network.penalty else 0.0
        return loss(x @ weights.T + biases, d) + penalty

    @jax.jit
    def step(layers: Any, x: Any, d: Any) -> Any:
        value, gradient = jax.value_and_grad(objective)(layers, x, d)
        return jax.tree.map(lambda p, g: p - network.rate * g, layers, gradient), value

    def run() -> list[float]:
        layers, losses = start, []
        for x, d in batches:
            layers, value = step(layers, x, d)
            losses.append(float(value))
        return [*losses, sum(float(p.sum()) for p in jax.tree.leaves(layers))]

    return run


def gradbench(module: str, function: str, given: Any) -> Callable[[], Any]:
    """Array code of the eval's mathematics, jitted."""
    from .gradbench_arrays import EVALS

    return EVALS[module](SimpleNamespace(**ARRAYS), given)[function]


def prepared(task: Task) -> Callable[[], Any]:
    """As `prepared_arrays` has it, jitted."""
    from .prepared_arrays import prepared

    return prepared(task)


ARRAYS: dict[str, Any] = {
    **vars(jnp),
    "array": jnp.asarray,
    "numpy": lambda x: jax.tree.map(np.asarray, x),
    "transforms": jax,
    "jit": jax.jit,
    "grad": lambda f: lambda *arrays: jax.grad(f, argnums=tuple(range(len(arrays))))(*arrays),
    "scan": lambda f, carry, rows: jax.lax.scan(f, carry, rows)[1],
    "sigmoid": jax.nn.sigmoid,
    "logsumexp": jax.nn.logsumexp,
}
"""What `gradbench_arrays` asks of a library."""
