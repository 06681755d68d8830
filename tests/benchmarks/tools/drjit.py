"""Dr.Jit's LLVM back end, traced and compiled; eager code would compile a kernel for every evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import drjit
import numpy as np
from drjit.llvm.ad import Float64

from ..workloads import Workload

VERSION_OF = "drjit"

drjit.set_thread_count(0)


class M:
    sin, cos, exp, log, tanh = drjit.sin, drjit.cos, drjit.exp, drjit.log, drjit.tanh

    @staticmethod
    def relu(x: Any) -> Any:
        return drjit.maximum(x, 0.0)


def _program(workload: Workload) -> Callable[[Sequence[Any]], list[Any]]:
    @drjit.freeze
    def program(columns: Sequence[Any]) -> list[Any]:
        leaves = [Float64(column) for column in columns]
        drjit.enable_grad(*leaves)
        out = workload.function(M, leaves)
        drjit.backward(out)
        return [drjit.detach(out), *(drjit.grad(leaf) for leaf in leaves)]

    return program


def compile(workload: Workload) -> Callable[[Sequence[float]], list[float]]:
    program = _program(workload)
    return lambda point: [result.numpy()[0].item() for result in program([Float64(x) for x in point])]


def compile_batch(workload: Workload, points: Any) -> Callable[[], Any]:
    program = _program(workload)
    columns = [Float64(np.ascontiguousarray(column)) for column in points.T]
    return lambda: tuple([result.numpy() for result in program(columns)])
