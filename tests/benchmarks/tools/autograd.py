"""HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np
from autograd import make_vjp, value_and_grad

from ..workloads import Workload

VERSION_OF = "autograd"


class M:
    sin, cos, exp, log = np.sin, np.cos, np.exp, np.log

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
