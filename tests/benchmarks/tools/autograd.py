"""HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np
from autograd import make_vjp, value_and_grad

from ..networks import Network
from ..workloads import Workload

VERSION_OF = "autograd"


class M:
    sin, cos, exp, log, tanh = np.sin, np.cos, np.exp, np.log, np.tanh

    @staticmethod
    def relu(x: Any) -> Any:
        return np.maximum(x, 0.0)


def record(workload: Workload) -> tuple[Any, Any]:
    # A list of numbers: indexing one array would cost an array of all zeros for each use.
    return make_vjp(lambda xs: workload.function(M, list(xs)))(list(workload.inputs))


def sweep(recorded: tuple[Any, Any]) -> list[float]:
    pull_back, value = recorded
    return [float(value), *(float(g) for g in pull_back(1.0))]


def compile(workload: Workload) -> Callable[[Sequence[float]], list[float]]:
    """It records anew at every point."""
    both = value_and_grad(lambda xs: workload.function(M, list(xs)))

    def run(point: Sequence[float]) -> list[float]:
        value, gradient = both(list(point))
        return [float(value), *(float(g) for g in gradient)]

    return run


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "max_margin": lambda y, d: np.mean(np.maximum(1 - d * y, 0.0)),
    "cross_entropy": lambda y, d: np.mean(np.log(np.sum(np.exp(y), axis=1)) - np.sum(d * y, axis=1)),
    "squared_error": lambda y, d: np.mean(np.sum((y - d) ** 2, axis=1)),
}


def train(network: Network) -> Callable[[], list[float]]:
    """On arrays."""
    start = [x for layer in network.arrays() for x in layer]
    batches = network.array_batches()
    activate, loss = getattr(M, network.activation), LOSSES[network.loss]

    def objective(parameters: Any, x: Any, d: Any) -> Any:
        pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
        for weights, biases in pairs[:-1]:
            x = activate(np.dot(x, weights.T) + biases)
        total = loss(np.dot(x, pairs[-1][0].T) + pairs[-1][1], d)
        return total + network.penalty * sum(np.sum(p * p) for p in parameters) if network.penalty else total

    both = value_and_grad(objective)

    def run() -> list[float]:
        parameters, losses = start, []
        for x, d in batches:
            value, gradient = both(parameters, x, d)
            parameters = [p - network.rate * g for p, g in zip(parameters, gradient, strict=True)]
            losses.append(float(value))
        return [*losses, sum(float(p.sum()) for p in parameters)]

    return run
