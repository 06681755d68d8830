"""micrograd 0.1.0. What it lacks of a formula's functions is written beside it, as it writes its own."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import Value

from ..workloads import Workload

VERSION_OF = "micrograd"

sys.setrecursionlimit(100_000_000)  # its backward() recurses along the graph


class M:
    @staticmethod
    def sin(x: Any) -> Any:
        out = Value(math.sin(x.data), (x,), "sin")

        def _backward() -> None:
            x.grad += math.cos(x.data) * out.grad

        out._backward = _backward
        return out

    @staticmethod
    def cos(x: Any) -> Any:
        out = Value(math.cos(x.data), (x,), "cos")

        def _backward() -> None:
            x.grad += -math.sin(x.data) * out.grad

        out._backward = _backward
        return out

    @staticmethod
    def exp(x: Any) -> Any:
        out = Value(math.exp(x.data), (x,), "exp")

        def _backward() -> None:
            x.grad += out.data * out.grad

        out._backward = _backward
        return out

    @staticmethod
    def log(x: Any) -> Any:
        out = Value(math.log(x.data), (x,), "log")

        def _backward() -> None:
            x.grad += out.grad / x.data

        out._backward = _backward
        return out

    @staticmethod
    def tanh(x: Any) -> Any:
        out = Value(math.tanh(x.data), (x,), "tanh")

        def _backward() -> None:
            x.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    relu = staticmethod(Value.relu)


def record(workload: Workload) -> tuple[list[Any], Any]:
    leaves = [Value(x) for x in workload.inputs]
    return leaves, workload.function(M, leaves)


def sweep(recorded: tuple[list[Any], Any]) -> list[float]:
    leaves, out = recorded
    out.backward()
    return [out.data, *(leaf.grad for leaf in leaves)]


def compile(workload: Workload) -> Callable[[Sequence[float]], list[float]]:
    """It records anew at every point."""

    def run(point: Sequence[float]) -> list[float]:
        leaves = [Value(x) for x in point]
        return sweep((leaves, workload.function(M, leaves)))

    return run
