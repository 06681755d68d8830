"""ddx-ad: an equation, differentiated and compiled through LLVM; eagerly, by its interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ddx
import numpy as np

from ..workloads import Workload

VERSION_OF = "ddx-ad"


class M:
    sin, cos, exp, log, tanh = ddx.sin, ddx.cos, ddx.exp, ddx.log, ddx.tanh

    @staticmethod
    def relu(x: Any) -> Any:
        return ddx.max(x, 0.0)


def _equation(workload: Workload) -> Any:
    names = [f"x{i}" for i in range(len(workload.inputs))]
    return ddx.equation(lambda: workload.function(M, [ddx.var(name) for name in names]))


def _row(values: Any, gradient: Any) -> list[float]:
    return [float(values), *np.ravel(gradient).tolist()]


def record(workload: Workload) -> tuple[Any, Any]:
    equation = _equation(workload)
    equation.options = ddx.Options(backend=ddx.Backend.INTERPRET)
    return equation, np.array(workload.inputs)


def sweep(recorded: tuple[Any, Any]) -> list[float]:
    equation, inputs = recorded
    return _row(*equation.jacobian(inputs))


def compile(workload: Workload) -> Callable[[Sequence[float]], list[float]]:
    equation = _equation(workload).compile(points=1)
    call = equation.buffer(np.array(workload.inputs))

    def run(point: Sequence[float]) -> list[float]:
        call.x[:] = point
        call()
        return _row(call.value, call.jacobian)

    return run


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    equation = _equation(workload).compile(points=len(points), veclib=ddx.VecLib.AUTO)
    columns = np.ascontiguousarray(points.T)

    def run() -> Any:
        values, gradient = equation.jacobian(columns)
        return np.vstack([np.reshape(values, (1, -1)), np.reshape(gradient, (len(columns), -1))]).T

    return run
